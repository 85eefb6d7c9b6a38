"""One picture while it is searched, and what several views and models found in it brought together."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeanon import runtime
from edgeanon.boxes import suppress, unite
from edgeanon.detections import Detections, Kind
from edgeanon.detector.part import Found, Part
from edgeanon.preprocess import View

SAME = 0.4
"""Intersection over union above which boxes of two models are taken for one object."""


class Search:
    """One picture while its views are being looked at."""

    def __init__(self, image: NDArray[np.uint8]) -> None:
        self.image = image
        self.waiting = 0
        self.found: list[tuple[Part, Found]] = []

    def outcome(self) -> tuple[NDArray[np.uint8], Detections]:
        """The picture, and its objects with those seen in several views brought together."""
        height, width = self.image.shape[:2]
        every, of_strong, finders = [], [], Counter[int]()
        for part in dict.fromkeys(part for part, _ in self.found):
            views = [found for one, found in self.found if one is part]
            boxes, scores, kinds, cut = (np.concatenate(column) for column in zip(*views, strict=True))
            boxes = np.clip(boxes, 0, np.array([width, height, width, height], np.float32))
            for kind in np.unique(kinds):
                strong = scores >= np.float32(part.shown[Kind(kind)])
                overlap = part.model.manifest.overlap
                rows = np.flatnonzero((kinds == kind) & strong)
                rows = rows[suppress(boxes[rows], scores[rows], overlap, cut[rows])]
                if len(weak := np.flatnonzero((kinds == kind) & ~strong)):
                    # Those that stay stand before all weak ones, so that these can displace none of them.
                    both = np.concatenate([rows, weak])
                    kept = suppress(boxes[both], scores[both] + strong[both], overlap, cut[both] & ~strong[both])
                    rows = np.concatenate([rows, both[kept[kept >= len(rows)]]])
                every.append(Detections(boxes[rows], scores[rows], kinds[rows]))
                of_strong.append(strong[rows])
                finders[int(kind)] += 1
        several = [kind for kind, parts in finders.items() if parts > 1]
        found = Detections.concatenate(every)
        return self.image, _united(found, np.concatenate(of_strong), several) if several else found


def _united(found: Detections, strong: NDArray[np.bool_], kinds: Sequence[int]) -> Detections:
    """What several models found of these kinds brought together; a weak detection changes no strong one."""
    every = [found[~np.isin(found.kinds, kinds)]]
    for kind in kinds:
        here = found.kinds == kind
        of_kind, sure = found[here], strong[here]
        boxes, kept = unite(of_kind.boxes, of_kind.scores + sure, SAME, sure)
        every.append(Detections(boxes, of_kind.scores[kept], of_kind.kinds[kept]))
    return Detections.concatenate(every)


@dataclass(frozen=True, slots=True)
class Inference:
    """One view on its way through a network."""

    search: Search
    part: Part
    view: View
    pending: runtime.Pending
    least: float | None

    def finish(self) -> None:
        """Wait for it, and give the search what it shows."""
        found = self.part.decode(self.pending.result(), self.view, self.least)
        self.search.found.append((self.part, found))
        self.search.waiting -= 1
