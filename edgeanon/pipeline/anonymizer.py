"""The class that joins all parts: detection, tracking, masking, reading and writing."""

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from edgeanon import __version__, images, runtime
from edgeanon.audit import Covered, Report
from edgeanon.config import INTERVAL, LOOK_AHEAD, Settings
from edgeanon.detections import Frame, Tracks
from edgeanon.detector import Detector, Thresholds
from edgeanon.errors import ConfigError
from edgeanon.masker import Masker
from edgeanon.models import Precision
from edgeanon.pipeline import configured
from edgeanon.pipeline.folder import FolderRun
from edgeanon.pipeline.footage import (
    OnFrames,
    VideoSettings,
    everything,
    masked,
    one_video,
    tracked,
)
from edgeanon.pipeline.reporting import report
from edgeanon.pipeline.results import FileResult, Tally
from edgeanon.pipeline.stills import one_picture, search
from edgeanon.video import is_video

OnObjects = Callable[[Covered], None]
"""Called with what is masked in each page or frame."""


class Anonymizer:
    """Masks faces and licence plates in pictures and videos.

    Args:
        device: as for ``Detector``.
        profile: as for ``Detector``.
        threshold: as for ``Detector``.
        precision: as for ``Detector``.
        detectors: detectors of one's own in place of the shipped one; device, profile, threshold and precision are
            theirs then.
        masker: what is drawn over what was found; by default a soft fill that carries nothing of what it hides.
        metadata: ``"none"``, or ``"safe"`` to keep what ``edgeanon.images.SAFE_TAGS`` lists. The colour profile is
            kept in either case, and the orientation is applied to the pixels.
        max_pixels: largest picture that is opened, in pixels a page.
        look_ahead: seconds that a frame of a video waits for what comes after it, so that an object is covered before
            it was first found and while it is not.
        interval: seconds between searches of a video; frames between are covered by what both found. 0 searches every
            frame.
        audio: "drop", or "keep" to copy the sound of a video bit for bit.
        codec: "auto" is the video's own where that can be written, and H.264 otherwise; or h264, hevc, vp9, av1, mjpeg.
        quality: the codec's own scale of constant quality; by default one at which the eye sees no loss.
        preset: the encoder's own word for how much time it takes.
        on_error: "fail" leaves no output where a frame of a video cannot be read or searched; "fill" makes such a frame
            grey all over and counts it.

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
        precision: Precision = "auto",
        detectors: Sequence[Detector] | None = None,
        masker: Masker | None = None,
        metadata: Literal["none", "safe"] = "none",
        max_pixels: int = images.MAX_PIXELS,
        look_ahead: float = LOOK_AHEAD,
        interval: float = INTERVAL,
        audio: Literal["drop", "keep"] = "drop",
        codec: str = "auto",
        quality: float | None = None,
        preset: str | None = None,
        on_error: Literal["fail", "fill"] = "fail",
    ) -> None:
        if metadata not in {"none", "safe"}:
            raise ConfigError(f'metadata is {metadata!r}: choose "none" or "safe"')
        asked = (device, profile, threshold, precision)
        if detectors is not None and asked != ("AUTO", "balanced", None, "auto"):
            raise ConfigError("device, profile, threshold and precision belong to the detectors: pass them there")
        if detectors is not None and not (
            isinstance(detectors, Sequence) and all(isinstance(one, Detector) for one in detectors)
        ):
            raise ConfigError("detectors must be a list of Detector objects")
        if detectors is not None and not detectors:
            raise ConfigError("no detectors: nothing would be masked; leave detectors out for the shipped ones")
        self._metadata = metadata
        self._max_pixels = max_pixels
        self.video_settings = VideoSettings(look_ahead, interval, audio, codec, quality, preset, on_error)
        self.detectors = list(
            detectors or [Detector(device=device, profile=profile, threshold=threshold, precision=precision)]
        )
        self.masker = masker or Masker()

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """An anonymizer as a settings file or the command line describes it.

        Raises:
            ConfigError: neither faces nor plates are wanted, or a setting does not fit.
            MediaError: the picture of a ``replace:`` style cannot be read.
            ModelError: a model is missing or altered.
        """
        return cls(
            detectors=[configured.detector(settings)],
            masker=configured.masker(settings),
            metadata=settings.metadata,
            look_ahead=settings.look_ahead,
            interval=settings.interval,
            audio=settings.audio,
            codec=settings.codec,
            quality=settings.quality,
            preset=settings.preset,
            on_error=settings.on_error,
        )

    def frame(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A masked copy of one picture, seen on its own.

        Args:
            image: ``(h, w, 3)`` uint8 BGR, upright.

        Raises:
            ConfigError: the picture is no such array.
            ModelError: a network failed. Nothing is returned then.
            LeakError: the style failed. Nothing is returned then.
        """
        found = search(self.detectors, [image])
        return self.masker.mask(image, found.boxes, kinds=found.kinds)

    def image(
        self,
        source: str | Path,
        target: str | Path,
        *,
        overwrite: bool = False,
        on_file: Callable[[FileResult], None] | None = None,
        on_objects: OnObjects | None = None,
    ) -> Report:
        """Mask one picture file; the target appears whole, or not at all.

        Args:
            source: any picture that ``edgeanon.images`` reads; every page or frame of it is masked. Never changed.
            target: its suffix says the format.
            overwrite: whether an existing target may be replaced. The source never is.
            on_file: called with what became of the file.
            on_objects: called with what is masked in each page, which is personal data.

        Raises:
            MediaError: the source cannot be read to its end, or the target cannot be written or exists.
            ModelError: a network failed.
            LeakError: the style failed.
        """
        began = time.monotonic()
        result = self._picture(Path(source), Path(target), overwrite=overwrite, on_objects=on_objects)
        return self._reported(result, began, on_file)

    def video(
        self,
        source: str | Path,
        target: str | Path,
        *,
        overwrite: bool = False,
        on_file: Callable[[FileResult], None] | None = None,
        on_frames: OnFrames | None = None,
        on_objects: OnObjects | None = None,
    ) -> Report:
        """Mask one video; the target appears whole, or not at all.

        Frame count, times, size, orientation, depth and colours come out as they went in. Everything else in the file
        is left behind: captions, subtitles, data tracks, cover art, other videos, and the sound unless it is asked for.

        Args:
            source: a file, or an address such as ``rtsp://...`` that ends by itself.
            target: its suffix says the container: .mp4, .m4v, .mov, .mkv, .webm or .avi.
            overwrite: whether an existing target may be replaced. The source never is.
            on_file: called with what became of the video.
            on_frames: called with the source, the number of frames written so far, and of all when that is known.
            on_objects: called with what is masked in each frame, which is personal data.

        Raises:
            ConfigError: the target cannot hold what is asked for.
            MediaError: the source cannot be read to its end, or the target cannot be written or exists.
            ModelError, DeviceError: a search failed.
            LeakError: the style failed.
        """
        began = time.monotonic()
        result = self._video(source, Path(target), overwrite=overwrite, on_frames=on_frames, on_objects=on_objects)
        return self._reported(result, began, on_file)

    def file(
        self,
        source: str | Path,
        target: str | Path,
        *,
        overwrite: bool = False,
        on_file: Callable[[FileResult], None] | None = None,
        on_frames: OnFrames | None = None,
        on_objects: OnObjects | None = None,
    ) -> Report:
        """Mask one file, by what it is: as `image` or as `video`.

        Raises:
            MediaError: it is neither; and what both raise.
        """
        if "://" in str(source) or is_video(source):
            return self.video(
                source, target, overwrite=overwrite, on_file=on_file, on_frames=on_frames, on_objects=on_objects
            )
        return self.image(source, target, overwrite=overwrite, on_file=on_file, on_objects=on_objects)

    def stream(self, frames: Iterable[Frame], *, look_ahead: float | None = None) -> Iterator[Frame]:
        """Masked frames, in order, late by the look-ahead.

        Frames are taken as they are needed; about a second of them is held. An object is covered from before it was
        first found, while it is not found, and for a while after. With ``on_error="fill"`` a frame whose search
        failed comes out grey all over.

        Args:
            frames: of one video: a `VideoReader`, or any frames made with ``Frame(pixels, index, time)``, the time in
                seconds. They are copied.
            look_ahead: seconds; by default the anonymizer's own. 0 hands out every frame at once, and an object that
                the detector missed at first then shows.

        Raises:
            ConfigError: a frame is no such object.
            ModelError, DeviceError: a search failed.
            LeakError: the style failed.
        """
        for frame, tracks, withheld in tracked(frames, self.detectors, self._looking(look_ahead)):
            yield masked(frame, tracks, self.masker, withheld=withheld)

    def tracks(self, frames: Iterable[Frame], *, look_ahead: float | None = None) -> Iterator[tuple[Frame, Tracks]]:
        """What `stream` masks in each frame, with the frame as it was: for boxes in a file, or a count of people.

        A frame whose search failed has one box over all of it.
        """
        for frame, tracks, withheld in tracked(frames, self.detectors, self._looking(look_ahead)):
            yield frame, everything(frame, tracks) if withheld else tracks

    def folder(
        self,
        source: str | Path,
        target: str | Path,
        *,
        overwrite: bool = False,
        resume: bool = False,
        on_file: Callable[[FileResult], None] | None = None,
        on_frames: OnFrames | None = None,
        on_objects: OnObjects | None = None,
    ) -> Report:
        """Mask every picture and video of a folder and its subfolders into a tree of the same shape.

        A file that fails does not stop the others: look at ``report.failed``. Other files are skipped, linked folders
        are not followed, and a target folder inside the source is left out.

        Args:
            source: the folder. Nothing in it is changed.
            target: made if it is missing. Names stay; where a format cannot be written (``photo.heic``), another
                suffix is added (``photo.heic.jpg``).
            overwrite: whether existing targets may be replaced.
            resume: go on where a run into this target broke off; what it has done is not done again.
            on_file: called in this thread with the verdict on each file, as it is done.
            on_frames: as for `video`, for each video; called in other threads.
            on_objects: as for `image` and `video`, for each file; called in other threads.

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
        process = partial(self._any, on_frames=on_frames, on_objects=on_objects, stopping=run.stopping.is_set)
        with closing(run.results(process, workers)) as results:
            for result in results:
                tally.add(result)
                if on_file:
                    on_file(result)
        return self._report(tally, began)

    def _picture(
        self,
        source: Path,
        target: Path,
        *,
        overwrite: bool,
        on_objects: OnObjects | None,
        hint: runtime.Hint = "latency",
    ) -> FileResult:
        return one_picture(
            source,
            target,
            self.detectors,
            self.masker,
            metadata=self._metadata,
            max_pixels=self._max_pixels,
            overwrite=overwrite,
            hint=hint,
            on_objects=on_objects,
        )

    def _video(
        self,
        source: Path | str,
        target: Path,
        *,
        overwrite: bool,
        on_frames: OnFrames | None,
        on_objects: OnObjects | None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> FileResult:
        return one_video(
            source,
            target,
            self.detectors,
            self.masker,
            self.video_settings,
            overwrite=overwrite,
            on_frames=on_frames,
            on_objects=on_objects,
            stopping=stopping,
        )

    def _any(
        self,
        source: Path,
        target: Path,
        *,
        overwrite: bool,
        on_frames: OnFrames | None,
        on_objects: OnObjects | None,
        stopping: Callable[[], bool],
    ) -> FileResult:
        """One file of a folder."""
        if is_video(source):
            return self._video(
                source,
                target,
                overwrite=overwrite,
                on_frames=on_frames,
                on_objects=on_objects,
                stopping=stopping,
            )
        return self._picture(source, target, overwrite=overwrite, on_objects=on_objects, hint="throughput")

    def _looking(self, look_ahead: float | None) -> VideoSettings:
        settings = self.video_settings
        return settings if look_ahead is None else replace(settings, look_ahead=look_ahead)

    def _reported(self, result: FileResult, began: float, on_file: Callable[[FileResult], None] | None) -> Report:
        tally = Tally()
        tally.add(result)
        if on_file:
            on_file(result)
        return self._report(tally, began)

    def _report(self, tally: Tally, began: float) -> Report:
        seconds = time.monotonic() - began
        settings = self.video_settings
        return report(self.detectors, self.masker, tally, metadata=self._metadata, video=settings, seconds=seconds)

    def _fingerprint(self, source: Path) -> str:
        """One hash over all that decides what the targets look like, the device left out.

        A style or a decoder that is somebody's function stands in it by its address: nothing tells whether another
        process has the same.
        """
        parts = [__version__, str(source.resolve()), self._metadata, repr(self.masker), repr(self.video_settings)]
        for detector in self.detectors:
            parts += [detector.profile, str(sorted(detector.thresholds.items()))]
            for model in detector.models:
                parts += [model.sha256, model.manifest.sha256, repr(model.decode)]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()
