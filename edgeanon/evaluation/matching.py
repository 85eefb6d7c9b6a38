"""Which detection is which labelled object.

As COCO does it: the detection with the best score chooses first, among the labels that no other has and that it
overlaps enough, the one that it overlaps most. What matches no label but lies in an ignored one does not count.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgeanon.boxes import Boxes, areas, intersections, iou
from edgeanon.detections import Detections, Kind
from edgeanon.evaluation.labels import Labelled

MATCH: Final = 0.5
"""Intersection over union from which a detection counts as the labelled object, as in PASCAL VOC."""


def match(
    boxes: Boxes, scores: NDArray[np.float32], labels: Boxes, least: float = MATCH
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Detections matched to labels one to one: the best score chooses first, and takes the label it overlaps most.

    Args:
        boxes: ``(n, 4)``, what was found.
        scores: ``(n,)``.
        labels: ``(m, 4)``.
        least: intersection over union that it takes.

    Returns:
        For each label the index of its detection or -1; for each detection whether it matched a label.
    """
    matched = assign(boxes, scores, labels, (least,))
    return matched.by_label[0], matched.used[0]


class Assignment(NamedTuple):
    """Who was matched to whom, for ``t`` overlaps at once.

    Attributes:
        by_label: ``(t, m)`` int64, the index of each label's detection or -1.
        used: ``(t, n)`` bool, which detections were matched to a label that counts.
        void: ``(t, n)`` bool, which were not, but do not count either.
    """

    by_label: NDArray[np.int64]
    used: NDArray[np.bool_]
    void: NDArray[np.bool_]


def assign(
    boxes: Boxes,
    scores: NDArray[np.float32],
    labels: Boxes,
    overlaps: Sequence[float],
    *,
    counted: NDArray[np.bool_] | None = None,
    regions: Boxes | None = None,
) -> Assignment:
    """Detections matched to labels, as COCO does it, at several overlaps at once.

    Args:
        boxes: ``(n, 4)``, what was found.
        scores: ``(n,)``.
        labels: ``(m, 4)``.
        overlaps: ``(t,)``, the intersections over union that it takes.
        counted: ``(m,)``, which labels count; the others, of a size that is not asked for, are taken only by detections
            that match none that counts, and make them void.
        regions: ``(r, 4)``; a detection that matches no label that counts is void where it lies in one of these with
            that share of its own area.
    """
    least = np.asarray(overlaps, np.float32)
    overlap = iou(boxes, labels)
    counted = np.ones(len(labels), np.bool_) if counted is None else counted
    within = _share_inside(boxes, np.empty((0, 4), np.float32) if regions is None else regions)
    by_label = np.full((len(least), len(labels)), -1, np.int64)
    used = np.zeros((len(least), len(boxes)), np.bool_)
    void = np.zeros((len(least), len(boxes)), np.bool_)
    near = overlap.max(axis=1, initial=0) >= least.min(initial=1)
    order = np.argsort(-scores, kind="stable")
    steps = np.arange(len(least))
    for index in order[near[order]]:
        free = np.where((by_label < 0) & (overlap[index] >= least[:, None]), overlap[index], -1)
        wanted = np.where(counted, free, -1)
        best = wanted.argmax(axis=1)
        hit = wanted[steps, best] >= 0
        used[hit, index] = True
        spare = free.argmax(axis=1)
        # A region that holds more of it goes before a label that does not count.
        idle = ~hit & (free[steps, spare] >= 0) & (free[steps, spare] >= within[index])
        void[idle, index] = True
        by_label[hit, best[hit]] = index
        by_label[idle, spare[idle]] = index
    void |= ~used & (within >= least[:, None])
    return Assignment(by_label, used, void)


def _share_inside(boxes: Boxes, regions: Boxes) -> NDArray[np.float32]:
    """The largest share of each box's own area that lies in one of the regions, ``(n,)``."""
    area = areas(boxes)
    shared = intersections(boxes, regions).max(axis=1, initial=0)
    return np.asarray(np.divide(shared, area, out=np.zeros_like(area), where=area > 0), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What became of every labelled object, at the operating thresholds.

    The objects are those that count, in the order of the pictures and of the labels in each, so that the outcomes of
    two detectors on one set are about the same objects, row by row.

    Attributes:
        pictures: ``(n,)`` int64, index of each object's picture.
        kinds: ``(n,)`` uint8, values of ``Kind``.
        heights: ``(n,)`` float32, in pixels of the picture.
        found: ``(n,)`` bool, whether a detection of its kind was matched to it.
        false: ``(pictures, kinds)`` int64, detections of each kind in each picture that are no labelled object.
        judged: ``(pictures, kinds)`` bool, whether that kind was labelled in that picture; ``false`` is 0 where not.
    """

    pictures: NDArray[np.int64]
    kinds: NDArray[np.uint8]
    heights: NDArray[np.float32]
    found: NDArray[np.bool_]
    false: NDArray[np.int64]
    judged: NDArray[np.bool_]

    def recall(self, kind: Kind) -> tuple[int, int]:
        """How many objects of a kind were found, of how many."""
        rows = self.kinds == kind
        return int(np.count_nonzero(self.found & rows)), int(np.count_nonzero(rows))

    def false_per_picture(self, kind: Kind) -> float:
        """Detections of a kind that are no labelled object, per picture in which it was labelled; NaN if in none."""
        pictures = np.count_nonzero(self.judged[:, kind])
        return float(self.false[:, kind].sum() / pictures) if pictures else float("nan")


def outcome(
    labelled: Sequence[Labelled],
    found: Sequence[Detections],
    *,
    thresholds: Mapping[Kind, float] | None = None,
    least: float = MATCH,
) -> Outcome:
    """Compare what a detector found with what is labelled.

    Args:
        labelled: the pictures.
        found: what was found in each, in the same order; see ``searched``.
        thresholds: weaker detections do not count; a kind that is not there, or None, takes every one.
        least: intersection over union from which a detection is the labelled object.
    """
    least_score = np.array([(thresholds or {}).get(kind, 0.0) for kind in Kind], np.float32)
    columns: list[tuple[NDArray[np.int64], NDArray[np.uint8], NDArray[np.float32], NDArray[np.bool_]]] = []
    false = np.zeros((len(labelled), len(Kind)), np.int64)
    judged = np.zeros((len(labelled), len(Kind)), np.bool_)
    for index, (picture, all_of_it) in enumerate(zip(labelled, found, strict=True)):
        strong = all_of_it[all_of_it.scores >= least_score[all_of_it.kinds]]
        hit = np.zeros(len(picture.boxes), np.bool_)
        for kind in picture.judged:
            here = strong[strong.kinds == kind]
            counted = np.flatnonzero((picture.kinds == kind) & ~picture.ignored)
            labels, regions = picture.boxes[counted], picture.ignored_of(kind)
            matched = assign(here.boxes, here.scores, labels, (least,), regions=regions)
            hit[counted] = matched.by_label[0] >= 0
            judged[index, kind] = True
            false[index, kind] = np.count_nonzero(~matched.used & ~matched.void)
        rows = ~picture.ignored
        heights = (picture.boxes[:, 3] - picture.boxes[:, 1])[rows]
        columns.append((np.full(len(heights), index, np.int64), picture.kinds[rows], heights, hit[rows]))
    nothing = (np.empty(0, np.int64), np.empty(0, np.uint8), np.empty(0, np.float32), np.empty(0, np.bool_))
    pictures, kinds, heights, hits = (np.concatenate(column) for column in zip(nothing, *columns, strict=True))
    return Outcome(pictures, kinds, heights, hits, false, judged)
