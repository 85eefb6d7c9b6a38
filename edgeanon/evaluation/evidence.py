"""What a detector's answers say of one kind of object, gathered over a labelled set for every score and overlap."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgeanon.detections import Detections, Kind
from edgeanon.evaluation.labels import Labelled
from edgeanon.evaluation.matching import MATCH, assign

OVERLAPS: Final = tuple(MATCH + 0.05 * step for step in range(10))
"""The intersections over union of mAP50:95: 0.5, 0.55, ..., 0.95. The first is the operating one."""

_STEPS: Final = np.linspace(0, 1, 101)
"""The recalls at which COCO takes the precision."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Detections and labels of one kind, in the order of the pictures; t runs over ``OVERLAPS``.

    Attributes:
        scores: ``(n,)`` float32, of the detections.
        of_picture: ``(n,)`` int64, index of each detection's picture.
        used: ``(t, n)`` bool, whether it is a labelled object.
        void: ``(t, n)`` bool, whether it counts neither way.
        heights: ``(m,)`` float32, of the labelled objects that count, in pixels.
        found_at: ``(m,)`` float32, the score of the detection that is the object, -1 where none is. At a threshold of
            this or less it is found.
        in_picture: ``(m,)`` int64, index of each object's picture.
        judged: ``(p,)`` bool, the pictures in which the kind was labelled.
    """

    scores: NDArray[np.float32]
    of_picture: NDArray[np.int64]
    used: NDArray[np.bool_]
    void: NDArray[np.bool_]
    heights: NDArray[np.float32]
    found_at: NDArray[np.float32]
    in_picture: NDArray[np.int64]
    judged: NDArray[np.bool_]

    def within(self, pictures: NDArray[np.bool_]) -> "Evidence":
        """That of some of the pictures, ``(p,)`` bool."""
        detections, objects = pictures[self.of_picture], pictures[self.in_picture]
        return Evidence(
            self.scores[detections],
            self.of_picture[detections],
            self.used[:, detections],
            self.void[:, detections],
            self.heights[objects],
            self.found_at[objects],
            self.in_picture[objects],
            self.judged & pictures,
        )

    def false_by_picture(self, threshold: float) -> NDArray[np.int64]:
        """How many detections from a threshold up are no labelled object, in each picture that was judged."""
        wrong = (self.scores >= np.float32(threshold)) & ~self.used[0] & ~self.void[0]
        return np.asarray(np.bincount(self.of_picture[wrong], minlength=len(self.judged))[self.judged], np.int64)

    def curve(self, step: int = 0) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]]:
        """Score, recall and precision behind each detection that counts, the best score first, at one overlap."""
        counts = ~self.void[step]
        scores, right = self.scores[counts], self.used[step][counts]
        order = np.argsort(-scores, kind="stable")
        hits = np.cumsum(right[order])
        recall = hits / max(len(self.heights), 1)
        return scores[order], recall, hits / np.arange(1, len(hits) + 1)

    def average_precision(self, step: int) -> float | None:
        """As COCO: the mean over 101 recalls of the best precision there or beyond; None without an object."""
        if not len(self.heights):
            return None
        _, recall, precision = self.curve(step)
        best = np.maximum.accumulate(precision[::-1])[::-1]
        places = np.searchsorted(recall, _STEPS, side="left")
        return float(np.append(best, 0.0)[np.minimum(places, len(best))].mean())


def evidence(
    labelled: Sequence[Labelled],
    found: Sequence[Detections],
    kind: Kind,
    *,
    heights: tuple[float, float] = (0, np.inf),
    overlaps: Sequence[float] = OVERLAPS,
) -> Evidence:
    """Compare what was found in each picture with its labels.

    Args:
        labelled: the pictures.
        found: what was found in each, in the same order.
        kind: of object.
        heights: only objects of a height from the first up to below the second count, in pixels of the picture; a
            detection of another height that is no labelled object does not count either, as in COCO's size ranges.
        overlaps: the intersections over union at which they are compared.
    """
    low, high = heights
    detections = [_nothing(len(overlaps))]
    objects = [(np.empty(0, np.float32), np.empty(0, np.float32), np.empty(0, np.int64))]
    judged = np.zeros(len(labelled), np.bool_)
    for index, (picture, every) in enumerate(zip(labelled, found, strict=True)):
        if kind not in picture.judged:
            continue
        judged[index] = True
        here = every[every.kinds == kind]
        labels = picture.of(kind)
        tall = labels[:, 3] - labels[:, 1]
        counted = (tall >= low) & (tall < high)
        matched = assign(here.boxes, here.scores, labels, overlaps, counted=counted, regions=picture.ignored_of(kind))
        height = here.boxes[:, 3] - here.boxes[:, 1]
        other_size = (height < low) | (height >= high)
        void = matched.void | (~matched.used & other_size)
        detections.append((here.scores, np.full(len(here), index, np.int64), matched.used, void))
        by_label = matched.by_label[0]
        found_at = np.append(here.scores, np.float32(-1))[by_label]  # -1, no detection, takes the last
        objects.append((tall[counted], found_at[counted], np.full(int(counted.sum()), index, np.int64)))
    scores, of_picture, used, void = (np.concatenate(column, axis=-1) for column in zip(*detections, strict=True))
    tall, found_at, in_picture = (np.concatenate(column) for column in zip(*objects, strict=True))
    return Evidence(scores, of_picture, used, void, tall, found_at, in_picture, judged)


def _nothing(
    steps: int,
) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    none = np.empty((steps, 0), np.bool_)
    return np.empty(0, np.float32), np.empty(0, np.int64), none, none
