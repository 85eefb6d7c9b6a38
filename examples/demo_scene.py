"""Makes the demonstration picture: a street in space week, with faces and licence plates of all sizes at known boxes.

Run from the repository's root: `python -m examples.demo_scene [FOLDER]` writes `street.jpg` and `street.json`.
"""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from examples.demo_drawing import Labelled, Pixels, Sprite, paint, place
from examples.demo_parts import astronaut, billboard, car_front, car_rear, plate, street_poster
from examples.demo_street import FOCAL, HEIGHT, WIDTH, backdrop, planter, quad, seen


def stand(canvas: Pixels, sprite: Sprite, *, width: float, x: float, y: float, z: float) -> tuple[Labelled, ...]:
    """Place a sprite that is `width` metres wide, the middle of its lower edge at a point of the street."""
    scale = width * FOCAL / z / sprite.pixels.shape[1]
    middle, bottom = seen(x, y, z)
    left, top = middle - sprite.pixels.shape[1] * scale / 2, bottom - sprite.pixels.shape[0] * scale
    return place(canvas, sprite, left, top, scale=scale)


def compose() -> tuple[NDArray[np.uint8], tuple[Labelled, ...]]:
    """The picture (1080, 1920, 3) uint8 BGR, and its faces and plates, farthest first."""
    canvas = backdrop()
    blue = {"light": "#8dbcc9", "middle": "#43829b", "dark": "#1d4557"}
    amber = {"light": "#f3c983", "middle": "#d99a42", "dark": "#8a5523"}
    red = {"light": "#d98a78", "middle": "#b14a3d", "dark": "#6b2520"}
    found: list[Labelled] = []
    found += stand(canvas, astronaut(suit_hue=80), width=0.95, x=-4.0, y=0.7, z=15)
    planter(canvas, (-4.9, -3.7), 14.8, 1)
    found += stand(canvas, car_rear(plate("BLUR 63", style="yellow"), **red), width=1.75, x=1.4, y=0, z=12.6)
    for x in (4.0, 6.2):
        paint(canvas, quad((x, x + 0.14), (0, 2.7), (11.6, 11.6)), "#5a636b", "#343b42")
    found += stand(canvas, billboard("S P A C E", "W E E K", "12 to 18 May"), width=4.4, x=5.1, y=2.6, z=11.5)
    found += stand(canvas, astronaut(suit_hue=165), width=0.95, x=3.75, y=0.6, z=11.2)
    driver = astronaut(suit_hue=105, tone=1.3)
    found += stand(
        canvas, car_front(plate("EDGE 26", style="american"), driver, **amber), width=1.75, x=-1.2, y=0, z=7.6
    )
    found += stand(canvas, street_poster(), width=1.3, x=-3.28, y=0.1, z=8.4)
    found += stand(canvas, astronaut(suit_hue=105, mirrored=True, tone=1.2), width=0.95, x=3.62, y=0.75, z=6.2)
    planter(canvas, (3.05, 4.6), 5.9, 2)
    found += stand(canvas, car_rear(plate("ANON 470", style="european"), **blue), width=1.75, x=1.22, y=0, z=3.3)
    found += place(canvas, astronaut(), -170, 1080 - 512 * 1.6, scale=1.6)
    return finished(canvas), tuple(found)


def finished(canvas: Pixels) -> NDArray[np.uint8]:
    """As a camera would give it: warm light, darker corners, a little blur and grain."""
    rows, columns = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
    corners = 1 - 0.16 * np.clip(rows**2 * 0.6 + columns**2 * 0.7 - 0.35, 0, 1)
    warm = cv2.GaussianBlur(canvas[..., :3], (0, 0), 0.6) * np.array([0.96, 1.0, 1.02]) * corners[..., None]
    grain = np.random.default_rng(7).normal(0, 0.011, (HEIGHT, WIDTH, 1))
    levels: NDArray[np.uint8] = np.clip((warm + grain) * 255 + 0.5, 0, 255).astype(np.uint8)
    return levels


def main(folder: Path) -> None:
    image, objects = compose()
    cv2.imwrite(str(folder / "street.jpg"), image, [cv2.IMWRITE_JPEG_QUALITY, 90])
    boxes = [{"label": item.label, "bbox": [round(value) for value in item.bbox]} for item in objects]
    labels = [{"image": "street.jpg", "width": WIDTH, "height": HEIGHT, "objects": boxes}]
    (folder / "street.json").write_text(json.dumps(labels, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "demo")
