"""The fill that looks like a blur and knows nothing of what it hides."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from edgeanon.styles.checks import check_number
from edgeanon.styles.patch import Patch, Pixels

_SHORT_CELLS = 6  # cells along a mask's shorter side: coarse enough for the look of a strong defocus
_LONG_CELLS = 18  # and at most along its longer side, which bounds the work for a long thin mask
_RING = 2  # cells around the mask that are averaged: a third of the shorter side
_MORE = 3  # the fill has so many points more than cells a side before it is interpolated
_SAMPLES = (
    16,
    4,
)  # about so many columns and rows of a cell are averaged at most, which bounds the work for a large mask
_ENOUGH = 0.15  # share of the ring that must be visible; below, the ring widens
_ZOOMS = (1, 2, 4, 8)  # by so much
_MANY = 16  # so many masks around one are looked up by array, fewer one by one
_EVEN = 0.3  # squared distance in cells below which cells count alike, so that no single one stands out
_POWER = 2.0  # of the inverse squared distance: how fast the edge's colours give way to the average
_GRAIN_SIDE = 256


@dataclass(frozen=True, slots=True)
class Soft:
    """A smooth fill that looks like a blur and carries nothing of what it hides.

    A ring around the mask, a third of the mask's shorter side wide, is averaged on a coarse grid. Cells that touch any
    mask are left out, and the rest is carried inward by inverse distance weights (Shepard 1968), so the fill continues
    its surroundings at the edge and is of their average colour in the middle. Where too little is visible the ring
    widens, then the whole picture is averaged, and mid-grey is the last resort.

    Args:
        grain: standard deviation of the fixed noise laid over the fill, in 8-bit levels, 0..8. It keeps smooth fills
            from showing steps.
    """

    grain: float = 1.5
    irreversible: ClassVar[bool] = True
    feather: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_number("Soft", "grain", self.grain, 0, 8)

    def __call__(self, patch: Patch) -> ArrayLike:
        """What to show in the patch."""
        fill = _soft_field(patch)
        if self.grain > 0:
            lighter, darker = _grain(self.grain, patch.image.shape[2:], patch.image.dtype)
            for y in range(0, fill.shape[0], _GRAIN_SIDE):
                for x in range(0, fill.shape[1], _GRAIN_SIDE):
                    part = fill[y : y + _GRAIN_SIDE, x : x + _GRAIN_SIDE]
                    height, width = part.shape[:2]
                    cv2.add(part, lighter[:height, :width], part)
                    cv2.subtract(part, darker[:height, :width], part)
        return fill


def _soft_field(patch: Patch) -> Pixels:
    """The soft fill of a patch without its grain, an array of its own."""
    x1, y1, x2, y2 = patch.box
    chosen: tuple[_Grid, NDArray[np.float32]] | None = None
    for zoom in _ZOOMS:
        grid = _grid(x2 - x1, y2 - y1, zoom)
        left, top = x1 - grid.lead[0], y1 - grid.lead[1]
        cells = _visible_cells(patch, grid, left, top)
        seen = np.count_nonzero(cells[..., -1])
        enough = seen >= _ENOUGH * grid.ring
        if enough or (seen and chosen is None):
            chosen = grid, cells
        if enough:
            break
    if chosen is None:
        fill = np.empty((y2 - y1, x2 - x1, *patch.image.shape[2:]), patch.image.dtype)
        fill[...] = _mean_visible(patch)
        return fill
    grid, cells = chosen
    sums = _spreading(grid.inner, grid.stretch) @ cells.reshape(-1, cells.shape[2])
    values = np.sqrt(sums[:, :-1] / sums[:, -1:])
    values += 0.5
    small = values.astype(patch.image.dtype).reshape(*(grid.inner[axis] + _MORE for axis in (1, 0)), -1)
    return np.asarray(cv2.resize(small, (x2 - x1, y2 - y1), interpolation=cv2.INTER_LINEAR))


class _Grid(NamedTuple):
    """A coarse grid over a box and the ring around it. Cells are whole pixels: none mixes hidden and visible ones.

    Each pair is of x and y.

    Attributes:
        cell: sides of a cell in pixels.
        step: every how many columns and rows a cell is sampled; divisors of ``cell``.
        inner: cells that cover the box.
        cells: all cells, with ``_RING`` more on every side.
        ring: how many of them are not inner ones.
        lead: pixels from the first cell's corner to the box's.
        stretch: proportions of a cell as small whole numbers.
    """

    cell: tuple[int, int]
    step: tuple[int, int]
    inner: tuple[int, int]
    cells: tuple[int, int]
    ring: int
    lead: tuple[int, int]
    stretch: tuple[int, int]


@lru_cache(maxsize=1024)
def _grid(width: int, height: int, zoom: int) -> _Grid:
    """The grid over a box of these sides; each further zoom doubles the width of the ring."""
    cells, steps, inner, lead = [], [], [], []
    for side, samples in zip((width, height), _SAMPLES, strict=True):
        aim = min(_LONG_CELLS, round(_SHORT_CELLS * side / min(width, height)))
        cell = -(-side // aim) * zoom
        step = max(1, cell // samples)
        cell = -(-cell // step) * step
        count = -(-side // cell)
        cells.append(cell)
        steps.append(step)
        inner.append(count)
        lead.append(_RING * cell + (count * cell - side) // 2)
    across, down = inner[0] + 2 * _RING, inner[1] + 2 * _RING
    return _Grid(
        (cells[0], cells[1]),
        (steps[0], steps[1]),
        (inner[0], inner[1]),
        (across, down),
        across * down - inner[0] * inner[1],
        (lead[0], lead[1]),
        (max(1, round(cells[0] / cells[1])), max(1, round(cells[1] / cells[0]))),
    )


def _visible_cells(patch: Patch, grid: _Grid, left: int, top: int) -> NDArray[np.float32]:
    """Mean light of the cells that no mask touches, ``(rows, columns, c + 1)`` with 1 as the last; the others are 0."""
    image, (wide, tall), (columns, rows) = patch.image, grid.cell, grid.cells
    height, width = image.shape[:2]
    # The cells that touch the picture, and the pixels that they span.
    first_x, last_x = max(0, -left // wide), min(columns, -((left - width) // wide))
    first_y, last_y = max(0, -top // tall), min(rows, -((top - height) // tall))
    x1, x2, y1, y2 = left + first_x * wide, left + last_x * wide, top + first_y * tall, top + last_y * tall
    if x1 >= 0 and y1 >= 0 and x2 <= width and y2 <= height:
        part = image[y1 : y2 : grid.step[1], x1 : x2 : grid.step[0]]
        if grid.step[0] > 1:
            part = np.ascontiguousarray(part)
    else:
        # A cell that hangs over the edge is completed from its own pixels.
        rows_in = np.minimum(np.maximum(np.arange(y1, y2, grid.step[1]), 0), height - 1)
        part = image[rows_in, max(x1, 0) : min(x2, width)]
        over = cv2.copyMakeBorder(part, 0, 0, max(-x1, 0), max(x2 - width, 0), cv2.BORDER_REPLICATE)
        part = np.ascontiguousarray(over[:, :: grid.step[0]])
    means = np.asarray(cv2.resize(part, (last_x - first_x, last_y - first_y), interpolation=cv2.INTER_AREA))

    channels = image.shape[2] if image.ndim == 3 else 1
    cells = np.zeros((rows, columns, channels + 1), np.float32)
    inside = cells[first_y:last_y, first_x:last_x]
    # Pixels are about the square root of light (gamma). Mixed as light, as a lens mixes, the fill is not too dark.
    np.square(means.reshape(last_y - first_y, last_x - first_x, channels), out=inside[..., :channels], dtype=np.float32)
    inside[..., channels] = 1
    near = [mask for mask in patch.hidden.tolist() if mask[0] < x2 and mask[2] > x1 and mask[1] < y2 and mask[3] > y1]
    if len(near) < _MANY:
        for mask in near:
            columns_over = slice(max(0, (mask[0] - left) // wide), -((left - mask[2]) // wide))
            cells[max(0, (mask[1] - top) // tall) : -((top - mask[3]) // tall), columns_over] = 0
    else:
        masks, x, y = np.array(near), left + wide * np.arange(columns + 1), top + tall * np.arange(rows + 1)
        over_x = (masks[:, 0, None] < x[1:]) & (masks[:, 2, None] > x[:-1])
        over_y = (masks[:, 1, None] < y[1:]) & (masks[:, 3, None] > y[:-1])
        cells[over_y.T.astype(np.float32) @ over_x.astype(np.float32) > 0] = 0
    return cells


@lru_cache(maxsize=256)
def _spreading(inner: tuple[int, int], stretch: tuple[int, int]) -> NDArray[np.float32]:
    """Weights of a grid's cells, in columns, in points all over its inner cells, in rows. Read-only."""

    def points(ring: int, more: int) -> NDArray[np.float32]:
        x, y = (
            (np.linspace(-ring, count + ring, 2 * (count + 2 * ring + more) + 1)[1::2] * side).astype(np.float32)
            for count, side in zip(inner, stretch, strict=True)
        )
        return np.stack(np.broadcast_arrays(x, y[:, None]), axis=-1).reshape(-1, 2)

    squares = ((points(0, _MORE)[:, None] - points(_RING, 0)[None]) ** 2).sum(axis=-1)
    weights = np.asarray((squares + _EVEN) ** -_POWER, np.float32)
    weights.flags.writeable = False
    return weights


def _mean_visible(patch: Patch) -> NDArray[np.float64]:
    """Mean of what no mask hides, on a sample of the whole picture; mid-grey if nothing is visible."""
    step = max(1, max(patch.image.shape[:2]) // 256)
    sample = patch.image[::step, ::step]
    visible = np.ones(sample.shape[:2], np.bool_)
    for x1, y1, x2, y2 in (-(-patch.hidden // step)).tolist():
        visible[y1:y2, x1:x2] = False
    if visible.any():
        return np.asarray(sample[visible].mean(axis=0), np.float64)
    # A fourth channel is opacity or the lack of black ink.
    most = np.iinfo(patch.image.dtype).max
    middle = most // 2 + 1
    return np.array(
        (middle, middle, middle, most)[: patch.image.shape[2]] if patch.image.ndim == 3 else middle, np.float64
    )


@lru_cache(maxsize=8)
def _grain(deviation: float, channels: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[Pixels, Pixels]:
    """Fixed noise of brightness as what to add and what to take, a square each, read-only; none in a fourth channel."""
    # The seed is any number: the noise must be the same in every run and know nothing of the picture.
    noise = np.random.default_rng(1).standard_normal((_GRAIN_SIDE, _GRAIN_SIDE)).clip(-3, 3) * deviation
    levels = np.rint(noise * (np.iinfo(dtype).max // 255))
    if channels:
        levels = np.repeat(levels[..., None], channels[0], axis=2)
        levels[..., 3:] = 0
    lighter, darker = np.maximum(levels, 0).astype(dtype), np.maximum(-levels, 0).astype(dtype)
    lighter.flags.writeable = darker.flags.writeable = False
    return lighter, darker
