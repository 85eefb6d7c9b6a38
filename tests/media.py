"""Videos for the tests, made where they are needed."""

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

LIBRARIES = {"h264": "libx264", "hevc": "libx265", "vp9": "libvpx-vp9", "av1": "libsvtav1", "mjpeg": "mjpeg"}
QUICK: dict[str, dict[str, str]] = {
    "h264": {"preset": "ultrafast", "crf": "20", "g": "10", "bf": "2"},
    "hevc": {"preset": "ultrafast", "x265-params": "log-level=none:keyint=10:pools=1:frame-threads=1"},
    "vp9": {"deadline": "realtime", "cpu-used": "8", "g": "10"},
    "av1": {"preset": "12", "svtav1-params": "lp=1", "g": "10"},
    "mjpeg": {},
}
CAPTION = b"GA94"
"""What every closed caption after ATSC A/53 begins with."""


def riding(frame: av.VideoFrame) -> dict[str, bytes]:
    """What is on a frame beside its samples, by kind."""
    every: Any = frame.side_data  # its type in PyAV's stubs is another
    return {data.type.name: bytes(data) for data in every}


def samples(plane: Any, *, deep: bool) -> NDArray[Any]:
    """Samples of a plane over its own memory, two bytes each when ``deep``."""
    rows = np.frombuffer(plane, np.uint16 if deep else np.uint8).reshape(plane.height, -1)
    return rows[:, : plane.width]


def planes(frame: av.VideoFrame) -> list[NDArray[Any]]:
    """Samples of a planar frame, copied."""
    return [samples(plane, deep="le" in frame.format.name).copy() for plane in frame.planes]


def drawn(index: int, width: int, height: int, pixel_format: str = "yuv420p") -> av.VideoFrame:
    """A frame with a texture that moves, and a bright corner at the top left of the stored picture."""
    frame = av.VideoFrame(width, height, pixel_format)
    deep = "10le" in pixel_format
    unit = 4 if deep else 1
    for number, plane in enumerate(frame.planes):
        view = samples(plane, deep=deep)
        rows, columns = np.mgrid[: view.shape[0], : view.shape[1]]
        wave = np.sin((columns + 3 * index) / 7) * np.cos((rows - 2 * index) / 5)
        view[...] = ((110 + 40 * number / 3 + 60 * wave) * unit).astype(view.dtype)
        view[: plane.height // 4, : plane.width // 4] = (128 if number else 235) * unit
    return frame


def make(
    path: Path,
    codec: str = "h264",
    *,
    frames: int = 12,
    size: tuple[int, int] = (96, 64),
    pixel_format: str = "yuv420p",
    time_base: Fraction = Fraction(1, 12800),
    ticks: Sequence[int] | None = None,
    rate: Fraction | int = 25,
    prepare: Callable[[Any], None] = lambda _: None,
    options: dict[str, str] | None = None,
    others: "Callable[[Any], Iterable[av.Packet[Any]]]" = lambda _: (),
) -> Path:
    """A video file of ``frames`` frames at ``ticks`` of ``time_base``, evenly spaced at ``rate`` by default."""
    if codec == "mjpeg":
        pixel_format = pixel_format.replace("yuv4", "yuvj4")
    step = round(1 / (rate * time_base))
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(LIBRARIES[codec], rate=rate, options=QUICK[codec] | (options or {}))
        stream.width, stream.height = size
        stream.pix_fmt = pixel_format
        stream.codec_context.time_base = time_base
        stream.codec_context.thread_count = 1
        prepare(stream)
        extra = list(others(container))
        for packet in extra:
            container.mux_one(packet)
        for index in range(frames):
            frame = drawn(index, *size, pixel_format)
            frame.pts = index * step if ticks is None else ticks[index]
            frame.time_base = time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def sound(codec: str = "aac", seconds: float = 0.5, *, rate: int = 48000) -> Callable[[Any], list[Any]]:
    """For ``others`` of ``make``: a tone."""

    def add(container: Any) -> list[Any]:
        stream = container.add_stream(codec, rate=rate)
        stream.layout = "mono"
        packets = []
        size = stream.codec_context.frame_size or 1024
        form = stream.codec_context.format.name
        for start in range(0, int(seconds * rate), size):
            wave = np.sin(np.arange(start, start + size) / 20).astype(np.float32)[None]
            samples = wave if "flt" in form else (wave * 20000).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(samples, form, "mono")
            frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
            packets += stream.encode(frame)
        return packets + list(stream.encode(None))

    return add


def encoded(codec: str, count: int, size: tuple[int, int], pixel_format: str = "yuv420p") -> list[bytes]:
    """The bare stream of a video, one item a frame."""
    context: Any = av.CodecContext.create(LIBRARIES[codec], "w")
    context.width, context.height, context.pix_fmt = *size, pixel_format
    context.framerate, context.time_base = Fraction(25), Fraction(1, 25)
    context.options = QUICK[codec] | ({"bf": "0"} if codec == "h264" else {})
    packets = []
    for index in range(count):
        frame = drawn(index, *size, pixel_format)
        frame.pts, frame.time_base = index, Fraction(1, 25)
        packets += context.encode(frame)
    return [bytes(packet) for packet in packets + context.encode(None)]


def captioned(path: Path, *, count: int = 8, size: tuple[int, int] = (96, 64)) -> Path:
    """An MPEG transport stream in H.264 with closed captions in every frame."""
    caption = b"\xb5\x00\x31" + CAPTION + b"\x03\x42\xff" + b"\xfc\xc8\xe5" + b"\xfc\xec\xf0" + b"\xff"
    message = b"\x00\x00\x00\x01\x06\x04" + bytes([len(caption)]) + caption + b"\x80"
    with av.open(str(path), "w", format="mpegts") as container:
        stream = container.add_mux_stream("h264", rate=25, width=size[0], height=size[1])
        for index, data in enumerate(encoded("h264", count, size)):
            packet: Any = av.Packet(message + data)
            packet.stream, packet.time_base = stream, Fraction(1, 25)
            packet.pts = packet.dts = index
            container.mux_one(packet)
    return path


def decoded(path: Path) -> list[av.VideoFrame]:
    """All frames of the first video stream, by PyAV alone."""
    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def moments(path: Path) -> list[Fraction]:
    """When each frame is shown, in seconds from the first."""
    stamps = [(frame.pts or 0) * (frame.time_base or Fraction(1)) for frame in decoded(path)]
    return [stamp - stamps[0] for stamp in stamps]


def data_packets(path: Path) -> list[tuple[int, int]]:
    """Where in the file the data of each video packet begin, and how many bytes they are."""
    with av.open(str(path)) as container:
        found = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    return [(position or 0, size) for position, size in found]
