"""One picture: searched, and masked from file to file."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edgeanon import images, runtime
from edgeanon.audit import Covered
from edgeanon.boxes import suppress
from edgeanon.detections import Detections, Kind
from edgeanon.detector import Detector
from edgeanon.masker import Masker
from edgeanon.pipeline.results import FileResult, Verdict

SAME = 0.5
"""Boxes found on two renderings of one page are one object above this intersection over union."""


def search(
    detectors: Sequence[Detector], views: Sequence[NDArray[np.uint8]], hint: runtime.Hint = "latency"
) -> Detections:
    """What is found on any of several renderings of one page, such as with and without its transparency."""
    found = Detections.concatenate(detector.detect(view, hint=hint) for view in views for detector in detectors)
    if len(views) == 1:
        return found
    rows = [np.flatnonzero(found.kinds == kind) for kind in np.unique(found.kinds)]
    return Detections.concatenate(found[one[suppress(found.boxes[one], found.scores[one], SAME)]] for one in rows)


def one_picture(
    source: Path,
    target: Path,
    detectors: Sequence[Detector],
    masker: Masker,
    *,
    metadata: Literal["none", "safe"],
    max_pixels: int,
    overwrite: bool,
    hint: runtime.Hint = "latency",
    on_objects: Callable[[Covered], None] | None = None,
) -> FileResult:
    """One picture file to one. The only place where a picture is written."""
    began = time.monotonic()
    objects: Counter[Kind] = Counter()
    with images.open_picture(source, max_pixels=max_pixels) as picture:

        def masked() -> Iterator[images.Page]:
            for index, page in enumerate(picture.pages()):
                found = search(detectors, page.views(), hint)
                objects.update(Kind(kind) for kind in found.kinds)
                if on_objects:
                    height, width = page.pixels.shape[:2]
                    on_objects(Covered(source, index, None, width, height, found))
                yield page.replace(masker.mask(page.pixels, found.boxes, kinds=found.kinds))

        images.write(picture, masked(), target, metadata=metadata, overwrite=overwrite)
        return FileResult(
            source,
            target,
            Verdict.MASKED if objects else Verdict.CLEAN,
            notes=picture.dropped,
            objects=dict(objects),
            pages=picture.page_count,
            seconds=time.monotonic() - began,
        )
