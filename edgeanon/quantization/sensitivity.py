"""Which layers lose most by being quantized, measured on the calibration pictures."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from edgeanon import runtime
from edgeanon.boxes import iou
from edgeanon.detections import Detections
from edgeanon.detector import Detector
from edgeanon.evaluation import MATCH

Images = Sequence[NDArray[np.uint8]]


def ranked(
    quantized: runtime.Graph,
    original: runtime.Graph,
    *,
    detector_of: Callable[[runtime.Graph], Detector],
    reference: Detector,
    images: Images,
    least: float,
) -> list[str]:
    """Names of the quantized layers, the one that gives back most when it alone is put back first.

    What is given back is the agreement with the reference on pictures without labels; see ``agreement``.

    Args:
        quantized: the graph to be repaired; ``original`` what it was made from.
        original: as ``quantized``.
        detector_of: makes a detector over a graph.
        reference: the detector over the original.
        images: what both search.
        least: least score of a detection of the quantized graph that counts.
    """
    wanted = [found for _, found in reference.detect_many(images)]

    def agreeing(name: str) -> float:
        detector = detector_of(runtime.restored(quantized, original, [name]))
        return agreement(wanted, [found for _, found in detector.detect_many(images, least=least)])

    layers = runtime.quantized_layers(quantized)
    gains = {name: agreeing(name) for name in layers}
    return sorted(layers, key=lambda name: -gains[name])  # stable: ties in the order of execution


def agreement(wanted: Sequence[Detections], found: Sequence[Detections]) -> float:
    """How much of the reference's confidence is there again, 0..1, over all its detections.

    A detection's share is the score of the best detection of its kind that overlaps it enough, by its own score, up to
    1; nothing where there is none.
    """
    shares: list[float] = []
    for one, other in zip(wanted, found, strict=True):
        overlap = iou(one.boxes, other.boxes) * (one.kinds[:, None] == other.kinds[None])
        best = np.where(overlap >= MATCH, other.scores[None], 0).max(axis=1, initial=0)
        shares += np.minimum(best / one.scores, 1).tolist()
    return float(np.mean(shares)) if shares else 1.0
