"""Real networks small enough to build in a test: they find bright rectangles."""

import json
from pathlib import Path

import numpy as np
import openvino as ov
from openvino import opset13 as ops

STRIDE = 4


def save(model: ov.Model, folder: Path, **manifest: object) -> Path:
    """Write IR and manifest, and return the path of the ``.xml``."""
    folder.mkdir(parents=True, exist_ok=True)
    ov.save_model(model, folder / "model.xml", compress_to_fp16=False)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder / "model.xml"


def bright(*, size: tuple[int, int] | None = None, side: float = 40.0, faulty: bool = False) -> ov.Model:
    """A centre-point network that finds a face of ``side`` pixels wherever its cell is white.

    Args:
        size: ``(width, height)`` of its input; None for free.
        side: of every box, in pixels of the input.
        faulty: its heatmap is NaN.
    """
    shape = [1, 3, -1, -1] if size is None else [1, 3, size[1], size[0]]
    picture = ops.parameter(ov.PartialShape(shape), np.float32, name="picture")
    mean = np.full((1, 3, STRIDE, STRIDE), 1 / (3 * STRIDE * STRIDE), np.float32)
    grey = ops.convolution(picture, mean, [STRIDE, STRIDE], [0, 0], [0, 0], [1, 1])
    heatmap = ops.divide(grey, np.float32(255))
    heatmap = ops.multiply(ops.relu(ops.subtract(heatmap, np.float32(0.9))), np.float32(9.99))
    if faulty:
        heatmap = ops.divide(ops.subtract(heatmap, heatmap), ops.subtract(heatmap, heatmap))
    nothing = ops.multiply(ops.concat([grey, grey], 1), np.float32(0))
    sizes = ops.add(nothing, np.float32(np.log(side / STRIDE)))
    results = []
    for name, node in (("heatmap", heatmap), ("size", sizes), ("offset", nothing)):
        node.output(0).get_tensor().set_names({name})
        results.append(ops.result(node))
    return ov.Model(results, [picture], "bright")


FACES = {
    "name": "bright",
    "kinds": {0: "face"},
    "input": {"multiple": 4},
    "decoder": {"name": "center-point"},
    "threshold": 0.5,
}


def channels() -> ov.Model:
    """A network that gives back its input."""
    picture = ops.parameter(ov.PartialShape([1, 3, -1, -1]), np.float32, name="picture")
    same = ops.multiply(picture, np.float32(1))
    same.output(0).get_tensor().set_names({"same"})
    return ov.Model([ops.result(same)], [picture], "channels")


def graded(*, outlier: float = 1.0) -> ov.Model:
    """A centre-point network whose score is how bright a cell is, and whose boxes have 40 pixels.

    Args:
        outlier: beside the brightness runs a channel so many times as large, which the score hardly uses. Quantized,
            both share one scale, and the larger one takes the steps from the other.
    """
    picture = ops.parameter(ov.PartialShape([1, 3, -1, -1]), np.float32, name="picture")
    mean = np.full((2, 3, STRIDE, STRIDE), 1 / (255 * 3 * STRIDE * STRIDE), np.float32)
    mean[1] *= outlier
    both = ops.relu(ops.convolution(picture, mean, [STRIDE, STRIDE], [0, 0], [0, 0], [1, 1], name="brightness"))
    share = np.array([1, 1e-6 / outlier], np.float32).reshape(1, 2, 1, 1)
    heatmap = ops.convolution(both, share, [1, 1], [0, 0], [0, 0], [1, 1], name="score")
    nothing = ops.multiply(both, np.float32(0))
    sizes = ops.add(nothing, np.float32(np.log(40 / STRIDE)))
    results = []
    for name, node in (("heatmap", heatmap), ("size", sizes), ("offset", nothing)):
        node.output(0).get_tensor().set_names({name})
        results.append(ops.result(node))
    return ov.Model(results, [picture], "graded")
