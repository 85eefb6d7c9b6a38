"""Labelled pictures that `tests.tiny.graded` finds everything in: bright cells on a dark ground."""

import json
from pathlib import Path

import cv2
import numpy as np

from edgeanon import read_labels
from edgeanon.evaluation import LabelledSet

SIDE = 960
"""Sides of a picture, which the profile "fast" leaves as it is."""

FIELD = 64
BRIGHTNESS = 160
EACH = (SIDE // FIELD) ** 2
"""Objects in a picture."""


def picture(path: Path, seed: int, *, white: bool = False) -> list[list[int]]:
    """Write a picture with one bright cell in each field of a grid, and return the boxes ``x, y, w, h`` that a network
    makes of them; with ``white`` some cells are brighter.
    """
    random = np.random.default_rng(seed)
    image = random.integers(0, 60, (SIDE, SIDE, 3), np.uint8)
    boxes = []
    for row in range(SIDE // FIELD):
        for column in range(SIDE // FIELD):
            x, y = (at * FIELD + 4 * int(random.integers(6, 9)) for at in (column, row))
            image[y : y + 4, x : x + 4] = 255 if white and row % 3 == 0 else BRIGHTNESS
            boxes.append([x - 18, y - 18, 40, 40])
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return boxes


def labelled_set(folder: Path, *, pictures: int = 3) -> LabelledSet:
    """Write so many pictures with their labels, in ``annotations.json``."""
    entries = []
    for index in range(pictures):
        name = f"{index}.png"
        objects = [{"label": "face", "bbox": box} for box in picture(folder / name, 100 + index)]
        entries.append({"image": name, "width": SIDE, "height": SIDE, "source": "grid", "objects": objects})
    (folder / "annotations.json").write_text(json.dumps(entries))
    return read_labels(folder / "annotations.json")
