"""How much of what is labelled lies under the mask."""

import numpy as np
from numpy.typing import NDArray

from edgeanon.boxes import Boxes, to_pixels


def coverage(hidden: NDArray[np.bool_], labels: Boxes) -> NDArray[np.float64]:
    """Share of each label, rounded outward to whole pixels, that lies under a mask ``(h, w)``; ``(n,)``, 0..1."""
    height, width = hidden.shape
    return np.array([hidden[y1:y2, x1:x2].mean() for x1, y1, x2, y2 in to_pixels(labels, width, height)], np.float64)
