"""RetinaFace heads: boxes relative to priors on several strides."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from edgeanon.decoders.candidates import Candidates, Outputs, one_class, output

VARIANCES = (0.1, 0.2)
"""Scale of the regressed centre and of the regressed side, as in SSD (Liu et al., 2016)."""

LARGEST_LOG_SIDE = 20.0
"""A regressed side is capped here, far above any picture, so that its exponential stays finite."""


def retinaface(
    outputs: Outputs,
    *,
    width: int,
    height: int,
    threshold: float,
    strides: tuple[int, ...] = (8, 16, 32),
    sides: tuple[tuple[int, ...], ...] = ((24, 48), (96, 192), (384, 768)),
    boxes: str = "boxes",
    scores: str = "scores",
) -> Candidates:
    """Decode a RetinaFace-like head (Deng et al., "RetinaFace: Single-stage Dense Face Localisation", 2019).

    Args:
        outputs: ``boxes`` ``[1, priors, 4]`` regressed centre x, y, width, height; ``scores`` ``[1, priors, 2]``
            background and object, after softmax. Priors run by stride, row, column, side.
        width: of the network's input, in pixels.
        height: of the network's input, in pixels.
        threshold: least score that comes back.
        strides: pixels a cell, one for each level.
        sides: sides of the square priors of each level, in pixels.
        boxes: name of that output.
        scores: name of that output.

    Raises:
        ModelError: an output is missing, of another shape, or not finite.
    """
    anchors = priors(width, height, strides, sides)
    regressed = output(outputs, boxes, (1, len(anchors), 4))[0]
    found = output(outputs, scores, (1, len(anchors), 2))[0, :, 1]
    rows = np.flatnonzero(found >= threshold)
    anchor, delta = anchors[rows], regressed[rows]
    centers = anchor[:, :2] + delta[:, :2] * VARIANCES[0] * anchor[:, 2:]
    half_sides = anchor[:, 2:] * np.exp(np.minimum(delta[:, 2:] * VARIANCES[1], LARGEST_LOG_SIDE)) / 2
    return one_class(np.concatenate([centers - half_sides, centers + half_sides], axis=1), found[rows])


@lru_cache(maxsize=32)
def priors(
    width: int, height: int, strides: tuple[int, ...], sides: tuple[tuple[int, ...], ...]
) -> NDArray[np.float32]:
    """Centre x, y, width and height of every prior in pixels, ``(n, 4)``; read-only."""
    levels = []
    for stride, level_sides in zip(strides, sides, strict=True):
        y, x = np.mgrid[0 : -(-height // stride), 0 : -(-width // stride)].astype(np.float32)
        centers = (np.stack([x, y], axis=-1)[:, :, None] + 0.5) * stride
        squares = np.broadcast_to(np.array(level_sides, np.float32)[:, None], (*x.shape, len(level_sides), 2))
        grid = np.concatenate([np.broadcast_to(centers, squares.shape), squares], axis=-1)
        levels.append(grid.reshape(-1, 4))
    anchors = np.concatenate(levels).astype(np.float32)
    anchors.flags.writeable = False
    return anchors
