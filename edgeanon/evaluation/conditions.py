"""Conditions under which pictures get worse, each at several severities, the mildest first.

What a lens or a motion does is measured in pixels of a picture whose longer side has 1,000, so that it means the same
in every picture. Everything random comes from the generator that is handed over: the same seed, the same pictures.
"""

import math
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeanon.boxes import Boxes
from edgeanon.detections import Frame, Kind
from edgeanon.evaluation.labels import Labelled
from edgeanon.preprocess import PADDING
from edgeanon.video import VideoReader, VideoWriter

Pixels = NDArray[np.uint8]
Random = np.random.Generator
Change = Callable[[Pixels, Random], Pixels]
Move = Callable[[Labelled], Labelled]

_GAMMA = 2.2


@dataclass(frozen=True, slots=True)
class Severity:
    """One severity of a condition.

    Attributes:
        setting: what was set, for tables.
        change: makes the worse picture of one, ``(h, w, 3)`` uint8 BGR.
        move: takes the labels along, where objects move.
    """

    setting: str
    change: Change
    move: Move = lambda picture: picture


def low_light(image: Pixels, random: Random, *, light: float) -> Pixels:
    """A share of the light, half of whose stops the camera's gain makes up for, with the noise of few photons.

    Photons are counted (Poisson) and read with Gaussian noise, as in A. Foi et al., IEEE TIP 17 (2008) 1737; white is
    4,000 electrons in good light, and reading adds 5.
    """
    white, reading = 4000 * light, 5.0
    electrons = random.poisson((image.astype(np.float32) / 255) ** _GAMMA * white).astype(np.float32)
    electrons += random.normal(0, reading, image.shape).astype(np.float32)
    seen = np.clip(electrons / white * math.sqrt(light), 0, 1) ** (1 / _GAMMA)
    return _as_pixels(seen * 255)


def noise(image: Pixels, random: Random, *, sigma: float) -> Pixels:
    """Gaussian noise of so many grey levels; D. Hendrycks and T. Dietterich, ICLR 2019 (ImageNet-C)."""
    return _as_pixels(image + random.normal(0, sigma, image.shape).astype(np.float32))


def motion_blur(image: Pixels, random: Random, *, length: float) -> Pixels:
    """A straight motion during the exposure, in a direction of its own for each picture; as in ImageNet-C."""
    reach, angle = _in_pixels(image, length) / 2, random.uniform(0, math.pi)
    half = math.ceil(reach) + 1
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    for step in np.linspace(-reach, reach, 8 * half):
        x, y = half + step * math.cos(angle), half + step * math.sin(angle)
        left, top = math.floor(x), math.floor(y)
        for column, row in ((left, top), (left + 1, top), (left, top + 1), (left + 1, top + 1)):
            kernel[row, column] += (1 - abs(x - column)) * (1 - abs(y - row))
    return _filtered(image, kernel)


def defocus(image: Pixels, _: Random, *, radius: float) -> Pixels:
    """A disc in place of every point; as in ImageNet-C."""
    size = _in_pixels(image, radius)
    half = math.ceil(size)
    rows, columns = np.mgrid[-half : half + 1, -half : half + 1]
    return _filtered(image, np.clip(size + 0.5 - np.hypot(rows, columns), 0, 1).astype(np.float32))


def jpeg(image: Pixels, _: Random, *, quality: int) -> Pixels:
    """JPEG at a quality of 0..100 as libjpeg counts it."""
    encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)


def video(image: Pixels, _: Random, *, crf: float) -> Pixels:
    """H.264 at a constant rate factor of x264; the second of two frames, which is predicted from the first.

    The first is the picture moved by two pixels, as a slow pan would have it.
    """
    moved = cv2.copyMakeBorder(image, 0, 0, 2, 0, cv2.BORDER_REPLICATE)[:, :-2]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "two.mkv"
        with VideoWriter(path, frame_rate=25, codec="h264", quality=crf, preset="veryfast") as out:
            for index, pixels in enumerate((moved, image)):
                out.write(Frame(np.ascontiguousarray(pixels, np.uint8), index, Fraction(index, 25)))
        with VideoReader(path) as frames:
            return [frame.pixels for frame in frames][-1]


def rain(image: Pixels, random: Random, *, drops: float) -> Pixels:
    """Bright streaks that fall aslant, and the haze of what falls behind them.

    A drop in motion is a streak brighter than what is behind it: K. Garg and S. K. Nayar, IJCV 75 (2007) 3.

    Args:
        image: the picture.
        random: where they fall.
        drops: share of the pixels at which a streak has its middle.
    """
    height, width = image.shape[:2]
    slant = random.uniform(-0.35, 0.35)
    reach = _in_pixels(image, 30)
    half = math.ceil(reach)
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    for step in np.linspace(-reach / 2, reach / 2, 4 * half):
        kernel[round(half + step), round(half + step * slant)] = 1
    seeds = (random.random((height, width)) < drops).astype(np.float32)
    streaks = cv2.GaussianBlur(cv2.filter2D(seeds, -1, kernel), (0, 0), max(0.4, _in_pixels(image, 0.6)))
    streaks = np.clip(streaks, 0, 1)[..., None] * 0.6
    hazy = image + (200.0 - image) * min(0.4, 40 * drops)
    return _as_pixels(hazy + (230.0 - hazy) * streaks)


def fog(image: Pixels, random: Random, *, depth: float) -> Pixels:
    """What comes through fog: H. Koschmieder, 1924; for pictures of streets C. Sakaridis et al., IJCV 126 (2018) 973.

    Args:
        image: the picture.
        random: makes it denser here and thinner there.
        depth: optical depth at the top of the picture, where the farthest is; a third of it at the bottom.
    """
    height, width = image.shape[:2]
    far = np.linspace(1, 1 / 3, height, dtype=np.float32)[:, None]
    clouds = cv2.resize(
        random.uniform(0.8, 1.2, (4, 6)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
    )
    through = np.exp(-depth * far * clouds)[..., None]
    return _as_pixels(image * through + 225.0 * (1 - through))


def rotated(image: Pixels, _: Random, *, degrees: float) -> Pixels:
    """Turned to the left, on a canvas that holds all of it."""
    if degrees % 90 == 0:
        return np.ascontiguousarray(np.rot90(image, int(degrees // 90)))
    turn, size = _turn(image.shape[1], image.shape[0], degrees)
    border = (PADDING,) * 3
    return np.asarray(cv2.warpAffine(image, turn, size, flags=cv2.INTER_LINEAR, borderValue=border), np.uint8)


def rotated_labels(picture: Labelled, *, degrees: float) -> Labelled:
    """The boxes around what was in the boxes: the ellipse in the box of a face, the whole box of anything else."""
    turn, (width, height) = _turn(picture.width, picture.height, degrees)
    middle = (picture.boxes[:, :2] + picture.boxes[:, 2:]) / 2 @ turn[:, :2].T + turn[:, 2]
    sides = (picture.boxes[:, 2:] - picture.boxes[:, :2]) / 2
    along = np.abs(turn[:, :2])
    as_ellipse = np.sqrt(sides**2 @ (along**2).T)
    half = np.where((picture.kinds == Kind.FACE)[:, None], as_ellipse, sides @ along.T)
    edges = np.concatenate([middle - half, middle + half], axis=1)
    return _relabelled(picture, edges, width, height)


def smaller(image: Pixels, _: Random, *, times: float) -> Pixels:
    """So many times smaller, as from so many times as far away."""
    width, height = _smaller_size(image.shape[1], image.shape[0], times)
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def smaller_labels(picture: Labelled, *, times: float) -> Labelled:
    """The boxes in the smaller picture."""
    width, height = _smaller_size(picture.width, picture.height, times)
    scale = np.array([width / picture.width, height / picture.height] * 2)
    return _relabelled(picture, picture.boxes * scale, width, height)


def greyscale(image: Pixels, _: Random) -> Pixels:
    """Without colour, as ITU-R BT.601 weighs the channels and infrared cameras deliver it."""
    return np.asarray(cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR), np.uint8)


def _severities(change: Callable[..., Pixels], said: str, name: str, *values: float) -> tuple[Severity, ...]:
    return tuple(Severity(said.format(value), partial(change, **{name: value})) for value in values)


CONDITIONS: Final[Mapping[str, tuple[Severity, ...]]] = MappingProxyType(
    {
        "low light": tuple(
            Severity(f"1/{less} of the light", partial(low_light, light=1 / less)) for less in (4, 16, 64)
        ),
        "noise": _severities(noise, "{} grey levels", "sigma", 10, 20, 40),
        "motion blur": _severities(motion_blur, "{} px", "length", 5, 10, 20),
        "defocus": _severities(defocus, "{} px", "radius", 1.5, 3, 6),
        "JPEG": _severities(jpeg, "quality {}", "quality", 30, 15, 5),
        "video": _severities(video, "CRF {}", "crf", 32, 40, 48),
        "rain": _severities(rain, "{} of the pixels", "drops", 0.001, 0.003, 0.006),
        "fog": _severities(fog, "depth {}", "depth", 1, 2, 3),
        "rotation": tuple(
            Severity(f"{turn} degrees", partial(rotated, degrees=turn), partial(rotated_labels, degrees=turn))
            for turn in (10, 30, 90, 180)
        ),
        "small scale": tuple(
            Severity(f"1/{times} of the size", partial(smaller, times=times), partial(smaller_labels, times=times))
            for times in (2, 3, 4)
        ),
        "greyscale": (Severity("no colour", greyscale),),
    }
)
"""What ``edgeanon evaluate --robustness`` measures."""


def _in_pixels(image: Pixels, thousandths: float) -> float:
    return float(max(image.shape[:2]) * thousandths / 1000)


def _filtered(image: Pixels, kernel: NDArray[np.float32]) -> Pixels:
    blurred = cv2.filter2D(image, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(blurred, np.uint8)


def _as_pixels(levels: NDArray[Any]) -> Pixels:
    return np.asarray(np.clip(levels + 0.5, 0, 255), np.uint8)


def _turn(width: int, height: int, degrees: float) -> tuple[NDArray[np.float64], tuple[int, int]]:
    """The turn to the left as a matrix on pixel edges, and the size of a canvas that holds all of it."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    wide = round(abs(width * cos) + abs(height * sin))
    high = round(abs(width * sin) + abs(height * cos))
    linear = np.array([[cos, sin], [-sin, cos]])
    shift = np.array([wide, high]) / 2 - linear @ (np.array([width, height]) / 2)
    return np.concatenate([linear, shift[:, None]], axis=1), (wide, high)


def _smaller_size(width: int, height: int, times: float) -> tuple[int, int]:
    return max(1, round(width / times)), max(1, round(height / times))


def _relabelled(picture: Labelled, edges: NDArray[Any], width: int, height: int) -> Labelled:
    boxes: Boxes = np.clip(edges, 0, [width, height, width, height]).astype(np.float32)
    return replace(picture, boxes=boxes, width=width, height=height)
