"""Labelled pictures for the tests: white dots, which a tiny real network takes for faces of 40 pixels."""

import json
from pathlib import Path

import cv2
import numpy as np

from edgeanon import Detector
from tests import tiny

WIDTH, HEIGHT, SIDE = 800, 600, 40
Dot = tuple[int, int, int]


def detector(folder: Path) -> Detector:
    """A detector whose threshold is 0.5; a dot of grey level 255 scores 1, one of 242 about 0.5, one of 230 nothing."""
    path = tiny.save(tiny.bright(side=SIDE), folder / "model", **tiny.FACES)
    return Detector.from_file(path, profile="fast")


def dotted(path: Path, *dots: Dot) -> Path:
    """A dark picture with dots at ``x y`` of a grey level; they lie on the network's cells of 4 pixels."""
    image = np.full((HEIGHT, WIDTH, 3), 20, np.uint8)
    for x, y, level in dots:
        image[y - 2 : y + 2, x - 2 : x + 2] = level
    assert cv2.imwrite(str(path), image)
    return path


def face(x: int, y: int, **more: object) -> dict[str, object]:
    """The label of the face that a dot at ``x y`` is taken for."""
    return {"label": "face", "bbox": [x - SIDE / 2, y - SIDE / 2, SIDE, SIDE], **more}


def entry(image: str, *objects: dict[str, object], **more: object) -> dict[str, object]:
    return {"image": image, "width": WIDTH, "height": HEIGHT, "objects": list(objects), **more}


def write(folder: Path, *entries: dict[str, object]) -> Path:
    """The file of labels."""
    path = folder / "annotations.json"
    path.write_text(json.dumps(entries), encoding="utf-8")
    return path


def some(folder: Path) -> Path:
    """Two pictures: of three labelled faces one is missed, and there is one dot that is no labelled face."""
    dotted(folder / "a.png", (102, 102, 255), (302, 202, 255))
    dotted(folder / "b.png", (502, 402, 255))
    return write(
        folder,
        entry("a.png", face(102, 102), face(302, 202), source="north"),
        entry("b.png", face(202, 102), source="south"),
    )
