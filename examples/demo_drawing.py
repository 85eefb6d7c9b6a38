"""The brush of the demonstration scene: polygons with gradients, words, and sprites that know their labelled boxes.

Pixels are (height, width, 4) float32 blue, green, red, alpha in 0..1, premultiplied, so that they can
be resized and laid over each other without fringes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Pixels = NDArray[np.float32]
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A box to find: `bbox` is left, top, width, height in pixels of whatever it lies on."""

    label: str
    bbox: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Sprite:
    pixels: Pixels
    objects: tuple[Labelled, ...] = ()


def colour(code: str) -> Pixels:
    """`"#rrggbb"` as opaque blue, green, red, alpha."""
    red, green, blue = (int(code[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return np.array([blue, green, red, 1], np.float32)


def blank(width: int, height: int) -> Pixels:
    return np.zeros((height, width, 4), np.float32)


def rounded(points: Points, rounds: int = 3) -> Points:
    """The closed outline with its corners cut, again and again (Chaikin, 1974)."""
    corners = np.asarray(points, np.float64)
    for _ in range(rounds):
        after = np.roll(corners, -1, axis=0)
        corners = np.stack([0.75 * corners + 0.25 * after, 0.25 * corners + 0.75 * after], axis=1).reshape(-1, 2)
    return [(float(x), float(y)) for x, y in corners]


def rectangle(left: float, top: float, width: float, height: float, radius: float = 0.0) -> Points:
    right, bottom = left + width, top + height
    if not radius:
        return [(left, top), (right, top), (right, bottom), (left, bottom)]
    centres = (
        *((right - radius, bottom - radius, 0.0), (left + radius, bottom - radius, 0.5 * np.pi)),
        *((left + radius, top + radius, np.pi), (right - radius, top + radius, 1.5 * np.pi)),
    )
    arcs = [(x, y, angle) for x, y, start in centres for angle in np.linspace(start, start + 0.5 * np.pi, 7)]
    return [(x + radius * float(np.cos(angle)), y + radius * float(np.sin(angle))) for x, y, angle in arcs]


def ellipse(x: float, y: float, radius_x: float, radius_y: float) -> Points:
    turn = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    return [(x + radius_x * float(np.cos(angle)), y + radius_y * float(np.sin(angle))) for angle in turn]


def paint(
    canvas: Pixels, points: Points, top: str, bottom: str = "", *, opacity: float = 1.0, blur: float = 0.0
) -> None:
    """Fill a polygon in place with a vertical gradient; `blur` is the sigma in pixels of its edge."""
    outline = np.asarray(points, np.float64)
    margin = 2 + 3 * blur
    low = np.maximum(np.floor(outline.min(axis=0) - margin), 0).astype(int)
    high = np.minimum(np.ceil(outline.max(axis=0) + margin), canvas.shape[1::-1]).astype(int)
    if (high <= low).any():
        return
    mask = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
    cv2.fillPoly(mask, [np.rint((outline - low - 0.5) * 256).astype(np.int32)], 255, cv2.LINE_AA, 8)
    if blur:
        mask = cv2.GaussianBlur(mask, (0, 0), blur).astype(np.uint8)
    alpha = mask[..., None].astype(np.float32) * np.float32(opacity / 255)
    rows = np.arange(low[1], high[1], dtype=np.float32)[:, None, None]
    share = np.clip((rows - outline[:, 1].min()) / max(np.ptp(outline[:, 1]), 1), 0, 1).astype(np.float32)
    region = canvas[low[1] : high[1], low[0] : high[0]]
    region *= 1 - alpha
    region += alpha * (colour(top) * (1 - share) + colour(bottom or top) * share)


def lay(canvas: Pixels, pixels: Pixels, left: int, top: int, opacity: float = 1.0) -> None:
    """Lay premultiplied pixels over the canvas in place; what sticks out is cut off."""
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + pixels.shape[1], canvas.shape[1]), min(top + pixels.shape[0], canvas.shape[0])
    if x0 < x1 and y0 < y1:
        part = pixels[y0 - top : y1 - top, x0 - left : x1 - left] * np.float32(opacity)
        region = canvas[y0:y1, x0:x1]
        region *= 1 - part[..., 3:]
        region += part


def resized(sprite: Sprite, scale: float) -> Sprite:
    height, width = sprite.pixels.shape[:2]
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    pixels = np.clip(cv2.resize(sprite.pixels, size, interpolation=method), 0, 1).astype(np.float32)
    x, y = size[0] / width, size[1] / height
    moved = ((item.label, item.bbox) for item in sprite.objects)
    return Sprite(pixels, tuple(Labelled(name, (b[0] * x, b[1] * y, b[2] * x, b[3] * y)) for name, b in moved))


def place(canvas: Pixels, sprite: Sprite, left: float, top: float, *, scale: float = 1.0) -> tuple[Labelled, ...]:
    """Lay the sprite over the canvas in place and say where its objects are now."""
    fitted = resized(sprite, scale)
    column, row = round(left), round(top)
    lay(canvas, fitted.pixels, column, row)
    moved = ((item.label, item.bbox) for item in fitted.objects)
    return tuple(Labelled(name, (b[0] + column, b[1] + row, b[2], b[3])) for name, b in moved)


def write(canvas: Pixels, words: str, box: tuple[float, float, float, float], ink: str, *, weight: float = 0.0) -> None:
    """Draw words in place, stretched to the box left, top, width, height; `weight` thickens by that share of the size.

    The font is the one inside Pillow: Aileron Regular, which its maker gave to the public domain (CC0).
    """
    font = ImageFont.load_default(size=160)
    stroke = round(160 * weight)
    x0, y0, x1, y1 = font.getbbox(words, stroke_width=stroke)
    mask = Image.new("L", (int(x1 - x0) + 2, int(y1 - y0) + 2))
    ImageDraw.Draw(mask).text((1 - x0, 1 - y0), words, fill=255, font=font, stroke_width=stroke)
    size = max(round(box[2]), 1), max(round(box[3]), 1)
    alpha = cv2.resize(np.asarray(mask, np.float32) / 255, size, interpolation=cv2.INTER_AREA)[..., None]
    lay(canvas, (alpha * colour(ink)).astype(np.float32), round(box[0]), round(box[1]))
