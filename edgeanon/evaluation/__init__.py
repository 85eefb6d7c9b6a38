"""How good a detector and its masks are, measured on labelled pictures and labelled clips.

    labelled = read_labels("annotations.json")                       JSON, COCO, YOLO, Pascal VOC, WIDER FACE
    scores = evaluate(Detector(), labelled)                          found, covered, masked needlessly, with intervals
    found = calibrate_threshold(Detector(), labelled, target_recall=0.99)
    cards = robustness(Detector("face"), labelled.sample(200))       recall as pictures get worse

What is measured is what `Detector.detect` finds and `Masker.hidden` hides, on the pictures as they are.
"""

from edgeanon.evaluation.evaluating import evaluate
from edgeanon.evaluation.formats import FORMATS, read_labels
from edgeanon.evaluation.intervals import rate_interval, wilson
from edgeanon.evaluation.labels import HEIGHTS, Labelled, LabelledSet, Meaning, height_bin
from edgeanon.evaluation.masking import coverage
from edgeanon.evaluation.matching import MATCH, Outcome, match, outcome
from edgeanon.evaluation.robustness import robustness
from edgeanon.evaluation.scores import FEW, Calibration, Rate, Scores, Share
from edgeanon.evaluation.searching import searched
from edgeanon.evaluation.thresholds import calibrate_threshold

__all__ = [
    "FEW",
    "FORMATS",
    "HEIGHTS",
    "MATCH",
    "Calibration",
    "Labelled",
    "LabelledSet",
    "Meaning",
    "Outcome",
    "Rate",
    "Scores",
    "Share",
    "calibrate_threshold",
    "coverage",
    "evaluate",
    "height_bin",
    "match",
    "outcome",
    "rate_interval",
    "read_labels",
    "robustness",
    "searched",
    "wilson",
]
