"""How good a detector and its masks are, measured on labelled pictures."""

from edgeanon.evaluation.formats import FORMATS, read_labels
from edgeanon.evaluation.intervals import wilson
from edgeanon.evaluation.labels import HEIGHTS, Labelled, LabelledSet, height_bin
from edgeanon.evaluation.masking import coverage
from edgeanon.evaluation.matching import MATCH, Outcome, match, outcome
from edgeanon.evaluation.searching import searched

__all__ = [
    "FORMATS",
    "HEIGHTS",
    "MATCH",
    "Labelled",
    "LabelledSet",
    "Outcome",
    "coverage",
    "height_bin",
    "match",
    "outcome",
    "read_labels",
    "searched",
    "wilson",
]
