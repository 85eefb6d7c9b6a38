"""Which encoder, container and pixel format a video is written with."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av

from edgeanon.errors import ConfigError
from edgeanon.video.layout import Layout

_X26X: Final = (
    *("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo"),
)


@dataclass(frozen=True, slots=True)
class Encoder:
    """How a codec is written.

    Attributes:
        codec: what it makes, as FFmpeg names it.
        library: FFmpeg's name of the encoder.
        quality: the usual value of the encoder's own scale of constant quality; smaller is better.
        best: the least value of that scale ...
        worst: ... and the greatest.
        preset: the usual setting between fast and small; None where the encoder has none.
        presets: all that there are.
        even: whether subsampled sides must be even.
    """

    codec: str
    library: str
    quality: int
    best: int
    worst: int
    preset: str | None
    presets: tuple[str, ...]
    even: bool = False

    @property
    def formats(self) -> tuple[str, ...]:
        """Names of the pixel formats that it takes."""
        return tuple(form.name for form in av.Codec(self.library, "w").video_formats or ())

    @property
    def available(self) -> bool:
        """Whether this build of FFmpeg has it."""
        try:
            av.Codec(self.library, "w")
        except av.codec.codec.UnknownCodecError:
            return False
        return True

    def depths(self) -> set[int]:
        """Bits a sample that it can write."""
        layouts = (Layout.of(name) for name in self.formats)
        return {layout.depth for layout in layouts if layout}


ENCODERS: Final = {
    encoder.codec: encoder
    for encoder in (
        Encoder("h264", "libx264", 20, 0, 51, "veryfast", _X26X, even=True),
        Encoder("hevc", "libx265", 24, 0, 51, "veryfast", _X26X, even=True),
        Encoder("vp9", "libvpx-vp9", 30, 0, 63, "6", tuple(map(str, range(9)))),
        Encoder("av1", "libsvtav1", 28, 0, 63, "10", tuple(map(str, range(14)))),
        Encoder("mjpeg", "mjpeg", 3, 1, 31, None, ()),
    )
}
"""By the name of the codec. Qualities: CRF of x264 and x265, VP9 and AV1; the quantiser scale of MJPEG."""

# By suffix: FFmpeg's name of the container, and what it takes, what to fall back to first.
_CONTAINERS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    ".mp4": ("mp4", ("h264", "hevc", "vp9", "av1", "mjpeg")),
    ".m4v": ("mp4", ("h264", "hevc", "vp9", "av1", "mjpeg")),
    ".mov": ("mov", ("h264", "hevc", "mjpeg")),
    ".mkv": ("matroska", ("h264", "hevc", "vp9", "av1", "mjpeg")),
    ".webm": ("webm", ("vp9", "av1")),
    ".avi": ("avi", ("h264", "mjpeg", "vp9", "av1")),
}
SUFFIXES: Final = tuple(_CONTAINERS)
"""Of files that can be written."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a file is written as.

    Attributes:
        container: FFmpeg's name of it.
        encoder: what encodes.
        layout: of the frames that it gets.
        notes: what had to be other than in the source, in words.
    """

    container: str
    encoder: Encoder
    layout: Layout
    notes: tuple[str, ...]


def choose(target: Path, codec: str, source_codec: str | None, layout: Layout, size: tuple[int, int]) -> Choice:
    """Decide what a file is written as.

    Args:
        target: its suffix says the container.
        codec: a name of ``ENCODERS``, or "auto" for that of the source where possible.
        source_codec: of the source; None without one.
        layout: of the source's frames.
        size: width and height of the stored picture.

    Raises:
        ConfigError: the suffix or the codec is not known, or the container does not take the codec that was named.
    """
    suffix = target.suffix.lower()
    if suffix not in _CONTAINERS:
        raise ConfigError(f"{target} has no suffix of a video that can be written: use one of {', '.join(SUFFIXES)}")
    container, takes = _CONTAINERS[suffix]
    if codec == "auto":
        encoder, notes = _encoder_like(source_codec, takes, layout, suffix)
    else:
        if codec not in ENCODERS:
            raise ConfigError(f'codec is {codec!r}: choose "auto" or one of {", ".join(ENCODERS)}')
        if codec not in takes:
            fitting = ", ".join(one for one in SUFFIXES if codec in _CONTAINERS[one][1])
            raise ConfigError(f"{suffix} does not take {codec}: use one of {', '.join(takes)}, or of {fitting}")
        encoder, notes = ENCODERS[codec], ()
        if not encoder.available:
            raise ConfigError(f"this build of FFmpeg cannot write {codec}: use another codec, or install PyAV's wheel")
    chosen = _layout(encoder, layout, size)
    if chosen.name != layout.name:
        notes += (f"pixels are written as {chosen.name}, which {encoder.codec} takes for them, not {layout.name}",)
    return Choice(container, encoder, chosen, notes)


def _encoder_like(
    source_codec: str | None, takes: tuple[str, ...], layout: Layout, suffix: str
) -> tuple[Encoder, tuple[str, ...]]:
    wanted = source_codec or takes[0]
    usable = [ENCODERS[name] for name in takes if ENCODERS[name].available]
    if not usable:
        raise ConfigError(f"this build of FFmpeg can write nothing that {suffix} takes: use another suffix")
    same = next((encoder for encoder in usable if encoder.codec == wanted), None)
    deep = layout.depth > 8
    if same and (not deep or max(same.depths()) > 8):
        return same, ()
    other = next((encoder for encoder in usable if not deep or max(encoder.depths()) > 8), same or usable[0])
    if other.codec == wanted:
        return other, ()
    if wanted not in ENCODERS or not ENCODERS[wanted].available:
        why = "cannot be written"
    elif wanted not in takes:
        why = f"does not go into {suffix}"
    else:
        why = f"cannot be written in {layout.depth} bits"
    return other, (f"written as {other.codec}: {wanted} {why}",)


def _layout(encoder: Encoder, wanted: Layout, size: tuple[int, int]) -> Layout:
    """The pixel format of the encoder that loses least, and is closest where several lose nothing."""
    every = [layout for layout in map(Layout.of, encoder.formats) if layout]
    if encoder.even:
        every = [one for one in every if not (size[0] % one.grid[0] or size[1] % one.grid[1])]

    def loss(one: Layout) -> tuple[int, ...]:
        return (
            max(0, min(wanted.depth, 10) - one.depth),
            (one.model == "rgb") != (wanted.model == "rgb"),
            wanted.model != "gray" and one.model == "gray",
            max(0, one.shift_x - wanted.shift_x) + max(0, one.shift_y - wanted.shift_y),
            abs(one.depth - wanted.depth),
            one.model != wanted.model,
            wanted.shift_x + wanted.shift_y - one.shift_x - one.shift_y,
        )

    return min(every, key=loss)
