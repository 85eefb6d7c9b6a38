"""Pictures for the tests: small, of every kind of samples."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgeanon.images import Page, open_picture

ROWS, COLUMNS = np.mgrid[0:24, 0:40]
COLOUR = np.dstack([COLUMNS * 6, ROWS * 10, (ROWS + COLUMNS) * 3]).astype(np.uint8)
DEEP = np.dstack([COLUMNS * 1600, ROWS * 2700, (ROWS + COLUMNS) * 1000]).astype(np.uint16)
GREY = np.ascontiguousarray(COLOUR[:, :, 0])


def picture_file(path: Path, mode: str = "RGB", **options: Any) -> Path:
    """A picture of one page in a mode of Pillow's."""
    colour = Image.fromarray(np.ascontiguousarray(COLOUR[:, :, ::-1]))
    if mode in {"RGBA", "LA"}:
        colour.putalpha(Image.fromarray(GREY))
    if mode == "I;16":
        image = Image.fromarray(DEEP[:, :, 0])
    elif mode == "F":
        image = Image.fromarray(GREY.astype(np.float32))
    else:
        image = colour.quantize(16) if mode == "P" else colour.convert(mode)
    image.save(path, **options)
    return path


def animation(path: Path, **options: Any) -> Path:
    """Three frames, each with a bar at another place."""
    frames = []
    for index in range(3):
        pixels = COLOUR.copy()
        pixels[index * 8 : index * 8 + 8] = (index * 100, 0, 255)
        frames.append(Image.fromarray(pixels))
    frames[0].save(path, save_all=True, append_images=frames[1:], **options)
    return path


def read(path: Path) -> list[Page]:
    with open_picture(path) as picture:
        return list(picture.pages())


def write_pixels(path: Path, pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> Path:
    assert cv2.imwrite(str(path), pixels)
    return path
