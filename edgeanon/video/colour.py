"""From BGR to the samples of a video, by the video's own matrix and range."""

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeanon.video.layout import Layout

# Shares of red and blue in luma by matrix, as ITU-T H.273 numbers them. All others, "unspecified" among them, are taken
# for BT.601, as FFmpeg does on the way to BGR: what matters here is that both ways agree.
_SHARES: Final = {
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
    10: (0.2627, 0.0593),
}
_BT601: Final = (0.299, 0.114)
# The same for swscale, which numbers them on its own.
_SCALER: Final = {1: 1, 4: 4, 7: 7, 9: 9, 10: 9}
_SCALER_BT601: Final = 5

LIMITED: Final = 1
FULL: Final = 2


@dataclass(frozen=True, slots=True)
class Colours:
    """What the samples of a video mean, in the numbers of ITU-T H.273; 2 is "unspecified".

    Attributes:
        primaries: the colours of the three primaries.
        transfer: the curve from light to samples.
        matrix: from red, green and blue to luma and chroma.
        range: 0 unspecified, 1 limited (16..235 of 255), 2 full.
    """

    primaries: int = 2
    transfer: int = 2
    matrix: int = 2
    range: int = 0

    @property
    def full(self) -> bool:
        """Whether samples use the whole range."""
        return self.range == FULL

    @property
    def scaler(self) -> int:
        """The matrix as swscale numbers it."""
        return _SCALER.get(self.matrix, _SCALER_BT601)


def samples(bgr: NDArray[Any], layout: Layout, colours: Colours) -> list[NDArray[Any]]:
    """The planes that show a picture.

    Args:
        bgr: ``(h, w, 3)`` uint8 or uint16.
        layout: of the planes. Chroma planes are rounded up where a side is odd.
        colours: what the samples shall mean.
    """
    whole = float(np.iinfo(bgr.dtype).max)
    most = (1 << layout.depth) - 1
    if layout.model == "rgb":
        scaled = bgr.astype(np.float32) * np.float32(most / whole)
        return [_rounded(scaled[..., channel], layout) for channel in (1, 0, 2)]
    transform = _transform(layout, colours) / [[whole, whole, whole, 1]]
    if layout.model == "gray":
        transform = transform[:1]
    mixed = np.asarray(cv2.transform(bgr.astype(np.float32), transform))
    planes = [mixed if mixed.ndim == 2 else mixed[..., 0]]
    if layout.model == "yuv":
        across, down = layout.grid
        height, width = bgr.shape[:2]
        right, below = -width % across, -height % down
        chroma = mixed[..., 1:]
        if right or below:
            chroma = cv2.copyMakeBorder(chroma, 0, below, 0, right, cv2.BORDER_REPLICATE)
        if across > 1 or down > 1:
            size = (width + right) // across, (height + below) // down
            chroma = cv2.resize(chroma, size, interpolation=cv2.INTER_AREA)
        planes += [np.asarray(chroma)[..., 0], np.asarray(chroma)[..., 1]]
    return [_rounded(plane, layout) for plane in planes]


def _transform(layout: Layout, colours: Colours) -> NDArray[np.float64]:
    """Rows for luma and both chromas, columns for blue, green, red (each 0..1) and the offset."""
    red, blue = _SHARES.get(colours.matrix, _BT601)
    green = 1 - red - blue
    luma = np.array([blue, green, red])
    of_blue = (np.array([1.0, 0, 0]) - luma) / (2 * (1 - blue))
    of_red = (np.array([0, 0, 1.0]) - luma) / (2 * (1 - red))
    unit = 1 << (layout.depth - 8)
    most = (1 << layout.depth) - 1
    reach, black, spread = (most, 0, most) if colours.full else (219 * unit, 16 * unit, 224 * unit)
    middle = 128 * unit
    rows = [(luma * reach, black), (of_blue * spread, middle), (of_red * spread, middle)]
    return np.array([[*weights, offset] for weights, offset in rows])


def _rounded(plane: NDArray[Any], layout: Layout) -> NDArray[Any]:
    return np.asarray(np.clip(np.rint(plane), 0, (1 << layout.depth) - 1)).astype(layout.dtype)
