"""From frames to a file: an encoder, a container, and the times in between."""

from fractions import Fraction
from pathlib import Path
from typing import Any, Final, cast

import av
from av.container import Flags as ContainerFlags
from av.filter import Graph
from av.video.stream import VideoStream

from edgeanon.errors import MediaError
from edgeanon.video import encoder_options
from edgeanon.video.audio import AudioCopy
from edgeanon.video.colour import LIMITED, Colours
from edgeanon.video.encoders import Choice
from edgeanon.video.frames import Scaler, fresh, turned
from edgeanon.video.layout import Layout
from edgeanon.video.orientation import Orientation
from edgeanon.video.properties import Properties
from edgeanon.video.sources import Source
from edgeanon.video.times import Timeline

_TICKS_OF_AVI: Final = Fraction(1, 600)  # FFmpeg makes none that are finer
_TOP_FIELD_FIRST: Final = frozenset({2, 4})  # FFmpeg's numbers of field orders; 3 and 5 are the others
_FEW: Final = 2  # frames; so few are stored in the order in which they are shown


class Encoding:
    """A file being written.

    Args:
        temporary: where it is written.
        choice: what it is written as.
        frames: what the frames to come are like.
        sound: whose sound is copied; None for none.
        suffix: of the target, for messages.

    ``begin`` opens the encoder and writes the header, ``add`` takes a frame, ``finish`` writes what is left.
    """

    def __init__(
        self, temporary: Path, choice: Choice, frames: Properties, *, sound: Source | None, suffix: str
    ) -> None:
        self._choice = choice
        self._frames = frames
        self._turn = turns(frames, choice.container)
        self._scaler = Scaler()
        self._tick = _tick(frames, choice.container)
        # AVI has no other start than 0.
        self._shift = -frames.start * frames.time_base if choice.container == "avi" else Fraction(0)
        rate = frames.rate
        self._times = Timeline(step=max(1, round(1 / (rate * self._tick))), near=max(1, round(1 / self._tick)))
        self._rounded = 0
        self._count = 0
        self._packets = 0
        self._fields = None if frames.field_order in {0, 1} and not frames.interlaced else _fields(frames)
        self._graph: Graph | None = None
        self._colours = colours_of(frames, choice)
        self._suffix = suffix
        self._source = sound
        self._sound: AudioCopy | None = None
        self._output = av.open(f"file:{temporary.absolute()}", "w", format=choice.container)
        # Neither names and versions of libraries nor random numbers.
        self._output.flags |= cast("int", ContainerFlags.bitexact.value)

    @property
    def notes(self) -> tuple[str, ...]:
        """What had to be other than in the source, in words."""
        said = list(self._choice.notes)
        frames, encoder, container = self._frames, self._choice.encoder, self._choice.container
        if self._turn is not None:
            said.append(f"pictures are stored upright: {container} has no mark for it")
        if frames.light and encoder.codec not in {"h264", "hevc", "av1"}:
            said.append(f"HDR metadata are left out: they cannot be written with {encoder.codec}")
        if self._fields and encoder.codec != "h264":
            said.append(f"fields are coded as whole frames by {encoder.codec}")
        in_container = encoder.codec in {"vp9", "av1"} and container in {"matroska", "webm", "avi"}
        if in_container and frames.aspect not in {None, 1}:
            said.append(f"the shape of pixels ({frames.aspect}) is left out: it cannot be written there")
        if self._shift:
            said.append("times begin at 0: AVI has no other start")
        if self._rounded:
            said.append(f"{self._rounded} frame times were moved by less than {float(self._tick):.4f} s")
        if self._times.moved:
            said.append(f"{self._times.moved} frame times repeated or went back and were moved forward")
        return tuple(said)

    def begin(self, *, quality: float, preset: str | None) -> None:
        """Open the encoder and write the header."""
        choice, frames = self._choice, self._frames
        encoder = choice.encoder
        own = encoder_options.options(
            encoder,
            quality=quality,
            preset=preset,
            light=frames.light,
            interlaced=self._fields,
            reorder=choice.container != "avi",
        )
        stream = cast("VideoStream", self._output.add_stream(encoder.library, rate=frames.rate, options=own))
        context = stream.codec_context
        transposed = self._turn is not None and self._turn.transposed
        context.width, context.height = (frames.height, frames.width) if transposed else (frames.width, frames.height)
        context.pix_fmt = choice.layout.name
        context.time_base = self._tick
        context.color_primaries, context.color_trc = self._colours.primaries, self._colours.transfer
        context.colorspace, context.color_range = self._colours.matrix, self._colours.range
        if frames.aspect:
            context.sample_aspect_ratio = 1 / frames.aspect if transposed else frames.aspect
        if frames.field_order:
            context.field_order = frames.field_order
        if encoder.codec == "hevc" and choice.container in {"mp4", "mov"}:
            context.codec_tag = "hvc1"  # the other one, FFmpeg's own choice, is not played everywhere
        if frames.matrix is not None and self._turn is None:
            stream.set_display_matrix(frames.matrix)
        encoder_options.prepare(stream, encoder, quality=quality, interlaced=self._fields)
        self._stream = stream
        if self._source is not None:
            self._sound = AudioCopy(self._source, self._output, self._suffix, self._shift)
        with encoder_options.quiet(encoder):
            self._output.start_encoding()
        if self._fields and encoder.codec == "h264":
            self._graph = _fields_graph(context.width, context.height, choice.layout, self._tick, self._fields)

    def add(self, frame: av.VideoFrame) -> None:
        """Encode a frame of the layout and colours of the source, with its time in any time base."""
        base = frame.time_base or self._frames.time_base
        time, duration = (frame.pts or 0) * base, frame.duration * base
        if self._turn is not None:
            frame = self._turned(frame, self._turn)
        if frame.format.name != self._choice.layout.name:
            layout = self._choice.layout
            frame = fresh(self._scaler.planes(frame, layout, self._colours), layout, self._colours)
        exact = (time + self._shift) / self._tick
        tick = round(exact)
        self._rounded += tick != exact and self._choice.container == "avi"
        frame.time_base = self._tick
        frame.pts = self._times.place(tick)
        frame.duration = round(duration / self._tick)
        if self._graph is not None:
            self._graph.push(frame)
            frame = cast("av.VideoFrame", self._graph.pull())
        self._count += 1
        self._mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Write what the encoder holds back, the rest of the sound, and the end.

        Raises:
            MediaError: the encoder lost frames.
        """
        rest = self._stream.encode(None)
        if self._count <= _FEW and len(rest) == self._count:
            # x265 leaves the decoding times of one or two frames unset, and whatever was in memory gets into the file.
            for packet in rest:
                packet.dts = packet.pts
        self._mux(rest)
        if self._packets != self._count:
            raise MediaError(
                f"the encoder of {self._choice.encoder.codec} gave {self._packets} frames for {self._count}: "
                "use another codec"
            )
        if self._sound is not None:
            self._sound.copy_until(None)
        self._output.close()
        self.close()

    @property
    def codec(self) -> str:
        """What it is written as."""
        return self._choice.encoder.codec

    @property
    def count(self) -> int:
        """How many frames were added."""
        return self._count

    def close(self) -> None:
        """Let go of everything. What was written is no whole file unless it was finished."""
        if self._sound is not None:
            self._sound.close()
        self._output.close()

    def _turned(self, frame: av.VideoFrame, orientation: Orientation) -> av.VideoFrame:
        layout, colours = self._frames.layout, self._frames.colours
        square = squared(layout, orientation)
        if square != layout:
            frame, layout = self._scaler.planes(frame, square, colours), square
        return turned(frame, layout, colours, orientation)

    def _mux(self, packets: "list[av.Packet[Any]]") -> None:
        for packet in packets:
            self._packets += 1
            if self._sound is not None and packet.dts is not None:
                self._sound.copy_until(packet.dts * packet.time_base - self._shift)
            self._output.mux_one(packet)


def turns(frames: Properties, container: str) -> Orientation | None:
    """How pictures must be turned before they are stored; None where the container can say how they are to be."""
    return frames.orientation if container == "avi" and not frames.orientation.plain else None


def squared(layout: Layout, orientation: Orientation) -> Layout:
    """A layout whose planes can be turned: its own, or one with all of the colour."""
    if not orientation.transposed or layout.shift_x == layout.shift_y:
        return layout
    return Layout.yuv(layout.depth, full_chroma=True)


def colours_of(frames: Properties, choice: Choice) -> Colours:
    """What the samples mean that the encoder gets."""
    colours = frames.colours
    if frames.layout.model == "rgb" and choice.layout.model != "rgb":
        return Colours(colours.primaries, colours.transfer, 1 if frames.height >= 720 else 6, LIMITED)
    if choice.encoder.codec == "mjpeg" and not colours.range:
        return Colours(colours.primaries, colours.transfer, colours.matrix, LIMITED)
    return colours


def _tick(frames: Properties, container: str) -> Fraction:
    """Seconds a tick of the encoder."""
    if container != "avi":
        return frames.time_base
    if frames.even:
        return 1 / frames.rate
    return max(frames.time_base, _TICKS_OF_AVI)


def _fields(frames: Properties) -> str:
    return "tff" if frames.field_order in _TOP_FIELD_FIRST else "bff"


def _fields_graph(width: int, height: int, layout: Layout, tick: Fraction, fields: str) -> Graph:
    """Marks frames as two fields, which frames made in Python cannot be otherwise."""
    graph = Graph()
    source = graph.add_buffer(width=width, height=height, format=av.VideoFormat(layout.name), time_base=tick)
    graph.link_nodes(source, graph.add("setfield", f"mode={fields}"), graph.add("buffersink")).configure()
    return graph
