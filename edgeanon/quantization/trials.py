"""One INT8 model after the other, the fastest first, until one passes the gate."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edgeanon import runtime
from edgeanon.certificate import Attempt, Compared, problems
from edgeanon.detections import Detections, Kind
from edgeanon.detector import Detector
from edgeanon.errors import ModelError
from edgeanon.evaluation import LabelledSet, outcome, searched
from edgeanon.models import Model
from edgeanon.quantization import calibration_set, post_training
from edgeanon.quantization.gate import compare
from edgeanon.quantization.recipe import Keep, Recipe
from edgeanon.quantization.sensitivity import ranked

LOWEST, STEP = 0.5, 0.97
"""A threshold is re-calibrated down to half of what it was, in steps of three per cent."""

RANKED_ON = 16
"""Calibration pictures on which the layers are ranked: each layer is a search of all of them."""


@dataclass(frozen=True, slots=True)
class Passed:
    """A quantized model that passed, and how it came about."""

    model: Model
    kept: Sequence[str]
    compared: tuple[Compared, ...]
    attempts: Sequence[Attempt]


class Trials:
    """What all attempts at one model have in common.

    Args:
        original: the model in higher precision.
        recipe: how it is quantized.
        pictures: what it is calibrated on.
        labelled: the labelled set of the gate.
        device: that runs the quantized model.
        profile: at which scales pictures are searched.
        say: called with a line on what is done next.
    """

    def __init__(
        self,
        original: Model,
        *,
        recipe: Recipe,
        pictures: Sequence[calibration_set.Candidate],
        labelled: LabelledSet,
        device: str | Sequence[str],
        profile: str,
        say: Callable[[str], None],
    ) -> None:
        self.recipe, self.pictures, self.labelled, self.say = recipe, pictures, labelled, say
        self.kinds = sorted(original.manifest.finds)
        self._device, self._profile = device, profile
        self.graph = runtime.read_graph(original.structure, original.weights)
        if recipe.size:
            self.graph = runtime.fixed(self.graph, recipe.size)
            structure, weights = runtime.saved(self.graph, known=runtime.names(self.graph))
            original = replace(original, structure=structure, weights=weights)
        self.original = original
        self.reference = Detector(original, device="CPU", profile=profile, precision="fp32")
        say("searching the labelled pictures with the model as it is")
        self.before = outcome(labelled, list(searched(self.reference, labelled)))
        how = original.manifest.input
        way = runtime.Way(color=how.color, mean=how.mean, scale=how.scale)
        self.tensors = _Tensors(way, calibration_set.looks(self.reference, pictures, recipe))

    def quantized(self, kept: Sequence[str]) -> runtime.Graph:
        """The graph in INT8 but for what the recipe keeps and these layers."""
        self.say(f"quantizing, {len(kept)} layers kept in higher precision" if kept else "quantizing")
        return post_training.post_training(self.graph, self.tensors, self.recipe, kept)

    def as_model(self, graph: runtime.Graph) -> Model:
        """A graph with the original's manifest, as it will be read from disk."""
        structure, weights = runtime.saved(graph, known=runtime.names(self.graph))
        return replace(
            self.original, structure=structure, weights=weights, sha256=hashlib.sha256(structure + weights).hexdigest()
        )

    def detector(self, model: Model) -> Detector:
        """A detector on the device that the quantized model is for."""
        return Detector(model, device=self._device, profile=self._profile)

    def found(self, model: Model, least: float | None = None) -> list[Detections]:
        """What a quantized model finds in the labelled pictures, down to its threshold or this score."""
        self.say("searching the labelled pictures with the quantized model")
        return list(searched(self.detector(model), self.labelled, least=least))

    def compared(self, found: Sequence[Detections], threshold: float) -> tuple[Compared, ...]:
        """That beside what the original found, weaker detections left out."""
        thresholds = dict.fromkeys(Kind, threshold)
        return compare(self.before, outcome(self.labelled, found, thresholds=thresholds), self.kinds)

    def ranked(self, quantized: runtime.Graph) -> list[str]:
        """The quantized layers, the one that loses most first."""
        self.say("measuring which layers lose most")
        count = min(RANKED_ON, len(self.pictures))
        places = np.random.default_rng(self.recipe.seed).permutation(len(self.pictures))[:count]
        return ranked(
            quantized,
            self.graph,
            detector_of=lambda graph: self.detector(self.as_model(graph)),
            reference=self.reference,
            images=[calibration_set.read(self.pictures[place].path) for place in places],
            least=self.original.manifest.threshold * LOWEST,
        )


class _Tensors:
    """The views as the network's tensors, each made when it is asked for."""

    def __init__(self, way: runtime.Way, looks: Sequence[calibration_set.Look]) -> None:
        self._way = way
        self._looks = looks

    def __len__(self) -> int:
        return len(self._looks)

    def __getitem__(self, index: int, /) -> NDArray[np.float32]:
        return self._way.tensor(self._looks[index].render())

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        return (self[index] for index in range(len(self)))


def first_that_passes(trials: Trials, *, max_recall_drop: float, max_false_ratio: float) -> Passed:
    """All layers in INT8, or as few as will do in higher precision, with the threshold or else a lower one.

    Raises:
        ModelError: none passed: what was tried.
    """

    def wrong(compared: Sequence[Compared]) -> str:
        return "; ".join(
            problem
            for one in compared
            for problem in problems(one, max_recall_drop=max_recall_drop, max_false_ratio=max_false_ratio)
        )

    threshold = trials.original.manifest.threshold
    attempts: list[Attempt] = []
    order: list[str] = []
    first: runtime.Graph | None = None
    for count in _counts(trials.recipe.most_kept):
        if count and first is not None and not order:
            order = trials.ranked(first)
        if count and count >= len(order):
            break  # nothing would be left in INT8
        kept = order[:count]
        graph = trials.quantized(kept)
        first = graph if first is None else first
        model = trials.as_model(graph)
        found = trials.found(model, least=threshold * LOWEST)
        layers = _named(count, trials.recipe)
        for other in _thresholds(threshold):
            compared = trials.compared(found, other)
            problem = wrong(compared)
            if other != threshold and not problem:
                # Near the seams of tiles a weaker detection can displace another: look again with the new threshold.
                model = replace(model, manifest=model.manifest.model_copy(update={"threshold": other}))
                compared = trials.compared(trials.found(model), other)
                problem = wrong(compared)
            if other == threshold or not problem:
                what = layers if other == threshold else f"{layers}, threshold {other:g} in place of {threshold:g}"
                attempts.append(Attempt(what=what, outcome=problem or "passed", passed=not problem))
                trials.say(f"{what}: {problem or 'passed'}")
            if not problem:
                return Passed(model, kept, compared, attempts)
        attempts.append(
            Attempt(
                what=f"{layers}, thresholds down to {threshold * LOWEST:g}",
                outcome="none within the bounds of recall and of false detections",
                passed=False,
            )
        )
    tried = "".join(f"\n- {one.what}: {one.outcome}" for one in attempts)
    raise ModelError(
        f"no INT8 model of {trials.original.manifest.name!r} passed the gate, and none is written. Tried:{tried}"
    )


def _named(count: int, recipe: Recipe) -> str:
    """An attempt in words."""
    if count:
        return f"{count} {'layer' if count == 1 else 'layers'} more in higher precision"
    return "all layers in INT8" if recipe.keep == Keep() else "all layers in INT8 but those that the recipe keeps"


def _counts(most: int) -> Iterator[int]:
    """How many layers to keep in turn: none, one, two, four and so on."""
    yield 0
    count = 1
    while count <= most:
        yield count
        count *= 2


def _thresholds(threshold: float) -> Iterator[float]:
    """The manifest's threshold, then lower ones."""
    yield threshold
    lower = threshold * STEP
    while lower >= threshold * LOWEST:
        yield float(f"{lower:.3g}")
        lower *= STEP
