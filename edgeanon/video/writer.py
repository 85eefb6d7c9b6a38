"""Videos, written whole or not at all."""

import os
from contextlib import AbstractContextManager, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import av

from edgeanon.detections import Frame
from edgeanon.errors import ConfigError, MediaError
from edgeanon.images import atomic_target
from edgeanon.video import encoder_options
from edgeanon.video.arguments import checked_pixels, checked_rate, checked_size, plain_properties
from edgeanon.video.encoders import choose
from edgeanon.video.encoding import Encoding, squared, turns
from edgeanon.video.foreign import translated
from edgeanon.video.frames import Scaler
from edgeanon.video.layout import Layout
from edgeanon.video.properties import Properties
from edgeanon.video.reader import VideoReader


class VideoWriter:
    """A video that appears under its name when it is whole, or not at all.

    Args:
        target: the file to make; its suffix (.mp4, .m4v, .mov, .mkv, .webm, .avi) says the container.
        like: the reader whose video this is a copy of: codec, size, orientation, times, pixel format, colours, HDR
            metadata, shape of pixels and fields come out as they went in. What cannot is said in ``notes``.
        width: without ``like``, in pixels; by default that of the first frame.
        height: without ``like``, in pixels; by default that of the first frame.
        frame_rate: without ``like``, frames a second that the file names; times are those of the frames in any case.
        codec: "h264", "hevc", "vp9", "av1", "mjpeg", or "auto" for that of ``like`` where it can be written, and H.264
            otherwise.
        quality: on the codec's own scale, where less is better: 0..51, usually 20, for h264 (CRF of x264); 0..51,
            usually 24, for hevc (CRF of x265); 0..63, usually 30, for vp9; 0..63, usually 28, for av1; 1..31, usually
            3, for mjpeg.
        preset: the encoder's own, between fast and small: "ultrafast" .. "placebo", usually "veryfast", for h264 and
            hevc; 0..8, usually 6, for vp9; 0..13, usually 10, for av1.
        audio: "drop", or "keep" to copy the sound of ``like`` bit for bit.
        overwrite: whether an existing target may be replaced. The source never is.

    Use it as a context manager: leaving it publishes the file, an error in it leaves nothing. While the work is under
    way the file has another name, and nobody else may read it. No metadata are written, neither of the file nor of its
    streams. Frames come from one thread at a time.

    Raises:
        ConfigError: an argument has no meaning, or the container does not take what was asked for.
        MediaError: the target exists or cannot be written, or the encoder does not open.
    """

    def __init__(
        self,
        target: str | os.PathLike[str],
        *,
        like: VideoReader | None = None,
        width: int | None = None,
        height: int | None = None,
        frame_rate: Fraction | float | None = None,
        codec: str = "auto",
        quality: float | None = None,
        preset: str | int | None = None,
        audio: Literal["drop", "keep"] = "drop",
        overwrite: bool = False,
    ) -> None:
        self._done = False
        self._encoding: Encoding | None = None
        self._publishing: AbstractContextManager[Path] | None = None
        self._target = Path(target)
        self._codec, self._quality, self._preset = codec, quality, preset
        self._source = _sound_of(like, audio)
        self._frames = like._properties if like is not None else None  # noqa: SLF001
        if like is not None and not (width is height is frame_rate is None):
            raise ConfigError("width, height and frame_rate are those of like: leave them out")
        self._size = checked_size(width, height)
        self._rate = checked_rate(frame_rate)
        self._scaler = Scaler()
        # What does not depend on the frames is judged before the first comes.
        encoder = choose(
            self._target, codec, None if like is None else like.codec, Layout.yuv(8, full_chroma=False), (2, 2)
        ).encoder
        if codec != "auto":
            encoder_options.check(encoder, quality, preset)
        self._publishing = atomic_target(
            self._target,
            overwrite=overwrite,
            source=None if like is None else like._source.path,  # noqa: SLF001
        )
        self._temporary = self._publishing.__enter__()
        try:
            if self._frames is not None:
                self._begin(self._frames)
            elif self._size is not None:
                self._begin(self._plain(*self._size))
        except BaseException:
            self.discard()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self.discard()

    def __del__(self) -> None:
        if not getattr(self, "_done", True):
            self.discard()

    def __repr__(self) -> str:
        return f"VideoWriter({str(self._target)!r})"

    @property
    def notes(self) -> tuple[str, ...]:
        """What had to be other than in the source, in words, as far as the video was written."""
        return () if self._encoding is None else self._encoding.notes

    @property
    def codec(self) -> str | None:
        """What it is written as; None before it is known."""
        return None if self._encoding is None else self._encoding.codec

    def write(self, frame: Frame) -> None:
        """Add a frame.

        Args:
            frame: upright BGR pixels of the size of the video, with its time from the first frame.

        Raises:
            ConfigError: the frame has another size, or the video is closed.
            MediaError: it cannot be written. Nothing of the video stays then.
        """
        pixels = checked_pixels(frame.pixels)
        height, width = pixels.shape[:2]
        frames = self._frames or self._begin(self._plain(width, height))
        if (width, height) != frames.upright_size:
            raise ConfigError(
                "the frame has {}x{} pixels and the video {}x{}: make them the same".format(
                    width, height, *frames.upright_size
                )
            )
        picture = self._scaler.picture(frames.orientation.stored(pixels), frames.layout, frames.colours)
        picture.time_base = frames.time_base
        picture.pts = frames.start + round(frame.time / frames.time_base)
        self.encode(picture)

    def encode(self, frame: Any) -> None:
        """Add a frame that ``Picture.masked``, ``untouched`` or ``filled`` made.

        Raises:
            ConfigError: it is no such frame of the video that this is a copy of, or the video is closed.
            MediaError: it cannot be written. Nothing of the video stays then.
        """
        if self._done:
            raise ConfigError(f"{self._target} is closed: nothing more can be written to it")
        frames, encoding = self._frames, self._encoding
        if (
            frames is None
            or encoding is None
            or not isinstance(frame, av.VideoFrame)
            or (frame.width, frame.height, frame.format.name) != (frames.width, frames.height, frames.layout.name)
        ):
            raise ConfigError("encode takes frames that a Picture of the video in like made: use write for others")
        with self._unharmed():
            encoding.add(frame)

    def close(self) -> None:
        """Finish and publish the file. Does nothing when that was done, or the video was discarded.

        Raises:
            MediaError: there is no frame, or the file cannot be written. Nothing of it stays then.
        """
        if self._done:
            return
        with self._unharmed():
            if self._encoding is None or not self._encoding.count:
                raise MediaError(f"{self._target} would have no frames and is not written: add some before closing")
            self._encoding.finish()
        publishing, self._publishing = self._publishing, None
        self._done = True
        if publishing is not None:
            publishing.__exit__(None, None, None)

    def discard(self) -> None:
        """Give the video up: nothing of it stays."""
        self._done = True
        if self._encoding is not None:
            with suppress(Exception):
                self._encoding.close()
        publishing, self._publishing = self._publishing, None
        if publishing is not None:
            with suppress(_Discarded):
                publishing.__exit__(_Discarded, _Discarded(), None)

    def _begin(self, frames: Properties) -> Properties:
        """Open the encoder for frames like these."""
        container = "avi" if self._target.suffix.lower() == ".avi" else ""
        layout, size = frames.layout, (frames.width, frames.height)
        turn = turns(frames, container)
        if turn is not None:
            layout, size = squared(layout, turn), frames.upright_size
        choice = choose(self._target, self._codec, frames.codec, layout, size)
        quality, preset = encoder_options.check(choice.encoder, self._quality, self._preset)
        self._frames = frames
        with self._unharmed():
            self._encoding = Encoding(
                self._temporary, choice, frames, sound=self._source, suffix=self._target.suffix.lower()
            )
            self._encoding.begin(quality=quality, preset=preset)
        return frames

    def _plain(self, width: int, height: int) -> Properties:
        """A video that is a copy of no other."""
        if self._size is not None and self._size != (width, height):
            raise ConfigError(f"the frame has {width}x{height} pixels and the video {self._size}: make them the same")
        return plain_properties(width, height, self._rate)

    def _unharmed(self) -> "_Unharmed":
        return _Unharmed(self)


class _Discarded(Exception):  # noqa: N818 - says what happened, and nobody sees it
    """A video was given up."""


class _Unharmed:
    """A block after whose failure nothing of the video stays; foreign errors are translated."""

    def __init__(self, writer: VideoWriter) -> None:
        self._writer = writer
        self._translated = translated(
            str(writer._target),  # noqa: SLF001
            "cannot be written",
            "check the room there, or use another codec",
        )

    def __enter__(self) -> None:
        self._translated.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self._writer.discard()
        self._translated.__exit__(kind, error, traceback)


def _sound_of(like: VideoReader | None, audio: str) -> Any:
    if audio not in {"drop", "keep"}:
        raise ConfigError(f'audio is {audio!r}: choose "drop" or "keep"')
    if audio == "drop":
        return None
    if like is None:
        raise ConfigError('audio="keep" copies the sound of like: pass a VideoReader there')
    source = like._source  # noqa: SLF001
    if source.live:
        raise ConfigError('the sound of a network source cannot be kept: pass audio="drop"')
    return source if like.has_audio else None
