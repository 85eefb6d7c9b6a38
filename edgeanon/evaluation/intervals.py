"""Intervals of shares: what a count says about the share behind it."""

from math import sqrt


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
