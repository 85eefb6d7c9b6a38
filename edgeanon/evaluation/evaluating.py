"""Evaluating a detector on a labelled set."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from edgeanon import runtime
from edgeanon.audit import ModelUsed
from edgeanon.detections import Detections, Kind
from edgeanon.detector import Detector
from edgeanon.errors import ConfigError
from edgeanon.evaluation.evidence import OVERLAPS, Evidence, evidence
from edgeanon.evaluation.formats import read_labels
from edgeanon.evaluation.labels import HEIGHTS, Labelled, LabelledSet
from edgeanon.evaluation.masking import Masking
from edgeanon.evaluation.scores import LOWEST, Calibration, Detection, KindScores, Labels, Point, Rate, Scores, Share
from edgeanon.evaluation.searching import searched
from edgeanon.evaluation.thresholds import calibrated, check_target
from edgeanon.masker import Masker

_POINTS = 200
"""Points of a curve that are kept."""

OnPicture = Callable[[Labelled, Detections], None]


def evaluate(
    detector: Detector,
    labelled: LabelledSet | str | Path,
    *,
    masker: Masker | None = None,
    least: float = LOWEST,
    target_recall: float | None = None,
    on_picture: OnPicture | None = None,
) -> Scores:
    """Measure how many labelled objects are found and covered, and what else is masked.

    An object is found where a detection of its kind, at or above the threshold, overlaps it with an intersection over
    union of 0.5 or more, one to one. Each picture is searched once, exactly as `Detector.detect` does.

    Args:
        detector: with the thresholds to judge.
        labelled: from ``read_labels``, or the path of labels that it reads.
        masker: draws the masks to judge; by default as ``Masker()``.
        least: score from which detections take part in curves and average precisions.
        target_recall: choose thresholds as well; see ``calibrate_threshold``.
        on_picture: called after each picture with its labels and what is masked in it.

    Raises:
        ConfigError: the labels are wrong, or hold no picture in which a kind was labelled that the detector looks for.
        MediaError: labels or pictures are missing or cannot be read.
    """
    labels = labelled if isinstance(labelled, LabelledSet) else read_labels(labelled)
    pictures = labels.only(*detector.finds)
    if not len(pictures):
        wanted = " or ".join(sorted(f"{kind.name.lower()}s" for kind in detector.finds))
        raise ConfigError(
            f"the labelled set has no picture in which {wanted} were labelled: there is nothing to measure"
        )
    masking = Masking(masker or Masker())
    least_of = np.array([detector.thresholds.get(kind, 1.0) for kind in Kind], np.float32)
    least = min(least, *detector.thresholds.values())
    if target_recall is not None:
        check_target(target_recall)
        least = min(least, LOWEST)
    every = []
    for picture, found in zip(pictures, searched(detector, pictures, least=least), strict=True):
        every.append(found)
        strong = found[found.scores >= least_of[found.kinds]]
        masking.add(picture, strong)
        if on_picture:
            on_picture(picture, strong)
    whole = {kind: evidence(pictures, every, kind) for kind in sorted(detector.thresholds)}
    return Scores(
        openvino=runtime.version(),
        device=detector.device,
        profile=detector.profile,
        models=tuple(ModelUsed.of(model) for model in detector.models),
        labels=Labels(pictures=len(pictures), sha256=pictures.sha256(), notes=pictures.notes),
        least=least,
        kinds={
            kind.name.lower(): _of_kind(pictures, every, kind, known, detector.thresholds[kind], masking)
            for kind, known in whole.items()
        },
        masked=masking.masked(),
        calibration=None
        if target_recall is None
        else Calibration(
            target_recall=target_recall,
            kinds={kind.name.lower(): calibrated(known, target_recall) for kind, known in whole.items()},
        ),
    )


def _of_kind(
    pictures: LabelledSet,
    found: Sequence[Detections],
    kind: Kind,
    whole: Evidence,
    threshold: float,
    masking: Masking,
) -> KindScores:
    sizes = {name: evidence(pictures, found, kind, heights=heights) for name, heights in HEIGHTS.items()}
    sources = [picture.source for picture in pictures]
    named = sorted({source for source, judged in zip(sources, whole.judged, strict=True) if judged})
    groups = {source: whole.within(np.array([one == source for one in sources])) for source in named}
    return KindScores(
        threshold=threshold,
        all=detection(whole, threshold),
        by_size={name: detection(one, threshold) for name, one in sizes.items()},
        by_source={name: detection(one, threshold) for name, one in groups.items() if named != [""]},
        curve=_curve(whole),
        covered=masking.figures(kind),
    )


def detection(known: Evidence, threshold: float) -> Detection:
    """The figures of one group of objects at a threshold."""
    strong = (known.scores >= np.float32(threshold)) & ~known.void[0]
    right = int(np.count_nonzero(strong & known.used[0]))
    recall = Share.of(int(np.count_nonzero(known.found_at >= np.float32(threshold))), len(known.found_at))
    precision = Share.of(right, int(np.count_nonzero(strong)))
    averages = [known.average_precision(step) for step in range(len(OVERLAPS))]
    both = (recall.share or 0.0) + (precision.share or 0.0)
    f1 = 2 * (recall.share or 0.0) * (precision.share or 0.0) / both if both else 0.0
    return Detection(
        recall=recall,
        precision=precision,
        f1=None if recall.share is None or precision.share is None else f1,
        false_per_picture=Rate.of(known.false_by_picture(threshold)),
        ap50=averages[0],
        map50_95=None if averages[0] is None else float(np.mean([value or 0.0 for value in averages])),
    )


def _curve(known: Evidence) -> tuple[Point, ...]:
    if not len(known.heights):
        return ()
    scores, recall, precision = known.curve()
    kept = np.unique(np.linspace(0, len(scores) - 1, min(_POINTS, len(scores))).round().astype(int))
    return tuple(
        Point(threshold=round(float(score), 4), recall=round(float(one), 4), precision=round(float(other), 4))
        for score, one, other in zip(scores[kept], recall[kept], precision[kept], strict=True)
    )
