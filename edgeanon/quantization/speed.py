"""How long one inference takes, before and after, in one process that takes turns."""

from collections.abc import Mapping, Sequence
from statistics import median
from time import perf_counter, process_time
from typing import NamedTuple

import numpy as np

from edgeanon import runtime
from edgeanon.certificate import Speed
from edgeanon.detector import Detector
from edgeanon.models import Model

ROUNDS = 15
FRAME = (1920, 1080)
"""The frame of a video whose views are timed."""


def measure(
    before: Model, after: Model, views: Sequence[tuple[int, int]], *, device: str | Sequence[str], rounds: int = ROUNDS
) -> tuple[Speed, ...]:
    """Medians of interleaved inferences; on a CPU that computes in less than 32 bits by itself, in 32 bits as well.

    Args:
        before: in higher precision; ``after`` quantized.
        after: as ``before``.
        views: ``(width, height)`` of each input to time.
        device: that runs both.
        rounds: of which the median is taken.
    """
    as_it_comes = {"before": network(before, device), "after": network(after, device)}
    name = as_it_comes["after"].device
    found = list(_measured(as_it_comes, views, rounds))
    if name.split(".")[0] == "CPU" and as_it_comes["before"].precision != "f32":
        found += _measured(
            {"before": network(before, device, "f32"), "after": network(after, device, "f32")}, views, rounds
        )
    return tuple(found)


def timed(
    before: Model, after: Model, *, device: str | Sequence[str] = "CPU", rounds: int = ROUNDS
) -> tuple[Speed, ...]:
    """`measure` on the views that a frame of a video makes, each once, the largest first."""
    views = Detector(before, device=device, precision="fp16").views(*FRAME, moving=True)
    sizes = sorted({(view.input_width, view.input_height) for view in views}, key=lambda size: -size[0] * size[1])
    return measure(before, after, sizes, device=device, rounds=rounds)


def network(
    model: Model, device: str | Sequence[str], compute: runtime.Compute | None = None, *, counting: bool = False
) -> runtime.Network:
    """A model compiled as a detector compiles it."""
    how = model.manifest.input
    read = runtime.read_model(model.structure, model.weights, color=how.color, mean=how.mean, scale=how.scale)
    return runtime.Network(read, device=device, compute=compute, counting=counting)


class Took(NamedTuple):
    """Median seconds of one inference: on the clock, and of all processors, which others' load changes less."""

    seconds: float
    processor_seconds: float


def interleaved(networks: Mapping[str, runtime.Network], view: tuple[int, int], rounds: int) -> dict[str, Took]:
    """What one inference of each network takes; they take turns, after one to warm up."""
    blob = np.random.default_rng(0).integers(0, 256, (view[1], view[0], 3), np.uint8)
    took: dict[str, list[Took]] = {name: [] for name in networks}
    for number in range(-1, rounds):
        for name, one in networks.items():
            began = perf_counter(), process_time()
            one.start(blob).result()
            if number >= 0:
                took[name].append(Took(perf_counter() - began[0], process_time() - began[1]))
    return {name: Took(*(median(column) for column in zip(*times, strict=True))) for name, times in took.items()}


def _measured(networks: Mapping[str, runtime.Network], views: Sequence[tuple[int, int]], rounds: int) -> list[Speed]:
    device = networks["after"].device
    full_name = next((one.full_name for one in runtime.devices() if one.name == device), "")
    return [
        Speed(
            device=device,
            full_name=full_name,
            eight_bit=runtime.eight_bit(device),
            against=networks["before"].precision,
            view=view,
            **{name: took.seconds for name, took in interleaved(networks, view, rounds).items()},
        )
        for view in views
    ]
