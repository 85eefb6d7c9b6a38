"""Makes the README's pictures from the demonstration: `python -m examples.before_after [FOLDER]`."""

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeanon import Anonymizer, Blur, Fill, Kind, Masker, Pixelate, Replace, Soft

DEMO = Path(__file__).parent / "demo"
Image = NDArray[np.uint8]


def captioned(image: Image, text: str) -> Image:
    """The picture with a line of text below it."""
    strip = np.full((34, image.shape[1], 3), 255, np.uint8)
    cv2.putText(strip, text, (4, 23), cv2.FONT_HERSHEY_SIMPLEX, 0.55, (60, 60, 60), 1, cv2.LINE_AA)
    return np.vstack([image, strip])


def small(image: Image, width: int) -> Image:
    """The picture at this width."""
    height = round(image.shape[0] * width / image.shape[1])
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def styles(street: Image) -> Image:
    """A detail under each style, masked at its labels."""
    (entry,) = json.loads((DEMO / "street.json").read_text())
    boxes = [[x, y, x + w, y + h] for x, y, w, h in (item["bbox"] for item in entry["objects"])]
    kinds = [Kind[item["label"].upper()] for item in entry["objects"]]
    logo = np.full((64, 64, 3), (200, 160, 60), np.uint8)
    cv2.circle(logo, (32, 32), 20, (255, 255, 255), 5, cv2.LINE_AA)
    shown: dict[str, tuple[Any, Any]] = {
        "soft, rounded (default)": (Soft(), None),
        "soft, ellipse": (Soft(), "ellipse"),
        "fill": (Fill((40, 40, 40)), None),
        "replace": (Replace(logo), "rectangle"),
        "pixelate - can be undone": (Pixelate(), "rectangle"),
        "blur - can be undone": (Blur(), None),
    }
    tiles = []
    for name, (style, shape) in shown.items():
        masked = Masker(style, shape=shape).mask(street, boxes, kinds=kinds)
        tiles.append(captioned(small(np.ascontiguousarray(masked[300:800, 0:700]), 400), name))
    return np.vstack([np.hstack(tiles[:3]), np.hstack(tiles[3:])])


def main(folder: Path) -> None:
    """Write `before-after.jpg` and `styles.jpg`."""
    street = np.asarray(cv2.imread(str(DEMO / "street.jpg")), np.uint8)
    pair = [small(street, 960), np.full((540, 16, 3), 255, np.uint8), small(Anonymizer().frame(street), 960)]
    for name, picture in (("before-after.jpg", np.hstack(pair)), ("styles.jpg", styles(street))):
        cv2.imwrite(str(folder / name), picture, [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DEMO)
