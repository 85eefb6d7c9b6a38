"""Pictures to measure with, held in memory so that reading them is not measured."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeanon import images
from edgeanon.errors import ConfigError, MediaError

MOST = 16
"""Pictures that are taken of a folder."""

Picture = NDArray[np.uint8]


def made(width: int, height: int) -> Picture:
    """A picture of soft shapes and the noise of a sensor, without faces or plates; the same each time."""
    rng = np.random.default_rng(0)
    shapes = rng.integers(30, 220, (9, 16, 3), np.uint8)
    smooth = cv2.resize(shapes, (width, height), interpolation=cv2.INTER_CUBIC)
    noise = rng.integers(-8, 9, (height, width, 1), np.int16)
    return np.asarray(np.clip(smooth + noise, 0, 255), np.uint8)


def read(path: Path, size: tuple[int, int] | None = None) -> tuple[list[Picture], int]:
    """The first page of a picture, or of ``MOST`` pictures of a folder, spread evenly over it.

    Args:
        path: a picture, or a folder that is looked through with all below it.
        size: ``(width, height)`` to bring them to; None for as they are.

    Returns:
        The pictures, ``(h, w, 3)`` uint8 BGR and upright, and how many there were to choose from.

    Raises:
        MediaError: it does not exist, is no picture, or cannot be read to its end.
        ConfigError: the folder holds no pictures.
    """
    if not path.exists():
        raise MediaError(f"{path} does not exist: check the name")
    found = [path]
    if path.is_dir():
        found = sorted(file for file in path.rglob("*") if images.is_picture(file))
        if not found:
            raise ConfigError(
                f"{path} holds no pictures: name another folder, or none to measure with one made in memory"
            )
    places = np.unique(np.linspace(0, len(found) - 1, min(MOST, len(found))).round().astype(int))
    return [_first_page(found[place], size) for place in places], len(found)


def _first_page(path: Path, size: tuple[int, int] | None) -> Picture:
    with images.open_picture(path) as picture:
        pixels = next(picture.pages()).bgr()
    if size and pixels.shape[1::-1] != size:
        how = cv2.INTER_AREA if size[0] < pixels.shape[1] else cv2.INTER_LINEAR
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=how), np.uint8)
    return pixels
