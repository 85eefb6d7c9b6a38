"""How stored pictures are turned and mirrored to be upright."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Matrix = tuple[int, ...]
"""A display matrix: nine whole numbers in FFmpeg's order, 16.16 fixed point but for every third."""


@dataclass(frozen=True, slots=True)
class Orientation:
    """From stored to upright: first columns and rows are exchanged, then the result is mirrored.

    Attributes:
        transposed: rows become columns.
        mirrored: left and right are exchanged, after that.
        flipped: top and bottom are exchanged, after that.
    """

    transposed: bool = False
    mirrored: bool = False
    flipped: bool = False

    @staticmethod
    def of(matrix: Matrix | None) -> "Orientation":
        """What a display matrix asks for, to the nearest quarter turn."""
        if matrix is None:
            return Orientation()
        a, b, c, d = matrix[0], matrix[1], matrix[3], matrix[4]
        if abs(b) + abs(c) > abs(a) + abs(d):
            return Orientation(transposed=True, mirrored=c < 0, flipped=b < 0)
        return Orientation(mirrored=a < 0, flipped=d < 0)

    @property
    def plain(self) -> bool:
        """Whether stored pictures are upright already."""
        return self == Orientation()

    def upright(self, stored: NDArray[Any]) -> NDArray[Any]:
        """A stored picture or plane ``(h, w, ...)``, upright; the same array when there is nothing to turn."""
        turned = cv2.transpose(stored) if self.transposed else stored
        return self._flip(turned)

    def stored(self, upright: NDArray[Any]) -> NDArray[Any]:
        """The reverse of ``upright``."""
        turned = self._flip(upright)
        return np.asarray(cv2.transpose(turned)) if self.transposed else turned

    def stored_boxes(self, boxes: NDArray[np.int64], width: int, height: int) -> NDArray[np.int64]:
        """Boxes ``(n, 4)`` of the upright ``width`` x ``height`` picture, in the stored one."""
        x1, y1, x2, y2 = boxes.T
        if self.mirrored:
            x1, x2 = width - x2, width - x1
        if self.flipped:
            y1, y2 = height - y2, height - y1
        return np.stack([y1, x1, y2, x2] if self.transposed else [x1, y1, x2, y2], axis=1)

    def _flip(self, picture: NDArray[Any]) -> NDArray[Any]:
        if not (self.mirrored or self.flipped):
            return np.asarray(picture)
        which = -1 if self.mirrored and self.flipped else int(self.mirrored)
        return np.asarray(cv2.flip(picture, which))
