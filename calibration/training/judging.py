"""Average precision and recall of detections on labelled pictures."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edgeanon.boxes import Boxes, iou

MATCH = 0.5


@dataclass
class Judgement:
    """Detections of many pictures, each with whether it found a labelled plate."""

    pictures: int = 0
    labels: int = 0
    scores: list[float] = field(default_factory=list)
    hits: list[bool] = field(default_factory=list)

    def add(self, found: Boxes, scores: NDArray[np.float32], labels: Boxes, doubtful: Boxes | None = None) -> None:
        """Count one picture; a detection that only meets what is doubtful counts neither way."""
        self.pictures += 1
        self.labels += len(labels)
        overlap, taken = iou(found, labels), np.zeros(len(labels), np.bool_)
        unsure = iou(found, doubtful).max(axis=1, initial=0) > 0.1 if doubtful is not None else None
        for index in np.argsort(-scores, kind="stable"):
            free = np.where(taken, -1, overlap[index])
            best = int(free.argmax()) if len(free) else -1
            hit = best >= 0 and free[best] >= MATCH
            if hit:
                taken[best] = True
            elif unsure is not None and unsure[index]:
                continue
            self.scores.append(float(scores[index]))
            self.hits.append(bool(hit))

    def _ranked(self) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
        order = np.argsort(-np.array(self.scores), kind="stable")
        hits = np.array(self.hits, np.bool_)[order]
        return np.array(self.scores, np.float32)[order], np.cumsum(hits), np.cumsum(~hits)

    def average_precision(self) -> float:
        """Area under precision over recall, as PASCAL VOC has counted it since 2010."""
        if not self.labels or not self.scores:
            return 0.0
        _, true, false = self._ranked()
        precision = np.maximum.accumulate((true / (true + false))[::-1])[::-1]
        steps = np.diff(np.concatenate([[0], true / self.labels]))
        return float((precision * steps).sum())

    def recall(self, false_per_picture: float) -> tuple[float, float]:
        """Greatest recall at which there are no more false detections a picture than this, and its threshold."""
        if not self.labels or not self.scores:
            return 0.0, 1.0
        scores, true, false = self._ranked()
        allowed = np.flatnonzero(false <= false_per_picture * self.pictures)
        if not len(allowed):
            return 0.0, 1.0
        return float(true[allowed[-1]] / self.labels), float(scores[allowed[-1]])

    def false_per_picture(self, threshold: float) -> float:
        """False detections a picture at a threshold."""
        false = sum(not hit for score, hit in zip(self.scores, self.hits, strict=True) if score >= threshold)
        return false / max(1, self.pictures)


def merged(parts: Sequence[Judgement]) -> Judgement:
    """All pictures of several judgements as one."""
    whole = Judgement()
    for part in parts:
        whole.pictures += part.pictures
        whole.labels += part.labels
        whole.scores += part.scores
        whole.hits += part.hits
    return whole
