"""The settings of each encoder, in its own language."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from av.codec.context import Flags
from av.video.stream import VideoStream

from edgeanon.errors import ConfigError
from edgeanon.video.encoders import Encoder
from edgeanon.video.foreign import processors
from edgeanon.video.properties import Light

_LAMBDA: Final = 118  # FF_QP2LAMBDA: FFmpeg's units in a step of the quantiser
_THREADS: Final = 8  # more make a file a little larger, and wait for one another


def check(encoder: Encoder, quality: float | None, preset: str | int | None) -> tuple[float, str | None]:
    """The quality and the preset to use.

    Raises:
        ConfigError: one of them is not on the encoder's scale.
    """
    if quality is None:
        quality = encoder.quality
    elif isinstance(quality, bool) or not isinstance(quality, int | float):
        raise ConfigError(f"quality is {quality!r}: pass a number")
    if not encoder.best <= quality <= encoder.worst:
        raise ConfigError(
            f"quality is {quality}: {encoder.codec} goes from {encoder.best} (best) to {encoder.worst}, "
            f"usually {encoder.quality}"
        )
    if preset is None:
        return quality, encoder.preset
    if str(preset) not in encoder.presets:
        known = f"use one of {', '.join(encoder.presets)}" if encoder.presets else "leave it out"
        raise ConfigError(f"there is no preset {str(preset)!r} of {encoder.codec}: {known}")
    return quality, str(preset)


def options(
    encoder: Encoder, *, quality: float, preset: str | None, light: Light | None, interlaced: str | None, reorder: bool
) -> dict[str, str]:
    """What the encoder is opened with.

    Args:
        encoder: the encoder.
        quality: on its scale.
        preset: one of its own.
        light: HDR metadata to write; x264, x265 and SVT-AV1 can.
        interlaced: "tff" or "bff" to code two fields in each frame; x264 can.
        reorder: whether frames may be stored in another order than they are shown in.
    """
    threads = processors(_THREADS)
    if encoder.library == "libx264":
        fields = {interlaced: "1"} if interlaced else {}
        own = fields | _x26x_light(light, "mastering-display", "cll")
        rest = {"crf": str(quality), "preset": preset or "", "a53cc": "0", "udu_sei": "0"}
        return rest | _joined("x264-params", own) | ({} if reorder else {"bf": "0"})
    if encoder.library == "libx265":
        own = {"log-level": "none", "pools": str(threads)} | _x26x_light(light, "master-display", "max-cll")
        if not reorder:
            own["bframes"] = "0"
        rest = {"crf": str(quality), "preset": preset or "", "a53cc": "0", "udu_sei": "0"}
        return rest | _joined("x265-params", own)
    if encoder.library == "libvpx-vp9":
        return {"crf": str(quality), "b": "0", "deadline": "good", "cpu-used": preset or "", "row-mt": "1"}
    if encoder.library == "libsvtav1":
        own = {"lp": str(threads)} | _svt_light(light)
        return {"crf": str(round(quality)), "preset": preset or ""} | _joined("svtav1-params", own)
    return {"strict": "unofficial"}  # MJPEG in limited range, which says so in a comment


def prepare(stream: VideoStream, encoder: Encoder, *, quality: float, interlaced: str | None) -> None:
    """What is not set by options."""
    context = stream.codec_context
    context.thread_count = processors(_THREADS)
    if encoder.library == "mjpeg":
        context.qscale = True
        context.global_quality = round(quality * _LAMBDA)
    if interlaced and encoder.library == "libx264":
        context.flags |= Flags.interlaced_dct | Flags.interlaced_me


@contextmanager
def quiet(encoder: Encoder) -> Iterator[None]:
    """SVT-AV1 writes to the terminal unless the environment tells it not to."""
    name = "SVT_LOG"
    if encoder.library != "libsvtav1" or name in os.environ:
        yield
        return
    os.environ[name] = "1"  # errors alone
    try:
        yield
    finally:
        os.environ.pop(name, None)


def _joined(name: str, values: dict[str, str]) -> dict[str, str]:
    return {name: ":".join(f"{key}={value}" for key, value in values.items())} if values else {}


def _x26x_light(light: Light | None, mastering: str, levels: str) -> dict[str, str]:
    """In units of 0.00002 for places and of 0.0001 cd/m2 for light, green first."""
    said = {}
    if light and light.primaries and light.luminance:
        red, green, blue, white = ((round(x * 50000), round(y * 50000)) for x, y in light.primaries)
        least, greatest = (round(value * 10000) for value in light.luminance)
        places = f"G{green}B{blue}R{red}WP{white}L{(greatest, least)}"
        said[mastering] = places.replace(" ", "")
    if light and light.levels:
        said[levels] = "{},{}".format(*light.levels)
    return said


def _svt_light(light: Light | None) -> dict[str, str]:
    said = {}
    if light and light.primaries and light.luminance:
        red, green, blue, white = (f"({x:.6f},{y:.6f})" for x, y in light.primaries)
        least, greatest = light.luminance
        said["mastering-display"] = f"G{green}B{blue}R{red}WP{white}L({greatest:.6f},{least:.6f})"
    if light and light.levels:
        said["content-light"] = "{},{}".format(*light.levels)
    return said
