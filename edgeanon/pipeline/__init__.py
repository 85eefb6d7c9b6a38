"""From files to files in which nobody can be recognised: detection, masking, reading and writing joined."""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import is_dataclass
from functools import partial
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from edgeanon import __version__, images, runtime
from edgeanon.audit import Files, Mask, ModelUsed, Report
from edgeanon.boxes import suppress
from edgeanon.config import Settings
from edgeanon.detections import Detections, Kind
from edgeanon.detector import Detector, Thresholds
from edgeanon.errors import ConfigError
from edgeanon.masker import Masker
from edgeanon.models import load_file
from edgeanon.pipeline.folder import FolderRun
from edgeanon.pipeline.results import FileResult, Tally, Verdict
from edgeanon.styles import Replace, Style, named

__all__ = ["Anonymizer", "FileResult", "Verdict"]

SAME = 0.5
"""Boxes found on two renderings of one page are one object above this intersection over union."""


class Anonymizer:
    """Masks faces and licence plates in pictures.

    Args:
        device: as for ``Detector``.
        profile: as for ``Detector``.
        threshold: as for ``Detector``.
        detectors: detectors of one's own in place of the shipped one; device, profile and threshold are theirs then.
        masker: what is drawn over what was found; by default a soft fill that carries nothing of what it hides.
        metadata: ``"none"``, or ``"safe"`` to keep what ``edgeanon.images.SAFE_TAGS`` lists. The colour profile is
            kept in either case, and the orientation is applied to the pixels.
        max_pixels: largest picture that is opened, in pixels a page.

    Models are compiled when they are first needed. An anonymizer may be shared between threads, but not over a fork.

    Raises:
        ConfigError: a setting has no meaning.
        ModelError: a model is missing or altered.
    """

    def __init__(
        self,
        *,
        device: str | Sequence[str] = "AUTO",
        profile: str = "balanced",
        threshold: Thresholds | None = None,
        detectors: Sequence[Detector] | None = None,
        masker: Masker | None = None,
        metadata: Literal["none", "safe"] = "none",
        max_pixels: int = images.MAX_PIXELS,
    ) -> None:
        if metadata not in {"none", "safe"}:
            raise ConfigError(f'metadata is {metadata!r}: choose "none" or "safe"')
        if detectors is not None and (device != "AUTO" or profile != "balanced" or threshold is not None):
            raise ConfigError("device, profile and threshold belong to the detectors: pass them there")
        if detectors is not None and not (
            isinstance(detectors, Sequence) and all(isinstance(one, Detector) for one in detectors)
        ):
            raise ConfigError("detectors must be a list of Detector objects")
        if detectors is not None and not detectors:
            raise ConfigError("no detectors: nothing would be masked; leave detectors out for the shipped ones")
        self._metadata = metadata
        self._max_pixels = max_pixels
        self.detectors = list(detectors or [Detector(device=device, profile=profile, threshold=threshold)])
        self.masker = masker or Masker()

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """An anonymizer as a settings file or the command line describes it.

        Raises:
            ConfigError: neither faces nor plates are wanted, or a setting does not fit.
            MediaError: the picture of a ``replace:`` style cannot be read.
            ModelError: a model is missing or altered.
        """
        wanted = {
            "face": (settings.faces, settings.face_model),
            "plate": (settings.plates, settings.plate_model),
        }
        which = [load_file(own) if own else name for name, (asked, own) in wanted.items() if asked]
        if not which:
            raise ConfigError("neither faces nor plates are asked for: nothing would be masked")
        detector = Detector(*which, device=settings.device, profile=settings.profile, threshold=settings.threshold)
        masker = Masker(_style(settings.style), margin=settings.margin, shape=settings.shape)
        return cls(detectors=[detector], masker=masker, metadata=settings.metadata)

    def frame(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A masked copy of one picture, seen on its own.

        Args:
            image: ``(h, w, 3)`` uint8 BGR, upright.

        Raises:
            ConfigError: the picture is no such array.
            ModelError: a network failed. Nothing is returned then.
            LeakError: the style failed. Nothing is returned then.
        """
        found = self._detect([image])
        return self.masker.mask(image, found.boxes, kinds=found.kinds)

    def image(
        self,
        source: str | Path,
        target: str | Path,
        *,
        overwrite: bool = False,
        on_file: Callable[[FileResult], None] | None = None,
    ) -> Report:
        """Mask one picture file; the target appears whole, or not at all.

        Args:
            source: any picture that ``edgeanon.images`` reads; every page or frame of it is masked. Never changed.
            target: its suffix says the format.
            overwrite: whether an existing target may be replaced. The source never is.
            on_file: called with what became of the file.

        Raises:
            MediaError: the source cannot be read to its end, or the target cannot be written or exists.
            ModelError: a network failed.
            LeakError: the style failed.
        """
        began = time.monotonic()
        tally = Tally()
        result = self._one(Path(source), Path(target), overwrite=overwrite)
        tally.add(result)
        if on_file:
            on_file(result)
        return self._report(tally, time.monotonic() - began)

    def folder(
        self,
        source: str | Path,
        target: str | Path,
        *,
        overwrite: bool = False,
        resume: bool = False,
        on_file: Callable[[FileResult], None] | None = None,
    ) -> Report:
        """Mask every picture of a folder and its subfolders into a tree of the same shape.

        A file that fails does not stop the others: look at ``report.failed``. Other files than pictures are skipped,
        linked folders are not followed, and a target folder inside the source is left out.

        Args:
            source: the folder. Nothing in it is changed.
            target: made if it is missing. Names stay; where a format cannot be written (``photo.heic``), another
                suffix is added (``photo.heic.jpg``).
            overwrite: whether existing targets may be replaced.
            resume: go on where a run into this target broke off; what it has done is not done again.
            on_file: called in this thread with the verdict on each file, as it is done.

        Raises:
            MediaError: the source is no folder, the target cannot be made, or holds a run that was broken off and
                ``resume`` is not given.
            ConfigError: both ``overwrite`` and ``resume``.
        """
        if overwrite and resume:
            raise ConfigError("overwrite starts anew and resume goes on: choose one of them")
        began = time.monotonic()
        tally = Tally()
        workers = max(detector.requests for detector in self.detectors)
        run = FolderRun(
            Path(source), Path(target), overwrite=overwrite, resume=resume, settings=self._fingerprint(Path(source))
        )
        with closing(run.results(partial(self._one, hint="throughput"), workers)) as results:
            for result in results:
                tally.add(result)
                if on_file:
                    on_file(result)
        return self._report(tally, time.monotonic() - began)

    def _one(self, source: Path, target: Path, *, overwrite: bool, hint: runtime.Hint = "latency") -> FileResult:
        """One file to one file. The only place where a picture is written."""
        began = time.monotonic()
        objects: Counter[Kind] = Counter()
        with images.open_picture(source, max_pixels=self._max_pixels) as picture:

            def masked() -> Iterator[images.Page]:
                for page in picture.pages():
                    found = self._detect(page.views(), hint)
                    objects.update(Kind(kind) for kind in found.kinds)
                    yield page.replace(self.masker.mask(page.pixels, found.boxes, kinds=found.kinds))

            images.write(picture, masked(), target, metadata=self._metadata, overwrite=overwrite)
            verdict = Verdict.MASKED if objects else Verdict.CLEAN
            return FileResult(
                source, target, verdict, picture.dropped, dict(objects), picture.page_count, time.monotonic() - began
            )

    def _detect(self, views: Sequence[NDArray[np.uint8]], hint: runtime.Hint = "latency") -> Detections:
        """What is found on any of several renderings of one page, such as with and without its transparency."""
        found = Detections.concatenate(
            detector.detect(view, hint=hint) for view in views for detector in self.detectors
        )
        if len(views) == 1:
            return found
        rows = [np.flatnonzero(found.kinds == kind) for kind in np.unique(found.kinds)]
        return Detections.concatenate(found[one[suppress(found.boxes[one], found.scores[one], SAME)]] for one in rows)

    def _masks(self) -> dict[str, Mask]:
        """What is drawn over each kind that is looked for."""
        finds = sorted(frozenset[Kind]().union(*(detector.finds for detector in self.detectors)))
        return {
            kind.name.lower(): Mask(
                style=describe(self.masker.styles[kind]),
                irreversible=bool(getattr(self.masker.styles[kind], "irreversible", False)),
                shape=self.masker.shapes[kind],
                margin=self.masker.margins[kind],
            )
            for kind in finds
        }

    def _fingerprint(self, source: Path) -> str:
        """One hash over all that decides what the targets look like, the device left out.

        A style or a decoder that is somebody's function stands in it by its address: nothing tells whether another
        process has the same.
        """
        parts = [__version__, str(source.resolve()), self._metadata, repr(self.masker)]
        for detector in self.detectors:
            parts += [detector.profile, str(sorted(detector.thresholds.items()))]
            for model in detector.models:
                parts += [model.sha256, model.manifest.sha256, repr(model.decode)]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def _report(self, tally: Tally, seconds: float) -> Report:
        detectors = self.detectors
        return Report(
            openvino=runtime.version(),
            seconds=round(seconds, 3),
            device=",".join(dict.fromkeys(detector.device for detector in detectors)),
            reason="; ".join(dict.fromkeys(detector.reason for detector in detectors)),
            profile=",".join(dict.fromkeys(detector.profile for detector in detectors)),
            thresholds={
                kind.name.lower(): value for detector in detectors for kind, value in detector.thresholds.items()
            },
            metadata=self._metadata,
            models=tuple(
                ModelUsed(
                    name=model.manifest.name,
                    version=model.manifest.version,
                    precision=model.manifest.precision,
                    sha256=model.sha256,
                    manifest_sha256=model.manifest.sha256,
                )
                for detector in detectors
                for model in detector.models
            ),
            masks=self._masks(),
            files=Files(**{verdict.value: count for verdict, count in tally.verdicts.items()}),
            pages=tally.pages,
            objects=tally.named_objects(),
        )


def describe(style: Style) -> str:
    """A style in a report: a shipped one with its parameters, somebody's function by its name."""
    if is_dataclass(style):
        return repr(style)
    return f"{style.__module__}.{getattr(style, '__qualname__', type(style).__qualname__)}"


def _style(text: str) -> Style:
    """The style that a setting names; ``replace:FILE`` reads the file."""
    name, _, path = text.partition(":")
    if name != "replace":
        return named(text)
    with images.open_picture(path) as picture:
        page = next(picture.pages())
    return Replace(page.pixels.astype(np.uint8) if page.has_alpha and page.pixels.dtype == np.uint8 else page.bgr())
