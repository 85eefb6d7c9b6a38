"""What the camera did between two frames: how far it turned, and whether another picture begins."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeanon.motion.scene import Scene

SIDE = 160
"""Longer side, in pixels, of the small grey pictures that are compared."""

BLOCK = 16
"""Side, in pixels, of the blocks that are compared one by one. What moves through a picture changes few of them."""

TEXTURE = 2.0
"""Grey levels that a block must vary by (standard deviation) to tell anything."""

AGREE, MOST = 0.7, 0.5
"""Shares of the blocks with texture, and of all, that must fit better once moved: the shift is the camera's then, and
not that of a passing car."""


class Look(NamedTuple):
    """What one frame shows against the one before.

    Attributes:
        cut: a new scene begins with it.
        shift: ``(x, y)`` pixels by which still things have moved in the picture.
    """

    cut: bool = False
    shift: tuple[float, float] = (0.0, 0.0)


class Camera:
    """Looks at the frames of one video in order, on small grey pictures; about a millisecond a frame of 1080 lines.

    The shift is found by phase correlation (Kuglin and Hines, 1975), so it is one for the whole picture: a pan, a tilt
    or a shaking hand, but no zoom.
    """

    def __init__(self) -> None:
        self._scene = Scene()
        self._before: NDArray[np.float32] | None = None

    def look(self, image: NDArray[np.uint8], *, scale: float = 1.0) -> Look:
        """Compare the next frame with the last one.

        Args:
            image: the frame, ``(h, w, 3)`` uint8 BGR, or a small picture of it, of the same size each time.
            scale: how many pixels of the frame one of the image is wide.
        """
        cut = self._scene.began(image)
        now, smaller = _small(image)
        scale *= smaller
        before, self._before = self._before, now
        if cut or before is None:
            return Look(cut=cut)
        x, y = _shift(before, now)
        still, moved = _Blocks.compare(before, now, (0.0, 0.0)), _Blocks.compare(before, now, (x, y))
        better, told = moved.difference < still.difference, still.told & moved.told
        if better.mean() < MOST or not told.any() or better[told].mean() < AGREE:
            return Look()
        return Look(shift=(x * scale, y * scale))


def _small(image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float]:
    """A small grey picture, and how many pixels of the frame one of its pixels is wide."""
    longest = max(image.shape[:2])
    step = max(1, longest // (3 * SIDE))
    grey = cv2.cvtColor(np.ascontiguousarray(image[::step, ::step]), cv2.COLOR_BGR2GRAY)
    scale = max(1.0, longest / SIDE)
    size = max(1, round(image.shape[1] / scale)), max(1, round(image.shape[0] / scale))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.float32), scale


def _shift(before: NDArray[np.float32], now: NDArray[np.float32]) -> tuple[float, float]:
    """``(x, y)`` pixels between two small pictures, a tenth of their sides at most; 0 where it cannot be told."""
    height, width = now.shape
    if min(height, width) < 2 * BLOCK:
        return 0.0, 0.0
    window = cv2.createHanningWindow((width, height), cv2.CV_32F)
    (x, y), _ = cv2.phaseCorrelate(before * window, now * window)  # given a window, it writes to its arguments
    return (x, y) if abs(x) <= width / 10 and abs(y) <= height / 10 else (0.0, 0.0)


class _Blocks(NamedTuple):
    """Blocks of two frames laid over each other, ``(n,)`` each; ``told`` are those with texture in either frame."""

    difference: NDArray[np.float32]
    told: NDArray[np.bool_]

    @staticmethod
    def compare(before: NDArray[np.float32], now: NDArray[np.float32], shift: tuple[float, float]) -> "_Blocks":
        """``before`` is moved by the shift; where it then shows nothing, its edge is repeated."""
        if shift != (0, 0):
            way = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
            warped = cv2.warpAffine(before, way, now.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
            before = np.asarray(warped, np.float32)
        old, new = _blocks(before), _blocks(now)
        told = np.maximum(old.std(1), new.std(1)) > TEXTURE
        return _Blocks(np.abs(new - old).mean(1), told)


def _blocks(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Whole blocks of a picture, ``(n, values)``; the picture itself where it is smaller than one."""
    height, width = picture.shape
    tall, wide = min(BLOCK, height), min(BLOCK, width)
    whole = picture[: height // tall * tall, : width // wide * wide]
    return whole.reshape(height // tall, tall, width // wide, wide).swapaxes(1, 2).reshape(-1, tall * wide)
