"""Real networks with the heads of the families that users bring: they find squares of pure red, green or blue.

In front of each head stands a matched filter: at every cell of a stride it averages a square of five strides around its
middle, less what lies around it, so that stride 8 answers to squares of 40 pixels, stride 16 to 80, and stride 32 to
160. What follows is the arithmetic of the family, operation by operation, as its export has it. Class 0 is red, class 1
green, class 2 blue.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as ops

STRIDES = (8, 16, 32)
SQUARE = 5  # strides a square
AROUND = 9  # strides that are looked at around it
BINS = 16  # of the distribution focal loss
ANCHORS = (((20, 24), (32, 64), (48, 40)), ((80, 100), (60, 40), (30, 30)), ((116, 90), (200, 160), (90, 300)))

Size = tuple[int, int] | None
Node = Any


def mean_around(picture: Node, stride: int, cells: int) -> Node:
    """The mean over a square of so many strides around the middle of each cell, ``[1, 3, h, w]``."""
    finest = ops.avg_pool(picture, [8, 8], [0, 0], [0, 0], [8, 8], exclude_pad=False)  # all begins and ends on these
    step, pad = stride // 8, (cells - 1) * stride // 16
    return ops.avg_pool(finest, [step] * 2, [pad] * 2, [pad] * 2, [cells * step] * 2, exclude_pad=False)


def picture_and_filters(size: Size) -> tuple[Node, list[Node]]:
    """The input, RGB in 0..1, and for each stride a logit for each colour ``[1, 3, h, w]``."""
    picture = ops.parameter(ov.PartialShape([1, 3, -1, -1] if size is None else [1, 3, size[1], size[0]]), np.float32)
    colours = np.full((3, 3, 1, 1), -1, np.float32)
    colours[np.arange(3), np.arange(3)] = 1
    logits = []
    for stride in STRIDES:
        inside, wide = (mean_around(picture, stride, cells) for cells in (SQUARE, AROUND))
        around = ops.subtract(wide, ops.multiply(inside, np.float32(SQUARE**2 / AROUND**2)))
        square = ops.subtract(inside, ops.multiply(around, np.float32(2)))
        pure = ops.convolution(square, colours, [1, 1], [0, 0], [0, 0], [1, 1])
        logits.append(ops.multiply(ops.subtract(pure, np.float32(0.55)), np.float32(40)))
    return picture, logits


def alike(node: Node, values: NDArray[np.float32]) -> Node:
    """``[1, n, h, w]`` with one of the values in each channel, for the cells of ``[1, 3, h, w]``."""
    nothing = ops.multiply(ops.reduce_sum(node, np.array([1]), keep_dims=True), np.float32(0))
    return ops.add(nothing, values.reshape(1, -1, 1, 1).astype(np.float32))


def cells(node: Node, *, channels: int) -> Node:
    """``[1, channels, h, w]`` as ``[1, channels, h w]``."""
    return ops.reshape(node, np.array([1, channels, -1]), special_zero=False)


def middles(node: Node, stride: int, at: float) -> Node:
    """Column and row of each cell, moved by ``at`` and in pixels, ``[1, 2, h, w]``."""
    shape = ops.shape_of(node)
    height, width = (ops.gather(shape, np.array(axis), np.array(0)) for axis in (2, 3))
    x = ops.range(np.int64(0), width, np.int64(1), "f32")
    y = ops.range(np.int64(0), height, np.int64(1), "f32")
    blank = ops.multiply(ops.reduce_sum(node, np.array([1]), keep_dims=True), np.float32(0))
    columns = ops.add(blank, ops.reshape(x, np.array([1, 1, 1, -1]), special_zero=False))
    rows = ops.add(blank, ops.reshape(y, np.array([1, 1, -1, 1]), special_zero=False))
    return ops.multiply(ops.add(ops.concat([columns, rows], 1), np.float32(at)), np.float32(stride))


def distances(levels: list[Node]) -> Node:
    """YOLOv8's regression: a softmax over 16 bins for each side, and its expectation; ``[1, 4, cells]`` in strides."""
    bins = np.full(BINS, -30, np.float32)
    bins[[2, 3]] = 0  # half and half: 2.5 strides to each side
    regressed = ops.concat([cells(alike(level, np.tile(bins, 4)), channels=4 * BINS) for level in levels], 2)
    split = ops.transpose(ops.reshape(regressed, np.array([1, 4, BINS, -1]), special_zero=False), [0, 2, 1, 3])
    weights = np.arange(BINS, dtype=np.float32).reshape(1, BINS, 1, 1)
    expected = ops.convolution(ops.softmax(split, 1), weights, [1, 1], [0, 0], [0, 0], [1, 1])
    return ops.reshape(expected, np.array([1, 4, -1]), special_zero=False)


def corners(levels: list[Node]) -> tuple[Node, Node, Node]:
    """Top left and bottom right ``[1, 2, cells]`` in strides, and the stride of each cell ``[1, 1, cells]``."""
    points = ops.concat([cells(middles(one, 1, 0.5), channels=2) for one in levels], 2)
    every = zip(levels, STRIDES, strict=True)
    strides = ops.concat([cells(alike(one, np.array([stride])), channels=1) for one, stride in every], 2)
    before, after = ops.split(distances(levels), 1, 2).outputs()
    return ops.subtract(points, before), ops.add(points, after), strides


def rows(table: Node, which: Node, *, columns: int) -> Node:
    """Rows of ``[1, n, columns]`` by their numbers ``[1, most]``, in the operations that ``torch.gather`` becomes."""
    return ops.gather_elements(table, ops.tile(ops.unsqueeze(which, np.array([2])), np.array([1, 1, columns])), 1)


def yolo_v8(size: Size = None, extra: int = 0) -> ov.Model:
    """``[1, 7 + extra, cells]``, the extra values filled with coordinates; its output has no name."""
    picture, levels = picture_and_filters(size)
    low, high, strides = corners(levels)
    centre = ops.multiply(ops.add(low, high), np.float32(0.5))
    boxes = ops.multiply(ops.concat([centre, ops.subtract(high, low)], 1), strides)
    scores = ops.sigmoid(ops.concat([cells(level, channels=3) for level in levels], 2))
    landmarks = [ops.multiply(strides, np.float32(9)) for _ in range(extra)]
    return ov.Model([ops.result(ops.concat([boxes, scores, *landmarks], 1))], [picture], "yolo-v8")


def yolo_end_to_end(size: Size = None, most: int = 50) -> ov.Model:
    """YOLOv10's last steps: the best cells, then the best of their classes; ``[1, most, 6]``."""
    picture, levels = picture_and_filters(size)
    low, high, strides = corners(levels)
    boxes = ops.transpose(ops.multiply(ops.concat([low, high], 1), strides), [0, 2, 1])
    scores = ops.sigmoid(ops.concat([cells(level, channels=3) for level in levels], 2))
    scores = ops.transpose(scores, [0, 2, 1])
    best = ops.topk(ops.reduce_max(scores, np.array([2])), np.int64(most), 1, "max", "value").output(1)
    boxes, scores = rows(boxes, best, columns=4), rows(scores, best, columns=3)
    top = ops.topk(ops.reshape(scores, np.array([1, -1]), special_zero=False), np.int64(most), 1, "max", "value")
    score = ops.unsqueeze(top.output(0), np.array([2]))
    number = ops.convert(ops.unsqueeze(ops.mod(top.output(1), np.int32(3)), np.array([2])), "f32")
    chosen = rows(boxes, ops.divide(top.output(1), np.int32(3)), columns=4)
    return ov.Model([ops.result(ops.concat([chosen, score, number], 2))], [picture], "yolo-end-to-end")


def boxes_and_labels(size: Size = None) -> ov.Model:
    """What Geti exports: OpenVINO's NonMaxSuppression inside, ``boxes`` ``[1, n, 5]`` and ``labels`` ``[1, n]``."""
    picture, levels = picture_and_filters(size)
    low, high, strides = corners(levels)
    boxes = ops.transpose(ops.multiply(ops.concat([low, high], 1), strides), [0, 2, 1])
    scores = ops.sigmoid(ops.concat([cells(level, channels=3) for level in levels], 2))
    limits = np.int64(100), np.float32(0.5), np.float32(0.05), np.float32(0)
    best = ops.non_max_suppression(boxes, scores, *limits, box_encoding="corner", sort_result_descending=True)
    _, number, box = ops.split(best.output(0), np.int64(1), 3).outputs()
    box, number = (ops.reshape(node, np.array([-1]), special_zero=False) for node in (box, number))
    score = ops.gather(best.output(1), np.array([2]), np.array(1))
    rows = ops.concat([ops.squeeze(ops.gather(boxes, box, np.array(1)), np.array([0])), score], 1)
    results = []
    for name, node in (("boxes", ops.unsqueeze(rows, np.array([0]))), ("labels", ops.unsqueeze(number, np.array([0])))):
        node.output(0).get_tensor().set_names({name})
        results.append(ops.result(node))
    return ov.Model(results, [picture], "boxes-and-labels")


def raw_v5(level: Node, stride: int, anchors: tuple[tuple[int, int], ...]) -> Node:
    """What YOLOv5's last convolution gives, ``[1, anchors (5 + 3), h, w]``: boxes of five strides from every prior."""
    priors = []
    for width, height in anchors:
        sides = np.sqrt(SQUARE * stride / np.array([width, height])) / 2
        logits = np.log(sides / (1 - sides))
        box = alike(level, np.array([0, 0, *logits]))  # a sigmoid of one half puts the centre in the cell's middle
        objectness = ops.reduce_max(level, np.array([1]), keep_dims=True)
        priors.append(ops.concat([box, objectness, level], 1))
    return ops.concat(priors, 1)


def yolo_v5(size: Size = None) -> ov.Model:
    """YOLOv5's export: sigmoid, grid and anchors inside; ``[1, priors, 8]``."""
    picture, levels = picture_and_filters(size)
    every = []
    for level, stride, anchors in zip(levels, STRIDES, ANCHORS, strict=True):
        shape = ops.shape_of(level)
        place = ops.gather(shape, np.array([2, 3]), np.array(0))
        split = ops.concat([np.array([1, 3, 8]), place], 0)
        grid = ops.transpose(ops.reshape(raw_v5(level, stride, anchors), split, special_zero=False), [0, 1, 3, 4, 2])
        xy, wh, rest = ops.variadic_split(ops.sigmoid(grid), np.int64(4), np.array([2, 2, 4])).outputs()
        cell = ops.unsqueeze(ops.transpose(middles(level, 1, -0.5), [0, 2, 3, 1]), np.array([1]))
        xy = ops.multiply(ops.add(ops.multiply(xy, np.float32(2)), cell), np.float32(stride))
        wh = ops.power(ops.multiply(wh, np.float32(2)), np.float32(2))
        wh = ops.multiply(wh, np.array(anchors, np.float32).reshape(1, 3, 1, 1, 2))
        every.append(ops.reshape(ops.concat([xy, wh, rest], 4), np.array([1, -1, 8]), special_zero=False))
    return ov.Model([ops.result(ops.concat(every, 1))], [picture], "yolo-v5")


def yolo_v5_grids(size: Size = None) -> ov.Model:
    """YOLOv5 cut off at its last convolutions, largest stride first, as nobody promises an order."""
    picture, levels = picture_and_filters(size)
    heads = [raw_v5(*level) for level in zip(levels, STRIDES, ANCHORS, strict=True)]
    return ov.Model([ops.result(head) for head in reversed(heads)], [picture], "yolo-v5-grids")


def ssd(size: tuple[int, int] = (320, 256), *, background: bool = True) -> ov.Model:
    """SSD on strides 16 and 32 with OpenVINO's PriorBox and DetectionOutput; ``[1, 1, 100, 7]``."""
    picture, levels = picture_and_filters(size)
    scores, priors, regressed = [], [], []
    for level, stride in list(zip(levels, STRIDES, strict=True))[1:]:
        logits = ops.concat([alike(level, np.array([0.0])), level], 1) if background else level
        classes = 4 if background else 3
        scores.append(ops.reshape(ops.transpose(logits, [0, 2, 3, 1]), np.array([1, -1, classes]), special_zero=False))
        how = {"offset": 0.5, "min_size": [float(SQUARE * stride)], "step": float(stride), "variance": [0.1] * 4}
        place = ops.slice(ops.shape_of(level), np.array([2]), np.array([4]), np.array([1]))
        whole = ops.slice(ops.shape_of(picture), np.array([2]), np.array([4]), np.array([1]))
        priors.append(ops.prior_box(place, whole, how))
        still = ops.transpose(alike(level, np.zeros(4, np.float32)), [0, 2, 3, 1])
        regressed.append(ops.reshape(still, np.array([1, -1]), special_zero=False))
    logits = ops.concat(scores, 1)
    confidence = ops.softmax(logits, 2) if background else ops.sigmoid(logits)
    found = ops.detection_output(
        ops.concat(regressed, 1),
        ops.reshape(confidence, np.array([1, -1]), special_zero=False),
        ops.unsqueeze(ops.concat(priors, 1), np.array([0])),
        {
            "background_label_id": 0 if background else -1,
            "top_k": 200,
            "keep_top_k": [100],
            "code_type": "caffe.PriorBoxParameter.CENTER_SIZE",
            "share_location": True,
            "nms_threshold": 0.45,
            "confidence_threshold": 0.05,
            "normalized": True,
        },
    )
    return ov.Model([ops.result(found)], [picture], "ssd")


def save(model: ov.Model, folder: Path, **decoder: object) -> Path:
    """Write IR and manifest, and return the path of the ``.xml``: red is a face, green a plate, blue is not listed."""
    folder.mkdir(parents=True, exist_ok=True)
    ov.save_model(model, folder / "model.xml", compress_to_fp16=False)
    first = int(decoder["name"] == "ssd" and decoder.get("background") is not False)
    manifest = {
        "name": "own",
        "kinds": {first: "face", first + 1: "plate"},
        "input": {"color": "RGB", "scale": [255, 255, 255]},
        "decoder": {"classes": 3, **decoder},
        "threshold": 0.5,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder / "model.xml"
