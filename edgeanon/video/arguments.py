"""What a user passes to a writer, checked."""

from fractions import Fraction
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgeanon.errors import ConfigError
from edgeanon.video.colour import Colours
from edgeanon.video.layout import Layout
from edgeanon.video.orientation import Orientation
from edgeanon.video.properties import Properties

_TICKS: Final = 90000  # a second; what MPEG counts in
_USUAL_RATE: Final = Fraction(30)
_HD: Final = Colours(1, 1, 1, 1)  # BT.709 in limited range, what players assume


def plain_properties(width: int, height: int, rate: Fraction) -> Properties:
    """Of a video that is a copy of no other."""
    return Properties(
        codec="h264",
        width=width,
        height=height,
        format="bgr24",
        layout=Layout.holding("bgr24", width, height),
        colours=_HD,
        matrix=None,
        orientation=Orientation(),
        aspect=None,
        field_order=0,
        interlaced=False,
        light=None,
        time_base=Fraction(1, _TICKS),
        start=0,
        rate=rate,
        even=True,
    )


def checked_size(width: int | None, height: int | None) -> tuple[int, int] | None:
    if width is None and height is None:
        return None
    if not (isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0):
        raise ConfigError(f"the size is {width} x {height}: pass both as whole numbers above 0, or neither")
    return width, height


def checked_rate(frame_rate: Fraction | float | None) -> Fraction:
    if frame_rate is None:
        return _USUAL_RATE
    try:
        rate = Fraction(frame_rate).limit_denominator(100_000)
    except (TypeError, ValueError, OverflowError) as error:
        raise ConfigError(f"frame_rate is {frame_rate!r}: pass frames a second") from error
    if not 0 < rate <= 100_000:
        raise ConfigError(f"frame_rate is {frame_rate!r}: pass frames a second, above 0")
    return rate


def checked_pixels(pixels: Any) -> NDArray[np.uint8]:
    good = isinstance(pixels, np.ndarray) and pixels.dtype == np.uint8 and pixels.ndim == 3 and pixels.shape[2] == 3
    if not good or not pixels.size:
        what = f"{pixels.dtype} {pixels.shape}" if isinstance(pixels, np.ndarray) else type(pixels).__name__
        raise ConfigError(f"the frame's pixels are {what}: pass a numpy array of uint8, (height, width, 3), BGR")
    return np.asarray(pixels)
