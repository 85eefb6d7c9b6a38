"""How a picture reaches a network: passes, tiles, views, and the way back to the picture's coordinates.

A profile is a list of passes. A pass brings the whole picture to one scale and cuts it into views, each of which is
one input of the network. Passes at several scales find objects of different sizes; tiles keep the scale where the
picture is large. The size in which an object arrives at the network decides whether it is found, so a profile is a
privacy setting first and a speed setting second.

A view keeps the proportions of the picture. What is left over of a network's input is grey, at its right and below, so
that boxes need no shift on their way back. Where else the grey lies hardly matters to a network: a YOLOv8 of 640x640,
trained with it on both sides, found 175 of 472 labelled faces so and 179 the other way; 125 in pictures squeezed to a
square, as some SSD are trained.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeanon.boxes import Boxes, tiles

PADDING = 114
"""Grey level beside a picture that does not fill the network's input; the mean of common training sets."""

ENLARGE_MOST = 3.0
"""A small picture is enlarged at most this many times: beyond, the shipped networks found no more faces."""


MOVING_SIDE = 1920
"""Longer side, in pixels, up to which the frames of a video are enlarged for a network that wants that: an object that
is too small in one frame mostly is larger in another."""

MOVING_TILE = 1280
"""Largest side of a view of a video's frame, in pixels. Smaller views take less memory, of which frames and codecs need
some as well, and a little more time."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One look at the whole picture, at one scale.

    Attributes:
        zoom: the picture is scaled by this;
        smallest: and further until its longer side has this many pixels, but by ``ENLARGE_MOST`` in all;
        largest: and reduced until its longer side has no more than this many pixels.
        tile: largest side of a view in pixels; a larger scaled picture is cut into tiles.
        overlap: pixels that neighbouring tiles share. Objects up to this size lie whole in some tile.
    """

    zoom: float = 1.0
    smallest: int = 0
    largest: float = math.inf
    tile: int = 2048
    overlap: int = 192

    def scale(self, width: int, height: int, zoom: float) -> float:
        """Pixels of the network for each pixel of a picture of this size, for a network that wants a zoom of its own.

        A strip or a panorama counts as twice as long as it is high, or its objects would vanish with its length.
        """
        side = min(max(width, height), 2 * min(width, height))
        wanted = max(self.zoom * zoom, min(self.smallest / side, ENLARGE_MOST))
        return min(wanted, self.largest / side)


@dataclass(frozen=True, slots=True)
class View:
    """One input of the network: a part of the picture, scaled.

    Attributes:
        left: of the part, in pixels of the picture; so are ``top``, ``right`` and ``bottom``.
        width: of the part after scaling, in pixels of the network; so is ``height``.
        input_width: of the network's input: ``width`` rounded up to what the network takes; so is ``input_height``.
        seams: which of left, top, right and bottom are cuts through the picture rather than its border.
    """

    left: int
    top: int
    right: int
    bottom: int
    width: int
    height: int
    input_width: int
    input_height: int
    seams: tuple[bool, bool, bool, bool]

    def render(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The network's input, contiguous ``(input_height, input_width, 3)`` uint8, from the whole picture."""
        part = image[self.top : self.bottom, self.left : self.right]
        below, beside = self.input_height - self.height, self.input_width - self.width
        if part.shape[:2] != (self.height, self.width):
            smaller = self.width < part.shape[1]
            how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
            resized = cv2.resize(np.ascontiguousarray(part), (self.width, self.height), interpolation=how)
            part = np.asarray(resized, np.uint8)
        elif not (below or beside):
            return part.copy()  # the device reads it later, and the caller may use its buffer again
        if below or beside:
            part = np.pad(part, ((0, below), (0, beside), (0, 0)), constant_values=PADDING)
        return np.ascontiguousarray(part)

    def to_picture(self, boxes: Boxes) -> Boxes:
        """Boxes in pixels of the network's input as boxes in pixels of the picture."""
        scale = np.array([(self.right - self.left) / self.width, (self.bottom - self.top) / self.height], np.float32)
        return np.asarray(boxes * np.tile(scale, 2) + np.array([self.left, self.top] * 2, np.float32), np.float32)

    def cut(self, boxes: Boxes) -> NDArray[np.bool_]:
        """Which boxes, in pixels of the network's input, may be parts of objects that go on beyond a seam.

        Those are the boxes that are nearer to a seam than half their own side, but at least 4 pixels.
        """
        near = np.maximum((boxes[:, 2:] - boxes[:, :2]) / 2, 4)
        beyond = np.concatenate(
            [boxes[:, :2] <= near, boxes[:, 2:] >= np.array([self.width, self.height], np.float32) - near], axis=1
        )
        return np.asarray((beyond & np.array(self.seams)).any(axis=1))


Profile = tuple[Pass, ...]

PROFILES: dict[str, Profile] = {
    "fast": (Pass(smallest=800, largest=960),),
    "balanced": (Pass(smallest=1280, largest=4096), Pass(largest=480)),
    "thorough": (Pass(zoom=2, smallest=2560, largest=8192), Pass(), Pass(largest=480)),
}
"""``fast``: one look at 960 pixels. ``balanced``: the picture as it is, small ones enlarged, and a small overview for
objects that fill it. ``thorough``: also at twice its size, for objects a dozen pixels high."""


def plan(
    width: int,
    height: int,
    profile: Profile,
    *,
    zoom: float = 1.0,
    multiple: int = 32,
    fixed_size: tuple[int, int] | None = None,
    moving: bool = False,
) -> list[View]:
    """The views in which a picture of this size is looked at.

    Args:
        width: of the picture, in pixels.
        height: of the picture, in pixels.
        profile: the passes; one that would repeat another at this size is left out.
        zoom: how many times larger than others the network wants its pictures.
        multiple: the network's input sides are multiples of this.
        fixed_size: ``(width, height)`` of a network that takes one size only; its tiles have this size, and one more
            view holds the whole picture.
        moving: the picture is a frame of a video: enlarged up to ``MOVING_SIDE`` only, and cut into smaller tiles.
    """
    if moving:
        zoom = min(zoom, max(1.0, MOVING_SIDE / max(width, height)))
        profile = tuple(replace(look, tile=min(look.tile, MOVING_TILE)) for look in profile)
    passes = {look.scale(width, height, zoom): look for look in profile}
    if fixed_size:
        whole = min(fixed_size[0] / width, fixed_size[1] / height)
        passes = {scale: look for scale, look in passes.items() if scale > whole} | {whole: profile[-1]}
    return [
        view
        for scale, look in passes.items()
        for view in _tiles(width, height, scale=scale, look=look, multiple=multiple, fixed_size=fixed_size)
    ]


def _tiles(
    width: int, height: int, *, scale: float, look: Pass, multiple: int, fixed_size: tuple[int, int] | None
) -> Iterator[View]:
    scaled_width, scaled_height = max(1, round(width * scale)), max(1, round(height * scale))
    most_width, most_height = fixed_size or (look.tile, look.tile)
    tile_width, columns = tiles(scaled_width, most_width, min(look.overlap, most_width // 2))
    tile_height, rows = tiles(scaled_height, most_height, min(look.overlap, most_height // 2))
    for y in rows:
        for x in columns:
            left, top = math.floor(x / scale), math.floor(y / scale)
            # The last tile ends with the picture, whatever rounding made of its size.
            right = width if x + tile_width == scaled_width else math.ceil((x + tile_width) / scale)
            bottom = height if y + tile_height == scaled_height else math.ceil((y + tile_height) / scale)
            yield View(
                left=left,
                top=top,
                right=right,
                bottom=bottom,
                width=tile_width,
                height=tile_height,
                input_width=fixed_size[0] if fixed_size else -(-tile_width // multiple) * multiple,
                input_height=fixed_size[1] if fixed_size else -(-tile_height // multiple) * multiple,
                seams=(left > 0, top > 0, right < width, bottom < height),
            )
