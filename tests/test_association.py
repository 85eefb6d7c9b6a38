from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edgeanon.association import assign, likeness
from edgeanon.boxes import iou

SIDES = st.integers(0, 5)
COSTS = st.tuples(SIDES, SIDES).flatmap(
    lambda shape: st.tuples(
        hnp.arrays(np.float64, shape, elements=st.floats(0, 1)), hnp.arrays(np.bool_, shape, elements=st.booleans())
    )
)


def saved(cost: np.ndarray, allowed: np.ndarray) -> float:
    """The most that any pairing saves, by trying all of them."""
    worth = np.where(allowed, 1 - cost, 0)
    worth = worth if len(worth) <= worth.shape[1] else worth.T
    return max(
        sum(float(worth[row, column]) for row, column in enumerate(columns))
        for columns in permutations(range(worth.shape[1]), len(worth))
    )


@given(COSTS)
def test_no_other_pairing_saves_more(case: tuple[np.ndarray, np.ndarray]) -> None:
    cost, allowed = case
    rows, columns = assign(cost, allowed)
    assert allowed[rows, columns].all()
    assert len(set(rows.tolist())) == len(rows) == len(set(columns.tolist()))
    assert rows.tolist() == sorted(rows.tolist())
    assert (1 - cost[rows, columns]).sum() == pytest.approx(saved(cost, allowed), abs=1e-3)


def test_the_nearest_pair_is_given_up_where_that_saves_more() -> None:
    rows, columns = assign(np.array([[0.1, 0.2], [0.2, 0.9]]), np.ones((2, 2), np.bool_))
    assert (rows.tolist(), columns.tolist()) == ([0, 1], [1, 0])


def test_what_stands_where_no_pair_is_allowed_is_not_looked_at() -> None:
    cost = np.array([[0.5, np.nan, 0.4], [np.inf, 0.3, 0.2]])
    allowed = np.array([[True, False, True], [False, True, True]])
    rows, columns = assign(cost, allowed)
    assert (rows.tolist(), columns.tolist()) == ([0, 1], [0, 2]) or cost[rows, columns].sum() == pytest.approx(0.7)


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (2, 3)])
def test_nothing_to_pair_gives_no_pairs(shape: tuple[int, int]) -> None:
    rows, columns = assign(np.zeros(shape), np.zeros(shape, np.bool_))
    assert len(rows) == len(columns) == 0
    assert rows.dtype == columns.dtype == np.int64


def test_a_crowd_of_equals_is_paired_wholly() -> None:
    rows, columns = assign(np.full((300, 400), 0.5), np.ones((300, 400), np.bool_))
    assert rows.tolist() == list(range(300))
    assert len(set(columns.tolist())) == 300


BOXES = hnp.arrays(np.float32, st.tuples(st.integers(0, 6), st.just(4)), elements=st.floats(0, 500, width=32)).map(
    lambda rows: np.concatenate([np.minimum(rows[:, :2], rows[:, 2:]), np.maximum(rows[:, :2], rows[:, 2:])], 1)
)


@given(BOXES, BOXES)
def test_without_reach_it_is_intersection_over_union(one: np.ndarray, other: np.ndarray) -> None:
    found = likeness(one, other, np.zeros((len(one), 2), np.float32))
    np.testing.assert_allclose(found, iou(one, other), atol=1e-4)


def test_with_reach_boxes_need_not_overlap() -> None:
    one, other = np.array([[0, 0, 10, 10]], np.float32), np.array([[12, 0, 22, 10], [40, 0, 50, 10]], np.float32)
    found = likeness(one, other, np.array([[5, 0]], np.float32))
    assert found[0].tolist() == pytest.approx([8 / 32, 0])
