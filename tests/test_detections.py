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
