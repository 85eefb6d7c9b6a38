"""Intervals of shares: what a count says about the share behind it."""

from math import sqrt

import numpy as np
from numpy.typing import NDArray


def wilson(hits: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's score interval of a share, by default at 95 %; E. B. Wilson, JASA 22 (1927) 209.

    Args:
        hits: how many.
        total: of how many.
        z: standard deviations; 1.645 makes each end a one-sided bound at 95 %.

    >>> low, high = wilson(8, 10)
    >>> round(low, 3), round(high, 3)
    (0.49, 0.943)
    """
    if not total:
        return 0.0, 1.0
    share = hits / total
    middle = share + z * z / (2 * total)
    half = z * sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def rate_interval(counts: NDArray[np.int64], z: float = 1.96) -> tuple[float, float]:
    """An interval of the mean of counts, such as false masks in each picture, by default at 95 %.

    Byar's approximation to the exact interval of a Poisson count (N. E. Breslow and N. E. Day, Statistical Methods in
    Cancer Research II, 1987, 69), made wider by how much more the counts vary than Poisson's would, as false masks come
    in clusters (R. W. M. Wedderburn, Biometrika 61 (1974) 439).

    Args:
        counts: ``(n,)``, one a picture.
        z: standard deviations.
    """
    if not len(counts):
        return 0.0, float("inf")
    mean = float(counts.mean())
    spread = max(1.0, float(counts.var(ddof=1)) / mean) if mean and len(counts) > 1 else 1.0
    total = mean * len(counts) / spread
    low = total * (1 - 1 / (9 * total) - z / (3 * sqrt(total))) ** 3 if total else 0.0
    more = total + 1
    high = more * (1 - 1 / (9 * more) + z / (3 * sqrt(more))) ** 3
    return max(0.0, low) * spread / len(counts), high * spread / len(counts)
