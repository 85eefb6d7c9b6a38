"""What the network should say of a scene, and how far it is from that.

The heatmap is judged as by CenterNet (Zhou et al., "Objects as Points", 2019) and the boxes as by TTFNet (Liu et al.,
"Training-Time-Friendly Network", 2020): every cell near the middle of a plate learns its box, by generalized
intersection over union (Rezatofighi et al., 2019).
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from calibration.training.network import STRIDE, boxes
from edgeanon.boxes import Boxes

SPREAD = 0.54 / 6
"""Standard deviation of a plate's peak as a share of its sides; TTFNet's."""

NARROWEST = 0.45
"""Least standard deviation, in cells."""


class Target(NamedTuple):
    """What is wanted of each cell of one scene: arrays ``(h, w)`` and ``(4, h, w)`` for the boxes, float32.

    ``heat`` is 1 in the middle of a plate, ``counts`` is 0 where nothing is asked, ``box`` is in cells, and ``weight``
    says how much its box matters; those of one plate sum to 1.
    """

    heat: NDArray[np.float32]
    counts: NDArray[np.float32]
    box: NDArray[np.float32]
    weight: NDArray[np.float32]


def target(side: int, plates: Boxes, doubtful: Boxes) -> Target:
    """The target of a square scene."""
    cells = side // STRIDE
    heat, counts = np.zeros((cells, cells), np.float32), np.ones((cells, cells), np.float32)
    box, weight = np.zeros((4, cells, cells), np.float32), np.zeros((cells, cells), np.float32)
    for x1, y1, x2, y2 in np.clip(np.rint(doubtful / STRIDE), 0, cells).astype(int):
        counts[y1 : y2 + 1, x1 : x2 + 1] = 0
    grid = np.arange(cells, dtype=np.float32)
    inside = np.clip(plates, 0, side) / STRIDE  # what is cut off by the border cannot be known
    for edges in sorted(inside.tolist(), key=lambda edges: (edges[2] - edges[0]) * (edges[1] - edges[3])):
        x1, y1, x2, y2 = edges
        column, row = min(int((x1 + x2) / 2), cells - 1), min(int((y1 + y2) / 2), cells - 1)
        across, down = max((x2 - x1) * SPREAD, NARROWEST), max((y2 - y1) * SPREAD, NARROWEST)
        peak = np.exp(-((grid[:, None] - row) ** 2) / (2 * down**2) - (grid[None] - column) ** 2 / (2 * across**2))
        peak = peak.astype(np.float32)
        heat = np.maximum(heat, peak)
        near = peak > 0.05
        box[:, near] = np.array(edges, np.float32)[:, None]
        weight[near] = (peak / peak[near].sum())[near]
        counts[row, column] = 1
    return Target(heat, counts, box, weight)


def loss(grid: Tensor, heat: Tensor, counts: Tensor, box: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Of the heatmap and of the boxes, each by plate; targets are stacked along the first axis."""
    score = torch.sigmoid(grid[:, 0]).clamp(1e-5, 1 - 1e-5)
    middle = heat == 1
    found = torch.log(score) * (1 - score) ** 2 * middle
    false = torch.log(1 - score) * score**2 * (1 - heat) ** 4 * counts * ~middle
    plates = middle.sum().clamp(min=1)
    of_heat = -(found.sum() + false.sum()) / plates

    at = weight > 0
    if not at.any():
        return of_heat, grid[:, 1:].sum() * 0
    here = boxes(grid).permute(0, 2, 3, 1)[at]
    there, by = box.permute(0, 2, 3, 1)[at], weight[at]
    low, high = torch.maximum(here[:, :2], there[:, :2]), torch.minimum(here[:, 2:], there[:, 2:])
    common = (high - low).clamp(min=0).prod(dim=1)
    together = (here[:, 2:] - here[:, :2]).prod(dim=1) + (there[:, 2:] - there[:, :2]).prod(dim=1) - common
    around = (torch.maximum(here[:, 2:], there[:, 2:]) - torch.minimum(here[:, :2], there[:, :2])).prod(dim=1)
    overlap = common / together.clamp(min=1e-6) - (around - together) / around.clamp(min=1e-6)
    return of_heat, ((1 - overlap) * by).sum() / by.sum()
