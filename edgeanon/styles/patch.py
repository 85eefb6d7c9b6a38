"""What a style is given."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edgeanon.detections import Kind

Pixels = NDArray[Any]


class Patch(NamedTuple):
    """A region to be drawn.

    Attributes:
        image: the whole picture, ``(h, w)`` or ``(h, w, c)``, read-only. Masks of this picture that were drawn before
            are seen in it as drawn.
        box: ``x1 y1 x2 y2`` of the region in whole pixels, inside the picture.
        hidden: ``(n, 4)`` int64, such boxes of all masks of the picture, this one included. What lies in any of them
            must not flow into an irreversible style.
        kind: what is hidden.
        id: its track, -1 if unknown.
    """

    image: Pixels
    box: tuple[int, int, int, int]
    hidden: NDArray[np.int64]
    kind: Kind = Kind.OTHER
    id: int = -1

    @property
    def pixels(self) -> Pixels:
        """The region as it is, read-only."""
        x1, y1, x2, y2 = self.box
        return self.image[y1:y2, x1:x2]


Style = Callable[[Patch], ArrayLike]
