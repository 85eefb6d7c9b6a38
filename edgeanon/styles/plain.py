"""Styles that need only a few lines each."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from edgeanon.errors import ConfigError
from edgeanon.styles.checks import check_color, check_number
from edgeanon.styles.patch import Patch, Pixels

Color = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Fill:
    """One colour, ``(blue, green, red)`` of 0..255; grey pictures get its luma, a fourth channel its maximum."""

    color: Color = (0, 0, 0)
    irreversible: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_color("Fill", self.color)

    def __call__(self, patch: Patch) -> ArrayLike:
        """What to show in the patch."""
        return _paint(tuple(self.color), patch.image.shape[2:], patch.image.dtype)


@dataclass(frozen=True, slots=True)
class Pixelate:
    """A mosaic; reversible in part, however coarse.

    Args:
        cells: squares along the longer side of the mask, 1..64. A cell is never smaller than two pixels.
        bits: levels that a channel keeps, as a power of two, 1..8.
    """

    cells: int = 4
    bits: int = 5
    irreversible: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_number("Pixelate", "cells", self.cells, 1, 64, whole=True)
        check_number("Pixelate", "bits", self.bits, 1, 8, whole=True)

    def __call__(self, patch: Patch) -> ArrayLike:
        """What to show in the patch."""
        height, width = patch.pixels.shape[:2]
        cell = max(height, width) / self.cells
        across, down = (max(1, min(round(side / cell), side // 2)) for side in (width, height))
        small: Any = cv2.resize(patch.pixels, (across, down), interpolation=cv2.INTER_AREA)
        drop = small.dtype.itemsize * 8 - self.bits
        small = (small >> drop << drop) | (1 << drop >> 1)
        return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST))


@dataclass(frozen=True, slots=True)
class Blur:
    """A Gaussian blur; reversible in part, however strong.

    Args:
        sigma: standard deviation as a share of the longer side of the mask, 0.01..10. Pixels past the mask's region do
            not flow in: the region is continued by its mirror image.
    """

    sigma: float = 0.5
    irreversible: ClassVar[bool] = False
    feather: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_number("Blur", "sigma", self.sigma, 0.01, 10)

    def __call__(self, patch: Patch) -> ArrayLike:
        """What to show in the patch."""
        height, width = patch.pixels.shape[:2]
        sigma = self.sigma * max(height, width)
        # Past four pixels of sigma a smaller picture holds all that is left, and costs a fraction.
        down = max(1.0, sigma / 4)
        size = (max(1, round(width / down)), max(1, round(height / down)))
        small = cv2.resize(patch.pixels, size, interpolation=cv2.INTER_AREA)
        small = cv2.GaussianBlur(
            small, (0, 0), sigma * size[0] / width, sigmaY=sigma * size[1] / height, borderType=cv2.BORDER_REFLECT
        )
        return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Replace:
    """A picture in the object's place, stretched to the mask.

    Args:
        image: ``(h, w, 3)`` BGR or ``(h, w, 4)`` BGRA, uint8; it is copied.
        background: colour under a transparent picture, BGR of 0..255. The original never shines through.
    """

    image: NDArray[np.uint8]
    background: Color = (0, 0, 0)
    irreversible: ClassVar[bool] = True

    def __repr__(self) -> str:
        digest = hashlib.sha256(self.image.tobytes()).hexdigest()[:16]
        height, width = self.image.shape[:2]
        return f"Replace({width}x{height}, sha256 {digest}, background={self.background})"

    def __post_init__(self) -> None:
        check_color("Replace", self.background)
        image = self.image
        if (
            not isinstance(image, np.ndarray)
            or image.dtype != np.uint8
            or image.ndim != 3
            or image.shape[2] not in {3, 4}
        ):
            form = f"{image.dtype} of shape {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
            raise ConfigError(f"the picture of Replace is {form}; give a uint8 array (h, w, 3) BGR or (h, w, 4) BGRA")
        if not image.size:
            raise ConfigError("the picture of Replace has no pixels; give one of at least 1x1")
        if image.shape[2] == 4:
            share = image[..., 3:].astype(np.float32) / 255
            under = np.array(self.background, np.float32) * (1 - share)
            image = np.rint(image[..., :3] * share + under).astype(np.uint8)
        image = np.array(image, order="C")
        image.flags.writeable = False
        object.__setattr__(self, "image", image)

    def __call__(self, patch: Patch) -> ArrayLike:
        """What to show in the patch."""
        target = patch.pixels
        height, width = target.shape[:2]
        shrinks = height < self.image.shape[0] and width < self.image.shape[1]
        fill: Any = cv2.resize(
            self.image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        )
        if target.ndim == 2:
            fill = cv2.cvtColor(fill, cv2.COLOR_BGR2GRAY)
        elif target.shape[2] == 4:
            fill = cv2.cvtColor(fill, cv2.COLOR_BGR2BGRA)
        return np.asarray(fill) if target.dtype == np.uint8 else fill.astype(np.uint16) * np.uint16(257)


@lru_cache(maxsize=64)
def _paint(color: tuple[int, ...], channels: tuple[int, ...], dtype: np.dtype[Any]) -> Pixels:
    """A BGR colour of 0..255 as a pixel of a picture with these channels, ``()`` or ``(c,)``, read-only."""
    blue, green, red = color
    values = [blue, green, red, 255][: channels[0]] if channels else round(0.114 * blue + 0.587 * green + 0.299 * red)
    pixel = np.array(values, dtype) * dtype.type(np.iinfo(dtype).max // 255)
    pixel = np.asarray(pixel, dtype)
    pixel.flags.writeable = False
    return pixel
