"""Finding faces and plates in pictures."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from edgeanon import models, runtime
from edgeanon.boxes import as_boxes, suppress
from edgeanon.decoders import Decoder, Outputs
from edgeanon.detections import Detections, Kind
from edgeanon.errors import ConfigError, EdgeanonError, ModelError
from edgeanon.preprocess import PROFILES, Profile, View, plan

Thresholds = float | Mapping[Kind, float]


class Detector:
    """Finds faces and plates, or whatever a model of one's own looks for.

    Args:
        which: shipped models by name, as in ``Detector("face")`` and ``Detector("plate")``, or models read by
            ``edgeanon.models.load_file``; by default all the shipped ones.
        device: ``"AUTO"``, a name, an ordered list of names, or one of OpenVINO's meta-devices with a colon. See
            ``edgeanon.devices()``.
        profile: ``"fast"``, ``"balanced"`` or ``"thorough"``: at which scales a picture is searched.
        threshold: least score of a detection, one for all kinds or one for some; by default what each model's manifest
            says, which was chosen for recall.

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
    ) -> None:
        if profile not in PROFILES:
            raise ConfigError(f"there is no profile {profile!r}; choose one of {', '.join(PROFILES)}")
        self.profile = profile
        loaded = [_loaded(one) for one in which or models.shipped()]
        self._parts = [_Part(model, PROFILES[profile], device, threshold) for model in loaded]

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
    ) -> Self:
        """A detector over a model of one's own.

        Args:
            path: OpenVINO IR (``.xml``, its ``.bin`` beside it) or ONNX (``.onnx``).
            manifest: what must be known of the model; by default ``manifest.json`` beside it.
            decode: a function for a head that no decoder here knows; see ``edgeanon.decoders``.
            device: as for ``Detector``.
            profile: as for ``Detector``.
            threshold: as for ``Detector``.

        Raises:
            ConfigError: the manifest or a setting is wrong.
            ModelError: the model is missing, altered, or cannot be read.
        """
        return cls(models.load_file(path, manifest, decode), device=device, profile=profile, threshold=threshold)

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
        return {kind: part.thresholds[kind] for part in self._parts for kind in sorted(part.model.manifest.finds)}

    @property
    def requests(self) -> int:
        """How many pictures at once keep the device busy."""
        return max(part.network("throughput").requests for part in self._parts)

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
            hint: ``"throughput"`` to have all of them soon, ``"latency"`` to have each soon, in less memory.
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
                for part in self._parts:
                    network = part.network(hint)
                    for view in part.views(image.shape[1], image.shape[0], network.fixed_size, moving=moving):
                        while sum(one.part is part for one in under_way) >= network.requests:
                            under_way.popleft().finish()
                        under_way.append(_Inference(search, part, view, network.start(view.render(image)), least))
                        search.waiting += 1
                while len(searches) > 1 and not searches[0].waiting:
                    yield searches.popleft().outcome()
            while searches:
                while searches[0].waiting:
                    under_way.popleft().finish()
                yield searches.popleft().outcome()
        finally:
            for one in under_way:
                one.pending.abandon()


class _Part:
    """A model with its decoder, and its networks, each compiled when it is first needed."""

    def __init__(
        self,
        model: models.Model,
        profile: Profile,
        device: str | Sequence[str],
        threshold: Thresholds | None,
    ) -> None:
        self.model = model
        self._decode = model.decode or model.manifest.decode_function()
        self._profile = profile
        self._device = device
        self.thresholds = _thresholds(model.manifest, threshold)
        self._networks: dict[runtime.Hint, runtime.Network] = {}
        self._compiling = Lock()

    def network(self, hint: runtime.Hint) -> runtime.Network:
        with self._compiling:
            if hint not in self._networks:
                how = self.model.manifest.input
                read = runtime.read_model(
                    self.model.structure, self.model.weights, color=how.color, mean=how.mean, scale=how.scale
                )
                self._networks[hint] = runtime.Network(read, device=self._device, hint=hint)
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
        """What one view shows, in pixels of the picture, each kind from its own threshold up, or from ``least``."""
        name = self.model.manifest.name
        scores_from = {kind: min(value, value if least is None else least) for kind, value in self.thresholds.items()}
        try:
            boxes, scores, classes = self._decode(
                outputs, width=view.input_width, height=view.input_height, threshold=min(scores_from.values())
            )
            boxes = as_boxes(boxes)
            scores = np.asarray(scores, np.float32)
            known = [int(self.model.manifest.kind_of(int(number))) for number in classes]
            kinds = np.array(known, np.uint8)
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
        enough = scores >= np.array([scores_from[kind] for kind in Kind], np.float32)[kinds]
        boxes = boxes[enough]
        return _Found(view.to_picture(boxes), scores[enough], kinds[enough], view.cut(boxes))


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
        every = []
        for part in dict.fromkeys(part for part, _ in self.found):
            views = [found for one, found in self.found if one is part]
            boxes, scores, kinds, cut = (np.concatenate(column) for column in zip(*views, strict=True))
            boxes = np.clip(boxes, 0, np.array([width, height, width, height], np.float32))
            for kind in np.unique(kinds):
                strong = scores >= np.float32(part.thresholds[Kind(kind)])
                overlap = part.model.manifest.overlap
                rows = np.flatnonzero((kinds == kind) & strong)
                rows = rows[suppress(boxes[rows], scores[rows], overlap, cut[rows])]
                if len(weak := np.flatnonzero((kinds == kind) & ~strong)):
                    # Those that stay stand before all weak ones, so that these can displace none of them.
                    both = np.concatenate([rows, weak])
                    kept = suppress(boxes[both], scores[both] + strong[both], overlap, cut[both] & ~strong[both])
                    rows = np.concatenate([rows, both[kept[kept >= len(rows)]]])
                every.append(Detections(boxes[rows], scores[rows], kinds[rows]))
        return self.image, Detections.concatenate(every)


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


def _loaded(which: str | models.Model) -> models.Model:
    if isinstance(which, str):
        return models.load_shipped(which)
    if not isinstance(which, models.Model):
        raise ConfigError(f"{which!r} is no model: pass a shipped one's name, or use Detector.from_file for a file")
    return which


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
