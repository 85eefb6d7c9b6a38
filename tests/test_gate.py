"""The bounds of the gate, against what is known of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeanon.certificate import TOO_FEW, SizeBin
from edgeanon.detections import Kind
from edgeanon.evaluation import Outcome
from edgeanon.quantization.gate import Z, clustered_bound, compare, drop_bound, score_bound

Bools = NDArray[np.bool_]


def outcome(found: Bools, *, pictures: NDArray[np.int64], heights: float = 20, false: int = 0) -> Outcome:
    count = int(pictures.max()) + 1
    wrong = np.zeros((count, len(Kind)), np.int64)
    wrong[:, Kind.FACE] = false
    return Outcome(
        pictures,
        np.zeros(len(found), np.uint8),
        np.full(len(found), heights, np.float32),
        found,
        wrong,
        np.ones((count, len(Kind)), np.bool_),
    )


@pytest.mark.parametrize(("lost", "gained", "total"), [(10, 10, 1000), (20, 0, 1000), (3, 8, 400), (39, 12, 1256)])
def test_the_score_bound_is_where_the_score_is_z(lost: int, gained: int, total: int) -> None:
    """The score, with the likeliest share of gained objects found by trying them all."""
    drop = score_bound(lost, gained, total)
    share = np.linspace(1e-9, (1 - drop) / 2 - 1e-9, 200_001)
    likelihood = (
        lost * np.log(share + drop) + gained * np.log(share) + (total - lost - gained) * np.log(1 - 2 * share - drop)
    )
    likeliest = float(share[likelihood.argmax()])
    score = (lost - gained - total * drop) / np.sqrt(total * (2 * likeliest + drop - drop**2))
    assert score == pytest.approx(-Z, abs=0.01)


def test_where_nothing_differs_the_score_bound_is_known() -> None:
    assert score_bound(0, 0, 1000) == pytest.approx(Z**2 / (1000 + Z**2), abs=1e-6)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(100, 3000))
def test_a_bound_lies_above_what_was_seen_and_grows_with_what_is_lost(lost: int, gained: int, total: int) -> None:
    bound = score_bound(lost, gained, total)
    assert (lost - gained) / total < bound <= 1
    assert score_bound(lost + 1, gained, total) > bound


def test_few_objects_that_all_agree_still_do_not_prove_enough() -> None:
    everything = np.ones(200, np.bool_)
    assert drop_bound(everything, everything, np.arange(200)) > 0.01
    assert drop_bound(everything[:0], everything[:0], np.arange(0)) == 1.0


def test_objects_that_are_lost_together_count_for_less() -> None:
    """Ten lost in one picture may be ten or none in the next; one lost in each of ten pictures says more."""
    was = np.ones(1000, np.bool_)
    pictures = np.repeat(np.arange(100), 10)
    together, apart = was.copy(), was.copy()
    together[:10] = False
    apart[:100:10] = False
    assert clustered_bound(was, together, pictures) > clustered_bound(was, apart, pictures)
    assert drop_bound(was, together, pictures) == clustered_bound(was, together, pictures)


def test_the_clustered_bound_of_single_objects_is_the_normal_one() -> None:
    random = np.random.default_rng(0)
    was, now = random.random(5000) < 0.9, random.random(5000) < 0.88
    difference = was.astype(float) - now
    normal = difference.mean() + Z * difference.std(ddof=1) / np.sqrt(5000)
    assert clustered_bound(was, now, np.arange(5000)) == pytest.approx(normal, rel=1e-6)


def test_the_true_drop_lies_below_the_bound_in_nineteen_of_twenty_samples() -> None:
    """With a drop of exactly the margin the gate lets a model pass in about one of twenty cases."""
    random = np.random.default_rng(1)
    passed = 0
    for _ in range(400):
        was = random.random(1500) < 0.85
        now = was & (random.random(1500) >= 0.05 / 0.85 / 2.5)
        now |= ~was & (random.random(1500) < 0.01 / 0.15)
        passed += drop_bound(was, now, np.repeat(np.arange(300), 5)) <= 0.01
    assert passed / 400 < 0.09


def test_a_comparison_counts_by_kind_and_by_height() -> None:
    pictures = np.repeat(np.arange(4), 100)
    was, now = np.ones(400, np.bool_), np.ones(400, np.bool_)
    now[:4] = False
    was[4:6] = False
    before, after = outcome(was, pictures=pictures, false=2), outcome(now, pictures=pictures, false=3)
    (faces,) = compare(before, after, [Kind.FACE])
    assert (faces.objects, faces.before, faces.after, faces.lost, faces.gained) == (400, 398, 396, 4, 2)
    assert faces.drop == pytest.approx(0.005)
    assert (faces.false_before, faces.false_after) == (2.0, 3.0)
    assert [part.objects for part in faces.bins] == [0, 400, 0, 0]


def test_a_bin_of_fewer_than_300_objects_is_said_to_have_too_few() -> None:
    assert SizeBin(name="16-32 px", objects=TOO_FEW - 1, before=1, after=1).too_few
    assert not SizeBin(name="16-32 px", objects=TOO_FEW, before=1, after=1).too_few
