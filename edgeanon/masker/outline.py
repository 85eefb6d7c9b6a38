"""The outline of a mask: which pixels of a grown box are replaced, and which are mixed.

All sides are whole pixels and counted from the corner of the grown box, which may reach past the picture; what is drawn
is the window of it that the picture holds.
"""

from functools import lru_cache
from math import ceil, sqrt
from typing import Any, Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Shape = Literal["rectangle", "rounded", "ellipse"]
Box = tuple[int, int, int, int]

_RAMP = 0.25  # share of the margin in which a feathered edge fades
_ROUND = 0.8  # radius of a rounded corner as a share of half the shorter side, where the given box leaves room for it
_COARSE, _FINE = 8, 2  # pixels in which the sides and the margins of outlines without a feathered edge are counted
_SMALL = 1 << 14  # pixels of an outline that is kept for the next picture; 64 of 3 x 8 bit with two layers are 6 MB


class Outline(NamedTuple):
    """A mask's outline; a key of the caches.

    Attributes:
        shape: its form.
        feather: its edge fades, inside the grown box.
        size: width and height of the grown box.
        window: the part of it that is drawn, ``x1 y1 x2 y2``.
        given: the part of the given box inside the picture, ``x1 y1 x2 y2``: it is always covered.
        margin: the least distance of the whole given box from the sides, x and y.
    """

    shape: Shape
    feather: bool
    size: tuple[int, int]
    window: Box
    given: Box
    margin: tuple[int, int]


def place(box: Box, grown: Box, shape: Shape, width: int, height: int, *, feather: bool) -> tuple[Box, Outline] | None:
    """The region of a picture that a mask is drawn in, and its outline; None for a box wholly outside the picture.

    Boxes are whole pixels and may reach past the picture. An empty one is given a pixel a side.
    """
    x1, y1, x2, y2 = box
    left, top, right, bottom = grown
    # The margin knows nothing of the pixel that an empty box is given.
    if x2 <= x1:
        x2, right = x1 + 1, max(right, x1 + 1)
    if y2 <= y1:
        y2, bottom = y1 + 1, max(bottom, y1 + 1)
    if shape == "ellipse":
        left, top, right, bottom = _around_ellipse((x1, y1, x2, y2), (left, top, right, bottom), feather=feather)
    margin = min(x1 - left, right - x2), min(y1 - top, bottom - y2)
    drawn = left, top, right, bottom
    if left < 0 or top < 0 or right > width or bottom > height:
        drawn = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
        x1, y1, x2, y2 = max(x1, 0), max(y1, 0), min(x2, width), min(y2, height)
        if x1 >= x2 or y1 >= y2:
            return None
    if not feather:
        # Cut from one a few pixels larger, few outlines do for masks of all sizes, and each covers a little more.
        wider, taller = (left - right) % _COARSE, (top - bottom) % _COARSE
        left, top = left - wider // 2, top - taller // 2
        right, bottom = right + wider - wider // 2, bottom + taller - taller // 2
        margin = margin[0] // _FINE * _FINE, margin[1] // _FINE * _FINE
    window = drawn[0] - left, drawn[1] - top, drawn[2] - left, drawn[3] - top
    inner = x1 - left, y1 - top, x2 - left, y2 - top
    return drawn, Outline(shape, feather, (right - left, bottom - top), window, inner, margin)


def _around_ellipse(box: Box, grown: Box, *, feather: bool) -> Box:
    """The least box that holds an ellipse around a box, or an ellipse as large as the grown box if that is larger."""
    edges = []
    for axis in (0, 1):
        low, high = box[axis], box[axis + 2]
        margin = min(low - grown[axis], grown[axis + 2] - high)
        needed = (sqrt(2) - 1) * (high - low) / 2 + (margin * _RAMP if feather else 0)
        margin = max(margin, ceil(needed))
        edges.append((low - margin, high + margin))
    return edges[0][0], edges[1][0], edges[0][1], edges[1][1]


def cover(outline: Outline, channels: int = 1) -> NDArray[np.uint8]:
    """How much of each value of the window is replaced, ``(h, w * channels)``, 0..255; all of it for 255."""
    width, height = outline.size
    if outline.window == (0, 0, width, height):
        # Every form is its own mirror image both ways, so a quarter of it is enough to work out.
        quarter = _form(outline, (0, 0, (width + 1) // 2, (height + 1) // 2), channels)
        ways = [cv2.BORDER_REFLECT_101 if side % 2 else cv2.BORDER_REFLECT for side in outline.size]
        upper = cv2.copyMakeBorder(quarter.reshape(len(quarter), -1, channels), 0, 0, 0, width // 2, ways[0])
        result = np.asarray(cv2.copyMakeBorder(upper, 0, height // 2, 0, 0, ways[1]), np.uint8).reshape(height, -1)
    else:
        result = _form(outline, outline.window, channels)
    # Holds without this, by the choice of the form; but what was given is to be covered whatever the form.
    _part(result, outline, outline.given, channels)[...] = 255
    return result


def replaced(outline: Outline) -> NDArray[np.uint8]:
    """How much of each pixel of the window `mix` replaces, ``(h, w)``, 0..255; all of it for 255."""
    if _is_small(outline):
        left, top, right, bottom = outline.window
        return cover(_whole(outline))[top:bottom, left:right]
    return cover(outline)


def _is_small(outline: Outline) -> bool:
    return outline.size[0] * outline.size[1] <= _SMALL


def _whole(outline: Outline) -> Outline:
    """One outline for all masks of a size and a margin, wherever they lie and whatever of them the picture holds."""
    shape, feather, size, _, _, margin = outline
    # The least margin on both sides leaves a box that holds the given one, wherever in the mask that lies.
    held = *margin, size[0] - margin[0], size[1] - margin[1]
    return Outline(shape, feather, size, (0, 0, *size), held, margin)


def mix(fill: NDArray[Any], target: NDArray[Any], outline: Outline, channels: int) -> None:
    """Draws a fill into a picture's window ``(h, w * channels)``: as many values, or one colour ``(channels,)``."""
    if _is_small(outline):
        left, top, right, bottom = outline.window
        shown = slice(top, bottom), slice(left * channels, right * channels)
        whole = _whole(outline)
        if outline.feather:
            toward, away = _kept_weights(whole, channels, target.dtype)
            _fade(_tiled(fill, target.shape) if fill.ndim == 1 else fill, target, toward[shown], away[shown])
        elif fill.ndim == 1:
            away, colour = _kept_layers(whole, fill.tobytes(), target.dtype)
            _paint(target, away[shown], colour[shown])
        else:
            cv2.copyTo(fill, _kept_cover(whole, channels)[shown], target)
        return
    # Most of a large mask is plainly replaced; its form is for what surrounds the given box.
    left, top, right, bottom = outline.window
    x1, y1, x2, y2 = outline.given
    goal = _part(target, outline, outline.given, channels)
    np.copyto(goal, np.tile(fill, x2 - x1) if fill.ndim == 1 else _part(fill, outline, outline.given, channels))
    for window in ((left, top, right, y1), (left, y1, x1, y2), (x2, y1, right, y2), (left, y2, right, bottom)):
        if window[0] < window[2] and window[1] < window[3]:
            side = outline._replace(window=window, given=(*window[:2], *window[:2]))
            goal = _part(target, outline, window, channels)
            source = _tiled(fill, goal.shape) if fill.ndim == 1 else _part(fill, outline, window, channels)
            if outline.feather:
                _fade(source, goal, *_weights(side, channels, target.dtype))
            else:
                cv2.copyTo(source, cover(side, channels), goal)


def _tiled(colour: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    return np.tile(np.tile(colour, shape[1] // len(colour)), (shape[0], 1))


def _fade(fill: NDArray[Any], target: NDArray[Any], toward: NDArray[Any], away: NDArray[Any]) -> None:
    kept = cv2.multiply(target, away, scale=1 / 255)
    cv2.add(kept, cv2.multiply(fill, toward, scale=1 / 255), target)


def _paint(target: NDArray[Any], away: NDArray[Any], colour: NDArray[Any]) -> None:
    # Two passes over whole words are faster than one that looks at each byte of a stencil.
    cv2.bitwise_and(target, away, target)
    cv2.bitwise_or(target, colour, target)


def _part(pixels: NDArray[Any], outline: Outline, window: Box, channels: int) -> NDArray[Any]:
    left, top = outline.window[:2]
    x1, y1, x2, y2 = window
    return pixels[y1 - top : y2 - top, (x1 - left) * channels : (x2 - left) * channels]


def _form(outline: Outline, window: Box, channels: int) -> NDArray[np.uint8]:
    half = [side / 2 for side in outline.size]
    ramp = [side * _RAMP if outline.feather else 0.0 for side in outline.margin]
    if outline.shape == "ellipse":
        # The core must hold the given box, whose corners the least such ellipse just touches.
        reach = [sqrt(2) * (h - m) for h, m in zip(half, outline.margin, strict=True)]
        ramp = [max(0.0, min(r, h - at)) for r, h, at in zip(ramp, half, reach, strict=True)]
        whole = half
    else:
        corner = _corner(outline, half, ramp)
        whole = [max(corner + r, 1e-3) for r in ramp]
    # A rounded rectangle is all that is within a radius of an inner rectangle; of an ellipse that one is a point. The
    # squared distance from it, in radii, is a sum of one term for each axis.
    terms = []
    for axis in (0, 1):
        past = np.arange(window[axis] + 0.5 - half[axis], window[axis + 2] - half[axis], dtype=np.float32)
        np.abs(past, out=past)
        past -= np.float32(half[axis] - whole[axis])
        np.maximum(past, 0, out=past)
        past *= np.float32(1 / whole[axis])
        past *= past
        terms.append(past)
    across, down = terms[0], terms[1][:, None]
    # The core is the whole form made smaller by one factor for both axes, so that it holds what either axis asks for.
    core = max(1 - r / w for r, w in zip(ramp, whole, strict=True))
    # A fade too thin to see is none.
    if core > 0.9999:
        return _spread((across <= 1 - down).view(np.uint8) * np.uint8(255), channels)
    # Rounded so that more is covered. Whole numbers take a fraction of the time of fractions.
    steep = 255 / (1 - core**2)
    share = np.ceil((1 - down) * steep).astype(np.int32) - (across * steep).astype(np.int32)
    np.minimum(np.maximum(share, 0, out=share), 255, out=share)
    return _spread(np.asarray(cv2.LUT(share.astype(np.uint8), _level()), np.uint8), channels)


def _spread(pixels: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    if channels == 1:
        return pixels
    return np.asarray(cv2.merge([pixels] * channels), np.uint8).reshape(len(pixels), -1)


@lru_cache(maxsize=1)
def _level() -> NDArray[np.uint8]:
    """A fade from 0 to 255 that is level on both ends, so that the eye finds no edge."""
    share = np.arange(256) / 255
    return np.asarray((3 - 2 * share) * share**2 * 255, np.float32).astype(np.uint8)


def _corner(outline: Outline, half: list[float], ramp: list[float]) -> float:
    if outline.shape == "rectangle":
        return 0.0
    x, y = (margin - r for margin, r in zip(outline.margin, ramp, strict=True))
    # The largest circle in the core's corner that still holds the given box's corner, x and y from the sides.
    room = x + y + sqrt(2 * x * y)
    return min(room, _ROUND * min(half), *(h - r for h, r in zip(half, ramp, strict=True)))


def _weights(outline: Outline, channels: int, dtype: np.dtype[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Shares of the fill and of the picture, 0..255."""
    toward = cover(outline, channels)
    return toward.astype(dtype, copy=False), np.asarray(cv2.bitwise_not(toward)).astype(dtype, copy=False)


def _colour_layers(outline: Outline, colour: bytes, dtype: np.dtype[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """All bits where the picture stays, and the colour where it does not."""
    pixel = np.frombuffer(colour, dtype)
    stencil = cover(outline, len(pixel)).astype(dtype, copy=False) * dtype.type(np.iinfo(dtype).max // 255)
    return ~stencil, stencil & np.tile(pixel, stencil.shape[1] // len(pixel))


_kept_cover = lru_cache(maxsize=64)(cover)
_kept_weights = lru_cache(maxsize=64)(_weights)
_kept_layers = lru_cache(maxsize=64)(_colour_layers)
