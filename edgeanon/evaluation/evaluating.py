"""Evaluating a detector on a labelled set."""

from collections.abc import Callable
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
    thresholds = detector.thresholds
    # What a decoder calls by a number that the manifest lacks is OTHER, and is masked as well.
    least_of = np.array([thresholds.get(kind, min(thresholds.values())) for kind in Kind], np.float32)
    least = min(least, *thresholds.values())
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
    whole = {kind: evidence(pictures, every, kind) for kind in sorted(thresholds)}
    sizes = {
        kind: {name: evidence(pictures, every, kind, heights=heights) for name, heights in HEIGHTS.items()}
        for kind in whole
    }
    return Scores(
        openvino=runtime.version(),
        device=detector.device,
        profile=detector.profile,
        models=tuple(ModelUsed.of(model) for model in detector.models),
        labels=Labels(pictures=len(pictures), sha256=pictures.sha256(), notes=pictures.notes),
        least=least,
        kinds={
            kind.name.lower(): KindScores(
                threshold=thresholds[kind],
                all=detection(known, thresholds[kind]),
                by_size={name: detection(one, thresholds[kind]) for name, one in sizes[kind].items()},
                by_source={name: detection(one, thresholds[kind]) for name, one in _by_source(pictures, known).items()},
                curve=_curve(known, thresholds[kind]),
                covered=masking.figures(kind),
            )
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


def _by_source(pictures: LabelledSet, known: Evidence) -> dict[str, Evidence]:
    """The evidence of each source in which the kind was labelled; nothing where no source has a name."""
    sources = np.array([picture.source for picture in pictures])
    named = sorted(set(sources[known.judged].tolist()))
    return {name: known.within(sources == name) for name in named} if named != [""] else {}


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


def _curve(known: Evidence, threshold: float) -> tuple[Point, ...]:
    """Points at which recall rises, evenly thinned, with the one at the threshold and the last."""
    if not len(known.heights):
        return ()
    scores, recall, precision = known.curve()
    rises = np.flatnonzero(np.diff(recall, prepend=0))
    thinned = rises[np.unique(np.linspace(0, len(rises) - 1, min(_POINTS, len(rises))).round().astype(int))]
    at_threshold = np.flatnonzero(scores >= np.float32(threshold))[-1:]
    kept = np.unique(np.concatenate([thinned, at_threshold, np.arange(len(scores))[-1:]]))
    return tuple(
        Point(threshold=round(float(score), 4), recall=round(float(one), 4), precision=round(float(other), 4))
        for score, one, other in zip(scores[kept], recall[kept], precision[kept], strict=True)
    )
