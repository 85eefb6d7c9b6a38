"""Whether a quantized model may take the place of what it was made from: the same objects, found before and after.

The recall of each kind may fall by no more than a margin. What is held against the margin is not the drop that was seen
but its one-sided 95 % upper bound: the larger of two, since each is right where the other is not.

- T. Tango, "Equivalence test and confidence interval for the difference in proportions for the paired-sample design",
  Statistics in Medicine 17 (1998) 891: a score interval, right for few differences or none.
- N. A. Obuchowski, "On the comparison of correlated proportions for clustered data", Statistics in Medicine 17 (1998)
  1495: the variance over pictures, right where the objects of a picture are lost together.

False detections a picture may rise to a multiple of what they were.
"""

from collections.abc import Sequence
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from edgeanon.certificate import Compared, SizeBin
from edgeanon.detections import Kind
from edgeanon.evaluation import HEIGHTS, Outcome, wilson

Z = 1.6449
"""Standard deviations of a one-sided bound at 95 %."""


def compare(before: Outcome, after: Outcome, kinds: Sequence[Kind]) -> tuple[Compared, ...]:
    """Two outcomes on the same labelled set, by kind."""
    return tuple(_compare(before, after, kind) for kind in kinds)


def _compare(before: Outcome, after: Outcome, kind: Kind) -> Compared:
    rows = before.kinds == kind
    was, now, heights = before.found[rows], after.found[rows], before.heights[rows]
    total, found_before, found_after = len(was), int(was.sum()), int(now.sum())
    bins = []
    for name, (low, high) in HEIGHTS.items():
        inside = (heights >= low) & (heights < high)
        counts = (int(column[inside].sum()) for column in (was, now))
        bins.append(SizeBin(name=name, objects=int(inside.sum()), before=next(counts), after=next(counts)))
    return Compared(
        kind=kind.name.lower(),  # type: ignore[arg-type]  # a Kind's name is one of them
        objects=total,
        before=found_before,
        after=found_after,
        lost=int((was & ~now).sum()),
        gained=int((now & ~was).sum()),
        recall_before=wilson(found_before, total),
        recall_after=wilson(found_after, total),
        drop=(found_before - found_after) / total,
        drop_bound=drop_bound(was, now, before.pictures[rows]),
        false_before=before.false_per_picture(kind),
        false_after=after.false_per_picture(kind),
        bins=tuple(bins),
    )


def drop_bound(was: NDArray[np.bool_], now: NDArray[np.bool_], pictures: NDArray[np.int64]) -> float:
    """One-sided 95 % upper bound of the drop of recall; 1 without objects.

    Args:
        was: ``(n,)``, which objects were found before; ``now`` which are found after.
        now: as ``was``.
        pictures: ``(n,)``, in which picture each object is.
    """
    if not len(was):
        return 1.0
    lost, gained = int((was & ~now).sum()), int((now & ~was).sum())
    return max(score_bound(lost, gained, len(was)), clustered_bound(was, now, pictures))


def score_bound(lost: int, gained: int, total: int) -> float:
    """Tango's upper bound of ``(lost - gained) / total``.

    >>> round(score_bound(0, 0, 268), 4)
    0.01
    """
    low, high = (lost - gained) / total, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _score(lost, gained, total, middle) > -Z:
            low = middle
        else:
            high = middle
    return high


def _score(lost: int, gained: int, total: int, drop: float) -> float:
    """How many standard deviations the difference that was seen lies above one that is supposed."""
    b = (2 * total - lost + gained) * drop - lost - gained
    c = -gained * drop * (1 - drop)
    share = (sqrt(b * b - 8 * total * c) - b) / (4 * total)
    variance = total * (2 * share + drop * (1 - drop))
    return (lost - gained - total * drop) / sqrt(variance) if variance > 0 else 0.0


def clustered_bound(was: NDArray[np.bool_], now: NDArray[np.bool_], pictures: NDArray[np.int64]) -> float:
    """Obuchowski's upper bound: the drop plus ``Z`` standard errors, from how it differs between the pictures."""
    _, group = np.unique(pictures, return_inverse=True)
    fewer = np.bincount(group, weights=was.astype(np.float64) - now)
    counts = np.bincount(group)
    drop = float(fewer.sum() / len(was))
    groups = len(counts)
    if groups < 2:
        return drop
    variance = groups / (groups - 1) * float(((fewer - counts * drop) ** 2).sum()) / len(was) ** 2
    return drop + Z * sqrt(variance)
