"""What light, weather, lenses, sensors and codecs do to a picture: functions on ``(h, w, 3)`` uint8 BGR."""

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def toned(image: Picture, generator: np.random.Generator) -> Picture:
    """Brightness, contrast, gamma and a tint, all in one table; a few pictures lose their colours, or get one cast."""
    levels = np.linspace(0, 1, 256, dtype=np.float32)
    table = np.empty((256, 1, 3), np.float32)
    gamma, contrast = np.exp(generator.normal(0, 0.3)), np.exp(generator.normal(0, 0.2))
    light = generator.normal(0, 0.08)
    gains = np.exp(generator.normal(0, 0.08 if generator.random() < 0.75 else 0.5, 3))
    for channel in range(3):
        tone = (levels**gamma - 0.5) * contrast + 0.5 + light
        table[:, 0, channel] = tone * gains[channel] / max(1.0, float(gains.mean()))
    image = _looked_up(image, table)
    if generator.random() < 0.12:
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        image = np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)
    elif generator.random() < 0.15:  # more or less colour than there was
        grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
        image = mixed(np.repeat(grey[..., None], 3, axis=2), image, float(generator.uniform(0.2, 1.8)))
    return image


def mixed(first: Picture, second: Picture, share: float) -> Picture:
    """The first picture where the share is 0, the second where it is 1, beyond it where it is more."""
    return np.asarray(cv2.addWeighted(second, share, first, 1 - share, 0), np.uint8)


def _looked_up(image: Picture, table: NDArray[np.float32]) -> Picture:
    return np.asarray(cv2.LUT(image, np.clip(table * 255, 0, 255).astype(np.uint8)), np.uint8)


def at_night(image: Picture, generator: np.random.Generator) -> Picture:
    """Dark but for lamps: a few glaring spots with halos."""
    height, width = image.shape[:2]
    dark = cv2.convertScaleAbs(image, alpha=float(generator.uniform(0.12, 0.55)), beta=0)
    lights = np.zeros((height // 2, width // 2, 3), np.uint8)
    for _ in range(int(generator.integers(1, 6))):
        middle = (int(generator.integers(0, width // 2)), int(generator.integers(0, height // 2)))
        color = ((255, 255, 255), (180, 235, 255), (60, 60, 255), (60, 150, 255))[generator.integers(4)]
        cv2.circle(lights, middle, int(generator.integers(1, 10)), color, -1)
    spread = float(generator.uniform(2, 9))
    halo = cv2.GaussianBlur(lights, (0, 0), spread)
    glare = cv2.resize(cv2.add(cv2.convertScaleAbs(halo, alpha=spread / 2), lights), (width, height))
    return np.asarray(cv2.add(dark, glare), np.uint8)


def infrared(image: Picture, generator: np.random.Generator) -> Picture:
    """Grey, lit from the camera: bright in the middle, dark at the rim."""
    height, width = image.shape[:2]
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32)
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    middle = generator.uniform(-0.4, 0.4, 2)
    lit = np.exp(-((x - middle[0]) ** 2 + (y - middle[1]) ** 2) * generator.uniform(0.3, 1.5))
    grey = np.clip(grey * lit * generator.uniform(0.6, 1.6), 0, 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)


def shaded(image: Picture, generator: np.random.Generator) -> Picture:
    """Part of it in the shadow of something with a straight or ragged edge."""
    height, width = image.shape[:2]
    shade = np.full((height // 4 + 1, width // 4 + 1), 255, np.uint8)
    middle = generator.uniform(0, 1, 2) * (width / 4, height / 4)
    turns = np.sort(generator.uniform(0, 2 * np.pi, int(generator.integers(3, 8))))
    reach = generator.uniform(0.2, 1.2, len(turns)) * max(width, height) / 4
    corners = np.stack([middle[0] + np.cos(turns) * reach, middle[1] + np.sin(turns) * reach], axis=1)
    cv2.fillPoly(shade, [corners.astype(np.int32)], int(generator.uniform(70, 190)))
    shade = np.asarray(cv2.resize(shade, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
    return np.asarray(cv2.multiply(image, cv2.merge([shade] * 3), scale=1 / 255), np.uint8)


def moved(image: Picture, generator: np.random.Generator, longest: int = 9) -> Picture:
    """Blurred along a line, as when camera or object moves."""
    length = int(generator.integers(3, longest + 1)) | 1
    kernel = np.zeros((length, length), np.float32)
    turn = generator.choice([0, np.pi / 2, generator.uniform(0, np.pi)], p=[0.6, 0.1, 0.3])
    half = (length - 1) / 2
    ends = [(round(half + sign * half * np.cos(turn)), round(half + sign * half * np.sin(turn))) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0)
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)


def unsharp(image: Picture, generator: np.random.Generator) -> Picture:
    """Out of focus, enlarged from fewer pixels, or sharpened too much."""
    kind = generator.integers(3)
    if kind == 0:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), float(generator.uniform(0.5, 1.8))), np.uint8)
    if kind == 1:
        height, width = image.shape[:2]
        share = generator.uniform(0.4, 0.9)
        small = cv2.resize(image, (round(width * share), round(height * share)), interpolation=cv2.INTER_AREA)
        how = (cv2.INTER_LINEAR, cv2.INTER_NEAREST, cv2.INTER_CUBIC)[generator.integers(3)]
        return np.asarray(cv2.resize(small, (width, height), interpolation=how), np.uint8)
    soft = cv2.GaussianBlur(image, (0, 0), 1.5)
    return np.asarray(cv2.addWeighted(image, 1.8, soft, -0.8, 0), np.uint8)


def noisy(image: Picture, generator: np.random.Generator) -> Picture:
    """Grain of a sensor, or single pixels that are black or white."""
    if generator.random() < 0.65:
        grain = generator.integers(0, 256, image.shape[:2], np.uint8)  # near enough to normal after scaling
        strength = float(generator.uniform(4, 40))
        offset = cv2.merge([cv2.convertScaleAbs(grain, alpha=strength / 128)] * 3)
        return np.asarray(cv2.subtract(cv2.add(image, offset), np.full_like(image, int(strength))), np.uint8)
    struck = image.copy()
    chance = generator.integers(0, 1000, image.shape[:2], np.uint16)
    share = int(generator.uniform(2, 60))
    struck[chance < share] = 255
    struck[chance >= 1000 - share] = 0
    return struck


def compressed(image: Picture, generator: np.random.Generator) -> Picture:
    """Written as JPEG and read again."""
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(generator.integers(12, 85))]
    _, content = cv2.imencode(".jpg", image, quality)
    return np.asarray(cv2.imdecode(content, cv2.IMREAD_COLOR), np.uint8)


CHANCES = (
    (toned, 0.85),
    (at_night, 0.1),
    (infrared, 0.06),
    (shaded, 0.15),
    (moved, 0.15),
    (unsharp, 0.25),
    (noisy, 0.22),
    (compressed, 0.35),
)
"""In the order in which they happen, and how often."""


def any_of_them(image: Picture, generator: np.random.Generator) -> Picture:
    """The picture under some of the effects, by chance."""
    for effect, chance in CHANCES:
        if generator.random() < chance:
            image = effect(image, generator)
    return image
