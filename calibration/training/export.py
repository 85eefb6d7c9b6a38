"""From trained weights to a model folder: OpenVINO IR with FP16 weights, free height and width, and its manifest.

The graph is written operation by operation: convolutions, ReLU, nearest-neighbour enlargement, additions, one
rearrangement of channels to a finer grid, one sigmoid. Nothing depends on a height or a width.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from calibration import build_zoo
from calibration.training.network import NAMES, Network, Shipped
from edgeanon.models import Manifest

import openvino as ov  # isort: skip  # behind build_zoo, which keeps its telemetry off
from openvino import opset13 as ops  # isort: skip


def folded(weights: Path) -> Shipped:
    """The averaged network of a checkpoint, every block a plain convolution."""
    network = Network()
    network.load_state_dict(torch.load(weights, weights_only=True)["averaged"])
    network.eval()
    network.fold()
    return Shipped(network).eval()


def export(network: Shipped, manifest: Manifest, folder: Path) -> Manifest:
    """Write ``model.xml``, ``model.bin`` and ``manifest.json`` into a folder; return the finished manifest."""
    made_with = manifest.made_with | {"torch": str(torch.__version__)}
    return build_zoo.write(graph(network.network), manifest.model_copy(update={"made_with": made_with}), folder)


def graph(network: Network) -> Any:
    """A folded network as an OpenVINO model with the outputs that ``edgeanon.decoders.center_point`` reads."""
    picture = ops.parameter([1, 3, -1, -1], np.float32)
    features, levels = picture, []
    for stage in network.stages:
        features = _sequence(features, stage)
        levels.append(features)
    up = _enlarged(_sequence(levels[4], network.sides[2]))
    features = _sequence(ops.add(up, _sequence(levels[3], network.sides[1])), network.joined[0])
    features = ops.add(_enlarged(features), _sequence(levels[2], network.sides[0]))
    for module in (network.joined[1], network.head, network.last):
        features = _sequence(features, module)
    grid = ops.depth_to_space(features, "depth_first", 2)
    score, size, offset = ops.variadic_split(grid, np.int64(1), np.array([1, 2, 2], np.int64)).outputs()
    outputs = [ops.result(output) for output in (ops.sigmoid(score), size, offset)]
    for output, name in zip(outputs, NAMES, strict=True):
        output.get_output_tensor(0).set_names({name})
    return ov.Model(outputs, [picture], "plate")


def _sequence(features: Any, module: nn.Module) -> Any:
    """The operations of a convolution, a ReLU, or several in a row."""
    if isinstance(module, nn.ReLU):
        return ops.relu(features)
    if not isinstance(module, nn.Conv2d):
        for child in module.children():
            features = _sequence(features, child)
        return features
    (stride, _), (beside, _) = module.stride, module.kernel_size
    around = [beside // 2] * 2
    made = ops.convolution(features, _values(module.weight), [stride] * 2, around, around, [1, 1])
    assert module.bias is not None  # noqa: S101
    return ops.add(made, _values(module.bias).reshape(1, -1, 1, 1))


def _enlarged(features: Any) -> Any:
    twice, axes = np.array([2, 2], np.float32), np.array([2, 3], np.int64)
    how = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return ops.interpolate(features, twice, "nearest", "scales", axes=axes, **how)


def _values(parameter: torch.Tensor) -> NDArray[np.float32]:
    return np.asarray(parameter.detach().float().numpy(), np.float32)
