"""Scenes to train on: a part of a photograph or a drawn place, plates and decoys put into it, weather over it.

Everything comes from one random generator for each scene, so scene number n of a seed is the same on every machine that
has the same pictures and fonts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.training import decoys, effects, mounts, plates
from calibration.training.pictures import Photograph
from edgeanon.boxes import Boxes, as_boxes

Pools = tuple[list[NDArray[np.uint8]], list[NDArray[np.uint8]]]
"""Drawn plates and decoys."""

SMALLEST = 6.0
"""Height in pixels below which a plate is neither asked for nor punished."""

VISIBLE = 0.45
"""Share of a plate that must be seen for it to be asked for."""


class Scene(NamedTuple):
    """One picture to train on.

    ``image`` is ``(side, side, 3)`` uint8 BGR; ``plates`` and ``doubtful`` are boxes ``(n, 4)``: what must be found and
    where neither yes nor no is wrong.
    """

    image: NDArray[np.uint8]
    plates: Boxes
    doubtful: Boxes


@dataclass(frozen=True)
class Scenes:
    """Makes scenes.

    Attributes:
        drawn: plates, BGRA; see ``plates.pool``.
        decoys: BGRA; see ``decoys.pool``.
        photographs: with labelled plates, or without any.
        labelled: share of the scenes that are made from photographs with plates.
        bare: share that are made from photographs without; the rest is drawn.
        side: of a scene in pixels.
        seed: of the whole series.
    """

    drawn: Sequence[NDArray[np.uint8]]
    decoys: Sequence[NDArray[np.uint8]]
    photographs: Sequence[Photograph]
    labelled: float
    bare: float
    side: int = 256
    seed: int = 0

    @cached_property
    def _groups(self) -> dict[str, list[Photograph]]:
        """Photographs with plates, by source."""
        groups: dict[str, list[Photograph]] = {}
        for photograph in self.photographs:
            if len(photograph.plates):
                groups.setdefault(photograph.source, []).append(photograph)
        return groups

    @cached_property
    def _without(self) -> list[Photograph]:
        return [photograph for photograph in self.photographs if not len(photograph.plates)]

    def scene(self, number: int) -> Scene:
        """Scene number n of the series."""
        generator = np.random.default_rng([self.seed, number])
        kind = generator.random()
        if kind < self.labelled and self._groups:
            sources = list(self._groups.values())
            weights = np.sqrt([len(group) for group in sources])  # sources differ much in size
            group = sources[generator.choice(len(sources), p=weights / weights.sum())]
            work = part_of(group[generator.integers(len(group))], self.side, generator)
            if generator.random() < 0.35:
                self._replace(work, generator)
            more = int(generator.choice([0, 1, 2], p=[0.7, 0.2, 0.1]))
        elif kind < self.labelled + self.bare and self._without:
            work = part_of(self._without[generator.integers(len(self._without))], self.side, generator)
            more = int(generator.choice([0, 1, 2, 3], p=[0.35, 0.3, 0.25, 0.1]))
        else:
            work = _Work(place(self.side, generator), [], [])
            more = int(generator.choice([0, 1, 2, 3, 4], p=[0.1, 0.3, 0.3, 0.2, 0.1]))
        few = int(generator.choice([0, 1, 2, 4, 7], p=[0.35, 0.2, 0.2, 0.15, 0.1]))
        for _ in range(few):
            self._put_decoy(work, generator)
        for _ in range(more):
            self._put_plate(work, generator)
        if generator.random() < 0.1:
            _occlude(work, generator)
        return Scene(effects.any_of_them(work.image, generator), as_boxes(work.plates), as_boxes(work.doubtful))

    def _put_plate(self, work: "_Work", generator: np.random.Generator) -> None:
        plate = self.drawn[int(generator.integers(len(self.drawn)))]
        ratio = plate.shape[1] / plate.shape[0]
        # From a dozen pixels to half the scene, small ones more often.
        height = float(np.exp(generator.uniform(np.log(7), np.log(min(self.side * 0.5, self.side * 0.75 / ratio)))))
        for _ in range(6):
            x, y = generator.uniform(0.02, 0.98, 2) * self.side
            span = np.array([height * ratio, height]) * 0.7
            around = (x - span[0], y - span[1], x + span[0], y + span[1])
            if not work.meets(around):
                self._hang(work, plate, (float(x), float(y)), height, generator)
                return

    def _replace(self, work: "_Work", generator: np.random.Generator) -> None:
        """Put drawn plates over the photograph's own, which vanish beneath."""
        for number, (x1, y1, x2, y2) in enumerate(list(work.plates)):
            width, height = x2 - x1, y2 - y1
            if height < SMALLEST or not (x1 >= 0 and x2 <= self.side and y1 >= 0 and y2 <= self.side):
                continue
            plate = self.drawn[int(generator.integers(len(self.drawn)))]
            ratio = plate.shape[1] / plate.shape[0]
            tall = max(height * generator.uniform(1.0, 1.15), width * generator.uniform(0.85, 1.05) / ratio)
            if tall > self.side * 0.7:
                continue
            ground = work.image[max(0, int(y1)) : int(y2) + 1, max(0, int(x1)) : int(x2) + 1]
            around = cv2.copyMakeBorder(ground, 0, 0, 0, 0, cv2.BORDER_REPLICATE)
            rim = np.concatenate([around[0], around[-1], around[:, 0], around[:, -1]]).mean(axis=0)
            ground[:] = rim * generator.uniform(0.3, 0.9)
            middle = ((x1 + x2) / 2, (y1 + y2) / 2)
            turned = corners_of(tall * ratio, tall, generator, turn=0.4) + np.array(middle)
            scaled = _scaled(_lit(plate, generator), tall * 1.2)
            rim_width = max(1, round(scaled.shape[0] * generator.uniform(0.02, 0.2)))
            shade = float(generator.choice([15, 40, 120, 200]))
            framed = cv2.copyMakeBorder(
                scaled, rim_width, rim_width, rim_width, rim_width, cv2.BORDER_CONSTANT, value=(shade,) * 3 + (255,)
            )
            corner = (rim_width, rim_width, scaled.shape[1], scaled.shape[0])
            _lay(work.image, np.asarray(framed, np.uint8), corner, turned)
            work.plates[number] = _edges(turned)

    def _hang(
        self,
        work: "_Work",
        plate: NDArray[np.uint8],
        middle: tuple[float, float],
        height: float,
        generator: np.random.Generator,
    ) -> None:
        """Put a plate on a mount around a point."""
        scaled = _scaled(_lit(plate, generator), height * 1.25)
        canvas, at = mounts.mounted(scaled, generator)
        ratio = plate.shape[1] / plate.shape[0]
        turned = corners_of(height * ratio, height, generator) + np.array(middle)
        _lay(work.image, canvas, at, turned)
        box = _edges(turned)
        if seen(box, self.side) < VISIBLE or box[3] - box[1] < SMALLEST:
            work.doubtful.append(box)
        else:
            work.plates.append(box)

    def _put_decoy(self, work: "_Work", generator: np.random.Generator) -> None:
        decoy = self.decoys[int(generator.integers(len(self.decoys)))]
        height = float(np.exp(generator.uniform(np.log(8), np.log(self.side * 0.5))))
        ratio = decoy.shape[1] / decoy.shape[0]
        x, y = generator.uniform(0, 1, 2) * self.side
        span = np.array([height * ratio, height]) * 0.75
        if work.meets((x - span[0], y - span[1], x + span[0], y + span[1])):
            return
        scaled = _scaled(decoy, height * 1.25)
        turned = corners_of(height * ratio, height, generator) + np.array([x, y])
        _lay(work.image, scaled, (0, 0, scaled.shape[1], scaled.shape[0]), turned)


@dataclass
class _Work:
    """A scene while it is being made; boxes are lists that grow."""

    image: NDArray[np.uint8]
    plates: list[tuple[float, float, float, float]]
    doubtful: list[tuple[float, float, float, float]]

    def meets(self, box: tuple[float, float, float, float]) -> bool:
        """Whether a box would lie on something that matters."""
        return any(
            box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]
            for other in (*self.plates, *self.doubtful)
        )

    def flip(self) -> None:
        """Left becomes right."""
        width = self.image.shape[1]
        self.image = np.ascontiguousarray(self.image[:, ::-1])
        for boxes in (self.plates, self.doubtful):
            boxes[:] = [(width - x2, y1, width - x1, y2) for x1, y1, x2, y2 in boxes]


def part_of(photograph: Photograph, side: int, generator: np.random.Generator) -> _Work:
    """A square part of a photograph, scaled so that one of its plates gets a height chosen by chance."""
    height, width = photograph.levels[0].shape[:2]
    if len(photograph.plates):
        x1, y1, x2, y2 = photograph.plates[generator.integers(len(photograph.plates))]
        longest = min(side * 0.45, side * 0.8 * (y2 - y1) / (x2 - x1))
        wanted = np.exp(generator.uniform(np.log(8), np.log(max(9, longest))))
        scale = float(np.clip(wanted / (y2 - y1), side / max(width, height) * 0.6, 2.2))
        middle = np.array([x1 + x2, y1 + y2]) / 2
    else:
        scale = float(np.exp(generator.uniform(np.log(side / max(width, height) * 0.8), np.log(2.0))))
        middle = generator.uniform(0, 1, 2) * (width, height)
    to = generator.uniform(0.1, 0.9, 2) * side
    turn = float(np.deg2rad(np.clip(generator.normal(0, 4), -12, 12))) if generator.random() < 0.4 else 0.0
    matrix = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0]]) * scale
    # Where the picture is larger than the scene, the scene lies wholly in it.
    shift = to - matrix[:, :2] @ middle
    if not turn:
        for axis, length in enumerate((width, height)):
            low, high = sorted((0.0, side - length * scale))
            shift[axis] = np.clip(shift[axis], low, high)
    matrix[:, 2] = shift
    level = 0
    while level + 1 < len(photograph.levels) and scale * 2 ** (level + 1) <= 1:
        level += 1
    halved = photograph.levels[level]
    onto = matrix.copy()
    onto[:, 0] *= width / halved.shape[1]
    onto[:, 1] *= height / halved.shape[0]
    beside = [float(generator.choice([0, 114, 128, 255]))] * 3
    image = cv2.warpAffine(halved, onto, (side, side), flags=cv2.INTER_LINEAR, borderValue=beside)
    work = _Work(np.asarray(image, np.uint8), [], [])
    for x1, y1, x2, y2 in photograph.plates.tolist():
        edges = np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]]) @ matrix[:, :2].T + matrix[:, 2]
        left, top, right, bottom = _edges(edges)
        # The box around a turned box is larger than the plate: half of what was added is taken back.
        spare_x = (right - left - (x2 - x1) * scale) / 4
        spare_y = (bottom - top - (y2 - y1) * scale) / 4
        box = (left + spare_x, top + spare_y, right - spare_x, bottom - spare_y)
        share = seen(box, side)
        if share <= 0:
            continue
        doubtful = share < VISIBLE or box[3] - box[1] < SMALLEST
        (work.doubtful if doubtful else work.plates).append(box)
    if generator.random() < 0.5:
        work.flip()
    return work


def place(side: int, generator: np.random.Generator) -> NDArray[np.uint8]:
    """A drawn place: sky or wall above, ground below, rough surfaces, blocks, lines."""
    rough = generator.integers(0, 256, (side // 16, side // 16, 1), np.uint8)
    rough = np.repeat(rough, 3, axis=2) if generator.random() < 0.8 else rough * generator.uniform(0, 1, 3)
    rough = rough.astype(np.uint8)
    coarse = cv2.resize(rough, (side, side), interpolation=cv2.INTER_CUBIC)
    colors = generator.uniform(20, 230, (3, 3))
    horizon = generator.uniform(0.1, 0.9)
    steps = np.linspace(0, 1, side)[:, None]
    ramp = np.concatenate([np.interp(steps, [0, horizon, 1], colors[:, channel]) for channel in range(3)], axis=1)
    image = np.repeat(ramp[:, None], side, axis=1).astype(np.uint8)
    image = np.asarray(cv2.addWeighted(image, 1, coarse, float(generator.uniform(0, 0.3)), -20), np.uint8)
    for _ in range(int(generator.integers(0, 14))):
        shade = tuple(generator.uniform(10, 245, 3).tolist())
        first, second = (tuple(map(int, point)) for point in generator.integers(-20, side + 20, (2, 2)))
        kind = generator.integers(4)
        if kind == 0:
            cv2.rectangle(image, first, second, shade, -1)
        elif kind == 1:
            cv2.line(image, first, second, shade, int(generator.integers(1, 12)), cv2.LINE_AA)
        elif kind == 2:
            size = tuple(map(int, generator.integers(4, side // 3, 2)))
            cv2.ellipse(image, first, size, float(generator.uniform(0, 180)), 0, 360, shade, -1)
        else:
            corners = generator.integers(-20, side + 20, (4, 2)).astype(np.int32)
            cv2.fillConvexPoly(image, corners, shade)
    if generator.random() < 0.6:
        grain = generator.integers(0, 256, (side // 2, side // 2), np.uint8)
        grain = np.asarray(cv2.resize(grain, (side, side)), np.uint8)
        weight = float(generator.uniform(0.02, 0.2))
        image = np.asarray(cv2.addWeighted(image, 1, cv2.merge([grain] * 3), weight, -128 * weight), np.uint8)
    return image


def corners_of(width: float, height: float, generator: np.random.Generator, turn: float = 1.0) -> NDArray[np.float64]:
    """Where the corners of an upright rectangle come to lie in perspective, around (0, 0); ``(4, 2)``.

    It is turned about all three axes, seldom by much; ``turn`` scales how far.
    """
    yaw = np.deg2rad(np.clip(generator.normal(0, 24), -62, 62)) * turn
    pitch = np.deg2rad(np.clip(generator.normal(0, 12), -40, 40)) * turn
    roll = np.deg2rad(np.clip(generator.normal(0, 5 if generator.random() < 0.8 else 18), -40, 40)) * turn
    flat = np.array([[-width, -height, 0], [width, -height, 0], [width, height, 0], [-width, height, 0]]) / 2
    around_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    around_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    around_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    solid = flat @ (around_z @ around_x @ around_y).T
    far = width * generator.uniform(3, 10)
    return np.asarray(solid[:, :2] * (far / (far + solid[:, 2:])), np.float64)


def seen(box: tuple[float, float, float, float], side: int) -> float:
    """Share of a box that lies in a square of this side."""
    across = max(0.0, min(box[2], side) - max(box[0], 0))
    down = max(0.0, min(box[3], side) - max(box[1], 0))
    return across * down / max(1e-6, (box[2] - box[0]) * (box[3] - box[1]))


def _edges(corners: NDArray[np.float64]) -> tuple[float, float, float, float]:
    (x1, y1), (x2, y2) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    return x1, y1, x2, y2


def _scaled(image: NDArray[np.uint8], height: float) -> NDArray[np.uint8]:
    """Reduced to about a height, so that laying it down skips no pixels; never enlarged."""
    share = height / image.shape[0]
    if share >= 1:
        return image
    size = (max(2, round(image.shape[1] * share)), max(2, round(height)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _lit(plate: NDArray[np.uint8], generator: np.random.Generator) -> NDArray[np.uint8]:
    """A plate by its light: glaring in headlights, in half shadow, bright or dull."""
    kind = generator.random()
    if kind < 0.45:
        return plate
    lit = plate.copy()
    gain = float(generator.uniform(1.2, 2.4) if kind < 0.6 else generator.uniform(0.35, 1.1))
    lit[..., :3] = cv2.convertScaleAbs(plate[..., :3], alpha=gain, beta=30 if kind < 0.53 else 0)
    if kind > 0.85:
        ramp = np.linspace(generator.uniform(0.2, 1), generator.uniform(0.2, 1), plate.shape[1])[None, :, None]
        lit[..., :3] = lit[..., :3] * ramp
    return lit


def _lay(image: NDArray[np.uint8], canvas: NDArray[np.uint8], at: mounts.Place, corners: NDArray[np.float64]) -> None:
    """Lay a canvas onto the image so that the rectangle ``at`` comes to lie between the corners."""
    x, y, width, height = at
    flat = np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], np.float32)
    matrix = cv2.getPerspectiveTransform(flat, corners.astype(np.float32))
    outline = np.array([[[0, 0], [canvas.shape[1], 0], [canvas.shape[1], canvas.shape[0]], [0, canvas.shape[0]]]])
    reach = cv2.perspectiveTransform(outline.astype(np.float32), matrix)[0]
    if not np.isfinite(reach).all():
        return
    low = np.clip(np.floor(reach.min(axis=0)), 0, [image.shape[1], image.shape[0]]).astype(int)
    high = np.clip(np.ceil(reach.max(axis=0)), 0, [image.shape[1], image.shape[0]]).astype(int)
    if (high <= low).any():
        return
    moved = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1]], np.float64) @ matrix
    size = (int(high[0] - low[0]), int(high[1] - low[1]))
    laid = cv2.warpPerspective(canvas, moved, size, flags=cv2.INTER_LINEAR)
    part = image[low[1] : high[1], low[0] : high[0]]
    shape = laid[..., 3:].astype(np.uint16)
    part[:] = (part * (255 - shape) + laid[..., :3] * shape + 127) // 255


def _occlude(work: _Work, generator: np.random.Generator) -> None:
    """Something before a plate: a bar, a leaf, a watermark; it hides less than half."""
    if not work.plates:
        return
    x1, y1, x2, y2 = work.plates[generator.integers(len(work.plates))]
    width, height = x2 - x1, y2 - y1
    shade = tuple(generator.uniform(0, 255, 3).tolist())
    x, y = int(generator.uniform(x1, x2)), int(generator.uniform(y1, y2))
    if generator.random() < 0.5:
        lean = generator.uniform(-0.5, 0.5) * height
        thick = max(1, round(min(width, height) * generator.uniform(0.08, 0.3)))
        ends = (round(x - lean), round(y1 - height)), (round(x + lean), round(y2 + height))
        cv2.line(work.image, *ends, shade, thick, cv2.LINE_AA)
    else:
        size = (
            max(1, round(width * generator.uniform(0.05, 0.22))),
            max(1, round(height * generator.uniform(0.1, 0.4))),
        )
        cv2.ellipse(work.image, (x, y), size, float(generator.uniform(0, 180)), 0, 360, shade, -1)


def pools(seed: int, *, drawn: int, others: int) -> Pools:
    """Plates and decoys for a series of scenes."""
    generator = np.random.default_rng(seed)
    return plates.pool(drawn, generator), decoys.pool(others, generator)
