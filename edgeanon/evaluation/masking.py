"""How much of what is labelled lies under the mask, and how much of the mask on nothing that is labelled."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgeanon.boxes import Boxes, to_pixels
from edgeanon.detections import Detections, Kind
from edgeanon.evaluation.labels import HEIGHTS, Labelled, height_bin
from edgeanon.evaluation.scores import Covered, Masked, Share
from edgeanon.masker import Masker

ENOUGH: Final = 0.9
"""Share of an object's box that must be masked for it to count as covered, where only one is given."""

PARTS: Final = (0.5, 0.75, ENOUGH, 1.0)


def coverage(hidden: NDArray[np.bool_], labels: Boxes) -> NDArray[np.float64]:
    """Share of each label, rounded outward to whole pixels, that lies under a mask ``(h, w)``; ``(n,)``, 0..1."""
    height, width = hidden.shape
    return np.array([hidden[y1:y2, x1:x2].mean() for x1, y1, x2, y2 in to_pixels(labels, width, height)], np.float64)


@dataclass
class Masking:
    """Sums over pictures, one after the other.

    Attributes:
        masker: draws the masks; those that fade count only where they replace a pixel wholly.
        covered: share covered of each object that counts, by kind.
        heights: of these objects.
        areas: of these objects, in pixels.
        sources: of their pictures.
    """

    masker: Masker
    covered: dict[Kind, list[float]] = field(default_factory=lambda: {kind: [] for kind in Kind})
    heights: dict[Kind, list[float]] = field(default_factory=lambda: {kind: [] for kind in Kind})
    areas: dict[Kind, list[int]] = field(default_factory=lambda: {kind: [] for kind in Kind})
    sources: dict[Kind, list[str]] = field(default_factory=lambda: {kind: [] for kind in Kind})
    _masked: list[tuple[float, float, float]] = field(default_factory=list)

    def add(self, picture: Labelled, found: Detections) -> None:
        """Take in one picture with what is masked in it."""
        shape = picture.height, picture.width
        hidden = self.masker.hidden(shape, found.boxes, found.kinds)
        for kind in picture.judged:
            labels = picture.of(kind)
            pixels = to_pixels(labels, picture.width, picture.height)
            self.covered[kind] += coverage(hidden, labels).tolist()
            self.heights[kind] += (labels[:, 3] - labels[:, 1]).tolist()
            self.sources[kind] += [picture.source] * len(labels)
            self.areas[kind] += np.prod(pixels[:, 2:] - pixels[:, :2], axis=1).tolist()
        self._masked.append(self._excess(picture, found))

    def _excess(self, picture: Labelled, found: Detections) -> tuple[float, float, float]:
        """What is masked, what of it is in no labelled box, and what of it even those boxes' masks would not hide."""
        # What was not labelled cannot be told from what is not there.
        told = found[np.isin(found.kinds, list(picture.judged))]
        shape = picture.height, picture.width
        hidden = self.masker.hidden(shape, told.boxes, told.kinds)
        beside = hidden & ~self.masker.hidden(shape, picture.boxes, picture.kinds)
        outside = hidden.copy()
        for x1, y1, x2, y2 in to_pixels(picture.boxes, picture.width, picture.height):
            outside[y1:y2, x1:x2] = False
        return float(hidden.mean()), float(outside.mean()), float(beside.mean())

    def figures(self, kind: Kind) -> Covered:
        """What became of the objects of a kind."""
        covered = np.array(self.covered[kind])
        areas = np.array(self.areas[kind])
        bins = [height_bin(height) for height in self.heights[kind]]

        def of(rows: Sequence[float] | NDArray[np.float64], part: float) -> Share:
            return Share.of(int(np.count_nonzero(np.asarray(rows) >= part)), len(rows))

        return Covered(
            at_least={f"{part:g}": of(covered, part) for part in PARTS},
            by_size={
                name: of([share for share, one in zip(covered, bins, strict=True) if one == name], ENOUGH)
                for name in HEIGHTS
            },
            by_source={
                name: of([share for share, one in zip(covered, self.sources[kind], strict=True) if one == name], ENOUGH)
                for name in sorted(set(self.sources[kind]) - {""})
            },
            exposed_area=float(((1 - covered) * areas).sum() / areas.sum()) if len(covered) else None,
        )

    def masked(self) -> Masked:
        """What was masked in a picture, on average."""
        share, over, needless = np.mean(self._masked, axis=0).tolist() if self._masked else (0.0, 0.0, 0.0)
        return Masked(share=share, over=over, needless=needless)
