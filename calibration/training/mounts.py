"""What plates hang on: holders, bumpers, tailgates, grilles, motorcycles, lorries; drawn around a plate."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.training import lettering

Bgra = NDArray[np.uint8]
Place = tuple[int, int, int, int]
"""Left, top, width and height of the plate on the canvas, in pixels."""


def mounted(plate: Bgra, generator: np.random.Generator) -> tuple[Bgra, Place]:
    """The plate on something, ``(h, w, 4)`` BGRA, and where it is on that."""
    height, width = plate.shape[:2]
    beside, above = max(8, width), max(8, round(max(height, width * 0.45)))
    canvas = np.zeros((height + 2 * above, width + 2 * beside, 4), np.uint8)
    place = (beside, above, width, height)
    weights = np.array([weight for _, weight in SORTS])
    SORTS[generator.choice(len(SORTS), p=weights / weights.sum())][0](canvas, place, generator)
    if generator.random() < 0.55:
        _holder(canvas, place, generator)
    if generator.random() < 0.3:
        _shadow_below(canvas, place, generator)
    shape = plate[..., 3:].astype(np.float32) / 255
    part = canvas[above : above + height, beside : beside + width]
    part[..., :3] = part[..., :3] * (1 - shape) + plate[..., :3] * shape
    part[..., 3] = np.maximum(part[..., 3], plate[..., 3])
    return canvas, place


def _body(generator: np.random.Generator) -> NDArray[np.float64]:
    """A colour that vehicles have: mostly black, white, grey; some red, blue, others."""
    if generator.random() < 0.65:
        return np.full(3, generator.choice([18, 35, 70, 120, 170, 225, 245])) + generator.normal(0, 6, 3)
    return generator.uniform(10, 230, 3)


def _shade(color: NDArray[np.float64], by: float) -> tuple[float, float, float]:
    blue, green, red = np.clip(color * by, 0, 255).tolist()
    return blue, green, red


def _fill(canvas: Bgra, color: NDArray[np.float64], generator: np.random.Generator) -> None:
    """All of the canvas in one paint, lit from above, its outline soft or hard."""
    height, width = canvas.shape[:2]
    light = np.interp(np.arange(height), [0, height / 2, height], generator.uniform(0.6, 1.35, 3))
    canvas[..., :3] = np.clip(light[:, None, None] * color, 0, 255)
    canvas[..., 3] = 255
    if generator.random() < 0.6:
        shape = np.zeros((height, width), np.uint8)
        inset = max(1, round(min(height, width) * 0.06))
        cv2.rectangle(shape, (inset, inset), (width - inset, height - inset), 255, -1)
        canvas[..., 3] = cv2.blur(shape, (2 * inset + 1, 2 * inset + 1))


def nothing(_: Bgra, __: Place, ___: np.random.Generator) -> None:
    """The plate is seen on whatever is there."""


def tail(canvas: Bgra, place: Place, generator: np.random.Generator) -> None:
    """A tailgate or bumper: paint, a recess, edges across, lamps on both sides."""
    x, y, width, height = place
    color = _body(generator)
    _fill(canvas, color, generator)
    for _ in range(int(generator.integers(1, 5))):
        row = int(generator.integers(0, canvas.shape[0]))
        thick = int(generator.integers(1, max(2, height // 5)))
        cv2.line(canvas, (0, row), (canvas.shape[1], row), (*_shade(color, generator.uniform(0.3, 1.7)), 255), thick)
    if generator.random() < 0.5:
        wider, higher = round(width * generator.uniform(0.05, 0.4)), round(height * generator.uniform(0.1, 0.6))
        corners = (x - wider, y - higher), (x + width + wider, y + height + higher)
        cv2.rectangle(canvas, *corners, (*_shade(color, generator.uniform(0.3, 0.85)), 255), -1)
    if generator.random() < 0.6:
        shade = ((25, 25, 170, 255), (60, 60, 230, 255), (40, 130, 235, 255), (235, 240, 240, 255))
        size = (round(width * generator.uniform(0.1, 0.4)), round(height * generator.uniform(0.3, 0.9)))
        row = y + round(height * generator.uniform(-0.7, 0.7))
        lit = shade[generator.integers(len(shade))]
        for column in (x - round(width * 0.65), x + width + round(width * 0.65)):
            cv2.ellipse(canvas, (column, row), size, 0, 0, 360, lit, -1)
            cv2.circle(canvas, (column, row), max(1, size[1] // 3), (235, 235, 245, 255), -1)
    if generator.random() < 0.4:
        _name(canvas, place, generator)


def _name(canvas: Bgra, place: Place, generator: np.random.Generator) -> None:
    """Lettering of a maker beside or above the plate."""
    _, y, width, height = place
    ink = lettering.mask(lettering.words(1, generator), generator, script="lettering", spacing=0.2)
    size = max(3, round(height * generator.uniform(0.25, 0.6)))
    ink = lettering.fitted(ink, round(width * generator.uniform(0.4, 1)), size, 1.0)
    left = int(generator.integers(0, max(1, canvas.shape[1] - ink.shape[1])))
    top = max(0, y - round(size * 2.5))
    part = canvas[top : top + ink.shape[0], left : left + ink.shape[1]]
    share = (ink[: part.shape[0], : part.shape[1]] / np.float32(255))[..., None]
    part[..., :3] = part[..., :3] * (1 - share) + float(generator.choice([20, 200, 235])) * share


def grille(canvas: Bgra, _: Place, generator: np.random.Generator) -> None:
    """A radiator: bars in the dark, a bumper below."""
    color = _body(generator)
    _fill(canvas, color, generator)
    height, width = canvas.shape[:2]
    top, bottom = round(height * generator.uniform(0, 0.3)), round(height * generator.uniform(0.55, 1))
    cv2.rectangle(canvas, (0, top), (width, bottom), (20, 20, 20, 255), -1)
    step, bar = max(2, round(height * generator.uniform(0.03, 0.12))), int(generator.integers(1, 4))
    shade = (*_shade(np.full(3, 150.0), generator.uniform(0.3, 1.6)), 255)
    if generator.random() < 0.7:
        for row in range(top, bottom, step):
            cv2.line(canvas, (0, row), (width, row), shade, bar)
    if generator.random() < 0.5:
        for column in range(0, width, step):
            cv2.line(canvas, (column, top), (column, bottom), shade, bar)


def motorcycle(canvas: Bgra, place: Place, generator: np.random.Generator) -> None:
    """A mudguard over a wheel, a lamp above, indicators at the sides; much stays bare."""
    x, y, width, height = place
    middle = x + width // 2
    if generator.random() < 0.8:
        wheel = round(width * generator.uniform(0.15, 0.4))
        cv2.rectangle(canvas, (middle - wheel, y), (middle + wheel, canvas.shape[0]), (25, 25, 28, 255), -1)
        for row in range(y, canvas.shape[0], max(3, height // 8)):
            cv2.line(canvas, (middle - wheel, row), (middle + wheel, row + height // 10), (60, 60, 60, 255), 1)
    if generator.random() < 0.7:
        guard = (*_shade(_body(generator), 1), 255)
        corners = (middle - round(width * 0.6), y - round(height * 0.5)), (middle + round(width * 0.6), y + height // 2)
        cv2.rectangle(canvas, *corners, guard, -1)
    if generator.random() < 0.6:
        size = (round(width * generator.uniform(0.2, 0.5)), round(height * generator.uniform(0.1, 0.3)))
        cv2.ellipse(canvas, (middle, y - round(height * 0.35)), size, 0, 0, 360, (30, 30, 190, 255), -1)
    if generator.random() < 0.6:
        reach = round(width * generator.uniform(0.6, 0.85))
        row = y - round(height * generator.uniform(0, 0.4))
        cv2.line(canvas, (middle - reach, row), (middle + reach, row), (30, 30, 30, 255), max(1, height // 20))
        for column in (middle - reach, middle + reach):
            cv2.circle(canvas, (column, row), max(2, height // 8), (25, 120, 240, 255), -1)


def lorry(canvas: Bgra, place: Place, generator: np.random.Generator) -> None:
    """Planks or a beam with warning stripes and lettering."""
    _, y, _, height = place
    color = _body(generator)
    _fill(canvas, color, generator)
    step = max(3, round(height * generator.uniform(0.4, 1)))
    for row in range(0, canvas.shape[0], step):
        cv2.line(canvas, (0, row), (canvas.shape[1], row), (*_shade(color, 0.5), 255), 1)
    if generator.random() < 0.5:
        band, slant = round(height * generator.uniform(0.3, 0.8)), height // 2
        row = y + height + round(height * 0.2)
        for column in range(-slant, canvas.shape[1], max(4, height)):
            corners = [[column, row + band], [column + height // 2, row + band], [column + height // 2 + slant, row]]
            cv2.fillPoly(canvas, [np.array([*corners, [column + slant, row]], np.int32)], (40, 40, 210, 255))
    _name(canvas, place, generator)


def _holder(canvas: Bgra, place: Place, generator: np.random.Generator) -> None:
    """A frame around the plate, black or chrome, with the dealer's name below in some."""
    x, y, width, height = place
    rim = max(1, round(min(width, height) * generator.uniform(0.02, 0.12)))
    below = rim + (round(height * generator.uniform(0.05, 0.25)) if generator.random() < 0.4 else 0)
    shade = float(generator.choice([12, 25, 40, 130, 205]))
    cv2.rectangle(canvas, (x - rim, y - rim), (x + width + rim, y + height + below), (shade, shade, shade, 255), -1)
    if below > rim + 3:
        ink = lettering.mask(lettering.words(2, generator), generator, script="lettering", spacing=0.1)
        ink = lettering.fitted(ink, round(width * 0.8), below - rim, 1.0)
        left = x + (width - ink.shape[1]) // 2
        part = canvas[y + height : y + height + ink.shape[0], left : left + ink.shape[1]]
        share = (ink / np.float32(255))[..., None]
        part[..., :3] = part[..., :3] * (1 - share) + (230 if shade < 100 else 20) * share


def _shadow_below(canvas: Bgra, place: Place, generator: np.random.Generator) -> None:
    x, y, width, height = place
    by = max(1, round(height * generator.uniform(0.04, 0.2)))
    part = canvas[y : y + height + by, x + by : x + width + by]
    part[..., :3] = part[..., :3] * 0.4
    part[..., 3] = np.maximum(part[..., 3], 150)


SORTS: tuple[tuple[Callable[[Bgra, Place, np.random.Generator], None], float], ...] = (
    (nothing, 3),
    (tail, 5),
    (grille, 2),
    (motorcycle, 2.5),
    (lorry, 1),
)
"""Each with how often it is taken."""
