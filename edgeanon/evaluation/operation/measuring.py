"""Measures what a detector costs on this machine, now."""

import os
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeanon import __version__, runtime
from edgeanon.detector import Detector, compiled
from edgeanon.errors import ConfigError
from edgeanon.evaluation.operation.figures import LayerTime, ModelFigures, Operation, Percentiles, Run
from edgeanon.models import Model
from edgeanon.runtime import memory

WARM_UP = 1.0
"""Least seconds before anything counts, in which kernels are compiled and the processor changes its clock."""

LEAST_PICTURES = 3
"""Pictures that are measured however long one takes."""

SAMPLES = {"p50": 1, "p95": 20, "p99": 100}
"""Pictures from which a percentile means something: below, one picture more or less would be another figure."""

INPUTS_A_REQUEST = 4
"""Inputs for each inference under way that are prepared at a time while the networks alone are measured, so that the
end of the list, where the device idles, hardly counts; fewer where they would take more than ``INPUTS_HELD`` bytes."""

INPUTS_HELD = 256 * 2**20

Picture = NDArray[np.uint8]


def measure_operation(
    detector: Detector,
    pictures: Sequence[Picture],
    *,
    seconds: float = 10.0,
    hint: runtime.Hint | None = None,
    layers: bool = False,
    on_step: Callable[[str], None] = lambda _: None,
) -> Operation:
    """Measure what a detector costs.

    The first picture, and a warm-up that searches one picture of each size, do not count. Then pictures come one at a
    time, then many at once, then the networks get their inputs alone; each for the time given, but three pictures at
    least. Whatever else runs on the machine is in the figures.

    Args:
        detector: one that has not been used yet, so that the time of the first picture is that of a first one.
        pictures: ``(h, w, 3)`` uint8 BGR, searched in turn.
        seconds: for each of the three.
        hint: ``"latency"`` measures only one picture at a time, ``"throughput"`` only many at once. By default both.
        layers: take the time of each type of layer as well.
        on_step: called with what is measured next, in words.

    Raises:
        ConfigError: there are no pictures, or a time that is none.
        DeviceError, ModelError: the detector cannot run.
    """
    if not pictures:
        raise ConfigError("there are no pictures to measure with: pass one at least")
    if not 0 < seconds < float("inf"):
        raise ConfigError(f"seconds is {seconds}: pass how long to measure, above 0")
    load = os.getloadavg()[0]
    meter = runtime.EnergyMeter()
    before = memory.resident()
    on_step("the first picture, models loaded and compiled")
    began = time.perf_counter()
    detector.detect(pictures[0], hint=hint or "latency")
    first_picture = time.perf_counter() - began

    whole = not memory.forget_peak()
    one_at_a_time = many = None
    if hint in {None, "latency"}:
        on_step("one picture at a time")
        one_at_a_time = _one_at_a_time(detector, pictures, seconds, meter)
    if hint in {None, "throughput"}:
        on_step("many pictures at once")
        memory.forget_peak()
        many = _many(detector, pictures, seconds, meter)
    on_step("the networks alone")
    models = _models(detector, pictures, seconds, hint or "throughput", layers=layers)
    device = detector.device
    return Operation(
        edgeanon=__version__,
        openvino=runtime.version(),
        device=device,
        full_name=next((one.full_name for one in runtime.devices() if one.name == device), ""),
        reason=detector.reason,
        processors=len(os.sched_getaffinity(0)),
        load=load,
        profile=detector.profile,
        sizes=tuple(sorted({(one.shape[1], one.shape[0]) for one in pictures})),
        pictures=len(pictures),
        first_picture=first_picture,
        memory_before=before,
        one_at_a_time=one_at_a_time,
        many=many,
        models=models,
        per_second=1 / sum(1 / model.per_second for model in models),
        peak_memory_is_whole=whole,
        energy_why_not=meter.why_not,
    )


def _one_at_a_time(detector: Detector, pictures: Sequence[Picture], seconds: float, meter: runtime.EnergyMeter) -> Run:
    _warm_up(detector.detect(picture) for picture in _once_a_size(pictures))
    taken: list[float] = []
    expenses = _Expenses(meter)
    for picture in _until(seconds, pictures):
        began = time.perf_counter()
        detector.detect(picture)
        taken.append(time.perf_counter() - began)
        expenses.look()
    figures = {
        name: float(np.percentile(taken, int(name[1:]))) if len(taken) >= least else None
        for name, least in SAMPLES.items()
    }
    network = detector.asked(pictures[0], hint="latency")[0].network
    return Run(
        hint="latency",
        streams=network.streams,
        threads=network.threads,
        latency=Percentiles(**figures),
        **expenses.of(len(taken)),
    )


def _many(detector: Detector, pictures: Sequence[Picture], seconds: float, meter: runtime.EnergyMeter) -> Run:
    _warm_up(detector.detect_many(_once_a_size(pictures)))
    done = 0
    expenses = _Expenses(meter)
    for _ in detector.detect_many(_until(seconds, pictures)):
        done += 1
        expenses.look()
    network = detector.asked(pictures[0], hint="throughput")[0].network
    return Run(hint="throughput", streams=network.streams, threads=network.threads, latency=None, **expenses.of(done))


class _Expenses:
    """What pictures cost, from when this is made."""

    def __init__(self, meter: runtime.EnergyMeter) -> None:
        self._meter = meter
        self._joules = meter.joules()
        self._cpu, self._began = time.process_time(), time.perf_counter()

    def look(self) -> None:
        """Read the energy counters, which must not begin anew twice unseen."""
        self._meter.joules()

    def of(self, pictures: int) -> dict[str, Any]:
        """The figures of so many pictures, as a `Run` has them."""
        seconds, cpu, joules = time.perf_counter() - self._began, time.process_time() - self._cpu, self._meter.joules()
        return {
            "pictures": pictures,
            "seconds": seconds,
            "per_second": pictures / seconds,
            "cpu_seconds": cpu / pictures,
            "peak_memory": memory.peak(),
            "joules": None if joules is None or self._joules is None else (joules - self._joules) / pictures,
        }


def _models(
    detector: Detector, pictures: Sequence[Picture], seconds: float, hint: runtime.Hint, *, layers: bool
) -> tuple[ModelFigures, ...]:
    """Each model alone: as many of its inferences are under way as the device wants."""
    made = []
    share = seconds / len(detector.models)
    for place, (model, network, views) in enumerate(detector.asked(pictures[0], hint=hint)):
        batches = _batches(detector, pictures, hint, place)
        _infer(network, [view.render(pictures[0]) for view in views])
        spent, searched, inputs = 0.0, 0, 0
        while not searched or spent < share:
            batch, count = next(batches)
            began = time.perf_counter()
            _infer(network, batch)
            spent += time.perf_counter() - began
            searched, inputs = searched + count, inputs + len(batch)
        first = [view.render(pictures[0]) for view in views]
        made.append(
            ModelFigures(
                name=model.manifest.name,
                precision=model.manifest.precision,
                sha256=model.sha256,
                bytes=len(model.structure) + len(model.weights),
                computes_in=network.precision,
                inputs=inputs / searched,
                per_second=searched / spent,
                layers=_layer_times(model, network.device, first, share) if layers else (),
            )
        )
    return tuple(made)


def _batches(
    detector: Detector, pictures: Sequence[Picture], hint: runtime.Hint, place: int
) -> Iterator[tuple[list[Picture], int]]:
    """What the pictures ask of one of the models, in lists long enough to keep the device busy; and of how many."""
    batch: list[Picture] = []
    count = 0
    for picture in cycle(pictures):
        _, network, views = detector.asked(picture, hint=hint)[place]
        batch += [view.render(picture) for view in views]
        count += 1
        if len(batch) >= INPUTS_A_REQUEST * network.requests or sum(one.nbytes for one in batch) >= INPUTS_HELD:
            yield batch, count
            batch, count = [], 0


def _infer(network: runtime.Network, inputs: Sequence[Picture]) -> None:
    under_way: deque[runtime.Pending] = deque()
    try:
        for one in inputs:
            if len(under_way) >= network.requests:
                under_way.popleft().result()
            under_way.append(network.start(one))
        while under_way:
            under_way.popleft().result()
    finally:
        for pending in under_way:
            pending.abandon()


def _layer_times(model: Model, device: str, inputs: Sequence[Picture], seconds: float) -> tuple[LayerTime, ...]:
    """Times by type and precision of layer, of a network that counts them and is otherwise the same."""
    network = compiled(model, device, counting=True)
    _infer(network, inputs)
    spent: dict[tuple[str, str], float] = defaultdict(float)
    names: dict[tuple[str, str], set[str]] = defaultdict(set)
    rounds, ends = 0, time.perf_counter() + seconds
    while rounds < LEAST_PICTURES or time.perf_counter() < ends:
        for one in inputs:
            network.start(one).result()
            for counter in network.counters():
                key = counter.kind, counter.kernel.rsplit("_", 1)[-1].lower()
                spent[key] += counter.seconds
                names[key].add(counter.name)
        rounds += 1
    times = [
        LayerTime(type=kind, precision=precision, layers=len(names[kind, precision]), seconds=total / rounds)
        for (kind, precision), total in spent.items()
    ]
    return tuple(sorted(times, key=lambda one: -one.seconds))


def _until(seconds: float, pictures: Sequence[Picture]) -> Iterator[Picture]:
    """The pictures again and again until the time is over, and ``LEAST_PICTURES`` at least."""
    ends = time.perf_counter() + seconds
    for count, picture in enumerate(cycle(pictures)):
        if count >= LEAST_PICTURES and time.perf_counter() >= ends:
            return
        yield picture


def _once_a_size(pictures: Sequence[Picture]) -> Iterator[Picture]:
    """One picture of each size, and then again until the warm-up is over."""
    of_each = list({picture.shape: picture for picture in pictures}.values())
    ends = time.perf_counter() + WARM_UP
    yield from of_each
    for picture in cycle(of_each):
        if time.perf_counter() >= ends:
            return
        yield picture


def _warm_up(searches: Iterable[object]) -> None:
    for _ in searches:
        pass
