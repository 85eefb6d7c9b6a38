"""What the tracker is given: judged, and made ready to compute with."""

from dataclasses import dataclass
from math import inf, isfinite
from numbers import Real

import numpy as np
from numpy.typing import NDArray

from edgeanon.association import Indices
from edgeanon.boxes import Boxes
from edgeanon.detections import Detections
from edgeanon.errors import ConfigError
from edgeanon.motion import measured

# Evidence of one detection is its score to this power: a few sure ones outweigh many doubtful ones.
POWER = 3


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Detections as the tracker uses them, ``(n, 4)`` and ``(n,)``; edges lie within what it computes with."""

    boxes: Boxes
    scores: NDArray[np.float32]
    kinds: NDArray[np.uint8]
    finite: NDArray[np.bool_]
    evidence: NDArray[np.float64]

    @classmethod
    def of(cls, found: Detections) -> "Found":
        """From what was given; what is not finite is marked so, and has no score."""
        values = measured(found.boxes)
        finite = np.isfinite(found.boxes).all(1) & np.isfinite(found.scores)
        edges = np.concatenate([values[:, :2] - values[:, 2:] / 2, values[:, :2] + values[:, 2:] / 2], axis=1)
        scores = np.where(finite, found.scores, 0).clip(0, 1).astype(np.float32)
        return cls(edges.astype(np.float32), scores, found.kinds, finite, scores.astype(np.float64) ** POWER)

    def __getitem__(self, rows: Indices) -> "Found":
        return Found(self.boxes[rows], self.scores[rows], self.kinds[rows], self.finite[rows], self.evidence[rows])


def number(name: str, value: float, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or not low <= value <= high or not isfinite(value):
        upper = "" if high == inf else f" to {high:g}"
        raise ConfigError(f"{name} is {value!r}; give a finite number from {low:g}{upper or ' up'}")
    return float(value)


def is_size(size: object) -> bool:
    return (
        isinstance(size, tuple)
        and len(size) == 2
        and all(isinstance(side, int | np.integer) and not isinstance(side, bool) and side > 0 for side in size)
    )


def _is_time(time: object) -> bool:
    try:
        return isinstance(time, Real) and not isinstance(time, bool) and isfinite(time)
    except OverflowError:  # a fraction too large for any clock
        return False


def check(found: object, time: object, image: object) -> None:
    if not isinstance(found, Detections):
        raise ConfigError(f"found is a {type(found).__name__}; give Detections, or Detections.empty()")
    if time is not None and not _is_time(time):
        raise ConfigError(f"the time is {time!r}; give seconds as a finite number, or None")
    if image is None:
        return
    if not isinstance(image, np.ndarray):
        raise ConfigError(f"image is a {type(image).__name__}; give a numpy array (h, w, 3) of uint8, or None")
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise ConfigError(f"image is {image.dtype} of shape {image.shape}; give uint8 of shape (h, w, 3), or None")
