"""One picture of a video, as it was decoded."""

from collections.abc import Callable
from typing import Any

import av
import numpy as np
from numpy.typing import ArrayLike, NDArray

from edgeanon.errors import ConfigError
from edgeanon.video.frames import Scaler, fresh, grey, redraw
from edgeanon.video.layout import Layout
from edgeanon.video.properties import Properties

_GREY = 128
_GLANCE = 480  # longer side, in pixels


class Picture:
    """One picture of a video in the pixel format that it was decoded to.

    Attributes:
        index: number in the video, from 0.
        time: seconds from the first frame.
        tick: time in the stream's own time base, after every earlier picture's.
        duration: ticks that it is shown, 0 when not said.
        damaged: it could not be decoded as it was recorded. It shows nothing: its pixels are grey.

    What goes to an encoder is made anew each time (``masked``, ``untouched``, ``filled``); the decoded samples never
    change. Holding a picture holds its frame: 3 MB for 1080p in 8 bits.
    """

    __slots__ = ("_frame", "_properties", "_scaler", "duration", "index", "tick", "time")

    def __init__(
        self,
        frame: av.VideoFrame | None,
        properties: Properties,
        scaler: Scaler,
        *,
        index: int,
        tick: int,
        duration: int,
    ) -> None:
        self._frame = frame
        self._properties = properties
        self._scaler = scaler
        self.index = index
        self.tick = tick
        self.duration = duration
        self.time = (tick - properties.start) * properties.time_base

    def __repr__(self) -> str:
        return f"Picture(index={self.index}, time={self.time}, damaged={self.damaged})"

    @property
    def damaged(self) -> bool:
        """Whether there is no picture here that was decoded as it was recorded."""
        return self._frame is None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright picture, in pixels."""
        return self._properties.upright_size

    def bgr(self) -> NDArray[np.uint8]:
        """The upright picture, ``(h, w, 3)`` uint8 BGR, converted anew; grey when damaged."""
        if self._frame is None:
            width, height = self._properties.upright_size
            return np.full((height, width, 3), _GREY, np.uint8)
        return self._upright(self._frame, deep=False)

    def glance(self) -> tuple[NDArray[np.uint8], float]:
        """A small upright picture, uint8 BGR, and how many pixels of the picture one of its pixels is wide.

        Made at a fraction of the cost of `bgr`, to see whether anything moves.
        """
        stream = self._properties
        scale = max(1.0, max(stream.width, stream.height) / _GLANCE)
        if self._frame is None or scale == 1:
            return self.bgr(), 1.0
        size = max(1, round(stream.width / scale)), max(1, round(stream.height / scale))
        stored = self._scaler.bgr(self._frame, stream.colours, size=size)
        return stream.orientation.upright(stored), scale

    def masked(
        self,
        regions: ArrayLike,
        paint: Callable[[NDArray[Any]], NDArray[Any] | None],
        *,
        image: NDArray[np.uint8] | None = None,
    ) -> av.VideoFrame:
        """A frame for the encoder in which only what lies in regions differs from the decoded picture.

        Args:
            regions: ``(n, 4)`` whole pixels of the upright picture, ``x1 y1 x2 y2``, ``x2 y2`` exclusive: at least all
                that ``paint`` changes. They are rounded outward to where chroma samples end. What is painted outside
                them is not taken over.
            paint: gets the upright picture ``(h, w, 3)`` BGR, uint16 when samples have more than 8 bits and uint8
                otherwise, to change in place or to return another one of the same form. Not called without regions.
            image: what ``bgr`` returned, if it is still there: saves the conversion where 8 bits are enough, and is
                painted on.

        Returns:
            A new frame in the layout, depth and colours of the video without side data; ``filled`` when damaged.

        Raises:
            ConfigError: the regions are no such array, or ``paint`` returned another form.
        """
        boxes = _as_regions(regions)
        if self._frame is None:
            return self.filled()
        frame = self.untouched()
        if not len(boxes):
            return frame
        deep = self._properties.layout.depth > 8
        before = image if image is not None and not deep else self._upright(self._frame, deep=deep)
        painted = paint(before)
        if painted is None:
            painted = before
        if painted.shape != before.shape or painted.dtype != before.dtype:
            raise ConfigError(
                f"paint returned {painted.dtype} {painted.shape}: return {before.dtype} {before.shape}, or None"
            )
        orientation, (width, height) = self._properties.orientation, self._properties.upright_size
        clipped = np.clip(boxes, 0, [width, height, width, height])
        redraw(
            frame,
            self._properties.layout,
            self._properties.colours,
            orientation.stored(painted),
            orientation.stored_boxes(clipped, width, height),
        )
        return frame

    def untouched(self) -> av.VideoFrame:
        """A frame for the encoder with all samples as they were decoded; ``filled`` when damaged."""
        if self._frame is None:
            return self.filled()
        layout, colours = self._properties.layout, self._properties.colours
        frame = self._frame
        if Layout.of(frame.format.name) is None:
            frame = self._scaler.planes(frame, layout, colours)
        return self._timed(fresh(frame, layout, colours))

    def filled(self) -> av.VideoFrame:
        """A frame for the encoder that is grey all over: it shows that there was a frame, and nothing of it."""
        stream = self._properties
        return self._timed(grey(stream.width, stream.height, stream.layout, stream.colours))

    def _upright(self, frame: av.VideoFrame, *, deep: bool) -> NDArray[Any]:
        stored = self._scaler.bgr(frame, self._properties.colours, deep=deep)
        return self._properties.orientation.upright(stored)

    def _timed(self, frame: av.VideoFrame) -> av.VideoFrame:
        frame.time_base = self._properties.time_base
        frame.pts = self.tick
        frame.duration = self.duration
        return frame


def _as_regions(regions: ArrayLike) -> NDArray[np.int64]:
    array = np.asarray(regions)
    if array.size == 0:
        return np.empty((0, 4), np.int64)
    if array.ndim != 2 or array.shape[1] != 4 or array.dtype.kind not in "iu":
        raise ConfigError(f"regions are {array.dtype} of shape {array.shape}: pass whole numbers of shape (n, 4)")
    return array.astype(np.int64)
