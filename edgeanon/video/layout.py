"""How the samples of a picture lie in memory."""

import re
from dataclasses import dataclass
from typing import Any, Final, Literal

import av
import numpy as np
from numpy.typing import NDArray

_PLANAR: Final = re.compile(r"(yuvj?(?:420|422|440|444|411|410)p|gray|gbrp)(\d+le)?")
# Packed, half-packed and transparent formats, by the planar one that holds their picture.
_ALIKE: Final = {
    "nv12": "yuv420p",
    "nv21": "yuv420p",
    "yuva420p": "yuv420p",
    "yuva422p": "yuv422p",
    "yuva444p": "yuv444p",
    "yuyv422": "yuv422p",
    "uyvy422": "yuv422p",
    "yvyu422": "yuv422p",
    "nv16": "yuv422p",
    "p010le": "yuv420p10le",
    "p210le": "yuv422p10le",
    "y210le": "yuv422p10le",
    "yuva444p10le": "yuv444p10le",
    "yuva422p10le": "yuv422p10le",
    "yuva420p10le": "yuv420p10le",
    "ya8": "gray",
}


@dataclass(frozen=True, slots=True)
class Layout:
    """A planar pixel format whose samples can be reached one by one.

    Attributes:
        name: of the format, as FFmpeg knows it, without the "j" that once meant full range.
        model: what the planes are: luma and two chroma planes, luma alone, or green, blue and red.
        depth: bits a sample, 8..16. Above 8 a sample takes two bytes.
        shift_x: a chroma sample stands for ``2 ** shift_x`` columns ...
        shift_y: ... and ``2 ** shift_y`` rows.
    """

    name: str
    model: Literal["yuv", "gray", "rgb"]
    depth: int
    shift_x: int
    shift_y: int

    @staticmethod
    def of(name: str) -> "Layout | None":
        """The layout of a format; None for one that is not planar, or not of this machine's byte order."""
        match = _PLANAR.fullmatch(name)
        if not match:
            return None
        form = av.VideoFormat(name, 16, 16)
        # A chroma plane of a picture of 16 x 16 tells the shifts.
        shifts = (4 - (form.chroma_width().bit_length() - 1), 4 - (form.chroma_height().bit_length() - 1))
        model: Literal["yuv", "gray", "rgb"] = "gray" if match[1] == "gray" else "rgb" if match[1] == "gbrp" else "yuv"
        plain = name.replace("yuvj", "yuv")
        return Layout(plain, model, form.components[0].bits, *(shifts if model == "yuv" else (0, 0)))

    @staticmethod
    def holding(name: str, width: int, height: int) -> "Layout":
        """The layout to work in for pictures of any format: its own, or the one that they are converted to."""
        own = Layout.of(name) or Layout.of(_ALIKE.get(name, name))
        if own:
            return own
        deep = max(component.bits for component in av.VideoFormat(name).components) > 8
        return Layout.yuv(10 if deep else 8, full_chroma=bool(width % 2 or height % 2))

    @staticmethod
    def yuv(depth: int, *, full_chroma: bool) -> "Layout":
        """Luma and chroma, with a chroma sample for each pixel or for each 2 x 2."""
        shift = 0 if full_chroma else 1
        deep = f"{depth}le" if depth > 8 else ""
        return Layout(f"yuv{'444' if full_chroma else '420'}p{deep}", "yuv", depth, shift, shift)

    @property
    def dtype(self) -> type[np.uint8 | np.uint16]:
        """The type of a sample."""
        return np.uint8 if self.depth == 8 else np.uint16

    @property
    def grid(self) -> tuple[int, int]:
        """Columns and rows that share a chroma sample."""
        return 1 << self.shift_x, 1 << self.shift_y


def views(frame: av.VideoFrame, layout: Layout) -> list[NDArray[Any]]:
    """The planes of a frame of this layout as arrays ``(h, w)`` over its own memory."""
    return [_view(plane, plane.width, layout.dtype) for plane in frame.planes]


def packed_view(frame: av.VideoFrame, dtype: type[np.uint8 | np.uint16]) -> NDArray[Any]:
    """The pixels of a frame with three interleaved channels as an array ``(h, w, 3)`` over its own memory."""
    plane = frame.planes[0]
    flat = _view(plane, plane.width * 3, dtype)
    return np.lib.stride_tricks.as_strided(
        flat, (plane.height, plane.width, 3), (flat.strides[0], 3 * flat.itemsize, flat.itemsize)
    )


def _view(plane: Any, width: int, dtype: type[np.uint8 | np.uint16]) -> NDArray[Any]:
    line: int = plane.line_size
    rows = np.frombuffer(plane, dtype).reshape(plane.height, abs(line) // np.dtype(dtype).itemsize)[:, :width]
    return rows[::-1] if line < 0 else rows
