"""From trained weights to a model folder: OpenVINO IR with FP16 weights, free height and width, and its manifest."""

from pathlib import Path

import torch

from calibration import build_zoo
from calibration.training.network import Network, Shipped
from edgeanon.models import Manifest

import openvino as ov  # isort: skip  # behind build_zoo, which keeps its telemetry off


def folded(weights: Path) -> Shipped:
    """The averaged network of a checkpoint, every block a plain convolution."""
    network = Network()
    network.load_state_dict(torch.load(weights, weights_only=True)["averaged"])
    network.eval()
    network.fold()
    return Shipped(network).eval()


def export(network: Shipped, manifest: Manifest, folder: Path) -> Manifest:
    """Write ``model.xml``, ``model.bin`` and ``manifest.json`` into a folder; return the finished manifest."""
    plain = network.to(memory_format=torch.contiguous_format)
    converted = ov.convert_model(plain, example_input=torch.zeros(1, 3, 64, 96))
    for port, name in zip(converted.outputs, ("heatmap", "size", "offset"), strict=True):
        port.get_tensor().set_names({name})
    made_with = manifest.made_with | {"torch": torch.__version__}
    return build_zoo.write(converted, manifest.model_copy(update={"made_with": made_with}), folder)
