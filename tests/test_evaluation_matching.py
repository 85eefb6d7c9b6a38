"""Which detection is which labelled object, on arrays that can be counted by hand, and the interval of a share."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeanon.detections import Detections, Kind
from edgeanon.evaluation import HEIGHTS, Labelled, coverage, height_bin, match, outcome, wilson


def boxes(*rows: tuple[float, float, float, float]) -> NDArray[np.float32]:
    return np.array(rows, np.float32).reshape(-1, 4)


def scores(*values: float) -> NDArray[np.float32]:
    return np.array(values, np.float32)


def test_a_label_is_matched_once_and_by_the_best_score() -> None:
    label = boxes((0, 0, 10, 10))
    by_label, used = match(boxes((0, 0, 10, 10), (0, 0, 10, 9)), scores(0.3, 0.9), label)
    assert by_label.tolist() == [1]
    assert used.tolist() == [False, True]


def test_a_detection_takes_the_free_label_that_it_overlaps_most() -> None:
    labels = boxes((0, 0, 10, 10), (2, 0, 12, 10))
    by_label, used = match(boxes((2, 0, 12, 10), (2, 0, 12, 10)), scores(0.9, 0.8), labels)
    assert by_label.tolist() == [1, 0]
    assert used.all()


def test_too_little_overlap_is_no_match() -> None:
    half = boxes((0, 0, 10, 5))
    assert match(half, scores(1), boxes((0, 0, 10, 10)), 0.5)[0].tolist() == [0]
    assert match(half, scores(1), boxes((0, 0, 10, 10)), 0.51)[0].tolist() == [-1]


def test_nothing_is_matched_to_nothing() -> None:
    assert match(boxes(), scores(), boxes((0, 0, 1, 1)))[0].tolist() == [-1]
    assert match(boxes((0, 0, 1, 1)), scores(1), boxes())[1].tolist() == [False]


def test_coverage_counts_whole_pixels_of_the_label_rounded_outward() -> None:
    hidden = np.zeros((10, 10), np.bool_)
    hidden[:, :5] = True
    labels = boxes((0, 0, 10, 10), (0.5, 0, 4.5, 4), (4.5, 0, 5.5, 1), (6, 6, 9, 9))
    assert coverage(hidden, labels).tolist() == [0.5, 1.0, 0.5, 0.0]


def test_the_interval_of_8_out_of_10_is_wilsons() -> None:
    """(0.4902, 0.9433): the formula worked by hand with z = 1.96."""
    assert wilson(8, 10) == pytest.approx((0.49016, 0.94331), abs=1e-4)


def test_the_interval_stays_within_0_and_1_and_holds_the_share() -> None:
    for total in (1, 7, 1000):
        for hits in {0, 1, total // 2, total}:
            low, high = wilson(hits, total)
            assert 0 <= low <= hits / total <= high <= 1
    assert wilson(0, 0) == (0, 1)


def test_a_bin_holds_its_lower_end_and_not_its_upper() -> None:
    heights = (0.5, 15.9, 16, 31.9, 32, 63.9, 64, 5000)
    names = list(HEIGHTS)
    assert [height_bin(height) for height in heights] == [name for name in names for _ in range(2)]


Row = tuple[Kind, tuple[float, float, float, float]]


def labelled(*rows: Row, ignored: tuple[Row, ...] = (), judged: frozenset[Kind] = frozenset(Kind)) -> Labelled:
    every = [*rows, *ignored]
    return Labelled(
        path=Path("a.png"),
        width=100,
        height=100,
        source="",
        boxes=boxes(*(box for _, box in every)),
        kinds=np.array([kind for kind, _ in every], np.uint8),
        ignored=np.arange(len(every)) >= len(rows),
        judged=judged,
    )


def found(*rows: tuple[Kind, tuple[float, float, float, float], float]) -> Detections:
    return Detections(
        boxes(*(box for _, box, _ in rows)),
        scores(*(score for _, _, score in rows)),
        np.array([kind for kind, _, _ in rows], np.uint8),
    )


HERE, THERE, WIDE = (0.0, 0.0, 10.0, 10.0), (50.0, 50.0, 60.0, 70.0), (40.0, 40.0, 100.0, 100.0)


def test_each_object_is_found_by_a_detection_of_its_own_kind() -> None:
    picture = labelled((Kind.FACE, HERE), (Kind.PLATE, HERE), (Kind.FACE, THERE))
    result = outcome([picture], [found((Kind.PLATE, HERE, 0.9), (Kind.FACE, THERE, 0.9))])
    assert result.found.tolist() == [False, True, True]
    assert result.kinds.tolist() == [Kind.FACE, Kind.PLATE, Kind.FACE]
    assert result.heights.tolist() == [10, 10, 20]
    assert (result.recall(Kind.FACE), result.recall(Kind.PLATE), result.recall(Kind.OTHER)) == ((1, 2), (1, 1), (0, 0))


def test_a_detection_below_its_kinds_threshold_does_not_count() -> None:
    weak = found((Kind.FACE, HERE, 0.3), (Kind.PLATE, HERE, 0.3))
    result = outcome([labelled((Kind.FACE, HERE), (Kind.PLATE, HERE))], [weak], thresholds={Kind.FACE: 0.4})
    assert result.found.tolist() == [False, True]


def test_objects_keep_the_order_of_pictures_and_labels() -> None:
    pictures = [labelled((Kind.FACE, HERE), (Kind.PLATE, THERE)), labelled(), labelled((Kind.PLATE, HERE))]
    result = outcome(pictures, [found()] * 3)
    assert result.pictures.tolist() == [0, 0, 2]
    assert result.kinds.tolist() == [Kind.FACE, Kind.PLATE, Kind.PLATE]


def test_in_an_ignored_region_nothing_is_false_and_nothing_is_missed() -> None:
    picture = labelled(ignored=((Kind.FACE, WIDE),))
    result = outcome(
        [picture], [found((Kind.FACE, THERE, 0.9), (Kind.FACE, (51, 51, 60, 70), 0.8), (Kind.FACE, HERE, 0.7))]
    )
    assert len(result.found) == 0
    assert result.false[0, Kind.FACE] == 1
    assert outcome([picture], [found((Kind.PLATE, THERE, 0.9))]).false[0, Kind.PLATE] == 1


def test_a_label_is_taken_before_an_ignored_region_around_it() -> None:
    picture = labelled((Kind.FACE, THERE), ignored=((Kind.FACE, WIDE),))
    result = outcome([picture], [found((Kind.FACE, THERE, 0.9))])
    assert result.found.tolist() == [True]
    assert result.false.sum() == 0


def test_a_kind_that_was_not_labelled_in_a_picture_is_not_judged_there() -> None:
    faces_only = labelled((Kind.FACE, HERE), judged=frozenset({Kind.FACE}))
    both = labelled((Kind.FACE, HERE))
    result = outcome([faces_only, both], [found((Kind.PLATE, THERE, 0.9))] * 2)
    assert result.false[:, Kind.PLATE].tolist() == [0, 1]
    assert result.false_per_picture(Kind.PLATE) == 1
    assert np.isnan(outcome([faces_only], [found()]).false_per_picture(Kind.PLATE))


def test_nothing_at_all_is_an_outcome() -> None:
    result = outcome([], [])
    assert len(result.found) == 0
    assert result.false.shape == (0, len(Kind))
