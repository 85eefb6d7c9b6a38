"""What a video is, beside its pictures: all that a copy of it must have too."""

import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
from av.video.stream import VideoStream

from edgeanon.video.colour import FULL, Colours
from edgeanon.video.layout import Layout
from edgeanon.video.orientation import Matrix, Orientation

USUAL_RATE = Fraction(25)
"""Frames a second where a video does not say."""

_FASTEST = 240  # frames a second that are still believed of AVI


@dataclass(frozen=True, slots=True)
class Light:
    """How an HDR picture was mastered.

    Attributes:
        primaries: x and y of red, green, blue and white, 0..1.
        luminance: least and greatest of the mastering display, in candela a square metre.
        levels: greatest light of a pixel and of a frame's mean, in candela a square metre; None when not said.
    """

    primaries: tuple[tuple[float, float], ...] | None
    luminance: tuple[float, float] | None
    levels: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Properties:
    """What holds for every frame of a stream.

    Attributes:
        codec: of the stream, as FFmpeg names it: "h264", "hevc", "vp9", "av1", "mjpeg" and others.
        width: of the stored picture, in pixels ...
        height: ... before it is turned upright.
        format: of the decoded pixels.
        layout: of the pixels that a writer gets.
        colours: what their samples mean.
        matrix: the display matrix; None when there is none.
        orientation: how pictures are turned to be upright.
        aspect: width of a stored pixel over its height; None when not said.
        field_order: FFmpeg's number: 1 progressive, 2..5 interlaced, 0 not said.
        interlaced: whether frames are two fields.
        light: HDR metadata; None when there are none.
        time_base: seconds a tick.
        start: tick of the first frame.
        rate: frames a second, on average.
        even: all frames last equally long, as far as the start of the stream shows.
    """

    codec: str
    width: int
    height: int
    format: str
    layout: Layout
    colours: Colours
    matrix: Matrix | None
    orientation: Orientation
    aspect: Fraction | None
    field_order: int
    interlaced: bool
    light: Light | None
    time_base: Fraction
    start: int
    rate: Fraction
    even: bool

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height of an upright picture."""
        return (self.height, self.width) if self.orientation.transposed else (self.width, self.height)

    @property
    def step(self) -> int:
        """Ticks from frame to frame at the average rate, at least 1."""
        return max(1, round(1 / (self.rate * self.time_base)))


def properties_of(stream: VideoStream, frame: av.VideoFrame, start: int) -> Properties:
    """What a stream and its first good frame tell; ``start`` is the tick of the first frame."""
    context = stream.codec_context
    layout = Layout.holding(frame.format.name, frame.width, frame.height)
    kinds = side_data(frame)
    matrix = _matrix(kinds)
    aspect = stream.sample_aspect_ratio
    return Properties(
        codec=codec_name(stream),
        width=frame.width,
        height=frame.height,
        format=frame.format.name,
        layout=layout,
        colours=_colours(frame, layout),
        matrix=matrix,
        orientation=Orientation.of(matrix),
        aspect=aspect or None,
        field_order=context.field_order,
        interlaced=frame.interlaced_frame,
        light=_light(kinds),
        time_base=stream.time_base or Fraction(1, 90000),
        start=start,
        rate=rate_of(stream),
        even=rate_of(stream) == stream.average_rate == stream.base_rate,
    )


def codec_name(stream: VideoStream) -> str:
    """The name of the format that the stream is in, whichever decoder reads it."""
    return stream.codec_context.codec.canonical_name


def rate_of(stream: VideoStream) -> Fraction:
    """Frames a second, on average."""
    rate = stream.average_rate or stream.guessed_rate or stream.base_rate or USUAL_RATE
    if stream.container.format.name == "avi" and stream.duration and stream.time_base:
        # The rate of AVI is that of its ticks, of which a frame may last many; its index has the frames alone.
        if stream.base_rate and stream.base_rate < rate:
            return stream.base_rate
        if rate > _FASTEST:
            return len(stream.index_entries) / (stream.duration * stream.time_base) or USUAL_RATE
    return rate


def _colours(frame: av.VideoFrame, layout: Layout) -> Colours:
    name = frame.format.name
    colour_range = FULL if name.startswith("yuvj") else int(frame.color_range)
    matrix = int(frame.colorspace)
    if frame.format.is_rgb and layout.model != "rgb":
        # Converted to luma and chroma, for which "red, green and blue" is no matrix.
        matrix, colour_range = (1 if frame.height >= 720 else 6), 1
    return Colours(int(frame.color_primaries), int(frame.color_trc), matrix, colour_range)


def side_data(frame: av.VideoFrame) -> dict[str, bytes]:
    """What rides on a frame beside its samples, by FFmpeg's name of the kind."""
    every: Any = frame.side_data  # its type in PyAV's stubs is another
    return {data.type.name: bytes(data) for data in every}


def _matrix(kinds: dict[str, bytes]) -> Matrix | None:
    data = kinds.get("DISPLAYMATRIX")
    return None if data is None else struct.unpack_from("=9i", data)


def _light(kinds: dict[str, bytes]) -> Light | None:
    mastering, levels = kinds.get("MASTERING_DISPLAY_METADATA"), kinds.get("CONTENT_LIGHT_LEVEL")
    primaries = luminance = None
    if mastering and len(mastering) >= 88:
        # AVMasteringDisplayMetadata: ten rationals, then two flags.
        numbers = struct.unpack_from("=20i", mastering)
        values = [n / d if d else 0.0 for n, d in zip(numbers[::2], numbers[1::2], strict=True)]
        has_primaries, has_luminance = struct.unpack_from("=2i", mastering, 80)
        if has_primaries:
            primaries = tuple(zip(values[0:8:2], values[1:8:2], strict=True))
        if has_luminance:
            luminance = values[8], values[9]
    found = struct.unpack_from("=2I", levels) if levels and len(levels) >= 8 else None
    if primaries is None and luminance is None and found is None:
        return None
    return Light(primaries, luminance, found)
