"""Videos, frame by frame."""

import os
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager
from fractions import Fraction
from types import TracebackType
from typing import Final, Literal, Self

import av
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from edgeanon.detections import Frame
from edgeanon.errors import ConfigError, MediaError
from edgeanon.video.decoding import Decoder, Result, promised_end, usual_step
from edgeanon.video.foreign import translated
from edgeanon.video.frames import Scaler
from edgeanon.video.picture import Picture
from edgeanon.video.properties import properties_of, rate_of, side_data
from edgeanon.video.sources import Source
from edgeanon.video.structure import has_holes, promised_size
from edgeanon.video.times import Timeline

_SIDE_DATA: Final = {
    "A53_CC": "closed captions",
    "DYNAMIC_HDR_PLUS": "HDR10+ metadata",
    "DOVI_METADATA": "Dolby Vision metadata",
    "DOVI_RPU_BUFFER": "Dolby Vision metadata",
    "SPHERICAL": "spherical projection",
    "STEREO3D": "stereo arrangement",
    "GOP_TIMECODE": "timecode",
    "S12M_TIMECODE": "timecode",
}


class VideoReader:
    """A video to go through once, from its first frame to its last.

    Args:
        source: a file, or an address that begins with ``rtsp://``, ``rtsps://``, ``rtp://``, ``rtmp://``, ``rtmps://``,
            ``http://``, ``https://``, ``udp://``, ``tcp://`` or ``srt://``. A file is never made to open another one or
            an address, whatever it says.
        on_error: what to do where the video is damaged: "fail" raises, "fill" gives a grey frame in place of each that
            was lost, up to the next that decodes on its own.

    Attributes:
        width: of the upright picture, in pixels.
        height: of the upright picture, in pixels.
        frame_rate: frames a second, on average.
        duration: seconds; None when not known beforehand.
        frame_count: number of frames by what the file says; None when not known beforehand.
        codec: of the video: "h264", "hevc", "vp9", "av1", "mjpeg" and others.
        has_audio: whether there is sound.
        dropped: in words, what else is in the file and does not come along.
        filled: how many frames were filled so far.
        grid: columns and rows of the upright picture that share a colour sample: whole multiples of it can be masked
            without a trace of what lies next to them.

    Times only go forward: one that repeats or goes back is moved, see ``notes``. Frames come from one thread at a time;
    a reader may be closed at any moment, and closing it again does nothing.

    Raises:
        ConfigError: an argument has no meaning.
        MediaError: the source cannot be opened, holds no video, or nothing of it can be decoded; later, in "fail", that
            it is damaged.
    """

    def __init__(self, source: str | os.PathLike[str], *, on_error: Literal["fail", "fill"] = "fail") -> None:
        if on_error not in {"fail", "fill"}:
            raise ConfigError(f'on_error is {on_error!r}: choose "fail" or "fill"')
        self._source = Source.of(source)
        self._fill = on_error == "fill"
        self._scaler = Scaler()
        self._begun = False
        self._ahead: deque[Result] = deque()
        self.filled = 0
        self._container: InputContainer | None = self._source.open()
        try:
            self._open(self._container)
        except BaseException:
            self.close()
            raise

    def _open(self, container: InputContainer) -> None:
        cut, holes = self._check_structure(container)
        stream = _main_stream(container, self._source)
        self._decoder = Decoder(self._source, container, stream, fill=self._fill)
        self._decoder.cut = cut
        # Frames that are not there are known by the time that they took, where all take the same.
        even = rate_of(stream) in {stream.average_rate, stream.base_rate}
        self._decoder.holes = holes or (cut and even and "mov" not in container.format.name.split(","))
        self._promised = promised_end(container, stream)
        self._results = self._decoder.results()
        good = self._first_good()
        self._timeline = Timeline(step=usual_step(stream), near=round(1 / (stream.time_base or 1)))
        start = next((result.time for result in self._ahead), None) or 0
        self._properties = properties_of(stream, good, start)
        self.width, self.height = self._properties.upright_size
        self.frame_rate = self._properties.rate
        self.codec = self._properties.codec
        across, down = self._properties.layout.grid
        self.grid = (down, across) if self._properties.orientation.transposed else (across, down)
        self.duration = _duration(container, stream)
        self.frame_count = _frame_count(stream, self.duration)
        self.has_audio = bool(container.streams.audio)
        self.dropped = _others(container, stream, good)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"VideoReader({self._source.name!r}, {self.width}x{self.height}, {self.codec})"

    def __iter__(self) -> Iterator[Frame]:
        """The frames as upright BGR pictures; a damaged one is grey."""
        for picture in self.pictures():
            yield Frame(picture.bgr(), picture.index, picture.time)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was not as it should be, in words, as far as the video was read."""
        said = []
        if self._timeline.moved:
            said.append(f"{self._timeline.moved} frame times repeated or went back and were moved forward")
        if self._decoder.skipped:
            said.append(
                f"{self._decoder.skipped} frames at the start cannot be decoded by themselves and were left out"
            )
        if self.filled:
            said.append(f"{self.filled} frames are damaged and were filled")
        return tuple(said)

    def pictures(self) -> Iterator[Picture]:
        """The frames as they were decoded; a video can be gone through once, as this or as frames.

        Raises:
            ConfigError: the video was gone through already, or is closed.
            MediaError: it is damaged.
        """
        if self._container is None:
            raise ConfigError(f"{self._source.name} is closed: open it again")
        if self._begun:
            raise ConfigError(f"{self._source.name} was gone through already: open it again")
        self._begun = True
        return self._pictures()

    def close(self) -> None:
        """Let go of the source. Nothing more can be read then; pictures that are held stay."""
        container, self._container = self._container, None
        if container is not None:
            self._results = iter(())
            self._ahead.clear()
            container.close()

    def _pictures(self) -> Iterator[Picture]:
        for index, result in enumerate(self._every()):
            tick = self._timeline.place(result.time)
            if result.frame is None:
                self.filled += 1
            yield Picture(
                result.frame, self._properties, self._scaler, index=index, tick=tick, duration=result.duration
            )

    def _every(self) -> Iterator[Result]:
        while self._ahead:
            yield self._ahead.popleft()
        while True:
            with self._translated():
                result = next(self._results, None)
            if result is None:
                break
            yield result
        if self._fill and self._container is not None:
            step = self._properties.step
            for time in self._decoder.missing(step, self._promised):
                yield Result(None, time, step)

    def _first_good(self) -> av.VideoFrame:
        """The first frame that can be decoded; those before it wait in ``_ahead`` with it."""
        with self._translated():
            for result in self._results:
                self._ahead.append(result)
                if result.frame is not None:
                    return result.frame
        what = "none of its frames can be decoded" if self._ahead else "its video has no frames"
        raise MediaError(f"{self._source.name} cannot be read: {what}; pass a complete video file")

    def _translated(self) -> AbstractContextManager[None]:
        return translated(
            self._source.name, "cannot be read to its end", "pass a complete video file", secret=self._source.live
        )

    def _check_structure(self, container: InputContainer) -> tuple[bool, bool]:
        """Whether the file is cut off, and whether it has holes; either raises unless it is to be filled."""
        path = self._source.path
        if path is None:
            return False, False
        name = container.format.name
        with translated(self._source.name, "cannot be read", "check your rights"):
            promised, size = promised_size(path, name), path.stat().st_size
            cut = promised is not None and size < promised
            holes = has_holes(path, name)
        if (cut or holes) and not self._fill:
            what = f"cut off: {size} of {promised} bytes are there" if cut else "damaged: parts of it are unreadable"
            raise MediaError(f'{self._source.name} is {what}; copy the file again, or pass on_error="fill"')
        return cut, holes


def _main_stream(container: InputContainer, source: Source) -> VideoStream:
    """The video: of those that are no cover pictures the default one, or the first."""
    streams = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not streams:
        raise MediaError(f"{source.name} holds no video: pass a video file")
    stream = next((one for one in streams if one.disposition & Disposition.default), streams[0])
    if stream.codec_context is None:
        raise MediaError(f"{source.name} is in a format that this build of FFmpeg cannot decode: convert it first")
    return stream


def _duration(container: InputContainer, stream: VideoStream) -> Fraction | None:
    if stream.duration is not None and stream.time_base is not None:
        return stream.duration * stream.time_base
    if container.duration is None:
        return None
    # Matroska says where the video ends, not how long it lasts.
    begins = (container.start_time or 0) if "matroska" in container.format.name else 0
    return Fraction(max(0, container.duration - begins), av.time_base)


def _frame_count(stream: VideoStream, duration: Fraction | None) -> int | None:
    """From the index of the container where there is a whole one, or else from its duration."""
    if "mov" in stream.container.format.name.split(",") and stream.frames:
        return stream.frames
    return None if duration is None else max(1, round(duration * rate_of(stream)))


def _others(container: InputContainer, main: VideoStream, frame: av.VideoFrame) -> tuple[str, ...]:
    """Everything but the video, in words."""
    said = [_named(stream) for stream in container.streams if stream.index != main.index]
    if container.chapters():
        said.append("chapters")
    said += [_SIDE_DATA[kind] for kind in side_data(frame) if kind in _SIDE_DATA]
    return tuple(dict.fromkeys(said))


def _named(stream: Stream) -> str:
    context = stream.codec_context
    codec = "" if context is None else f" ({context.codec.canonical_name})"
    if stream.type == "video":
        cover = bool(stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails))
        return "cover picture" if cover else f"second video{codec}"
    words = {"audio": "audio", "subtitle": "subtitles", "data": "data", "attachment": "attached file"}
    return words.get(stream.type, "unknown stream") + codec
