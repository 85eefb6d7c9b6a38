"""One video: its frames masked, in memory or from file to file."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from numbers import Real
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edgeanon.audit import Covered
from edgeanon.config import INTERVAL, LOOK_AHEAD
from edgeanon.detections import Frame, Kind, Tracks
from edgeanon.detector import Detector, check_image
from edgeanon.errors import ConfigError, LeakError, MediaError
from edgeanon.masker import Masker
from edgeanon.pipeline.ahead import ahead
from edgeanon.pipeline.following import Following
from edgeanon.pipeline.results import FileResult, Verdict
from edgeanon.video import CODECS, Picture, VideoReader, VideoWriter
from edgeanon.video.sources import Source

GREY = 128
"""What a frame that must not be shown is filled with."""

AHEAD = 4
"""Frames that are ready to be masked at most. They come several at a time, after each search; each takes memory."""

OnFrames = Callable[[Path, int, int | None], None]
"""Called with the source, the number of frames written so far, and of all when that is known."""


@dataclass(frozen=True, slots=True)
class VideoSettings:
    """What is asked of a video.

    Attributes:
        look_ahead: seconds that a frame waits for what comes after it, so that an object is covered before it was first
            found and while it was not. 0 waits for nothing.
        interval: seconds between searches, at most the look-ahead; frames between two of them are covered by what both
            found. 0 searches every frame.
        audio: "drop", or "keep" to copy it bit for bit.
        codec: "auto" is the source's own where that can be encoded and H.264 otherwise; or h264, hevc, vp9, av1, mjpeg.
        quality: the codec's own scale of constant quality; None is one at which the eye sees no loss.
        preset: the encoder's own word for how much time it takes; None is its fast one.
        on_error: "fail" leaves no output where a frame cannot be read or searched; "fill" makes such a frame grey all
            over and counts it.

    Raises:
        ConfigError: a value has no meaning.
    """

    look_ahead: float = LOOK_AHEAD
    interval: float = INTERVAL
    audio: Literal["drop", "keep"] = "drop"
    codec: str = "auto"
    quality: float | None = None
    preset: str | None = None
    on_error: Literal["fail", "fill"] = "fail"

    def __post_init__(self) -> None:
        for name in ("look_ahead", "interval"):
            value = getattr(self, name)
            if (
                isinstance(value, bool)
                or not isinstance(value, int | float)
                or not isfinite(value)
                or not 0 <= value <= 60
            ):
                raise ConfigError(f"{name} is {value!r}: pass seconds from 0 to 60")
        if self.audio not in {"drop", "keep"}:
            raise ConfigError(f'audio is {self.audio!r}: choose "drop" or "keep"')
        if self.codec not in {"auto", *CODECS}:
            raise ConfigError(f'codec is {self.codec!r}: choose "auto" or one of {", ".join(CODECS)}')
        if self.quality is not None and (isinstance(self.quality, bool) or not isinstance(self.quality, int | float)):
            raise ConfigError(f"quality is {self.quality!r}: pass a number on the codec's own scale")
        if self.on_error not in {"fail", "fill"}:
            raise ConfigError(f'on_error is {self.on_error!r}: choose "fail" or "fill"')


class _Shown:
    """A frame of a user's own, as `Following` takes it. It is copied: a camera may write to the same memory again."""

    def __init__(self, frame: Frame, *, damaged: bool = False) -> None:
        if not isinstance(frame, Frame):
            raise ConfigError(
                f"a frame is a {type(frame).__name__}: pass Frame(pixels, index, time), or what a VideoReader gives"
            )
        if not _is_moment(frame.time):
            raise ConfigError(f"the time of a frame is {frame.time!r}: pass seconds, such as Fraction(index, 25)")
        self.frame = Frame(check_image(frame.pixels).copy(), frame.index, frame.time)
        self.damaged = damaged

    @property
    def time(self) -> Fraction:
        return self.frame.time

    @property
    def size(self) -> tuple[int, int]:
        return self.frame.pixels.shape[1], self.frame.pixels.shape[0]

    def bgr(self) -> NDArray[np.uint8]:
        return self.frame.pixels

    def glance(self) -> tuple[NDArray[np.uint8], float]:
        return self.bgr(), 1.0


def _is_moment(time: object) -> bool:
    try:
        return isinstance(time, Real) and not isinstance(time, bool) and isfinite(time)
    except OverflowError:  # a fraction past any clock
        return False


def tracked(
    frames: Iterable[Frame], detectors: Sequence[Detector], settings: VideoSettings
) -> Iterator[tuple[Frame, Tracks, bool]]:
    """Each frame with what must be masked in it, late by the look-ahead; True where it must not be shown at all."""
    shown = _decoded(frames) if isinstance(frames, VideoReader) else map(_Shown, frames)
    for item, tracks, withheld in _following(detectors, settings).run(shown, lambda one: one.damaged):
        yield item.frame, tracks, withheld


def _decoded(reader: VideoReader) -> Iterator[_Shown]:
    """The frames of a reader, of which it is known whether they are damaged."""
    for picture in reader.pictures():
        yield _Shown(Frame(picture.bgr(), picture.index, picture.time), damaged=picture.damaged)


def everything(frame: Frame, tracks: Tracks) -> Tracks:
    """The tracks, and a box over the whole frame."""
    height, width = frame.pixels.shape[:2]
    return Tracks(
        np.concatenate([tracks.boxes, np.array([[0, 0, width, height]], np.float32)]),
        np.append(tracks.scores, np.float32(1)),
        np.append(tracks.kinds, np.uint8(Kind.OTHER)),
        np.append(tracks.ids, np.int64(-1)),
        np.append(tracks.unseen, np.int32(0)),
        np.append(tracks.confirmed, np.False_),
    )


def masked(frame: Frame, tracks: Tracks, masker: Masker, *, withheld: bool) -> Frame:
    """A frame that may be shown."""
    if withheld:
        return Frame(np.full_like(frame.pixels, GREY), frame.index, frame.time)
    return Frame(masker.mask(frame.pixels, tracks.boxes, kinds=tracks.kinds, ids=tracks.ids), frame.index, frame.time)


def one_video(
    source: Path | str,
    target: Path,
    detectors: Sequence[Detector],
    masker: Masker,
    settings: VideoSettings,
    *,
    overwrite: bool,
    on_frames: OnFrames | None = None,
    on_objects: Callable[[Covered], None] | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> FileResult:
    """One video file to one. The only place where a video is written.

    It is given up, like one that failed, when ``stopping`` says so.
    """
    began = time.monotonic()
    name = shown_name(source)
    objects = _Objects()
    count = withheld = 0
    with (
        VideoReader(source, on_error=settings.on_error) as reader,
        VideoWriter(
            target,
            like=reader,
            codec=settings.codec,
            quality=settings.quality,
            preset=settings.preset,
            audio=settings.audio,
            overwrite=overwrite,
        ) as writer,
        closing(
            ahead(_following(detectors, settings).run(reader.pictures(), lambda picture: picture.damaged), AHEAD)
        ) as followed,
    ):
        for picture, tracks, hold_back in followed:
            if stopping():
                raise MediaError(f"{name} was given up: the run was stopped")
            frame = None if hold_back else _covered(picture, tracks, masker, reader, settings)
            writer.encode(picture.filled() if frame is None else frame)
            objects.add(tracks)
            if on_objects:
                size = reader.width, reader.height
                on_objects(Covered(name, picture.index, picture.time, *size, tracks, withheld=frame is None))
            count, withheld = count + 1, withheld + (frame is None)
            if on_frames:
                on_frames(name, count, reader.frame_count)
    notes = [*reader.dropped, *reader.notes, *writer.notes]
    if withheld:
        notes.append(f"{withheld} of {count} frames could not be read or searched and are grey all over")
    return FileResult(
        name,
        target,
        Verdict.MASKED if objects.counts or withheld else Verdict.CLEAN,
        tuple(notes),
        dict(objects.counts),
        frames=count,
        withheld=withheld,
        seconds=time.monotonic() - began,
    )


def shown_name(source: Path | str) -> Path:
    """A source in results: a file by its path, an address by its scheme, host and port."""
    return Path(Source.of(source).name) if "://" in str(source) else Path(source)


class _Objects:
    """How many objects a video shows, by kind; one that goes on through many frames counts once.

    A tracker gives out whole numbers in order, and each comes back with its first frame at the latest. So all below
    some number have come, and only the few above it must be remembered one by one.
    """

    def __init__(self) -> None:
        self.counts: Counter[Kind] = Counter()
        self._all_below = 0
        self._above: set[int] = set()

    def add(self, tracks: Tracks) -> None:
        for name, kind in zip(tracks.ids.tolist(), tracks.kinds.tolist(), strict=True):
            if name >= self._all_below and name not in self._above:
                self.counts[Kind(kind)] += 1
                self._above.add(name)
        while self._all_below in self._above:
            self._above.remove(self._all_below)
            self._all_below += 1


def _following(detectors: Sequence[Detector], settings: VideoSettings) -> Following[Any]:
    # A frame that left before the search that was to cover it would be bare.
    interval = min(settings.interval, settings.look_ahead)
    return Following(detectors, look_ahead=settings.look_ahead, interval=interval, fill=settings.on_error == "fill")


def _covered(
    picture: Picture, tracks: Tracks, masker: Masker, reader: VideoReader, settings: VideoSettings
) -> Any | None:
    """A frame for the encoder in which nothing but the masks differs from the source; None where a style failed."""

    def paint(image: NDArray[Any]) -> NDArray[Any]:
        return masker.mask(image, tracks.boxes, kinds=tracks.kinds, ids=tracks.ids, out=image)

    try:
        return picture.masked(masker.regions((reader.height, reader.width), tracks.boxes, tracks.kinds), paint)
    except LeakError:
        if settings.on_error == "fail":
            raise
        return None
