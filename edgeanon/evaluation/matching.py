"""Which detection is which labelled object.

As COCO does it: the detection with the best score chooses first, among the labels that no other has and that it
overlaps enough, the one that it overlaps most. What matches no label but lies in an ignored one does not count.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

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
    overlap = iou(boxes, labels)
    by_label = np.full(len(labels), -1, np.int64)
    used = np.zeros(len(boxes), np.bool_)
    for index in np.argsort(-scores, kind="stable"):
        free = np.where(by_label < 0, overlap[index], -1)
        if len(free) and free.max() >= least:
            by_label[free.argmax()] = index
            used[index] = True
    return by_label, used


def inside(boxes: Boxes, regions: Boxes, least: float = MATCH) -> NDArray[np.bool_]:
    """Which boxes lie in one of the regions with at least this share of their own area, ``(n,)``."""
    area = areas(boxes)
    share = intersections(boxes, regions).max(axis=1, initial=0) / np.where(area > 0, area, 1)
    return np.asarray(share >= least, np.bool_)


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
            by_label, used = match(here.boxes, here.scores, picture.boxes[counted], least)
            hit[counted] = by_label >= 0
            judged[index, kind] = True
            false[index, kind] = np.count_nonzero(~used & ~inside(here.boxes, picture.ignored_of(kind), least))
        rows = ~picture.ignored
        heights = (picture.boxes[:, 3] - picture.boxes[:, 1])[rows]
        columns.append((np.full(len(heights), index, np.int64), picture.kinds[rows], heights, hit[rows]))
    nothing = (np.empty(0, np.int64), np.empty(0, np.uint8), np.empty(0, np.float32), np.empty(0, np.bool_))
    pictures, kinds, heights, hits = (np.concatenate(column) for column in zip(nothing, *columns, strict=True))
    return Outcome(pictures, kinds, heights, hits, false, judged)
