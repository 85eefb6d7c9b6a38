from typing import Any

import numpy as np
import pytest

from edgeanon import Detections, Kind, Tracks
from edgeanon.errors import ConfigError


def some() -> Detections:
    return Detections(
        np.arange(12, dtype=np.float32).reshape(3, 4),
        np.array([0.1, 0.2, 0.3], np.float32),
        np.array([0, 1, 0], np.uint8),
    )


def test_a_mask_selects_rows_of_every_column() -> None:
    faces = some()[some().kinds == Kind.FACE]
    assert faces.scores.tolist() == pytest.approx([0.1, 0.3])
    assert faces.boxes[:, 0].tolist() == [0, 8]


def test_tracks_keep_their_columns_when_selected() -> None:
    found = some()
    tracks = Tracks(found.boxes, found.scores, found.kinds, np.arange(3), np.zeros(3, np.int32), np.ones(3, np.bool_))
    assert tracks[1:].ids.tolist() == [1, 2]


def test_none_are_empty_arrays() -> None:
    nothing = Detections.concatenate([])
    assert len(nothing) == 0
    assert nothing.boxes.shape == (0, 4)
    assert nothing.boxes.dtype == np.float32


def test_parts_are_joined_in_order() -> None:
    both = Detections.concatenate([some()[:1], some()[1:]])
    assert both.boxes.tolist() == some().boxes.tolist()
    assert both.count(Kind.PLATE) == 1


@pytest.mark.parametrize("rows", [0, 2, 4])
def test_columns_of_other_lengths_are_refused(rows: int) -> None:
    with pytest.raises(ConfigError, match="scores"):
        Detections(np.zeros((3, 4), np.float32), np.zeros(rows, np.float32), np.zeros(3, np.uint8))


def test_boxes_of_another_shape_are_refused() -> None:
    with pytest.raises(ConfigError, match="boxes"):
        Detections(np.zeros((3, 5), np.float32), np.zeros(3, np.float32), np.zeros(3, np.uint8))


@pytest.mark.parametrize(("row", "left"), [(0, 0), (2, 8), (-1, 8), (-3, 0), (np.int64(1), 4)])
def test_a_number_selects_one_row_as_arrays(row: int, left: float) -> None:
    one = some()[row]
    assert isinstance(one, Detections)
    assert (one.boxes.shape, one.scores.shape, one.kinds.shape) == ((1, 4), (1,), (1,))
    assert one.boxes[0, 0] == left


@pytest.mark.parametrize("row", [3, -4, 100])
def test_a_row_that_there_is_not_is_an_index_error(row: int) -> None:
    with pytest.raises(IndexError):
        some()[row]
    with pytest.raises(IndexError):
        Detections.empty()[0]


@pytest.mark.parametrize(
    ("rows", "left"),
    [
        (slice(1, None), [4, 8]),
        (slice(None, None, -1), [8, 4, 0]),
        (slice(5, 9), []),
        (np.array([True, False, True]), [0, 8]),
        (np.zeros(3, np.bool_), []),
        ([2, 0], [8, 0]),
        (np.array([], np.int64), []),
    ],
    ids=["slice", "backwards", "past the end", "mask", "nothing", "indices", "no indices"],
)
def test_slices_masks_and_indices_select_rows_of_every_column(rows: Any, left: list[float]) -> None:
    chosen = some()[rows]
    assert chosen.boxes[:, 0].tolist() == left
    assert chosen.boxes.shape == (len(left), 4)
    assert len(chosen.scores) == len(chosen.kinds) == len(left)
