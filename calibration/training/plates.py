"""Licence plates of many countries, drawn flat and clean or worn."""

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from calibration.training import lettering

Bgra = NDArray[np.uint8]
Rectangle = tuple[float, float, float, float]
Sides = tuple[float, float]

FORMATS = Path(__file__).with_name("formats.toml")

LONGEST, SHORTEST = 320, 72
"""Sides of a drawn plate in pixels: enough for one that fills half of a scene."""

COLOURS = {
    "white": (240, 243, 244),
    "cream": (214, 236, 244),
    "black": (24, 22, 22),
    "grey": (168, 168, 166),
    "silver": (200, 202, 204),
    "yellow": (30, 205, 245),
    "amber": (20, 165, 240),
    "orange": (20, 120, 235),
    "peach": (180, 205, 245),
    "red": (35, 30, 190),
    "maroon": (50, 20, 110),
    "pink": (190, 170, 245),
    "green": (60, 110, 20),
    "mint": (160, 215, 150),
    "blue": (165, 70, 10),
    "navy": (110, 40, 20),
    "sky": (215, 145, 40),
    "skyblue": (235, 205, 150),
    "brown": (40, 60, 100),
}
"""Blue, green, red."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Band(_Part):
    """A coloured area, with a text on it or without, drawn in a ``share`` of the plates."""

    at: Rectangle
    colour: str = ""
    colours: tuple[str, ...] = ()
    text: str = ""
    share: float = 1


class Line(_Part):
    """A text that fills a rectangle; one of the patterns."""

    at: Rectangle
    text: tuple[str, ...]
    ink: str = ""
    share: float = 1


def _several(sizes: list[object]) -> list[object]:
    return sizes if isinstance(sizes[0], list) else [sizes]


class Format(_Part):
    """How the plates of a kind look; see ``formats.toml``."""

    name: str
    weight: float
    size: Annotated[tuple[Sides, ...], BeforeValidator(_several)]
    colours: tuple[tuple[str, str], ...]
    bands: tuple[Band, ...] = ()
    lines: Annotated[tuple[Line, ...], Field(min_length=1)]
    border: float = 0
    bolts: float = 0.3
    scenery: float = 0


@lru_cache
def formats() -> tuple[Format, ...]:
    """All formats of ``formats.toml``."""
    read = tomllib.loads(FORMATS.read_text(encoding="utf-8"))
    return tuple(Format.model_validate(entry) for entry in read["format"])


def pool(count: int, generator: np.random.Generator) -> list[Bgra]:
    """Plates of all formats, as often as these weigh."""
    weights = np.array([each.weight for each in formats()])
    chosen = generator.choice(len(weights), count, p=weights / weights.sum())
    return [draw(formats()[number], generator) for number in chosen]


def draw(form: Format, generator: np.random.Generator) -> Bgra:
    """One plate, ``(h, w, 4)`` uint8 BGRA, transparent beside its rounded corners."""
    across, down = form.size[generator.integers(len(form.size))]
    scale = min(LONGEST / max(across, down), max(SHORTEST / min(across, down), LONGEST / 2 / max(across, down)))
    scale = max(scale, 56 / min(across, down))
    width, height = round(across * scale * generator.uniform(0.92, 1.08)), round(down * scale)
    ground_name, ink_name = form.colours[generator.integers(len(form.colours))]
    ground = _colour(ground_name, generator)
    ink = _contrasting(ink_name, ground, generator)
    plate = np.full((height, width, 3), ground, np.float32)
    if generator.random() < form.scenery:
        plate = _scenery(plate, generator)
    for band in form.bands:
        if generator.random() < band.share:
            names = band.colours or (band.colour,)
            colour = _colour(names[generator.integers(len(names))], generator)
            x1, y1, x2, y2 = _pixels(band.at, width, height)
            plate[y1:y2, x1:x2] = colour
            if band.text and x2 - x1 > 4 and y2 - y1 > 4:
                light = _contrasting("white" if sum(colour) < 450 else "black", colour, generator)
                inner = (x1 + (x2 - x1) // 8, y1 + (y2 - y1) // 5, x2 - (x2 - x1) // 8, y2 - (y2 - y1) // 6)
                _write(plate, band.text, inner, light, generator, relief=0)
    relief = generator.uniform(0, 30) if generator.random() < 0.6 else 0
    for line in form.lines:
        if generator.random() < line.share:
            colour = _contrasting(line.ink, ground, generator) if line.ink else ink
            rectangle = _pixels(_shaken(line.at, generator), width, height)
            _write(plate, line.text[generator.integers(len(line.text))], rectangle, colour, generator, relief=relief)
    if generator.random() < form.border:
        inset, thick = int(generator.integers(0, 4)), int(generator.integers(1, 4))
        cv2.rectangle(plate, (inset, inset), (width - 1 - inset, height - 1 - inset), ink, thick)
    if generator.random() < form.bolts:
        _bolts(plate, generator)
    _wear(plate, generator)
    shape = np.zeros((height, width), np.uint8)
    corner = int(min(width, height) * generator.uniform(0.02, 0.12))
    cv2.rectangle(shape, (corner, 0), (width - 1 - corner, height - 1), 255, -1)
    cv2.rectangle(shape, (0, corner), (width - 1, height - 1 - corner), 255, -1)
    for x in (corner, width - 1 - corner):
        for y in (corner, height - 1 - corner):
            cv2.circle(shape, (x, y), corner, 255, -1)
    return np.dstack([np.clip(plate, 0, 255).astype(np.uint8), shape])


def _colour(name: str, generator: np.random.Generator) -> tuple[float, float, float]:
    if name == "any":
        blue, green, red = generator.uniform(10, 250, 3).tolist()
    else:
        near = np.array(COLOURS[name]) * generator.uniform(0.85, 1.08) + generator.normal(0, 8, 3)
        blue, green, red = np.clip(near, 0, 255).tolist()
    return blue, green, red


def _contrasting(
    name: str, ground: tuple[float, float, float], generator: np.random.Generator
) -> tuple[float, float, float]:
    """A colour that can be read on the ground: the named one, or one of the named kind until it is."""
    weights = np.array([0.11, 0.59, 0.3])
    for _ in range(8):
        colour = _colour(name, generator)
        if abs(float(weights @ (np.array(colour) - np.array(ground)))) > 55:
            return colour
    return (20.0, 20.0, 20.0) if float(weights @ np.array(ground)) > 120 else (240.0, 240.0, 240.0)


def _pixels(at: Rectangle, width: int, height: int) -> tuple[int, int, int, int]:
    return round(at[0] * width), round(at[1] * height), round(at[2] * width), round(at[3] * height)


def _shaken(at: Rectangle, generator: np.random.Generator) -> Rectangle:
    x1, y1, x2, y2 = (np.array(at) + generator.normal(0, 0.012, 4)).clip(0.01, 0.99).tolist()
    return x1, y1, max(x2, x1 + 0.02), max(y2, y1 + 0.02)


def _write(
    plate: NDArray[np.float32],
    pattern: str,
    at: tuple[int, int, int, int],
    colour: tuple[float, float, float],
    generator: np.random.Generator,
    *,
    relief: float,
) -> None:
    x1, y1, x2, y2 = at
    if x2 - x1 < 3 or y2 - y1 < 3:
        return
    text = lettering.written(pattern, generator)
    ink = lettering.mask(text, generator, spacing=float(generator.uniform(0.02, 0.3)))
    if not ink.any():
        return
    ink = lettering.fitted(ink, x2 - x1, y2 - y1)[: plate.shape[0] - y1, : plate.shape[1] - x1]
    part = plate[y1 : y1 + ink.shape[0], x1 : x1 + ink.shape[1]]
    share = (ink.astype(np.float32) / 255)[..., None]
    part += (np.array(colour, np.float32) - part) * share
    if relief:
        edges = cv2.Sobel(ink, cv2.CV_32F, 1, 1, ksize=3)
        part += (edges / 255 * relief)[..., None]


def _scenery(plate: NDArray[np.float32], generator: np.random.Generator) -> NDArray[np.float32]:
    """A pale picture behind the characters: bands of colour, hills, a sun."""
    height, width = plate.shape[:2]
    colour = np.array(_colour("any", generator), np.float32)
    fade = np.linspace(0, generator.uniform(0.2, 0.8), height, dtype=np.float32)[:, None, None]
    plate = plate * (1 - fade) + colour * fade if generator.random() < 0.7 else plate
    drawn = plate.copy()
    for _ in range(int(generator.integers(0, 4))):
        shade = tuple(generator.uniform(60, 250, 3).tolist())
        if generator.random() < 0.5:
            middle = (int(generator.integers(0, width)), int(generator.integers(0, height)))
            cv2.circle(drawn, middle, int(generator.integers(height // 8, height // 2)), shade, -1)
        else:
            edge = generator.uniform(0.3, 1, 6) * height
            hills = np.stack([np.linspace(0, width, 6), edge], axis=1)
            hills = np.concatenate([hills, [[width, height], [0, height]]]).astype(np.int32)
            cv2.fillPoly(drawn, [hills], shade)
    return np.asarray(plate + (drawn - plate) * generator.uniform(0.15, 0.6), np.float32)


def _bolts(plate: NDArray[np.float32], generator: np.random.Generator) -> None:
    height, width = plate.shape[:2]
    size = max(2, round(min(height, width) * generator.uniform(0.02, 0.05)))
    shade = (float(generator.uniform(40, 220)),) * 3
    for x in (generator.uniform(0.1, 0.3) * width, generator.uniform(0.7, 0.9) * width):
        for y in (0.08 * height, 0.92 * height):
            if generator.random() < 0.6:
                cv2.circle(plate, (round(x), round(y)), size, shade, -1)


def _wear(plate: NDArray[np.float32], generator: np.random.Generator) -> None:
    """Dirt, scratches, faded paint, in a part of the plates."""
    height, width = plate.shape[:2]
    if generator.random() < 0.35:
        rough = generator.normal(0, 1, (4, 6)).astype(np.float32)
        spots = cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC)
        share = np.clip(spots * generator.uniform(0.1, 0.5), 0, 0.8)[..., None]
        plate += (np.array(generator.uniform(20, 140, 3), np.float32) - plate) * share
    if generator.random() < 0.15:
        plate += (plate.mean() - plate) * np.float32(generator.uniform(0.1, 0.5))
    for _ in range(int(generator.integers(0, 3)) if generator.random() < 0.2 else 0):
        ends = generator.integers(0, [width, height], (2, 2))
        shade = tuple(generator.uniform(30, 220, 3).tolist())
        cv2.line(plate, tuple(map(int, ends[0])), tuple(map(int, ends[1])), shade, 1, cv2.LINE_AA)
