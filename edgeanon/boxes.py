"""Geometry of axis-aligned boxes, on arrays.

A box is ``x1 y1 x2 y2`` in pixel edges: ``x2`` and ``y2`` are exclusive, so the whole of a 640x480 picture is
``0 0 640 480``. Boxes are float32 arrays of shape ``(n, 4)``; no boxes are an array of shape ``(0, 4)``.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edgeanon.errors import ConfigError

Boxes = NDArray[np.float32]


def as_boxes(boxes: ArrayLike) -> Boxes:
    """Boxes of anybody's making as ``(n, 4)`` float32; values are not judged here.

    Raises:
        ConfigError: the shape is not ``(n, 4)``, or the values are not numbers.
    """
    try:
        array = np.asarray(boxes, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise ConfigError("boxes must be numbers of shape (n, 4), x1 y1 x2 y2 each") from error
    if array.size == 0 and array.shape in {(0,), (0, 4), (1, 0)}:
        return np.empty((0, 4), np.float32)
    if array.ndim != 2 or array.shape[1] != 4:
        raise ConfigError(
            f"boxes have the shape {array.shape}, not (n, 4); one box is [[x1, y1, x2, y2]], none are np.empty((0, 4))"
        )
    return array


def areas(boxes: Boxes) -> NDArray[np.float32]:
    """Area of each box in square pixels, ``(n,)``; 0 for an empty or inverted one."""
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    return np.asarray(sides[:, 0] * sides[:, 1], np.float32)


def intersections(boxes: Boxes, others: Boxes) -> NDArray[np.float32]:
    """Shared area of each box with each of the others, ``(n, m)``, in square pixels."""
    top_left = np.maximum(boxes[:, None, :2], others[None, :, :2])
    bottom_right = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    sides = np.maximum(bottom_right - top_left, 0)
    return np.asarray(sides[..., 0] * sides[..., 1], np.float32)


def iou(boxes: Boxes, others: Boxes) -> NDArray[np.float32]:
    """Intersection over union of each box with each of the others, ``(n, m)``, 0..1; 0 where both are empty."""
    shared = intersections(boxes, others)
    union = areas(boxes)[:, None] + areas(others)[None, :] - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0), np.float32)


def grow(boxes: Boxes, margin: ArrayLike) -> Boxes:
    """Boxes grown on each side by a share of their own width and height.

    Args:
        boxes: ``(n, 4)``.
        margin: ``(x, y)`` for all boxes or ``(n, 2)``, one pair a box: 0.15 makes a box 1.3 times as wide.
    """
    sides = boxes[:, 2:] - boxes[:, :2]
    by = sides * np.asarray(margin, np.float32)
    return np.concatenate([boxes[:, :2] - by, boxes[:, 2:] + by], axis=1).astype(np.float32, copy=False)


def complete(boxes: Boxes, width: int, height: int) -> Boxes:
    """Boxes of which nothing is unknown: what cannot be trusted is made larger, never smaller.

    An edge that is NaN or infinite moves to the edge of the ``width`` x ``height`` frame on its side, and the edges
    of an inverted box are exchanged.
    """
    limits = np.array([0, 0, width, height], np.float32)
    known = np.where(np.isfinite(boxes), boxes, limits)
    low = np.minimum(known[:, :2], known[:, 2:])
    high = np.maximum(known[:, :2], known[:, 2:])
    return np.concatenate([low, high], axis=1).astype(np.float32, copy=False)


def to_pixels(boxes: Boxes, width: int, height: int) -> NDArray[np.int64]:
    """Whole pixels that cover the boxes: rounded outward, at least one pixel a side, clipped to the frame.

    Returns:
        ``(n, 4)`` int64. A box that lies wholly outside the frame comes back empty (``x1 == x2`` or ``y1 == y2``).
    """
    # Past the frame every coordinate means the same, and float32 is too coarse to hold whole pixels past 2**24.
    wide = np.clip(boxes.astype(np.float64), -1e6, 1e6)
    low = np.floor(wide[:, :2])
    high = np.maximum(np.ceil(wide[:, 2:]), low + 1)
    pixels = np.concatenate([low, high], axis=1).astype(np.int64)
    return np.clip(pixels, 0, [width, height, width, height])


PART = 0.6
"""A box cut off by a seam is a part of another object when this share of it lies in that one's box."""


def suppress(
    boxes: Boxes, scores: NDArray[np.float32], overlap: float, cut: NDArray[np.bool_] | None = None
) -> NDArray[np.int64]:
    """Greedy non-maximum suppression without a cap on how many may stay.

    Args:
        boxes: ``(n, 4)``.
        scores: ``(n,)``.
        overlap: two boxes whose intersection over union is above this are one object; the better score stays.
        cut: ``(n,)``, which boxes end at the seam of a tile. They stand behind all whole ones, and go when most of
            them lies inside a box that stays; one that no other box explains stays, so that nothing is lost.

    Returns:
        Indices of the boxes to keep, whole ones first, best score first (ties in the order given).
    """
    cut = np.zeros(len(boxes), np.bool_) if cut is None else cut
    # Sorted by their left edge, boxes that can touch one another stand near one another.
    by_left = np.argsort(boxes[:, 0], kind="stable")
    boxes, scores, cut = boxes[by_left], scores[by_left], cut[by_left]
    area = areas(boxes)
    left = boxes[:, 0]
    widest = float((boxes[:, 2] - left).max(initial=0))
    gone = np.zeros(len(boxes), np.bool_)
    kept: list[int] = []
    for best in np.lexsort((by_left, -scores, cut)):
        if gone[best]:
            continue
        kept.append(int(by_left[best]))
        first, last = np.searchsorted(left, (left[best] - widest, boxes[best, 2]))
        near = slice(int(first), int(last))
        shared = intersections(boxes[best : best + 1], boxes[near])[0]
        same = shared > overlap * (area[best] + area[near] - shared)
        gone[near] |= same | (cut[near] & (shared > PART * area[near]))
    return np.array(kept, np.int64)


def unite(
    boxes: Boxes, scores: NDArray[np.float32], overlap: float, grows: NDArray[np.bool_]
) -> tuple[Boxes, NDArray[np.int64]]:
    """Bring together what several detectors found, so that all that any of them covers stays covered.

    Args:
        boxes: ``(n, 4)``.
        scores: ``(n,)``.
        overlap: two boxes whose intersection over union is above this are one object. The better score stays, in a box
            around both.
        grows: ``(n,)``, which boxes the one that stays must cover; the others only vanish.

    Returns:
        The boxes that stay, and their indices, best score first (ties in the order given).
    """
    gone = np.zeros(len(boxes), np.bool_)
    kept: list[int] = []
    united = []
    for best in np.argsort(-scores, kind="stable"):
        if gone[best]:
            continue
        same = (iou(boxes[best : best + 1], boxes)[0] > overlap) & ~gone
        same[best] = True
        gone |= same
        around = boxes[same & (grows | (np.arange(len(boxes)) == best))]
        kept.append(int(best))
        united.append(np.concatenate([around[:, :2].min(axis=0), around[:, 2:].max(axis=0)]))
    return as_boxes(united), np.array(kept, np.int64)


def tiles(length: int, most: int, overlap: int) -> tuple[int, list[int]]:
    """Cut a side into as few equal tiles as will do.

    Args:
        length: of the side, in pixels.
        most: a tile is at most this long.
        overlap: neighbours share at least this many pixels.

    Returns:
        The length of a tile, and where each begins.

    Raises:
        ConfigError: the overlap is not smaller than the tile.
    """
    if overlap >= most:
        raise ConfigError(f"an overlap of {overlap} px leaves nothing of a {most} px tile: make the tile larger")
    if length <= most:
        return length, [0]
    count = -(-(length - overlap) // (most - overlap))
    tile = -(-(length + (count - 1) * overlap) // count)
    return tile, [index * (length - tile) // (count - 1) for index in range(count)]
