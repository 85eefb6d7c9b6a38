"""SSD networks that end in OpenVINO's operation DetectionOutput."""

import numpy as np

from edgeanon.decoders.candidates import Candidates, Outputs, class_numbers, finite, shaped, single
from edgeanon.errors import ModelError

FARTHEST = 4.0
"""Edges lie within this many sides of the input; beyond, they are no shares of its sides."""


def ssd(
    outputs: Outputs,
    *,
    width: int,
    height: int,
    threshold: float,
    classes: int = 1,
    background: bool = True,
    boxes: str | None = None,
) -> Candidates:
    """Decode the list that DetectionOutput gives (Liu et al., "SSD: Single Shot MultiBox Detector", 2016).

    Such a network suppresses inside, and gives no more boxes than its list is long (often 100 or 200 a view).

    Args:
        outputs: ``[1, 1, boxes, 7]``: number of the picture, class number, score, x1, y1, x2, y2 as shares of the
            input's sides. The list ends at the first row whose picture is negative; what is behind it means nothing.
        width: of the network's input, in pixels.
        height: of the network's input, in pixels.
        threshold: least score that comes back.
        classes: how many classes the network tells apart, the background not counted.
        background: whether class 0 is the background, so that the first class is 1; some networks of Open Model Zoo
            count their classes from 0.
        boxes: name of that output; None for the only one.

    Raises:
        ModelError: the output is missing, of another shape, not finite, or holds no scores, shares or class numbers.
    """
    name = boxes or single(outputs)
    remedy = "a list of DetectionOutput has 7 values a box; state the output's name, or another decoder"
    rows = shaped(outputs, name, (1, 1, None, 7), remedy=remedy)[0, 0]
    ends = np.flatnonzero(rows[:, 0] < 0)
    rows = finite(name, rows[: ends[0]] if len(ends) else rows)
    rows = rows[rows[:, 2] >= threshold]
    if (rows[:, 2] > 1.01).any() or (np.abs(rows[:, 3:]) > FARTHEST).any():
        raise ModelError(
            f"output {name!r} holds scores above 1, or edges that are no shares of the input's sides: it is no list of "
            "DetectionOutput; choose another decoder, or pass decode="
        )
    numbers = class_numbers(name, rows[:, 1], range(background, background + classes))
    return Candidates(rows[:, 3:] * np.array([width, height] * 2, np.float32), np.minimum(rows[:, 2], 1), numbers)
