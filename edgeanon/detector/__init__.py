"""Finding faces and plates in pictures."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Self, get_args

import numpy as np
from numpy.typing import NDArray

from edgeanon import models, runtime
from edgeanon.decoders import Decoder
from edgeanon.detections import Detections, Kind
from edgeanon.detector.arguments import Thresholds, check_image
from edgeanon.detector.choosing import chosen
from edgeanon.detector.part import Asked, Part, compiled
from edgeanon.detector.search import Inference, Search
from edgeanon.errors import ConfigError
from edgeanon.preprocess import PROFILES, View

__all__ = ["Asked", "Detector", "Thresholds", "check_image", "compiled"]


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
        loaded = chosen(which, profile=profile, precision=precision, device=device)
        compute: runtime.Compute | None = "f32" if precision == "fp32" else None
        self._parts = [Part(model, PROFILES[profile], device, threshold, compute) for model in loaded]
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

    def asked(self, image: NDArray[np.uint8], *, hint: runtime.Hint = "throughput") -> list[Asked]:
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
            hint: ``"throughput"`` to have all of them soon, ``"latency"`` to have each as soon as can be, before the
                next is taken, and in less memory.
            moving: they are frames of one video, in which an object is seen again and again: they are enlarged less for
                networks that want that, and looked at in smaller tiles. See ``edgeanon.preprocess``.
            least: give weaker objects as well, down to this score; those at or above the thresholds are the same with
                it and without, and come first.

        Pictures are taken from the iterable as they are needed, at most a few ahead, so memory does not grow with their
        number.
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
        searches: deque[Search] = deque()
        under_way: deque[Inference] = deque()
        try:
            for image in images:
                search = Search(check_image(image))
                searches.append(search)
                for part, view in self._looks(image.shape[1], image.shape[0], hint, moving=moving):
                    network = part.network(hint)
                    while sum(one.part is part for one in under_way) >= network.requests:
                        under_way.popleft().finish()
                    under_way.append(Inference(search, part, view, network.start(view.render(image)), least))
                    search.waiting += 1
                if hint == "latency":
                    while under_way:
                        under_way.popleft().finish()
                while searches and not searches[0].waiting and (hint == "latency" or len(searches) > 1):
                    yield searches.popleft().outcome()
            while searches:
                while searches[0].waiting:
                    under_way.popleft().finish()
                yield searches.popleft().outcome()
        finally:
            for one in under_way:
                one.pending.abandon()

    def _looks(self, width: int, height: int, hint: runtime.Hint, *, moving: bool) -> Iterator[tuple[Part, View]]:
        """The views of a picture, those of the models in turn, so that all of them have something to do."""
        each = [
            [(part, view) for view in part.views(width, height, part.network(hint).fixed_size, moving=moving)]
            for part in self._parts
        ]
        for several in zip_longest(*each):
            yield from (one for one in several if one)
