"""From packets to frames, with nothing lost unseen.

Decoders conceal: what they cannot read they guess, or leave out. Every packet that goes in is written down by its time
and struck off when a frame of that time comes out, so that what is missing is known; frames on which the decoder set a
mark count as damaged, and so do all after them up to the next that stands on its own. What is wrong in a way that
decodes without an objection can't be seen: a changed bit in an arithmetic code (HEVC, VP9, AV1) often is.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import av
from av.codec.context import Flags, ThreadType
from av.container import InputContainer
from av.video.stream import VideoStream

from edgeanon.errors import MediaError
from edgeanon.video.foreign import processors, words
from edgeanon.video.properties import codec_name, rate_of
from edgeanon.video.sources import Source

# One packet makes one frame in these, unless it is marked to be discarded.
_ONE_TO_ONE: Final = frozenset({"h264", "hevc", "vp9", "av1", "mjpeg"})
# Nothing that these encode has as many zero bytes in a row; holes in a file have.
_NEVER_ZERO: Final = frozenset({"h264", "hevc", "vp9"})
_HOLE: Final = bytes(64)
# In these a packet holds both fields of a frame, and the first is one to begin with.
_WHOLE_FRAMES: Final = frozenset({"mov", "matroska", "webm", "avi"})
_MOST_WAITING: Final = 128  # packets without a frame; no decoder holds back that many
_MOST_FAILURES: Final = 16  # of the container in a row, after which it counts as ended


class Result(NamedTuple):
    """One frame, or the place of one that could not be decoded."""

    frame: av.VideoFrame | None
    time: int | None
    duration: int


class _Waiting(NamedTuple):
    """A packet whose frame has not come out yet; they sort in order of appearance."""

    lap: int
    time: int
    duration: int


class Decoder:
    """Decodes one stream of an opened container, once.

    Args:
        source: for messages.
        container: opened; read by nobody else.
        stream: one of its streams.
        fill: whether what is damaged comes out as a ``Result`` without a frame; otherwise it raises.

    Attributes:
        skipped: packets before the first frame that stands on its own.
        cut: the container ended before its end; may be set by who knows.
        holes: packets may be missing without a trace but the time that they took; may be set by who knows.
    """

    def __init__(self, source: Source, container: InputContainer, stream: VideoStream, *, fill: bool) -> None:
        self._source = source
        self._container = container
        self._stream = stream
        self._fill = fill
        self._codec = codec_name(stream)
        formats = set(container.format.name.split(","))
        self._whole = bool(formats & _WHOLE_FRAMES)
        self._indexed = "mov" in formats
        self._counted = self._codec in _ONE_TO_ONE and (self._whole or stream.codec_context.field_order in {0, 1})
        self._waiting: list[_Waiting] = []
        self._suspect: set[int | None] = set()
        # AVI stores no times of showing. FFmpeg's guess moves each frame to the next one's place, which shows where
        # frames are unevenly spaced; the times of decoding, in order, are what was meant.
        self._stamps: deque[int] | None = deque() if self._counted and "avi" in formats else None
        self._tainted = False
        self._form: tuple[int, int, str] | None = None
        self._lap = 0
        self._first: int | None = None  # time of the first packet that stands on its own
        self._delay = 0  # from decoding to showing, in ticks
        self._last_dts: int | None = None
        self._end = 0  # where the last frame ends, in ticks
        self._packets = 0
        self._out = 0
        self.skipped = 0
        self.cut = False
        self.holes = False
        self._prepare()

    def results(self) -> Iterator[Result]:
        """All frames in the order in which they are shown.

        Raises:
            MediaError: something is damaged and not to be filled.
        """
        step = usual_step(self._stream)
        for result in map(self._stamped, self._decoded()):
            if self.holes and self._out and result.time is not None:
                for time in range(self._end, result.time - step // 2, step):
                    self._out += 1
                    yield Result(None, time, step)
            self._out += 1
            if result.time is not None:
                self._end = max(self._end, result.time + (result.duration or step))
            yield result

    def missing(self, step: int, promised_end: int | None) -> list[int]:
        """Times of the frames that a container which was cut off had after its end, as far as it says.

        Args:
            step: ticks from frame to frame.
            promised_end: where the container says that it ends, in ticks.
        """
        if self._indexed:
            last = self._last_dts
            stamps = (entry.timestamp for entry in self._stream.index_entries if not entry.is_discard)
            return sorted(stamp + self._delay for stamp in stamps if last is None or stamp > last)
        if promised_end is None or not (self.cut or self.holes):
            return []
        return list(range(self._end, promised_end - step // 2, step))

    def _prepare(self) -> None:
        context = self._stream.codec_context
        # Threads within a frame make the H.264 decoder keep its errors to itself.
        context.thread_type = ThreadType.FRAME
        context.thread_count = processors(8)
        context.flags |= Flags.output_corrupt
        # In JPEG each picture stands alone, and this is the only way to hear of errors in one.
        context.options = {"err_detect": "explode" if self._codec == "mjpeg" else "crccheck"}

    def _decoded(self) -> Iterator[Result]:
        for packet in self._read():
            if self._take(packet):
                yield from self._decode(packet)
                while len(self._waiting) > _MOST_WAITING:
                    yield from self._lose(self._waiting.pop(0))
        yield from self._decode(None)
        for waiting in self._waiting:
            yield from self._lose(waiting)
        self._waiting = []

    def _stamped(self, result: Result) -> Result:
        if not self._stamps:
            return result
        return result._replace(time=self._stamps.popleft())

    def _read(self) -> "Iterator[av.Packet[Any]]":
        """Packets of the stream. Those of other streams are passed over."""
        failures = 0
        while failures < _MOST_FAILURES:
            try:
                for packet in self._container.demux(self._stream):
                    if packet.size:
                        failures = 0
                        yield packet
            except av.FFmpegError as error:
                self._report(f"the container ends or breaks there: {words(error, secret=self._source.live)}")
                failures += 1
                self.cut = True
            else:
                break
        if self._indexed and self._packets < len(self._stream.index_entries):
            self.cut = True
            self._report("the file ends there, before its end")

    def _take(self, packet: "av.Packet[Any]") -> bool:
        """Write a packet down. Whether it goes to the decoder."""
        if not self._packets and not self._whole and not packet.is_keyframe:
            self.skipped += 1  # a recording that begins in the middle: nothing before this can be shown
            return False
        self._packets += 1
        time, dts = packet.pts, packet.dts
        if self._packets == 1:
            self._first = time
            self._delay = 0 if time is None or dts is None else time - dts
        if dts is not None:
            if self._last_dts is not None and dts < self._last_dts:
                self._lap += 1
            self._last_dts = dts
        if packet.is_corrupt or (self._codec in _NEVER_ZERO and _HOLE in bytes(packet)):
            self._report("data are missing there")
            self._suspect.add(time)
        if self._counted and not packet.is_discard and time is not None:
            insort(self._waiting, _Waiting(self._lap, time, packet.duration or 0))
            if self._stamps is not None and dts is not None:
                self._stamps.append(dts)
        return True

    def _decode(self, packet: "av.Packet[Any] | None") -> Iterator[Result]:
        try:
            frames = self._stream.decode(packet)
        except av.FFmpegError as error:
            if packet is None and isinstance(error, av.EOFError):
                return
            self._report(words(error))
            if not self._counted and packet is not None:
                self._tainted = True
                yield Result(None, packet.pts, packet.duration or 0)
            return
        for frame in frames:
            yield from self._account(frame)

    def _account(self, frame: av.VideoFrame) -> Iterator[Result]:
        """A frame that came out, after those that should have come before it."""
        time = frame.pts
        if self._counted and time is not None:
            # Where times of packets count decoding, as in AVI, they say nothing of order: the first one waiting it is.
            at = self._place(time) if self._stamps is None else 0 if self._waiting else None
            if at is not None:
                before, self._waiting = self._waiting[:at], self._waiting[at + 1 :]
                for waiting in before:
                    yield from self._lose(waiting)
        if frame.interlaced_frame and not self._whole:
            self._counted = False  # each field may be a packet of its own
            self._waiting = []
        damaged = frame.is_corrupt or time in self._suspect
        if frame.key_frame and not damaged:
            self._tainted = False
        self._suspect.discard(time)
        if damaged:
            if self._leads(time):
                return
            self._report("the decoder marked it as damaged")
            self._tainted = True
        form = frame.width, frame.height, frame.format.name
        if self._form is None and not self._tainted:
            self._form = form
        if self._form is not None and form != self._form:
            self._report(
                "it is {}x{} {} where those before are {}x{} {}".format(*form, *self._form), "cut the video there"
            )
            yield Result(None, time, frame.duration)
        else:
            yield Result(None if self._tainted else frame, time, frame.duration)

    def _place(self, time: int) -> int | None:
        """Where among the waiting is the first of this time."""
        for lap in range(self._waiting[0].lap if self._waiting else 0, self._lap + 1):
            at = bisect_left(self._waiting, (lap, time))
            if at < len(self._waiting) and self._waiting[at][:2] == (lap, time):
                return at
        return None

    def _lose(self, waiting: _Waiting) -> Iterator[Result]:
        self._suspect.discard(waiting.time)
        if self._leads(waiting.time):
            return
        self._report("it cannot be decoded")
        self._tainted = True
        yield Result(None, waiting.time, waiting.duration)

    def _leads(self, time: int | None) -> bool:
        """Whether a frame is shown before the first that stands on its own: it needs some that are not there."""
        return self._out == 0 and time is not None and self._first is not None and time < self._first

    def _report(self, reason: str, remedy: str = "copy or repair the file") -> None:
        """Raise what is wrong at the next frame, unless it is to be filled."""
        if not self._fill:
            raise MediaError(
                f'{self._source.name} is damaged at frame {self._out} ({reason}): {remedy}, or pass on_error="fill"'
            ) from None


def promised_end(container: InputContainer, stream: VideoStream) -> int | None:
    """Where the container says that the stream ends, in ticks of the stream."""
    if container.format.name == "avi" and stream.frames:
        return stream.frames  # ticks by the header; what FFmpeg calls duration is as much as it found
    if stream.duration is not None:
        return (stream.start_time or 0) + stream.duration
    if container.duration is None or stream.time_base is None:
        return None
    return round(container.duration / (av.time_base * stream.time_base))


def usual_step(stream: VideoStream) -> int:
    """Ticks from frame to frame at the average rate, at least 1."""
    return 1 if stream.time_base is None else max(1, round(1 / (rate_of(stream) * stream.time_base)))
