"""Running a detector over a labelled set, once."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from edgeanon.detections import Detections
from edgeanon.detector import Detector
from edgeanon.evaluation.labels import Labelled


def searched(
    detector: Detector,
    labelled: Sequence[Labelled],
    *,
    least: float | None = None,
    change: Callable[[NDArray[np.uint8], int], NDArray[np.uint8]] | None = None,
) -> Iterator[Detections]:
    """What a detector finds in each picture, in order: at or above its thresholds exactly what `Detector.detect` gives.

    Pictures are read as they are needed, and none is kept.

    Args:
        detector: what searches.
        labelled: the pictures.
        least: give weaker detections as well, down to this score.
        change: what to do with a picture before it is searched, given its pixels and its index in the set.

    Raises:
        MediaError: a picture cannot be read.
        ConfigError: a picture does not have the size that its labels say.
    """

    def pictures() -> Iterator[NDArray[np.uint8]]:
        for index, picture in enumerate(labelled):
            pixels = picture.read()
            yield change(pixels, index) if change else pixels

    for _, found in detector.detect_many(pictures(), least=least):
        yield found
