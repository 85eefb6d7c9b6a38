from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edgeanon import boxes
from edgeanon.errors import ConfigError

SIDES = st.integers(1, 4000)
ANY = hnp.arrays(np.float32, st.tuples(st.integers(0, 12), st.just(4)), elements=st.floats(width=32))
PLAIN = hnp.arrays(np.float32, st.tuples(st.integers(0, 12), st.just(4)), elements=st.floats(-500, 4500, width=32)).map(
    lambda rows: np.concatenate([np.minimum(rows[:, :2], rows[:, 2:]), np.maximum(rows[:, :2], rows[:, 2:])], 1)
)


@given(PLAIN, SIDES, SIDES)
def test_whole_pixels_cover_every_box_inside_the_frame(rows: np.ndarray, width: int, height: int) -> None:
    pixels = boxes.to_pixels(rows, width, height)
    frame = np.array([width, height] * 2)
    assert (pixels[:, :2] <= np.clip(rows, 0, frame)[:, :2]).all()
    assert (pixels[:, 2:] >= np.clip(rows, 0, frame)[:, 2:]).all()
    assert (pixels >= 0).all()
    assert (pixels <= frame).all()


@given(PLAIN, SIDES, SIDES)
def test_a_box_that_touches_the_frame_covers_at_least_one_pixel(rows: np.ndarray, width: int, height: int) -> None:
    inside = ((rows[:, :2] >= 0) & (rows[:, :2] < [width, height])).all(1)
    pixels = boxes.to_pixels(rows, width, height)[inside]
    assert (pixels[:, 2:] > pixels[:, :2]).all()


@given(ANY, SIDES, SIDES)
def test_what_is_unknown_of_a_box_makes_it_larger(rows: np.ndarray, width: int, height: int) -> None:
    whole = boxes.complete(rows, width, height)
    assert np.isfinite(whole).all()
    assert (whole[:, :2] <= whole[:, 2:]).all()
    for edge in range(4):
        lost = ~np.isfinite(rows[:, edge])
        assert (whole[lost][:, :2].min(1, initial=0) <= 0).all() or edge > 1
    known = np.isfinite(rows).all(1)
    assert (whole[known].min(1) == rows[known].min(1)).all()


def test_a_box_of_nothing_but_nan_is_the_whole_frame() -> None:
    assert boxes.complete(np.full((1, 4), np.nan, np.float32), 640, 480).tolist() == [[0, 0, 640, 480]]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([0, 0, 10, 10], [0, 0, 10, 10], 1.0),
        ([0, 0, 10, 10], [20, 20, 30, 30], 0.0),
        ([0, 0, 10, 10], [10, 0, 20, 10], 0.0),
        ([0, 0, 10, 10], [10, 10, 20, 20], 0.0),
        ([0, 0, 10, 10], [5, 0, 15, 10], 1 / 3),
        ([5, 5, 5, 5], [5, 5, 5, 5], 0.0),
        ([0, 0, 1e6, 1e6], [0, 0, 1e6, 5e5], 0.5),
    ],
    ids=["identical", "apart", "touching edge", "touching corner", "half shared", "no area", "huge"],
)
def test_iou(one: list[float], other: list[float], expected: float) -> None:
    found = boxes.iou(np.array([one], np.float32), np.array([other], np.float32))
    assert found[0, 0] == pytest.approx(expected, rel=1e-5)


def test_growing_adds_a_share_of_each_side() -> None:
    grown = boxes.grow(np.array([[10, 10, 20, 30]], np.float32), (0.1, 0.5))
    assert grown.tolist() == [[9, 0, 21, 40]]


@pytest.mark.parametrize("wrong", [[[1, 2, 3]], [1, 2, 3, 4], [["a", 2, 3, 4]], [[[1, 2, 3, 4]]]])
def test_boxes_of_another_shape_are_refused(wrong: Any) -> None:
    with pytest.raises(ConfigError, match="boxes"):
        boxes.as_boxes(wrong)


@pytest.mark.parametrize("none", [[], np.empty((0, 4)), [[]]])
def test_no_boxes_are_boxes(none: object) -> None:
    assert boxes.as_boxes(none).shape == (0, 4)  # type: ignore[arg-type]


class TestSuppress:
    def test_the_better_of_two_that_overlap_stays(self) -> None:
        rows = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60]], np.float32)
        assert boxes.suppress(rows, np.array([0.5, 0.9, 0.1], np.float32), 0.4).tolist() == [1, 2]

    def test_ten_thousand_apart_all_stay(self) -> None:
        corners = np.stack(np.meshgrid(np.arange(100) * 20, np.arange(100) * 20), -1).reshape(-1, 2)
        rows = np.concatenate([corners, corners + 10], 1).astype(np.float32)
        assert len(boxes.suppress(rows, np.ones(10_000, np.float32), 0.4)) == 10_000

    def test_a_part_cut_off_by_a_seam_goes_when_the_whole_is_there(self) -> None:
        rows = np.array([[0, 0, 100, 100], [0, 0, 30, 100]], np.float32)
        scores = np.array([0.3, 0.9], np.float32)
        assert boxes.suppress(rows, scores, 0.4, np.array([False, True])).tolist() == [0]
        assert boxes.suppress(rows, scores, 0.4).tolist() == [1, 0]

    def test_a_part_that_nothing_explains_stays(self) -> None:
        rows = np.array([[0, 0, 100, 100], [90, 0, 200, 100]], np.float32)
        assert len(boxes.suppress(rows, np.array([0.9, 0.1], np.float32), 0.4, np.array([False, True]))) == 2

    @given(PLAIN, st.data())
    def test_every_box_is_kept_or_overlaps_one_that_is(self, rows: np.ndarray, data: st.DataObject) -> None:
        scores = data.draw(hnp.arrays(np.float32, len(rows), elements=st.floats(0, 1, width=32)))
        kept = boxes.suppress(rows, scores, 0.4)
        gone = np.setdiff1d(np.arange(len(rows)), kept)
        if len(gone):
            assert (boxes.iou(rows[gone], rows[kept]).max(1) > 0.399).all()


@given(st.integers(1, 50_000), st.integers(64, 2048), st.integers(0, 63))
def test_tiles_cover_a_side_and_share_the_overlap(length: int, most: int, overlap: int) -> None:
    tile, begins = boxes.tiles(length, most, overlap)
    assert tile <= most
    assert begins[0] == 0
    assert begins[-1] + tile == length
    assert all(before + tile - overlap >= after for before, after in pairwise(begins))


def test_tiles_no_larger_than_their_overlap_are_refused() -> None:
    with pytest.raises(ConfigError, match="overlap"):
        boxes.tiles(100, 10, 10)


def test_what_two_detectors_found_of_one_object_becomes_a_box_around_both() -> None:
    found = boxes.as_boxes([[0, 0, 10, 10], [2, 0, 12, 10], [50, 0, 60, 10]])
    united, kept = boxes.unite(found, np.array([0.5, 0.9, 0.3], np.float32), 0.4, np.ones(3, np.bool_))
    assert kept.tolist() == [1, 2]
    assert united.tolist() == [[0, 0, 12, 10], [50, 0, 60, 10]]


def test_a_box_that_does_not_count_vanishes_in_another_and_changes_it_not() -> None:
    found = boxes.as_boxes([[0, 0, 10, 10], [2, 0, 12, 10]])
    united, kept = boxes.unite(found, np.array([0.9, 0.5], np.float32), 0.4, np.array([True, False]))
    assert (united.tolist(), kept.tolist()) == ([[0, 0, 10, 10]], [0])
    united, kept = boxes.unite(found[:0], np.zeros(0, np.float32), 0.4, np.zeros(0, np.bool_))
    assert united.shape == (0, 4)
    assert kept.shape == (0,)
