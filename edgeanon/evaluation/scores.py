"""What an evaluation says, as it stands in a file: counts, shares, hashes and settings, and no personal data."""

from datetime import UTC, date, datetime
from typing import Annotated, Final, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from edgeanon import __version__
from edgeanon.audit import ModelUsed
from edgeanon.detections import Kind
from edgeanon.errors import ConfigError
from edgeanon.evaluation.intervals import rate_interval, wilson
from edgeanon.models import Robustness

FEW: Final = 300
"""Below so many objects a share says little of others: its interval is some five points wide to each side."""


LOWEST: Final = 0.01
"""What is weaker is noise: no threshold below this is offered, and no detection below it takes part in a curve."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Share(_Part):
    """So many of so many.

    Attributes:
        hits: how many.
        total: of how many.
        share: hits / total; None where there is nothing, which is neither 0 nor 1.
        low: end of the 95 % interval (Wilson's), objects taken as independent of one another.
        high: the other end.
    """

    hits: int
    total: int
    share: float | None
    low: float
    high: float

    @classmethod
    def of(cls, hits: int, total: int) -> Self:
        """The share with its interval."""
        low, high = wilson(hits, total)
        return cls(hits=hits, total=total, share=hits / total if total else None, low=low, high=high)

    @property
    def few(self) -> bool:
        """There are too few objects for the share to say much."""
        return self.total < FEW


class Rate(_Part):
    """So many in so many pictures.

    Attributes:
        count: how many.
        pictures: in how many.
        rate: per picture; None without a picture.
        low: end of the 95 % interval, which widens where some pictures have many; None without a picture.
        high: the other end.
    """

    count: int
    pictures: int
    rate: float | None
    low: float | None
    high: float | None

    @classmethod
    def of(cls, counts: NDArray[np.int64]) -> Self:
        """The rate with its interval, of counts ``(n,)``, one a picture."""
        if not len(counts):
            return cls(count=0, pictures=0, rate=None, low=None, high=None)
        low, high = rate_interval(counts)
        return cls(count=int(counts.sum()), pictures=len(counts), rate=float(counts.mean()), low=low, high=high)


class Detection(_Part):
    """How well one group of objects is found.

    Attributes:
        recall: objects found at the threshold, of all.
        precision: detections at the threshold that are a labelled object, of all that count.
        f1: harmonic mean of both; None where one is undefined.
        false_per_picture: detections at the threshold that are no labelled object, among pictures in which the kind
            was labelled. Some are objects that nobody labelled.
        ap50: average precision at an intersection over union of 0.5, as COCO computes it, over all scores from ``Scores
            .least`` up; None without an object.
        map50_95: its mean over 0.5, 0.55, ..., 0.95.
    """

    recall: Share
    precision: Share
    f1: float | None
    false_per_picture: Rate
    ap50: float | None
    map50_95: float | None


class Covered(_Part):
    """How much of the labelled objects the masks hide, whatever each mask was drawn for.

    Attributes:
        at_least: objects of which at least 0.5, 0.75, 0.9 or all of the box is masked.
        by_size: objects of which at least 0.9 of the box is masked, by height.
        by_source: the same, by source.
        exposed_area: share of the area of all labelled boxes that is not masked; None without an object.
    """

    at_least: dict[str, Share]
    by_size: dict[str, Share]
    by_source: dict[str, Share]
    exposed_area: float | None


class Point(_Part):
    """One point of a precision-recall curve: at this threshold, so much of each."""

    threshold: float
    recall: float
    precision: float


class KindScores(_Part):
    """All that was measured of one kind.

    Attributes:
        threshold: least score of a detection.
        all: of all its objects; ``by_size`` and ``by_source`` are of groups of them.
        curve: precision and recall over the threshold, at an intersection over union of 0.5, thinned out.
        covered: what the masks hide.
    """

    threshold: float
    all: Detection
    by_size: dict[str, Detection]
    by_source: dict[str, Detection]
    curve: tuple[Point, ...]
    covered: Covered


class Masked(_Part):
    """What is masked, as mean shares of a picture.

    Attributes:
        share: what the masks replace.
        over: of it, what lies in no labelled box; the margins around found objects are in it.
        needless: of it, what would not be masked either if exactly the labelled boxes were.
    """

    share: float
    over: float
    needless: float


class Calibrated(_Part):
    """The threshold of one kind.

    Attributes:
        threshold: the highest at which the target is reached on the labelled objects; None where it is reached at none
            from ``LOWEST`` up, or there is no object.
        low: the highest at which even the lower end of the 95 % interval of recall reaches the target, so that it may
            be expected to hold for other objects of the same footage; None where there is none.
        high: the highest at which the upper end does; None where there is none.
        recall: at the threshold, or at ``LOWEST`` where there is none: more cannot be reached.
        false_per_picture: at the same score.
    """

    threshold: float | None
    low: float | None
    high: float | None
    recall: Share
    false_per_picture: Rate


class Calibration(_Part):
    """Thresholds by kind, for a recall that was asked for.

    Attributes:
        target_recall: what was asked for.
        kinds: what came of it, for each kind that the detector looks for.
    """

    target_recall: Annotated[float, Field(gt=0, le=1)]
    kinds: dict[str, Calibrated]

    @property
    def thresholds(self) -> dict[Kind, float]:
        """Those that reach the target, as ``Detector(threshold=...)`` takes them.

        Raises:
            ConfigError: a kind reaches the target at no threshold.
        """
        out_of_reach = [name for name, one in self.kinds.items() if one.threshold is None and one.recall.total]
        if out_of_reach:
            best = ", ".join(f"{self.kinds[name].recall.share:.3f} of the {name}s" for name in out_of_reach)
            raise ConfigError(
                f"no threshold reaches a recall of {self.target_recall:g}: at {LOWEST} the detector finds {best}. Ask "
                "for less, search with the profile thorough, or bring a model that finds more"
            )
        return {Kind[name.upper()]: one.threshold for name, one in self.kinds.items() if one.threshold is not None}


class Labels(_Part):
    """The labelled set: how many pictures, one hash over all pictures and labels, what was left out in reading it."""

    pictures: int
    sha256: str
    notes: tuple[str, ...] = ()


class Scores(_Part):
    """How good a detector and its masks are on a labelled set.

    Attributes:
        edgeanon: version of this package.
        openvino: version of the runtime.
        day: of the evaluation, in UTC.
        device: the concrete device that ran the models.
        profile: at which scales pictures were searched.
        models: what searched.
        labels: what it was measured on.
        least: the lowest score from which detections take part in curves and average precisions.
        kinds: figures by kind, for each kind that the detector looks for.
        masked: what is masked in all, over the pictures.
        calibration: thresholds for a recall, where one was asked for.
        robustness: recall under worse conditions, by kind, where it was asked for.
    """

    edgeanon: str = __version__
    openvino: str
    day: date = Field(default_factory=lambda: datetime.now(UTC).date())
    device: str
    profile: str
    models: tuple[ModelUsed, ...]
    labels: Labels
    least: float
    kinds: dict[str, KindScores]
    masked: Masked
    calibration: Calibration | None = None
    robustness: dict[str, Robustness] = Field(default_factory=dict)
