"""Recall as pictures get worse: the same objects, the same detector, one condition at a time."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from edgeanon.detections import Kind
from edgeanon.detector import Detector
from edgeanon.evaluation.conditions import CONDITIONS, Severity
from edgeanon.evaluation.formats import read_labels
from edgeanon.evaluation.intervals import wilson
from edgeanon.evaluation.labels import LabelledSet
from edgeanon.evaluation.matching import Outcome, outcome
from edgeanon.evaluation.searching import searched
from edgeanon.models import KindName, Level, Robustness

AS_THEY_ARE = "as they are"


def robustness(
    detector: Detector,
    labelled: LabelledSet | str | Path,
    *,
    conditions: Mapping[str, Sequence[Severity]] = CONDITIONS,
    seed: int = 0,
    on_picture: Callable[[], None] | None = None,
) -> dict[str, Robustness]:
    """A card for each kind that the detector looks for and of which there is an object.

    Pictures without such an object are not searched: it is recall that is measured. It takes as long as one evaluation
    of them for each severity, so ``labelled.sample`` a few hundred.

    Args:
        detector: with the thresholds to judge.
        labelled: from ``read_labels``, or the path of labels that it reads.
        conditions: severities by name, the mildest first.
        seed: of everything random in them.
        on_picture: called after each picture of each severity; there are ``searches(...)`` of them.

    Raises:
        ConfigError: the labels are wrong.
        MediaError: labels or pictures are missing or cannot be read.
    """
    labels = labelled if isinstance(labelled, LabelledSet) else read_labels(labelled)
    pictures = with_objects(detector, labels)
    plain = Severity(AS_THEY_ARE, lambda image, _: image)
    clean = _searched(detector, pictures, plain, (seed,), on_picture)
    worse = {
        name: [
            _searched(detector, pictures, severity, (seed, number, level), on_picture)
            for level, severity in enumerate(severities)
        ]
        for number, (name, severities) in enumerate(conditions.items())
    }
    cards = {}
    for kind, threshold in detector.thresholds.items():
        if total := pictures.total(kind):
            cards[kind.name.lower()] = Robustness(
                model=next(one.manifest.title for one in detector.models if kind in one.manifest.finds),
                objects=total,
                pictures=len(pictures),
                labels_sha256=pictures.sha256(),
                profile=detector.profile,
                threshold=threshold,
                as_they_are=_level(AS_THEY_ARE, clean, kind),
                conditions={
                    name: tuple(
                        _level(severity.setting, one, kind)
                        for severity, one in zip(conditions[name], outcomes, strict=True)
                    )
                    for name, outcomes in worse.items()
                },
            )
    return cards


def read_cards(name: str, folder: Path) -> dict[KindName, Robustness]:
    """The cards of a model by kind from ``robustness-NAME.json`` in a folder; nothing where there is no such file."""
    path = folder / f"robustness-{name}.json"
    return TypeAdapter(dict[KindName, Robustness]).validate_json(path.read_bytes()) if path.exists() else {}


def with_objects(detector: Detector, labelled: LabelledSet) -> LabelledSet:
    """The pictures with an object of a kind that the detector looks for."""
    kept = tuple(one for one in labelled if any(len(one.of(kind)) for kind in detector.finds))
    return LabelledSet(kept, labelled.notes)


def searches(
    detector: Detector, labelled: LabelledSet, conditions: Mapping[str, Sequence[Severity]] = CONDITIONS
) -> int:
    """How many pictures are searched in all."""
    return len(with_objects(detector, labelled)) * (1 + sum(map(len, conditions.values())))


def _searched(
    detector: Detector,
    pictures: LabelledSet,
    severity: Severity,
    seed: tuple[int, ...],
    on_picture: Callable[[], None] | None,
) -> Outcome:
    def change(pixels: NDArray[np.uint8], index: int) -> NDArray[np.uint8]:
        return severity.change(pixels, np.random.default_rng((*seed, index)))

    found = []
    for one in searched(detector, pictures, change=change):
        found.append(one)
        if on_picture:
            on_picture()
    return outcome([severity.move(picture) for picture in pictures], found, thresholds=detector.thresholds)


def _level(setting: str, seen: Outcome, kind: Kind) -> Level:
    hits, total = seen.recall(kind)
    low, high = wilson(hits, total)
    return Level(setting=setting, found=hits, recall=round(hits / total, 4), low=round(low, 4), high=round(high, 4))
