"""YOLO heads: anchor-free, anchor-based, undecoded grids, and those that end in a list of boxes.

YOLO networks expect RGB scaled to 0..1 (in a manifest ``"color": "RGB", "scale": [255, 255, 255]``). A box of which
several classes score comes back once for each, so that a face that looks a little more like a person stays a face.
"""

import numpy as np
from numpy.typing import NDArray

from edgeanon.decoders.candidates import (
    Candidates,
    Outputs,
    as_scores,
    class_numbers,
    in_order,
    output,
    pixels_of,
    single,
)
from edgeanon.errors import ModelError

COCO_ANCHORS = (((10, 13), (16, 30), (33, 23)), ((30, 61), (62, 45), (59, 119)), ((116, 90), (156, 198), (373, 326)))
"""Widths and heights of the priors of YOLOv5 on each stride, in pixels, as its release trained on COCO has them."""


def yolo_v8(
    outputs: Outputs,
    *,
    width: int,
    height: int,
    threshold: float,
    classes: int = 1,
    extra: int = 0,
    strides: tuple[int, ...] = (8, 16, 32),
    boxes: str | None = None,
) -> Candidates:
    """Decode the anchor-free head of YOLOv8, v9, v11 and v12, as Ultralytics exports it without suppression.

    Args:
        outputs: ``[1, 4 + classes + extra, cells]``: centre x, y, width, height in pixels of the input, then the score
            of each class after the sigmoid, then what is left aside. Cells run by stride, row, column.
        width: of the network's input, in pixels.
        height: of the network's input, in pixels.
        threshold: least score that comes back.
        classes: how many classes the network tells apart.
        extra: values for each box after the classes that are left aside: 15 for five landmarks with their visibility,
            32 for the coefficients of masks.
        strides: pixels a cell, one for each level; their cells are counted, so that another head is not taken for one.
        boxes: name of that output; None for the only one.

    Raises:
        ModelError: the output is missing, of another shape, not finite, or holds no scores or no pixels.
    """
    name = boxes or single(outputs)
    wanted = (1, 4 + classes + extra, cell_count(width, height, strides))
    remedy = _remedy(width, height, strides, classes=classes, extra=extra)
    values = output(outputs, name, wanted, remedy=remedy)[0]
    return _from_centres(name, values[:4], as_scores(name, values[4 : 4 + classes]), threshold)


def yolo_v5(
    outputs: Outputs,
    *,
    width: int,
    height: int,
    threshold: float,
    classes: int = 1,
    extra: int = 0,
    anchors: int = 3,
    strides: tuple[int, ...] = (8, 16, 32),
    boxes: str | None = None,
) -> Candidates:
    """Decode the anchor-based head of YOLOv5 and v7 in the form in which they are exported: one list of priors.

    Args:
        outputs: ``[1, priors, 5 + classes + extra]``: centre x, y, width, height in pixels of the input, objectness,
            then the score of each class, all after the sigmoid. A score is the product of class and objectness.
        width: of the network's input, in pixels.
        height: of the network's input, in pixels.
        threshold: least score that comes back.
        classes: how many classes the network tells apart.
        extra: values for each box after the classes that are left aside.
        anchors: priors at each cell.
        strides: pixels a cell, one for each level; their priors are counted, so that another head is not taken for one.
        boxes: name of that output; None for the only one.

    Raises:
        ModelError: the output is missing, of another shape, not finite, or holds no scores or no pixels.
    """
    name = boxes or single(outputs)
    wanted = (1, anchors * cell_count(width, height, strides), 5 + classes + extra)
    remedy = _remedy(width, height, strides, anchors=anchors, classes=classes, extra=extra)
    values = output(outputs, name, wanted, remedy=remedy)[0].T
    objectness, every = as_scores(name, values[4:5]), as_scores(name, values[5 : 5 + classes])
    return _from_centres(name, values[:4], objectness * every, threshold)


def yolo_v5_grids(
    outputs: Outputs,
    *,
    width: int,
    height: int,
    threshold: float,
    classes: int = 1,
    strides: tuple[int, ...] = (8, 16, 32),
    anchors: tuple[tuple[tuple[float, float], ...], ...] = COCO_ANCHORS,
    grids: tuple[str, ...] | None = None,
) -> Candidates:
    """Decode YOLOv5 cut off at its last convolutions, as accelerators and older conversions want it.

    The formulas are those of YOLOv5: the centre is ``(2 s - 0.5 + cell) stride``, a side ``(2 s)^2 anchor``, with ``s``
    the sigmoid of what the network gives.

    Args:
        outputs: one for each stride, before the sigmoid: ``[1, anchors (5 + classes), h, w]``, or
            ``[1, anchors, h, w, 5 + classes]``.
        width: of the network's input, in pixels.
        height: of the network's input, in pixels.
        threshold: least score that comes back.
        classes: how many classes the network tells apart.
        strides: pixels a cell, one for each level.
        anchors: width and height of the priors of each level, in pixels.
        grids: names of those outputs, by stride; None to know them by their shapes.

    Raises:
        ModelError: an output is missing, of another shape, or not finite.
    """
    found = []
    for level, (stride, level_anchors) in enumerate(zip(strides, anchors, strict=True)):
        rows, columns, priors = -(-height // stride), -(-width // stride), np.array(level_anchors, np.float32)
        flat = (1, len(priors) * (5 + classes), rows, columns)
        split = (1, len(priors), rows, columns, 5 + classes)
        name = grids[level] if grids else _of_shape(outputs, flat, split, stride)
        values = output(outputs, name, split if name in outputs and outputs[name].ndim == 5 else flat)
        if values.ndim == 4:
            values = values.reshape(len(priors), 5 + classes, rows, columns).transpose(0, 2, 3, 1)
        else:
            values = values[0]
        # No class scores more than its box: what lies below as a box needs no further look.
        prior, row, column = np.nonzero(_sigmoid(values[..., 4]) >= threshold)
        chosen = _sigmoid(values[prior, row, column])
        centres = (chosen[:, :2] * 2 - 0.5 + np.stack([column, row], axis=1)) * stride
        sides = (chosen[:, 2:4] * 2) ** 2 * priors[prior]
        values = np.concatenate([centres, sides], axis=1).T.astype(np.float32)
        found.append(_from_centres(name, values, (chosen[:, 4:5] * chosen[:, 5:]).T, threshold, pixels=False))
    return Candidates(*(np.concatenate(column) for column in zip(*found, strict=True)))


def yolo_end_to_end(
    outputs: Outputs,
    *,
    width: int,  # noqa: ARG001 - boxes are in pixels already
    height: int,  # noqa: ARG001
    threshold: float,
    classes: int = 1,
    extra: int = 0,
    boxes: str | None = None,
) -> Candidates:
    """Decode a network that ends in a list of boxes: YOLOv10, YOLO26, or any YOLO exported with its suppression.

    Such a network gives no more boxes than its list is long, mostly 300 a view.

    Args:
        outputs: ``[1, boxes, 6 + extra]``: x1, y1, x2, y2 in pixels of the input, score, class number.
        width: of the network's input, in pixels.
        height: of the network's input, in pixels.
        threshold: least score that comes back.
        classes: how many classes the network tells apart.
        extra: values for each box after the class number that are left aside.
        boxes: name of that output; None for the only one.

    Raises:
        ModelError: the output is missing, of another shape, not finite, or holds no scores, corners or class numbers.
    """
    name = boxes or single(outputs)
    remedy = f"rows hold x1 y1 x2 y2, score, class, and {extra} extra; state how many are extra, or another decoder"
    rows = output(outputs, name, (1, None, 6 + extra), remedy=remedy)[0]
    as_scores(name, rows[:, 4])
    pixels_of(name, rows[rows[:, 4] > 0, :4])
    rows = rows[rows[:, 4] >= threshold]
    numbers = class_numbers(name, rows[:, 5], range(classes))
    return Candidates(in_order(name, rows[:, :4]), np.minimum(rows[:, 4], 1), numbers)


def cell_count(width: int, height: int, strides: tuple[int, ...]) -> int:
    """Cells of all levels together, for an input of this size."""
    return sum(-(-width // stride) * -(-height // stride) for stride in strides)


def _remedy(width: int, height: int, strides: tuple[int, ...], **told: int) -> str:
    """What to say of an output whose shape is not the one that follows from what the decoder was told."""
    said = ", ".join([f"strides {', '.join(map(str, strides))}", *(f"{name} {value}" for name, value in told.items())])
    return (
        f"the decoder expects that of an input of {width}x{height} with {said}; state in the manifest's decoder what "
        "the network has, or name another decoder"
    )


def _from_centres(
    name: str, boxes: NDArray[np.float32], scores: NDArray[np.float32], threshold: float, *, pixels: bool = True
) -> Candidates:
    """Candidates from ``(4, n)`` centres and sides and ``(classes, n)`` scores."""
    if pixels:
        pixels_of(name, boxes)
    numbers, places = np.nonzero(scores >= threshold)
    x, y, wide, high = boxes[:, places]
    corners = np.stack([x - wide / 2, y - high / 2, x + wide / 2, y + high / 2], axis=1)
    return Candidates(corners, np.minimum(scores[numbers, places], 1), numbers.astype(np.int64, copy=False))


def _of_shape(outputs: Outputs, flat: tuple[int, ...], split: tuple[int, ...], stride: int) -> str:
    names = [name for name, value in outputs.items() if value.shape in {flat, split}]
    if len(names) == 1:
        return names[0]
    shapes = {name: list(value.shape) for name, value in outputs.items()}
    raise ModelError(
        f"{'no output' if not names else 'more than one output'} has the shape {list(flat)} or {list(split)} of stride "
        f"{stride}, but {shapes}: state classes, strides and anchors, or the names in grids, in the manifest's decoder"
    )


def _sigmoid(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -60, 60))), np.float32)
