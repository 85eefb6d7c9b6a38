"""Which detection belongs to which track: how alike they are, and one to one at the least total cost."""

import lap
import numpy as np
from numpy.typing import NDArray

from edgeanon.boxes import Boxes

Indices = NDArray[np.int64]

# Costs are rounded to this many steps: on whole numbers the solver's sums are exact, and never send it in circles.
_STEPS = 1 << 16


def likeness(boxes: Boxes, others: Boxes, reach: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union of boxes that are grown first, ``(n, m)``, 0..1.

    Args:
        boxes: ``(n, 4)``.
        others: ``(m, 4)``.
        reach: ``(n, 2)``, pixels across and down by which a box and what it is compared with grow on each side. So
            what is small, fast or badly known need not overlap to be alike.
    """
    low, high = boxes[:, :2] - reach, boxes[:, 2:] + reach
    each = reach[:, None]
    others_low, others_high = others[:, :2] - each, others[:, 2:] + each
    sides = np.maximum(np.minimum(high[:, None], others_high) - np.maximum(low[:, None], others_low), 0)
    shared = sides[..., 0] * sides[..., 1]
    own, theirs = high - low, others_high - others_low
    union = (own[:, 0] * own[:, 1])[:, None] + theirs[..., 0] * theirs[..., 1] - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0), np.float32)


def assign(cost: NDArray[np.floating], allowed: NDArray[np.bool_]) -> tuple[Indices, Indices]:
    """Pairs of rows and columns, each used once at most, that save the most.

    A pair saves what its cost is short of 1.

    Args:
        cost: ``(n, m)``, 0..1 where a pair is allowed; not looked at elsewhere.
        allowed: ``(n, m)``, which pairs may be made.

    Returns:
        Rows and columns of the pairs, ``(k,)`` each, rows ascending.
    """
    by_row, by_column = allowed.sum(1), allowed.sum(0)
    # Mostly an object has one candidate that has no other: nothing to decide.
    rows, columns = np.nonzero(allowed & (by_row == 1)[:, None] & (by_column == 1))
    by_row[rows], by_column[columns] = 0, 0
    left, right = np.flatnonzero(by_row), np.flatnonzero(by_column)
    if not len(left):
        return rows, columns
    part = np.ix_(left, right)
    free = allowed[part]
    steps = np.where(free, np.rint(cost[part] * (_STEPS - 2)), 4.0 * _STEPS)
    partner, _ = lap.lapjv(steps, extend_cost=True, cost_limit=float(_STEPS), return_cost=False)
    chosen = np.flatnonzero(partner >= 0)
    rows = np.concatenate([rows, left[chosen]])
    columns = np.concatenate([columns, right[partner[chosen]]])
    order = np.argsort(rows, kind="stable")
    return rows[order], columns[order]
