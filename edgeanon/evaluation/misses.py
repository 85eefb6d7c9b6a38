"""Masked pictures of what was missed, for somebody who asks to see it."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeanon.boxes import Boxes, grow, to_pixels
from edgeanon.detections import Detections, Kind
from edgeanon.evaluation.labels import Labelled
from edgeanon.evaluation.matching import outcome
from edgeanon.masker import Masker

MOST: Final = 24
"""Pictures of each kind; those of the largest objects, which say most."""

_AROUND: Final = 1.5  # surroundings on each side, as a share of the object
_HEIGHT: Final = 288


@dataclass(frozen=True, slots=True)
class Miss:
    """A missed object: its picture, its box ``(1, 4)``, and what was found there."""

    picture: Labelled
    box: Boxes
    found: Detections

    @property
    def height(self) -> float:
        """In pixels of the picture."""
        return float(self.box[0, 3] - self.box[0, 1])


@dataclass
class Misses:
    """The largest missed objects of each kind; give ``add`` to ``evaluate`` as ``on_picture``."""

    masker: Masker
    largest: defaultdict[Kind, list[Miss]] = field(default_factory=lambda: defaultdict(list))

    def add(self, picture: Labelled, found: Detections) -> None:
        """Look at one picture with what is masked in it."""
        result = outcome([picture], [found])
        boxes = picture.boxes[~picture.ignored]
        for index in np.flatnonzero(~result.found):
            kind = Kind(int(result.kinds[index]))
            if kind in picture.judged:
                kept = [*self.largest[kind], Miss(picture, boxes[index : index + 1], found)]
                self.largest[kind] = sorted(kept, key=lambda miss: -miss.height)[:MOST]

    def pictures(self) -> dict[str, list[bytes]]:
        """JPEG pictures by kind, the largest object first. All that was found is masked, and all that is labelled.

        Who is neither shows.
        """
        return {kind.name.lower(): [self._drawn(miss) for miss in some] for kind, some in self.largest.items()}

    def _drawn(self, miss: Miss) -> bytes:
        picture, found = miss.picture, miss.found
        boxes = np.concatenate([found.boxes, picture.boxes])
        kinds = np.concatenate([found.kinds, picture.kinds])
        safe: NDArray[np.uint8] = self.masker.mask(picture.read(), boxes, kinds)
        ((x1, y1, x2, y2),) = to_pixels(grow(miss.box, (_AROUND, _AROUND)), picture.width, picture.height).tolist()
        part = np.ascontiguousarray(safe[y1:y2, x1:x2])
        scale = _HEIGHT / part.shape[0]
        size = (max(1, round(part.shape[1] * scale)), _HEIGHT)
        shown = cv2.resize(part, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        return cv2.imencode(".jpg", shown, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
