"""What flows between the parts: frames, detections, tracks."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from fractions import Fraction
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from edgeanon.errors import ConfigError


class Kind(IntEnum):
    """What an object is. A model's own classes are mapped to these by its manifest."""

    FACE = 0
    PLATE = 1
    OTHER = 2


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture of a video: ``pixels`` ``(h, w, 3)`` uint8 BGR, upright; ``time`` in seconds from the start."""

    pixels: NDArray[np.uint8]
    index: int
    time: Fraction


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Objects found in one picture, as parallel arrays of length n.

    Attributes:
        boxes: ``(n, 4)`` float32, ``x1 y1 x2 y2`` in pixel edges of the upright picture, ``x2 y2`` exclusive.
        scores: ``(n,)`` float32, 0..1.
        kinds: ``(n,)`` uint8, values of ``Kind``.

    Index it by a mask, a slice or indices to select rows: ``found[found.kinds == Kind.FACE]``.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    kinds: NDArray[np.uint8]

    def __post_init__(self) -> None:
        if self.boxes.ndim != 2 or self.boxes.shape[1] != 4:
            raise ConfigError(f"boxes have the shape {self.boxes.shape}, not (n, 4)")
        for field in fields(self):
            value = getattr(self, field.name)
            if len(value) != len(self.boxes):
                raise ConfigError(f"{field.name} has {len(value)} rows for {len(self.boxes)} boxes")

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, rows: NDArray[Any] | Sequence[int] | slice | int) -> Self:
        if isinstance(rows, int | np.integer):
            rows = range(len(self))[rows : rows + 1 or None]  # one row, still as arrays
            if not len(rows):
                raise IndexError("there is no such row")
        return type(self)(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def count(self, kind: Kind) -> int:
        """How many objects of this kind there are."""
        return int(np.count_nonzero(self.kinds == kind))

    @staticmethod
    def empty() -> "Detections":
        """No objects."""
        return Detections(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.uint8))

    @staticmethod
    def concatenate(parts: Iterable["Detections"]) -> "Detections":
        """The rows of all parts, in order."""
        every = [Detections.empty(), *parts]
        return Detections(
            np.concatenate([part.boxes for part in every]),
            np.concatenate([part.scores for part in every]),
            np.concatenate([part.kinds for part in every]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Tracks(Detections):
    """Objects followed through a video: a row is one object in one frame.

    Attributes:
        ids: ``(n,)`` int64, the same for one object in every frame.
        unseen: ``(n,)`` int32, frames since the detector last saw it; 0 when seen in this one.
        confirmed: ``(n,)`` bool, the track is established. Coverage takes every row, confirmed or not.
    """

    ids: NDArray[np.int64]
    unseen: NDArray[np.int32]
    confirmed: NDArray[np.bool_]
