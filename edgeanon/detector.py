"""Finding faces and plates in pictures."""

import logging
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from threading import Lock
from typing import NamedTuple, Self, get_args

import numpy as np
from numpy.typing import NDArray

from edgeanon import models, runtime
from edgeanon.boxes import as_boxes, suppress, unite
from edgeanon.certificate import LEAST_GAIN
from edgeanon.decoders import Decoder, Outputs
from edgeanon.detections import Detections, Kind
from edgeanon.errors import ConfigError, EdgeanonError, ModelError
from edgeanon.preprocess import PROFILES, Profile, View, plan

SAME = 0.4
"""Intersection over union above which boxes of two models are taken for one object."""

TOGETHER = "thorough"
"""The profile in which all shipped models of a kind search together; in the others only the main one does."""

log = logging.getLogger(__name__)

Thresholds = float | Mapping[Kind, float]

UNLISTED = 255
"""In place of a kind, for the classes of a network that its manifest does not list."""


class Detector:
    """Finds faces and plates, or whatever a model of one's own looks for.

    Args:
        which: what the shipped models find, as in ``Detector("face")`` and ``Detector("plate")``, one of them by its
            name, or models read by ``edgeanon.models.load_file``; by default both. ``"thorough"`` searches with all the
            shipped models for it. Where several look for the same, what any of them finds counts, in boxes that cover
            what each of them found.
        device: ``"AUTO"``, a name, an ordered list of names, or one of OpenVINO's meta-devices with a colon. See
            ``edgeanon.devices()``.
        profile: ``"fast"``, ``"balanced"`` or ``"thorough"``: at which scales a picture is searched.
        threshold: least score of a detection, one for all kinds or one for some; by default what each model's manifest
            says, which was chosen for recall.
        precision: of shipped models. ``"auto"`` takes INT8 where its certificate holds and it was measured to be faster
            on a device that computes as this one, and FP16 otherwise; ``"int8"`` and ``"fp16"`` say which files run.
            Those of FP16 are computed in what the device takes by itself, often BF16; with ``"fp32"`` in 32 bits. A
            model of one's own runs as it is.

    Models are compiled when they are first needed. A detector may be shared between threads, but not over a fork:
    make it in the child process.

    Raises:
        ConfigError: a name, the profile or a threshold has no meaning.
        ModelError: a model is missing or altered.
        DeviceError: none of the asked devices can run it (raised when it is first needed).
    """

    def __init__(
        self,
        *which: str | models.Model,
        device: str | Sequence[str] = "AUTO",
        profile: str = "balanced",
        threshold: Thresholds | None = None,
        precision: models.Precision = "auto",
    ) -> None:
        if profile not in PROFILES:
            raise ConfigError(f"there is no profile {profile!r}; choose one of {', '.join(PROFILES)}")
        if precision not in get_args(models.Precision):
            raise ConfigError(
                f"there is no precision {precision!r}; choose one of {', '.join(get_args(models.Precision))}"
            )
        self.profile = profile
        every = [one for asked in which or models.main_ones() for one in _every(asked, profile)]
        wanted = [one for place, one in enumerate(every) if not isinstance(one, str) or one not in every[:place]]
        loaded = [
            _loaded(
                one,
                precision,
                device,
                named=any(one is asked or (isinstance(one, str) and one == asked) for asked in which),
            )
            for one in wanted
        ]
        compute: runtime.Compute | None = "f32" if precision == "fp32" else None
        self._parts = [_Part(model, PROFILES[profile], device, threshold, compute) for model in loaded]
        for part in self._parts:
            finds = part.model.manifest.finds
            others = [one for one in self._parts if one is not part]
            part.shown = {
                kind: min([own, *(one.own[kind] for one in others if kind in finds & one.model.manifest.finds)])
                for kind, own in part.own.items()
            }

    @classmethod
    def from_file(
        cls,
        path: str | Path,
        *,
        manifest: models.Manifest | str | Path | None = None,
        decode: Decoder | None = None,
        device: str | Sequence[str] = "AUTO",
        profile: str = "balanced",
        threshold: Thresholds | None = None,
        precision: models.Precision = "auto",
    ) -> Self:
        """A detector over a model of one's own.

        Args:
            path: OpenVINO IR (``.xml``, its ``.bin`` beside it) or ONNX (``.onnx``).
            manifest: what must be known of the model; by default ``manifest.json`` beside it.
            decode: a function for a head that no decoder here knows; see ``edgeanon.decoders``.
            device: as for ``Detector``.
            profile: as for ``Detector``.
            threshold: as for ``Detector``.
            precision: ``"fp32"`` computes in 32 bits whatever the device would take by itself; otherwise the model runs
                as it is.

        Raises:
            ConfigError: the manifest or a setting is wrong.
            ModelError: the model is missing, altered, or cannot be read.
        """
        model = models.load_file(path, manifest, decode)
        return cls(model, device=device, profile=profile, threshold=threshold, precision=precision)

    @property
    def device(self) -> str:
        """The concrete device that runs the models, read back from them once compiled."""
        return ",".join(dict.fromkeys(part.compiled().device for part in self._parts))

    @property
    def reason(self) -> str:
        """Why that device was taken."""
        return "; ".join(dict.fromkeys(part.compiled().reason for part in self._parts))

    @property
    def models(self) -> list[models.Model]:
        """The models that it runs."""
        return [part.model for part in self._parts]

    @property
    def finds(self) -> frozenset[Kind]:
        """The kinds of object that it looks for."""
        return frozenset[Kind]().union(*(part.model.manifest.finds for part in self._parts))

    @property
    def thresholds(self) -> dict[Kind, float]:
        """Least score of a detection, for each kind that it looks for."""
        return {kind: part.shown[kind] for part in self._parts for kind in sorted(part.model.manifest.finds)}

    @property
    def requests(self) -> int:
        """How many pictures at once keep the device busy."""
        return max(part.network("throughput").requests for part in self._parts)

    def asked(self, image: NDArray[np.uint8], *, hint: runtime.Hint = "throughput") -> list["Asked"]:
        """What is asked of each network to search one picture, in the order of `models`; for measuring.

        Args:
            image: as for `detect`.
            hint: as for `detect`.
        """
        height, width = check_image(image).shape[:2]
        networks = [(part, part.network(hint)) for part in self._parts]
        return [
            Asked(part.model, network, part.views(width, height, network.fixed_size, moving=False))
            for part, network in networks
        ]

    def views(self, width: int, height: int, *, moving: bool = False) -> list[View]:
        """The views in which a picture of this size is looked at, one model's after the other's.

        Args:
            width: of the picture, in pixels.
            height: of the picture, in pixels.
            moving: as for `detect_many`.
        """
        return [
            view
            for part in self._parts
            for view in part.views(width, height, part.compiled().fixed_size, moving=moving)
        ]

    def detect(self, image: NDArray[np.uint8], *, hint: runtime.Hint = "latency") -> Detections:
        """Find the objects in one picture.

        Args:
            image: ``(h, w, 3)`` uint8 BGR, upright.
            hint: ``"latency"`` to have this one picture soon, ``"throughput"`` where several threads detect at once.

        Returns:
            Every object at or above its kind's threshold, in pixels of the picture and clipped to it; there is no cap
            on their number.

        Raises:
            ConfigError: the picture is no such array.
            ModelError: the outputs do not fit the decoder, or are not finite.
        """
        return next(self._search([image], hint))[1]

    def detect_many(
        self,
        images: Iterable[NDArray[np.uint8]],
        *,
        hint: runtime.Hint = "throughput",
        moving: bool = False,
        least: float | None = None,
    ) -> Iterator[tuple[NDArray[np.uint8], Detections]]:
        """Find the objects in many pictures, keeping the device busy; pictures come back in order with what was found.

        Args:
            images: as for `detect`, one after the other.
            hint: ``"throughput"`` to have all of them soon, ``"latency"`` to have each soon, in less memory; with
                ``"video"`` each comes back before the next is taken, in the least memory.
            moving: they are frames of one video, in which an object is seen again and again: they are enlarged less for
                networks that want that, and looked at in smaller tiles. See ``edgeanon.preprocess``.
            least: give weaker objects as well, down to this score; those at or above the thresholds are the same with
                it and without, and come first.

        Pictures are taken from the iterable as they are needed, a few ahead, so memory does not grow with their number.
        A picture comes back as the very array that was given: let nothing else be written to it before.
        """
        return self._search(images, hint, moving=moving, least=least)

    def _search(
        self,
        images: Iterable[NDArray[np.uint8]],
        hint: runtime.Hint,
        *,
        moving: bool = False,
        least: float | None = None,
    ) -> Iterator[tuple[NDArray[np.uint8], Detections]]:
        searches: deque[_Search] = deque()
        under_way: deque[_Inference] = deque()
        try:
            for image in images:
                search = _Search(check_image(image))
                searches.append(search)
                for part, view in self._looks(image.shape[1], image.shape[0], hint, moving=moving):
                    network = part.network(hint)
                    while sum(one.part is part for one in under_way) >= network.requests:
                        under_way.popleft().finish()
                    under_way.append(_Inference(search, part, view, network.start(view.render(image)), least))
                    search.waiting += 1
                if hint == "video":  # frames wait for this one, and those that are decoded meanwhile need memory
                    while under_way:
                        under_way.popleft().finish()
                while searches and not searches[0].waiting and (hint == "video" or len(searches) > 1):
                    yield searches.popleft().outcome()
            while searches:
                while searches[0].waiting:
                    under_way.popleft().finish()
                yield searches.popleft().outcome()
        finally:
            for one in under_way:
                one.pending.abandon()

    def _looks(self, width: int, height: int, hint: runtime.Hint, *, moving: bool) -> "Iterator[tuple[_Part, View]]":
        """The views of a picture, those of the models in turn, so that all of them have something to do."""
        each = [
            [(part, view) for view in part.views(width, height, part.network(hint).fixed_size, moving=moving)]
            for part in self._parts
        ]
        for several in zip_longest(*each):
            yield from (one for one in several if one)


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


class _Part:
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
        self.own = _thresholds(model.manifest, threshold)
        self.shown = self.own
        self._networks: dict[runtime.Hint, runtime.Network] = {}
        self._compiling = Lock()

    def network(self, hint: runtime.Hint) -> runtime.Network:
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

    def decode(self, outputs: Outputs, view: View, least: float | None) -> "_Found":
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
        return _Found(view.to_picture(boxes), scores[enough], kinds[enough], view.cut(boxes))

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


class _Found(NamedTuple):
    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    kinds: NDArray[np.uint8]
    cut: NDArray[np.bool_]


class _Search:
    """One picture while its views are being looked at."""

    def __init__(self, image: NDArray[np.uint8]) -> None:
        self.image = image
        self.waiting = 0
        self.found: list[tuple[_Part, _Found]] = []

    def outcome(self) -> tuple[NDArray[np.uint8], Detections]:
        """The picture, and its objects with those seen in several views brought together."""
        height, width = self.image.shape[:2]
        every, of_strong, finders = [], [], Counter[int]()
        for part in dict.fromkeys(part for part, _ in self.found):
            views = [found for one, found in self.found if one is part]
            boxes, scores, kinds, cut = (np.concatenate(column) for column in zip(*views, strict=True))
            boxes = np.clip(boxes, 0, np.array([width, height, width, height], np.float32))
            for kind in np.unique(kinds):
                strong = scores >= np.float32(part.shown[Kind(kind)])
                overlap = part.model.manifest.overlap
                rows = np.flatnonzero((kinds == kind) & strong)
                rows = rows[suppress(boxes[rows], scores[rows], overlap, cut[rows])]
                if len(weak := np.flatnonzero((kinds == kind) & ~strong)):
                    # Those that stay stand before all weak ones, so that these can displace none of them.
                    both = np.concatenate([rows, weak])
                    kept = suppress(boxes[both], scores[both] + strong[both], overlap, cut[both] & ~strong[both])
                    rows = np.concatenate([rows, both[kept[kept >= len(rows)]]])
                every.append(Detections(boxes[rows], scores[rows], kinds[rows]))
                of_strong.append(strong[rows])
                finders[int(kind)] += 1
        several = [kind for kind, parts in finders.items() if parts > 1]
        found = Detections.concatenate(every)
        return self.image, _united(found, np.concatenate(of_strong), several) if several else found


def _united(found: Detections, strong: NDArray[np.bool_], kinds: Sequence[int]) -> Detections:
    """What several models found of these kinds brought together; a weak detection changes no strong one."""
    every = [found[~np.isin(found.kinds, kinds)]]
    for kind in kinds:
        here = found.kinds == kind
        of_kind, sure = found[here], strong[here]
        boxes, kept = unite(of_kind.boxes, of_kind.scores + sure, SAME, sure)
        every.append(Detections(boxes, of_kind.scores[kept], of_kind.kinds[kept]))
    return Detections.concatenate(every)


@dataclass(frozen=True, slots=True)
class _Inference:
    """One view on its way through a network."""

    search: _Search
    part: _Part
    view: View
    pending: runtime.Pending
    least: float | None

    def finish(self) -> None:
        found = self.part.decode(self.pending.result(), self.view, self.least)
        self.search.found.append((self.part, found))
        self.search.waiting -= 1


def check_image(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The image, if it is ``(h, w, 3)`` uint8 with at least one pixel.

    Raises:
        ConfigError: it is not.
    """
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        what = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise ConfigError(f"the image is {what}; pass a numpy array of uint8, (height, width, 3), BGR")
    if not image.size:
        raise ConfigError(f"the image has no pixels: its shape is {image.shape}")
    return image


def _every(which: str | models.Model, profile: str) -> Sequence[str | models.Model]:
    """The shipped models that a name stands for in a profile, each by its own; or the model itself."""
    return models.shipped_for(which) if isinstance(which, str) and profile == TOGETHER else [which]


def _loaded(
    which: str | models.Model, precision: models.Precision, device: str | Sequence[str], *, named: bool
) -> models.Model:
    if isinstance(which, str):
        if precision == "int8" and not named and not models.comes_in_int8(which):
            log.warning("A shipped model that was not asked for by its own name has no INT8: it runs in FP16")
            precision = "fp16"
        return _shipped(which, precision, device)
    if not isinstance(which, models.Model):
        raise ConfigError(f"{which!r} is no model: pass a shipped one's name, or use Detector.from_file for a file")
    return which


def _shipped(name: str, precision: models.Precision, device: str | Sequence[str]) -> models.Model:
    gain = _int8_gain(name, device) if precision in {"auto", "int8"} else None
    if precision == "auto":
        precision = "int8" if gain is not None and gain >= LEAST_GAIN else "fp16"
    elif precision == "int8" and gain is None:
        log.warning("INT8 was not measured on a device like this one: what its certificate says may not hold here")
    return models.load_shipped(name, "int8" if precision == "int8" else "fp16")


def _int8_gain(name: str, device: str | Sequence[str]) -> float | None:
    """How many times as fast a shipped model's INT8 files were measured to be on a device like the first that is tried;
    None where that was not measured, or they were not released.
    """
    certificate = models.released(name)
    if certificate is None:
        return None
    try:
        first = runtime.choices(device)[0].name
    except EdgeanonError:
        return None  # what is wrong with the device is said when it is first needed
    return certificate.gain_on(first, runtime.eight_bit(first), runtime.native_float(first))


def _thresholds(manifest: models.Manifest, threshold: Thresholds | None) -> dict[Kind, float]:
    try:
        if isinstance(threshold, Mapping):
            chosen = {Kind(kind): float(value) for kind, value in threshold.items()}
        else:
            chosen = {} if threshold is None else dict.fromkeys(Kind, float(threshold))
    except (TypeError, ValueError) as error:
        raise ConfigError(f"threshold is {threshold!r}: pass a number, or a mapping from Kind to numbers") from error
    for value in chosen.values():
        if not 0 < value <= 1:
            raise ConfigError(f"a threshold of {value} is no score: pass a number above 0, up to 1")
    return {kind: chosen.get(kind, manifest.threshold) for kind in Kind}
