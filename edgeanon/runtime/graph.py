"""Networks as graphs: saved, copied, and layers of a quantized one put back as they were."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import Model as Graph  # under its name here, so that nobody else needs openvino for it
from openvino import opset13 as ops

from edgeanon.runtime.devices import core
from edgeanon.runtime.network import Channels, with_picture_in_front

__all__ = ["Graph", "Way", "fixed", "names", "quantized_layers", "restored", "saved"]

_WEIGHTED = frozenset(
    {"Convolution", "GroupConvolution", "ConvolutionBackpropData", "GroupConvolutionBackpropData", "MatMul"}
)


def names(graph: Graph) -> frozenset[str]:
    """What the nodes of a graph are called."""
    return frozenset(node.get_friendly_name() for node in graph.get_ordered_ops())


def saved(graph: Graph, *, known: frozenset[str] = frozenset()) -> tuple[bytes, bytes]:
    """The ``.xml`` and the ``.bin`` of a graph, weights in 16 bits where they are not in 8.

    OpenVINO numbers nodes without a name as the process makes them. Here they are called by their place, so that the
    same graph is the same file every time.

    Args:
        graph: what to write; it is not changed.
        known: names that stay.
    """
    graph = graph.clone()
    for place, node in enumerate(graph.get_ordered_ops()):
        if node.get_friendly_name() not in known:
            node.set_friendly_name(f"{node.get_type_name()}/{place}")
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / "model.xml"
        ov.save_model(graph, path, compress_to_fp16=True)
        return path.read_bytes(), path.with_suffix(".bin").read_bytes()


def fixed(graph: Graph, size: tuple[int, int]) -> Graph:
    """A copy that takes one ``(width, height)`` only, as the NPU wants it."""
    graph = graph.clone()
    graph.reshape({graph.inputs[0]: ov.PartialShape([1, 3, size[1], size[0]])})
    return graph


class Way:
    """A picture's way into a network's tensor, alone: what ``read_model`` puts in front of it, with nothing behind."""

    def __init__(self, *, color: Literal["BGR", "RGB"], mean: Channels, scale: Channels) -> None:
        picture = ops.parameter(ov.PartialShape([1, 3, -1, -1]), np.float32, name="picture")
        nothing = Graph([ops.result(picture)], [picture], "way")
        model = with_picture_in_front(nothing, color=color, mean=mean, scale=scale)
        self._request = core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"}).create_infer_request()

    def tensor(self, blob: NDArray[np.uint8]) -> NDArray[np.float32]:
        """``(h, w, 3)`` uint8 BGR as the network's tensor ``(1, 3, h, w)``."""
        (result,) = self._request.infer([blob[None]]).values()
        return np.array(result, np.float32)


def quantized_layers(graph: Graph) -> list[str]:
    """Names of the layers with weights whose input is quantized, in the order of execution."""
    return [layer.get_friendly_name() for layer in _quantized(graph)]


def restored(quantized: Graph, original: Graph, layers: Sequence[str]) -> Graph:
    """A copy of a quantized graph in which the layers of these names compute with the original's weights and inputs.

    Made to measure with: biases that were corrected for the quantization of such a layer stay corrected.
    """
    copy = quantized.clone()
    weights = {node.get_friendly_name(): node for node in original.get_ordered_ops()}
    for layer in list(_quantized(copy)):
        if layer.get_friendly_name() not in layers:
            continue
        rounding = layer.input(0).get_source_output().get_node()
        layer.input(0).replace_source_output(rounding.input(0).get_source_output())
        was = weights[layer.get_friendly_name()].input(1).get_source_output()
        layer.input(1).replace_source_output(ops.constant(_value(was)).output(0))
    copy.validate_nodes_and_infer_types()
    return copy


def _quantized(graph: Graph) -> Iterator[ov.Node]:
    for node in graph.get_ordered_ops():
        if node.get_type_name() in _WEIGHTED:
            source = node.input(0).get_source_output().get_node()
            if source.get_type_name() == "FakeQuantize":
                yield node


def _value(output: ov.Output) -> NDArray[np.float32]:
    """What comes out of a part of a graph that nothing goes into."""
    (value,) = (
        core().compile_model(Graph([ops.result(output)], []), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})([]).values()
    )
    return np.array(value, np.float32)
