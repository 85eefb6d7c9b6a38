"""The threshold for one's own footage: the highest at which so many labelled objects are found."""

from math import floor
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edgeanon.detector import Detector
from edgeanon.errors import ConfigError
from edgeanon.evaluation.evidence import OVERLAPS, Evidence, evidence
from edgeanon.evaluation.formats import read_labels
from edgeanon.evaluation.intervals import wilson
from edgeanon.evaluation.labels import LabelledSet
from edgeanon.evaluation.scores import LOWEST, Calibrated, Calibration, Rate, Share
from edgeanon.evaluation.searching import searched

TARGET: Final = 0.99


def calibrate_threshold(
    detector: Detector, labelled: LabelledSet | str | Path, *, target_recall: float = TARGET
) -> Calibration:
    """Find the highest threshold at which a share of the labelled objects is found, for each kind.

        found = calibrate_threshold(Detector(), "annotations.json")
        detector = Detector(threshold=found.thresholds)

    The fewer objects, the wider is the interval from ``low`` to ``high``. Whether the target can be reached at all is
    said by ``threshold``, which is None where it cannot, and by an error of ``thresholds``.

    Args:
        detector: whose models and profile are used; its thresholds play no part.
        labelled: from ``read_labels``, or the path of labels that it reads; footage like that to be masked, labelled
            completely.
        target_recall: the share to find, above 0, up to 1.

    Raises:
        ConfigError: the target is no share, the labels are wrong, or hold no object that the detector looks for.
        MediaError: labels or pictures are missing or cannot be read.
    """
    check_target(target_recall)
    labels = labelled if isinstance(labelled, LabelledSet) else read_labels(labelled)
    pictures = labels.only(*detector.finds)
    if not any(pictures.total(kind) for kind in detector.finds):
        wanted = " and no ".join(sorted(kind.name.lower() for kind in detector.finds))
        raise ConfigError(f"the labelled set has no {wanted}: a threshold cannot be chosen without objects")
    found = list(searched(detector, pictures, least=LOWEST))
    return Calibration(
        target_recall=target_recall,
        kinds={
            kind.name.lower(): calibrated(evidence(pictures, found, kind, overlaps=OVERLAPS[:1]), target_recall)
            for kind in sorted(detector.finds)
        },
    )


def check_target(target_recall: float) -> None:
    """Raise a ConfigError unless it is a share above 0."""
    if not 0 < target_recall <= 1:
        raise ConfigError(f"a target of {target_recall} is no recall: pass a share above 0, up to 1, such as 0.99")


def calibrated(known: Evidence, target_recall: float) -> Calibrated:
    """The threshold of one kind, from everything that was found down to ``LOWEST``."""
    total = len(known.found_at)
    best_first = np.sort(known.found_at)[::-1]
    counts = range(total + 1)
    threshold = _where(best_first, [hits for hits in counts if total and hits / total >= target_recall])
    used = LOWEST if threshold is None else threshold
    return Calibrated(
        threshold=threshold,
        low=_where(best_first, [hits for hits in counts if total and wilson(hits, total)[0] >= target_recall]),
        high=_where(best_first, [hits for hits in counts if total and wilson(hits, total)[1] >= target_recall]),
        recall=Share.of(int(np.count_nonzero(known.found_at >= np.float32(used))), total),
        false_per_picture=Rate.of(known.false_by_picture(used)),
    )


def _where(best_first: NDArray[np.float32], enough: list[int]) -> float | None:
    """The highest threshold at which the least of these numbers of objects is found, to four digits, rounded down."""
    if not enough:
        return None
    score = float(best_first[max(enough[0], 1) - 1])
    return floor(score * 10_000) / 10_000 if score >= LOWEST else None
