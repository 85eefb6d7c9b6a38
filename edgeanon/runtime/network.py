"""Compiled models and inferences under way."""

import io
import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Literal, NamedTuple

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino.preprocess import ColorFormat, PrePostProcessor

from edgeanon.errors import DeviceError, ModelError
from edgeanon.runtime.cache import cache_folder
from edgeanon.runtime.devices import Choice, choices, core, first_line

log = logging.getLogger(__name__)

Hint = Literal["latency", "throughput"]
Outputs = dict[str, NDArray[np.float32]]
Channels = tuple[float, float, float]
Compute = Literal["f32"]

PROBE_SIZE = (640, 384)
"""Input size to try a model with on a device that needs static shapes."""

KERNELS_KEPT = 500
"""Kernels that the CPU keeps for input sizes seen before, some hundred for a size. Its own 5,000 take half a gigabyte
over a folder of pictures of all sizes."""

PATIENCE = 120.0
"""Seconds after which an inference that has not ended counts as hanging; the slowest seen took a few."""

STATIC_SHAPES_KEPT = 8
"""Compiled models kept for a device that needs static shapes, one for each input size in use."""


class _Compiled:
    """A compiled model with its idle requests; as many requests exist as were ever under way at once."""

    def __init__(self, model: ov.CompiledModel) -> None:
        self.model = model
        self._idle: list[ov.InferRequest] = []

    def take(self) -> ov.InferRequest:
        try:
            return self._idle.pop()
        except IndexError:
            return self.model.create_infer_request()

    def give_back(self, request: ov.InferRequest) -> None:
        self._idle.append(request)


class Pending:
    """An inference under way. Holds its input, which the device reads in place."""

    def __init__(self, compiled: _Compiled, blob: NDArray[np.uint8]) -> None:
        self._compiled = compiled
        self._blob = blob
        self._request = compiled.take()
        self._request.start_async([ov.Tensor(blob[None], shared_memory=True)], share_inputs=True)

    def result(self) -> Outputs:
        """Wait for it, and return copies of its outputs by name.

        Raises:
            ModelError: the device failed.
            DeviceError: it has not answered for ``PATIENCE`` seconds.
        """
        try:
            self._wait()
            outputs = {
                port.get_any_name(): np.array(self._request.get_tensor(port).data, np.float32)
                for port in self._compiled.model.outputs
            }
        except DeviceError:
            raise
        except RuntimeError as error:
            raise ModelError(f"the inference failed: {first_line(error)}; try device='CPU'") from error
        self._compiled.give_back(self._request)
        return outputs

    def abandon(self) -> None:
        """Wait until the device no longer reads the input, whatever became of the inference."""
        with suppress(RuntimeError):
            self._wait()

    def _wait(self) -> None:
        if self in _hanging or not self._request.wait_for(round(PATIENCE * 1000)):
            _hanging.append(self)
            raise DeviceError(
                f"the device has not answered for {PATIENCE:g} s: it hangs, or its driver; try device='CPU'"
            )


_hanging: list[Pending] = []  # kept for good: the device may still read their inputs


def hangs() -> bool:
    """Whether an inference of this process has never come back; an orderly end would wait for it."""
    return bool(_hanging)


class Counter(NamedTuple):
    """What one layer took: its name, its type, the kernel that ran with its precision, and seconds."""

    name: str
    kind: str
    kernel: str
    seconds: float


class Network:
    """A compiled model that takes ``(h, w, 3)`` uint8 BGR and gives its outputs by name.

    Colour conversion and normalisation run inside the compiled graph. May be shared between threads; may not be used
    in a process forked after it was made (it says so instead of hanging).

    Attributes:
        reason: why its device was taken.
        requests: how many inferences under way keep the device busy.
        fixed_size: ``(width, height)`` when the model itself takes one input size only, else None.
    """

    def __init__(
        self,
        model: ov.Model,
        *,
        device: str | Sequence[str] = "AUTO",
        hint: Hint = "latency",
        compute: Compute | None = None,
        counting: bool = False,
    ) -> None:
        """Compile a model.

        Args:
            model: as ``read_model`` gives it.
            device: as ``choices`` takes it.
            hint: what it is compiled for: ``"latency"`` answers one picture soonest, ``"throughput"`` many.
            compute: ``"f32"`` for arithmetic in 32 bits whatever the device would take by itself.
            counting: whether the time of each layer is taken; see ``counters``.
        """
        self._model = model
        self._hint = hint
        self._compute = compute
        self._counting = counting
        self._process = os.getpid()
        self._lock = threading.Lock()
        shape = model.inputs[0].partial_shape
        self.fixed_size = None if shape.is_dynamic else (shape[2].get_length(), shape[1].get_length())
        self._first, choice = self._first_that_compiles(device)
        self._ran = self._first
        self._target, self.reason = choice.name, choice.reason
        self._by_size: OrderedDict[tuple[int, int], _Compiled] | None = None
        if needs_static_shapes(choice.name) and not self.fixed_size:
            self._by_size = OrderedDict()
        self.requests = int(self._first.model.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        log.info("model compiled for %s", self.device)

    @property
    def device(self) -> str:
        """The concrete device that runs it, read back from the compiled model."""
        ran_on = self._first.model.get_property("EXECUTION_DEVICES")
        return ",".join(ran_on) if isinstance(ran_on, list | tuple) else str(ran_on)

    @property
    def precision(self) -> str:
        """What its floating-point arithmetic is done in, read back from the compiled model: ``"bf16"``, ``"f32"``, ...;
        empty where the device does not say.
        """
        said = self._said("INFERENCE_PRECISION_HINT")
        return str(said.to_string()) if isinstance(said, ov.Type) else ""

    @property
    def threads(self) -> int | None:
        """Threads of the processor that it computes with; None on a device that is no CPU."""
        said = self._said("INFERENCE_NUM_THREADS")
        return None if said is None else int(said)

    @property
    def streams(self) -> int | None:
        """Inferences that the device computes side by side; None where it does not say."""
        said = self._said("NUM_STREAMS")
        return None if said is None else int(said)

    def _said(self, name: str) -> Any:
        """A property of the compiled model, None where its device knows no such."""
        try:
            return self._first.model.get_property(name)
        except RuntimeError:
            return None

    def counters(self) -> list[Counter]:
        """The time of each layer of the last inference that ended, in the order of execution; needs ``counting=True``.

        Layers that were fused into others or folded away take no time and are left out.
        """
        request = self._ran.take()
        try:
            return [
                Counter(one.node_name, one.node_type, one.exec_type, one.real_time.total_seconds())
                for one in request.profiling_info
                if one.status == ov.ProfilingInfo.Status.EXECUTED
            ]
        finally:
            self._ran.give_back(request)

    def start(self, blob: NDArray[np.uint8]) -> Pending:
        """Begin an inference on a contiguous ``(h, w, 3)`` uint8 BGR array, which must not change until it is done.

        Raises:
            DeviceError: the process was forked since, or the device cannot take this size.
        """
        if os.getpid() != self._process:
            raise DeviceError("this was made before a fork, and OpenVINO does not survive one: make it in the child")
        compiled = self._first
        if self._by_size is not None:
            compiled = self._compiled_for((blob.shape[1], blob.shape[0]), self._by_size)
        self._ran = compiled
        return Pending(compiled, blob)

    def _first_that_compiles(self, device: str | Sequence[str]) -> tuple[_Compiled, Choice]:
        failed: list[str] = []
        for choice in choices(device):
            try:
                compiled = self._compile(choice.name, PROBE_SIZE if needs_static_shapes(choice.name) else None)
            except RuntimeError as error:
                failed.append(f"{choice.name}: {first_line(error)}")
            else:
                passed = f" (cannot run this model: {'; '.join(failed)})" if failed else ""
                return compiled, Choice(choice.name, choice.reason + passed)
        raise DeviceError(
            f"no asked device can run this model ({'; '.join(failed)}); `edgeanon devices` lists what this machine has"
        )

    def _compile(self, device: str, size: tuple[int, int] | None) -> _Compiled:
        model = self._model
        if size and not self.fixed_size:
            model = model.clone()
            model.reshape([1, size[1], size[0], 3])
        properties = {"PERFORMANCE_HINT": self._hint.upper()}
        if self._compute:
            properties["INFERENCE_PRECISION_HINT"] = self._compute
        if self._counting:
            properties["PERF_COUNT"] = "YES"
        if device == "CPU" and not self.fixed_size:
            properties["CPU_RUNTIME_CACHE_CAPACITY"] = str(KERNELS_KEPT)
        if folder := cache_folder():
            properties["CACHE_DIR"] = str(folder)
        return _Compiled(core().compile_model(model, device, properties))

    def _compiled_for(self, size: tuple[int, int], by_size: OrderedDict[tuple[int, int], _Compiled]) -> _Compiled:
        with self._lock:
            if size not in by_size:
                try:
                    by_size[size] = self._compile(self._target, size)
                except RuntimeError as error:
                    raise DeviceError(
                        f"{self._target} cannot run this model at {size[0]}x{size[1]}: {first_line(error)}"
                    ) from error
                if len(by_size) > STATIC_SHAPES_KEPT:
                    by_size.popitem(last=False)
            by_size.move_to_end(size)
            return by_size[size]


def needs_static_shapes(device: str) -> bool:
    """Whether the device compiles for one input size at a time. Intel's NPU does."""
    return device.split(".", maxsplit=1)[0] == "NPU"


def read_model(
    structure: bytes,
    weights: bytes,
    *,
    color: Literal["BGR", "RGB"],
    mean: Channels,
    scale: Channels,
) -> ov.Model:
    """Read an IR or ONNX model from memory and put the picture's way into its tensor in front of it.

    The result takes ``[1, h, w, 3]`` uint8 BGR. Inside: conversion to float and to ``color``, ``(x - mean) / scale``
    in the order of ``color``, and NHWC to NCHW. Outputs without a name, as converters leave them, are called
    ``output0``, ``output1`` and so on.

    Args:
        structure: the ``.xml`` or ``.onnx`` file.
        weights: the ``.bin`` file; empty for ONNX.
        color: the order of channels that the network was trained on.
        mean: subtracted from each channel, in 0..255.
        scale: each channel is divided by it.

    Raises:
        ModelError: it cannot be read, or is not a network with one picture as its input.
    """
    model = read_graph(structure, weights)
    for index, port in enumerate(model.outputs):
        if not port.get_names():
            port.get_tensor().set_names({f"output{index}"})
    _, channels, height, width = model.inputs[0].partial_shape
    if channels.is_static and channels.get_length() != 3:
        raise ModelError(f"the model's input has {channels.get_length()} channels where a picture has 3")
    free = height.is_dynamic or width.is_dynamic
    try:
        model.reshape({model.inputs[0]: ov.PartialShape([1, 3, -1, -1] if free else [1, 3, height, width])})
        return with_picture_in_front(model, color=color, mean=mean, scale=scale)
    except RuntimeError as error:
        raise ModelError(f"the model does not take one picture [1, 3, height, width]: {first_line(error)}") from error


def read_graph(structure: bytes, weights: bytes) -> ov.Model:
    """Read an IR or ONNX model from memory as it is, with its own input in front.

    Raises:
        ModelError: it cannot be read, or does not have one input of four axes.
    """
    try:
        model = core().read_model(io.BytesIO(structure), io.BytesIO(weights) if weights else None)
    except RuntimeError as error:
        raise ModelError(f"the model cannot be read as OpenVINO IR or ONNX: {first_line(error)}") from error
    if len(model.inputs) != 1 or model.inputs[0].partial_shape.rank.get_length() != 4:
        raise ModelError("the model must have one input of the shape [1, 3, height, width]")
    return model


def with_picture_in_front(
    model: ov.Model, *, color: Literal["BGR", "RGB"], mean: Channels, scale: Channels
) -> ov.Model:
    """The model with the picture's way into its tensor in front of it; see ``read_model``. The model is used up."""
    free = model.inputs[0].partial_shape.is_dynamic
    steps = PrePostProcessor(model)
    picture = steps.input()
    picture.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC")).set_color_format(ColorFormat.BGR)
    if free:
        picture.tensor().set_shape(ov.PartialShape([1, -1, -1, 3]))
    picture.model().set_layout(ov.Layout("NCHW"))
    inside = picture.preprocess().convert_element_type(ov.Type.f32)
    if color == "RGB":
        inside = inside.convert_color(ColorFormat.RGB)
    inside.mean(list(mean)).scale(list(scale))
    for index in range(len(model.outputs)):
        steps.output(index).tensor().set_element_type(ov.Type.f32)
    return steps.build()
