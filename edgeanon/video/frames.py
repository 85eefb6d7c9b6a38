"""Frames for an encoder: always new ones, with nothing on them but their samples and what those mean.

A decoded frame that is edited in place keeps its side data, closed captions among them, and encoders write those.
"""

import threading
from typing import Any

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from edgeanon.video.colour import Colours, samples
from edgeanon.video.layout import Layout, packed_view, views
from edgeanon.video.orientation import Orientation


def empty(width: int, height: int, layout: Layout, colours: Colours) -> av.VideoFrame:
    """A new frame whose samples are not set yet."""
    return tag(av.VideoFrame(width, height, layout.name), colours)


def tag(frame: av.VideoFrame, colours: Colours) -> av.VideoFrame:
    """The same frame, saying what its samples mean."""
    frame.color_primaries = colours.primaries
    frame.color_trc = colours.transfer
    frame.colorspace = colours.matrix
    frame.color_range = colours.range
    return frame


def grey(width: int, height: int, layout: Layout, colours: Colours) -> av.VideoFrame:
    """A new frame that is a medium grey all over."""
    frame = empty(width, height, layout, colours)
    for plane in views(frame, layout):
        plane[...] = 1 << (layout.depth - 1)
    return frame


class Scaler:
    """Converts whole frames between pixel formats, by swscale. May be shared between threads."""

    def __init__(self) -> None:
        self._local = threading.local()

    def bgr(
        self, frame: av.VideoFrame, colours: Colours, *, deep: bool = False, size: tuple[int, int] | None = None
    ) -> NDArray[Any]:
        """The stored picture as ``(h, w, 3)`` BGR, uint8, or uint16 when ``deep``; memory of its own.

        A ``size``, width and height, scales it as well: fast, and not finely.
        """
        smaller = {"width": size[0], "height": size[1], "interpolation": "FAST_BILINEAR"} if size else {}
        # The decoder's tags may be missing on later frames, and some matrices swscale refuses.
        converted = self._reformat(
            frame,
            format="bgr48le" if deep else "bgr24",
            src_colorspace=colours.scaler,
            src_color_range=colours.range,
            **smaller,
        )
        return packed_view(converted, np.uint16 if deep else np.uint8)

    def planes(self, frame: av.VideoFrame, layout: Layout, colours: Colours) -> av.VideoFrame:
        """The frame in another layout, of the same colours; it may carry side data."""
        of_colour = {"dst_colorspace": colours.scaler, "dst_color_range": colours.range or 1}
        if not frame.format.is_rgb:
            of_colour |= {"src_colorspace": colours.scaler, "src_color_range": colours.range or 1}
        return self._reformat(frame, format=layout.name, **of_colour)

    def picture(self, bgr: NDArray[np.uint8], layout: Layout, colours: Colours) -> av.VideoFrame:
        """A new frame that shows a stored picture ``(h, w, 3)`` uint8 BGR."""
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(bgr), "bgr24")
        return fresh(self.planes(frame, layout, colours), layout, colours)

    def _reformat(self, frame: av.VideoFrame, **options: Any) -> av.VideoFrame:
        reformatter = getattr(self._local, "reformatter", None)
        if reformatter is None:
            reformatter = self._local.reformatter = VideoReformatter()
        return reformatter.reformat(frame, threads=1, **options)


def fresh(frame: av.VideoFrame, layout: Layout, colours: Colours) -> av.VideoFrame:
    """A new frame with the samples of one that is of this layout already, and none of its side data."""
    copy = empty(frame.width, frame.height, layout, colours)
    for mine, theirs in zip(views(copy, layout), views(frame, layout), strict=True):
        np.copyto(mine, theirs)
    return copy


def redraw(frame: av.VideoFrame, layout: Layout, colours: Colours, bgr: NDArray[Any], boxes: NDArray[np.int64]) -> None:
    """Set the samples in boxes to what a picture shows there.

    Args:
        frame: of this layout and these colours; changed.
        layout: of the frame.
        colours: of the frame.
        bgr: the stored picture, ``(h, w, 3)`` uint8 or uint16.
        boxes: ``(n, 4)`` whole pixels of the stored picture; each is rounded outward to where chroma samples end.
    """
    planes = views(frame, layout)
    across, down = layout.grid
    height, width = bgr.shape[:2]
    for x1, y1, x2, y2 in boxes.tolist():
        if x1 >= x2 or y1 >= y2:
            continue
        left, top = max(0, x1) // across * across, max(0, y1) // down * down
        right, bottom = min(width, -(-x2 // across) * across), min(height, -(-y2 // down) * down)
        if left >= right or top >= bottom:
            continue
        drawn = samples(bgr[top:bottom, left:right], layout, colours)
        for index, (plane, part) in enumerate(zip(planes, drawn, strict=True)):
            x, y = (left // across, top // down) if index and layout.model == "yuv" else (left, top)
            plane[y : y + part.shape[0], x : x + part.shape[1]] = part


def turned(frame: av.VideoFrame, layout: Layout, colours: Colours, orientation: Orientation) -> av.VideoFrame:
    """A new frame whose stored picture is the upright one; the layout's grid must be square if it is transposed."""
    planes = [orientation.upright(plane) for plane in views(frame, layout)]
    copy = empty(planes[0].shape[1], planes[0].shape[0], layout, colours)
    for mine, theirs in zip(views(copy, layout), planes, strict=True):
        np.copyto(mine, theirs)
    return copy
