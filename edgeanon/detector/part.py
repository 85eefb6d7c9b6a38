"""One model of a detector: compiled, asked, and its answers decoded."""

from collections.abc import Sequence
from threading import Lock
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgeanon import models, runtime
from edgeanon.boxes import as_boxes
from edgeanon.decoders import Outputs
from edgeanon.detections import Kind
from edgeanon.detector.arguments import Thresholds, by_kind
from edgeanon.errors import EdgeanonError, ModelError
from edgeanon.preprocess import Profile, View, plan

UNLISTED = 255
"""In place of a kind, for the classes of a network that its manifest does not list."""


class Found(NamedTuple):
    """What one view shows: boxes, scores and kinds, and which boxes may be parts of larger objects."""

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    kinds: NDArray[np.uint8]
    cut: NDArray[np.bool_]


class Asked(NamedTuple):
    """What one picture asks of one model: its compiled network, and the views that it is given, one after the other."""

    model: models.Model
    network: runtime.Network
    views: list[View]


def compiled(
    model: models.Model,
    device: str | Sequence[str],
    *,
    hint: runtime.Hint = "latency",
    compute: runtime.Compute | None = None,
    counting: bool = False,
) -> runtime.Network:
    """A model with the picture's way into it, compiled; the arguments are those of ``runtime.Network``."""
    how = model.manifest.input
    read = runtime.read_model(model.structure, model.weights, color=how.color, mean=how.mean, scale=how.scale)
    return runtime.Network(read, device=device, hint=hint, compute=compute, counting=counting)


class Part:
    """A model with its decoder, and its networks, each compiled when it is first needed.

    ``own`` are its thresholds. ``shown`` are those from which its detections are given: where several models look for
    one kind, the least of theirs. Scores are brought onto that scale, or they would mean one thing from one model and
    another from the next.
    """

    def __init__(
        self,
        model: models.Model,
        profile: Profile,
        device: str | Sequence[str],
        threshold: Thresholds | None,
        compute: runtime.Compute | None,
    ) -> None:
        self.model = model
        self._compute = compute
        self._decode = model.decode or model.manifest.decode_function()
        self._profile = profile
        self._device = device
        self.own = by_kind(threshold, model.manifest)
        self.shown = self.own
        self._networks: dict[runtime.Hint, runtime.Network] = {}
        self._compiling = Lock()

    def network(self, hint: runtime.Hint) -> runtime.Network:
        """The network compiled for this hint."""
        with self._compiling:
            if hint not in self._networks:
                self._networks[hint] = compiled(self.model, self._device, hint=hint, compute=self._compute)
            return self._networks[hint]

    def compiled(self) -> runtime.Network:
        """A network that is compiled already, or else the one that answers soonest."""
        with self._compiling:
            if self._networks:
                return next(iter(self._networks.values()))
        return self.network("latency")

    def views(self, width: int, height: int, fixed_size: tuple[int, int] | None, *, moving: bool) -> list[View]:
        """The views in which it looks at a picture of this size."""
        how = self.model.manifest.input
        return plan(
            width,
            height,
            self._profile,
            zoom=how.zoom,
            multiple=how.multiple,
            fixed_size=fixed_size,
            moving=moving,
        )

    def decode(self, outputs: Outputs, view: View, least: float | None) -> Found:
        """What one view shows, in pixels of the picture, each kind from its threshold up, or from ``least``."""
        name = self.model.manifest.name
        scores_from = {kind: min(value, value if least is None else least) for kind, value in self.shown.items()}
        in_its_own = [value * self.own[kind] / self.shown[kind] for kind, value in scores_from.items()]
        try:
            boxes, scores, classes = self._decode(
                outputs, width=view.input_width, height=view.input_height, threshold=min(in_its_own)
            )
            boxes = as_boxes(boxes)
            scores = np.asarray(scores, np.float32)
            kinds = self._kinds(np.asarray(classes))
        except EdgeanonError:
            raise
        except Exception as error:
            raise ModelError(f"the decoder of {name!r} failed on the model's outputs ({error!r})") from error
        if not len(boxes) == len(scores) == len(kinds) or scores.ndim != 1:
            raise ModelError(
                f"the decoder of {name!r} gave {len(boxes)} boxes, {len(scores)} scores, {len(kinds)} classes"
            )
        if not (np.isfinite(boxes).all() and np.isfinite(scores).all()):
            raise ModelError(f"the decoder of {name!r} gave NaN or infinity: its outputs do not fit it")
        if self.own != self.shown:
            scores = self._on_the_scale_shown(scores, kinds)
        thresholds = np.full(UNLISTED + 1, np.inf, np.float32)
        thresholds[list(Kind)] = [scores_from[kind] for kind in Kind]
        enough = scores >= thresholds[kinds]
        boxes = boxes[enough]
        return Found(view.to_picture(boxes), scores[enough], kinds[enough], view.cut(boxes))

    def _on_the_scale_shown(self, scores: NDArray[np.float32], kinds: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Scores with each kind's own threshold moved to the one shown; 0, 1 and their order stay."""
        known = [*Kind]
        own, shown = np.ones((2, UNLISTED + 1), np.float32)
        own[known], shown[known] = [self.own[kind] for kind in known], [self.shown[kind] for kind in known]
        own, shown = own[kinds], shown[kinds]
        above = shown + (scores - own) * (1 - shown) / np.maximum(1 - own, np.float32(1e-6))
        return np.where(scores < own, scores * (shown / own), above).astype(np.float32)

    def _kinds(self, classes: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The kind of each of the network's class numbers; `UNLISTED` for what the manifest does not list."""
        numbers, places = np.unique(classes, return_inverse=True)
        known = [self.model.manifest.kind_of(int(number)) for number in numbers]
        return np.array([UNLISTED if kind is None else kind for kind in known], np.uint8)[places]
