"""What looks a little like a plate and is none: signs, shop fronts, pages, keyboards, grilles, windows, lamps."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.training import lettering

Bgra = NDArray[np.uint8]


def pool(count: int, generator: np.random.Generator) -> list[Bgra]:
    """Decoys of all sorts, ``(h, w, 4)`` uint8 BGRA, 48 to 320 pixels a side."""
    weights = np.array([weight for _, weight in SORTS], np.float64)
    chosen = generator.choice(len(SORTS), count, p=weights / weights.sum())
    return [SORTS[number][0](generator) for number in chosen]


def _ground(generator: np.random.Generator, sides: tuple[float, float] = (0.3, 5)) -> NDArray[np.uint8]:
    """An even rectangle of any colour and form."""
    ratio = np.exp(generator.uniform(*np.log(sides)))
    width, height = min(320, 140 * np.sqrt(ratio)), min(320, 140 / np.sqrt(ratio))
    shade = generator.uniform(0, 255, 3) if generator.random() < 0.6 else np.full(3, generator.choice([15, 235, 245]))
    return np.full((max(24, round(height)), max(24, round(width)), 3), shade, np.uint8)


def _ink(ground: NDArray[np.uint8], generator: np.random.Generator) -> NDArray[np.float32]:
    light = float(ground.mean()) < 120
    return (generator.uniform(170, 255, 3) if light else generator.uniform(0, 110, 3)).astype(np.float32)


def _lines(ground: NDArray[np.uint8], texts: list[str], generator: np.random.Generator, script: str = "") -> None:
    height, width = ground.shape[:2]
    color, gap = _ink(ground, generator), generator.uniform(0.15, 0.6)
    each = height * 0.9 / len(texts)
    for number, text in enumerate(texts):
        ink = lettering.mask(text, generator, script=script)
        ink = lettering.fitted(ink, max(4, int(width * 0.9)), max(3, int(each * (1 - gap))), 1.0)
        top, left = int(height * 0.05 + each * (number + gap / 2)), int(width * 0.05)
        part = ground[top : top + ink.shape[0], left : left + ink.shape[1]].astype(np.float32)
        share = (ink[: part.shape[0], : part.shape[1]] / np.float32(255))[..., None]
        ground[top : top + part.shape[0], left : left + part.shape[1]] = part + (color - part) * share


def _opaque(image: NDArray[np.uint8]) -> Bgra:
    return np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])


def sign(generator: np.random.Generator) -> Bgra:
    """A few words on a board, sometimes with an arrow or a round symbol."""
    ground = _ground(generator, (0.4, 6))
    count = int(generator.integers(1, 5))
    scripts = ("lettering", "lettering", "latin")
    texts = [lettering.words(int(generator.integers(1, 4)), generator) for _ in range(count)]
    if generator.random() < 0.2:
        texts = [lettering.written("".join(generator.choice(list("HKNTRV"), 4)), generator) for _ in range(count)]
        _lines(ground, texts, generator)
    else:
        _lines(ground, texts, generator, scripts[generator.integers(3)])
    if generator.random() < 0.3:
        middle = (int(ground.shape[1] * generator.random()), ground.shape[0] // 2)
        color = tuple(generator.uniform(0, 255, 3).tolist())
        cv2.circle(ground, middle, ground.shape[0] // 4, color, int(generator.choice([-1, 3])))
    return _opaque(ground)


def letters(generator: np.random.Generator) -> Bgra:
    """A word without a ground of its own: a model's name in chrome, paint on a lorry, a watermark."""
    text = lettering.words(int(generator.integers(1, 3)), generator)
    ink = lettering.mask(text, generator, script="lettering", spacing=float(generator.uniform(0, 0.4)))
    height = int(generator.integers(20, 60))
    ink = np.asarray(cv2.resize(ink, (min(320, ink.shape[1] * height // ink.shape[0] + 1), height)), np.uint8)
    shade = np.full((*ink.shape, 3), generator.choice([20, 160, 220, 250]), np.uint8)
    return np.dstack([shade, ink])


def page(generator: np.random.Generator) -> Bgra:
    """Many lines of small print."""
    ground = np.full((240, 180, 3), generator.uniform(200, 255), np.uint8)
    _lines(
        ground, [lettering.words(int(generator.integers(4, 8)), generator) for _ in range(12)], generator, "lettering"
    )
    return _opaque(ground)


def keyboard(generator: np.random.Generator) -> Bgra:
    """Rows of keys with a character each."""
    dark = generator.random() < 0.6
    ground = np.full((110, 300, 3), 30 if dark else 210, np.uint8)
    for row in range(5):
        for column in range(14):
            corner = (4 + column * 21, 4 + row * 21)
            cv2.rectangle(ground, corner, (corner[0] + 17, corner[1] + 17), (55,) * 3 if dark else (245,) * 3, -1)
            key, place = chr(int(generator.integers(65, 91))), (corner[0] + 3, corner[1] + 12)
            cv2.putText(ground, key, place, cv2.FONT_HERSHEY_SIMPLEX, 0.35, (200,) * 3 if dark else (30,) * 3, 1)
    return _opaque(ground)


def grille(generator: np.random.Generator) -> Bgra:
    """Bars, upright, level or crossed: radiators, drains, fences, blinds."""
    ground = np.full((int(generator.integers(48, 160)), int(generator.integers(80, 300)), 3), 0, np.uint8)
    ground[:] = generator.uniform(0, 90)
    step, thick = int(generator.integers(6, 24)), int(generator.integers(1, 6))
    shade = (float(generator.uniform(60, 230)),) * 3
    way = generator.integers(3)
    if way != 1:
        for x in range(0, ground.shape[1], step):
            cv2.line(ground, (x, 0), (x, ground.shape[0]), shade, thick)
    if way != 0:
        for y in range(0, ground.shape[0], step):
            cv2.line(ground, (0, y), (ground.shape[1], y), shade, thick)
    return _opaque(ground)


def window(generator: np.random.Generator) -> Bgra:
    """Panes in a frame, each with a reflection of its own."""
    ground = np.full((int(generator.integers(60, 220)), int(generator.integers(60, 260)), 3), 0, np.uint8)
    ground[:] = generator.uniform(60, 250, 3)
    rows, columns = int(generator.integers(1, 4)), int(generator.integers(1, 5))
    for row in range(rows):
        for column in range(columns):
            top, left = row * ground.shape[0] // rows + 5, column * ground.shape[1] // columns + 5
            bottom, right = (row + 1) * ground.shape[0] // rows - 5, (column + 1) * ground.shape[1] // columns - 5
            fade = np.linspace(generator.uniform(20, 200), generator.uniform(20, 200), max(1, bottom - top))
            ground[top:bottom, left:right] = fade[:, None, None].astype(np.uint8)
    return _opaque(ground)


def lamp(generator: np.random.Generator) -> Bgra:
    """A lamp of a vehicle: red, amber or clear, with bright spots."""
    width, height = int(generator.integers(40, 160)), int(generator.integers(30, 110))
    image, shape = np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.uint8)
    image[:] = ((30, 20, 150), (20, 110, 220), (200, 200, 200), (40, 40, 60))[generator.integers(4)]
    for _ in range(int(generator.integers(1, 5))):
        middle = (int(generator.integers(0, width)), int(generator.integers(0, height)))
        cv2.circle(image, middle, int(generator.integers(3, 16)), tuple(generator.uniform(120, 255, 3).tolist()), -1)
    if generator.random() < 0.5:
        cv2.ellipse(shape, (width // 2, height // 2), (width // 2, height // 2), 0, 0, 360, 255, -1)
    else:
        shape[:] = 255
    return np.dstack([image, shape])


def blank(generator: np.random.Generator) -> Bgra:
    """A plain rectangle with a rim: a sticker, a mirror, a panel."""
    ground = _ground(generator, (0.4, 5))
    edge = (ground.shape[1] - 1, ground.shape[0] - 1)
    cv2.rectangle(ground, (0, 0), edge, tuple(generator.uniform(0, 255, 3).tolist()), int(generator.integers(1, 6)))
    return _opaque(ground)


def stripes(generator: np.random.Generator) -> Bgra:
    """Slanting bars of two colours, as on lorries and barriers, or the bars of a code."""
    ground = _ground(generator, (1, 8))
    slant = int(generator.choice([0, ground.shape[0]]))
    step = int(generator.integers(5, 40))
    color = tuple(generator.uniform(0, 255, 3).tolist())
    for x in range(-slant, ground.shape[1], 2 * step):
        thick = int(generator.integers(1, step + 1))
        cv2.line(ground, (x, ground.shape[0]), (x + slant, 0), color, thick)
    return _opaque(ground)


SORTS: tuple[tuple[Callable[[np.random.Generator], Bgra], float], ...] = (
    (sign, 8),
    (letters, 5),
    (page, 1),
    (keyboard, 0.5),
    (grille, 2),
    (window, 2),
    (lamp, 2),
    (blank, 0.7),
    (stripes, 1.5),
)
"""Each with how often it is taken."""
