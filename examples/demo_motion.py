"""The camera of the demonstration clip: things that move over a street, seen through a window that pans and zooms.

Places are in pixels of the street's own picture, 1920 by 1080, and in the clip's once a camera has seen them. A place
is a pixel edge and need not be whole: things are drawn where they are, so that slow motion is smooth.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from examples.demo_drawing import Pixels, Sprite

HIDDEN = 0.05
"""An object of which less than this share shows has no label in that frame."""


def ease(frame: float, first: float, last: float) -> float:
    """0 up to the first frame, 1 from the last on, and between them a start and a stop without a jerk."""
    share = min(max((frame - first) / (last - first), 0.0), 1.0)
    return share * share * (3 - 2 * share)


def between(frame: float, keys: tuple[tuple[float, float], ...]) -> float:
    """A value that passes through (frame, value) one after the other, at rest at each."""
    value = keys[0][1]
    for (first, start), (last, end) in pairwise(keys):
        value += (end - start) * ease(frame, first, last)
    return value


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sprite's left upper corner is, by how much it is scaled, and how far away it stands, in metres."""

    left: float
    top: float
    scale: float
    depth: float


@dataclass(frozen=True, slots=True)
class Window:
    """The part of the street that fills the frame: its middle and its width, in the shape of the frame."""

    x: float
    y: float
    width: float


@dataclass(frozen=True, slots=True)
class Label:
    """An object in one frame: its box left, top, width, height, cut at the frame's edge, and how much of it shows.

    `visible` is the share of the whole object that is neither behind something nor outside the frame.
    """

    id: str
    kind: str
    box: tuple[float, float, float, float]
    visible: float


@dataclass(frozen=True, eq=False)
class Actor:
    """A sprite that moves; `path` says where it is in a frame. Its labels are named after it."""

    name: str
    sprite: Sprite
    path: Callable[[int], Place]

    @cached_property
    def sizes(self) -> list[Pixels]:
        """The sprite and its halves, so that a small one does not flicker."""
        found = [self.sprite.pixels]
        while min(found[-1].shape[:2]) > 16:
            height, width = found[-1].shape[:2]
            half = cv2.resize(found[-1], ((width + 1) // 2, (height + 1) // 2), interpolation=cv2.INTER_AREA)
            found.append(np.asarray(half, np.float32))
        return found

    def seen(self, where: Place, area: tuple[int, int, int, int], *, alpha: bool = False) -> Pixels:
        """What of it falls on `area`, left, top, right, bottom, when it is drawn at a place of the frame."""
        level = int(min(max(np.floor(-np.log2(where.scale)), 0), len(self.sizes) - 1))
        source = self.sizes[level][..., 3] if alpha else self.sizes[level]
        height, width = self.sprite.pixels.shape[:2]
        x, y = where.scale * width / source.shape[1], where.scale * height / source.shape[0]
        # From pixel edges to the pixel centres that OpenCV counts in.
        shift_x = where.left - area[0] + x / 2 - 0.5
        shift_y = where.top - area[1] + y / 2 - 0.5
        matrix = np.array([[x, 0, shift_x], [0, y, shift_y]], np.float64)
        size = area[2] - area[0], area[3] - area[1]
        return np.asarray(cv2.warpAffine(source, matrix, size, flags=cv2.INTER_LINEAR), np.float32)

    def extent(self, where: Place) -> tuple[float, float, float, float]:
        """Left, top, right, bottom when it is drawn at a place."""
        height, width = self.sprite.pixels.shape[:2]
        return where.left, where.top, where.left + width * where.scale, where.top + height * where.scale


@dataclass(frozen=True, eq=False)
class Shot:
    """What one camera sees from one cut to the next, at frames counted from 0 in each shot.

    Args:
        name: begins the ids of its objects, for nothing is followed over a cut.
        backdrop: what does not move, (1080, 1920, 3) or with alpha, 0..1.
        camera: where the camera looks.
        focus: how far out of focus it is, as the sigma of a blur in pixels of the frame.
    """

    name: str
    length: int
    size: tuple[int, int]
    backdrop: Pixels
    actors: tuple[Actor, ...]
    camera: Callable[[int], Window]
    focus: Callable[[int], float]

    def picture(self, frame: int) -> NDArray[np.uint8]:
        """The frame, (height, width, 3) uint8 BGR."""
        width, height = self.size
        window = self.camera(frame)
        scale = width / window.width
        left, top = window.x - window.width / 2, window.y - window.width * height / width / 2
        shift = [-left * scale + scale / 2 - 0.5, -top * scale + scale / 2 - 0.5]
        matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]], np.float64)
        edge = cv2.BORDER_REPLICATE
        canvas = cv2.warpAffine(
            self.backdrop[..., :3], matrix, self.size, flags=cv2.INTER_LINEAR, borderMode=edge
        ).astype(np.float32)
        for actor, where in self._standing(frame):
            area = inside(actor.extent(where), self.size)
            if area is not None:
                over = actor.seen(where, area)
                region = canvas[area[1] : area[3], area[0] : area[2]]
                region *= 1 - over[..., 3:]
                region += over[..., :3]
        blur = self.focus(frame)
        if blur > 0.05:
            canvas = cv2.GaussianBlur(canvas, (0, 0), blur).astype(np.float32)
        return developed(canvas)

    def labels(self, frame: int) -> Iterator[Label]:
        """The objects of which something shows, exactly where they are; nothing is drawn for it."""
        standing = self._standing(frame)
        for at, (actor, where) in enumerate(standing):
            for item in actor.sprite.objects:
                x, y, width, height = (value * where.scale for value in item.bbox)
                whole = (where.left + x, where.top + y, where.left + x + width, where.top + y + height)
                clipped = (
                    max(whole[0], 0.0),
                    max(whole[1], 0.0),
                    min(whole[2], float(self.size[0])),
                    min(whole[3], float(self.size[1])),
                )
                area = inside(whole, self.size)
                if area is None:
                    continue
                through = np.ones((area[3] - area[1], area[2] - area[0]), np.float32)
                for other, there in standing[at + 1 :]:
                    if meet(other.extent(there), whole):
                        through *= 1 - other.seen(there, area, alpha=True)
                within = (clipped[2] - clipped[0]) * (clipped[3] - clipped[1]) / (width * height)
                visible = float(through.mean()) * within
                if visible >= HIDDEN:
                    box = (clipped[0], clipped[1], clipped[2] - clipped[0], clipped[3] - clipped[1])
                    yield Label(f"{self.name}, {actor.name}, {item.label}", item.label, box, visible)

    def _standing(self, frame: int) -> list[tuple[Actor, Place]]:
        """The actors and their places in the frame, farthest first."""
        window = self.camera(frame)
        scale = self.size[0] / window.width
        left, top = window.x - window.width / 2, window.y - window.width * self.size[1] / self.size[0] / 2
        found = [(actor, actor.path(frame)) for actor in self.actors]
        placed = [
            (actor, Place((at.left - left) * scale, (at.top - top) * scale, at.scale * scale, at.depth))
            for actor, at in found
        ]
        return sorted(placed, key=lambda pair: -pair[1].depth)


def inside(extent: tuple[float, float, float, float], size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """The whole pixels of a frame that an extent touches, if any."""
    left, top = max(int(np.floor(extent[0])), 0), max(int(np.floor(extent[1])), 0)
    right, bottom = min(int(np.ceil(extent[2])), size[0]), min(int(np.ceil(extent[3])), size[1])
    return (left, top, right, bottom) if left < right and top < bottom else None


def meet(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def developed(canvas: Pixels) -> NDArray[np.uint8]:
    """As a camera would give it: warm light and darker corners."""
    height, width = canvas.shape[:2]
    rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    corners = 1 - 0.16 * np.clip(rows**2 * 0.6 + columns**2 * 0.7 - 0.35, 0, 1)
    warm = canvas * np.array([0.96, 1.0, 1.02], np.float32) * corners[..., None]
    levels: NDArray[np.uint8] = np.clip(warm * 255 + 0.5, 0, 255).astype(np.uint8)
    return levels
