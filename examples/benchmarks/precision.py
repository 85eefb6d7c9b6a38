"""INT8 beside the same models in higher precision: seconds an inference, and by type of layer.

The networks take turns on the same inputs, so that all meet the same load, and medians are compared. The inputs are
those that a frame of 1920x1080 makes in a video: its largest view and the overview. What each type of layer takes comes
from OpenVINO's own counters (PERF_COUNT), which are means over the same inferences. Beside the time on the clock stands
that of the processors, which others' load changes less.

    python -m examples.benchmarks.precision --json precision.json
    python -m examples.benchmarks.precision --before model.xml --after model-int8/model.xml
"""

import sys
from collections import Counter
from pathlib import Path
from typing import Any

from edgeanon import Detector, runtime
from edgeanon.models import Model, load_file, load_shipped, shipped
from edgeanon.quantization import speed
from examples.benchmarks import measuring

TYPES = {
    "Convolution 1x1": "dense 1x1 convolutions",
    "Convolution": "other dense convolutions",
    "GroupConvolution": "depthwise convolutions",
    "ConvolutionBackpropData": "deconvolutions",
    "Reorder": "reorders",
}
"""Types of layer that have a row of their own, by OpenVINO's names."""


def networks(before: Model, after: Model, device: str) -> dict[str, runtime.Network]:
    """What is compared: FP16 files in 32 bits, in what the device takes by itself where that is another, and INT8."""
    found = {"fp32": speed.network(before, device, "f32", counting=True)}
    by_itself = speed.network(before, device, counting=True)
    if by_itself.precision != "f32":
        found[by_itself.precision] = by_itself
    return found | {"int8": speed.network(after, device, counting=True)}


def kind(counter: runtime.Counter) -> str:
    """The row of the table that a layer belongs to."""
    name = "Convolution 1x1" if counter.kind == "Convolution" and "1x1" in counter.kernel else counter.kind
    return TYPES.get(name, "everything else")


def compare(before: Model, after: Model, device: str, view: tuple[int, int], rounds: int) -> dict[str, Any]:
    """Seconds of whole inferences, medians, and of each type of layer, means, by network."""
    compared = networks(before, after, device)
    took = speed.interleaved(compared, view, rounds)
    layers: dict[str, dict[str, float]] = {}
    kernels: dict[str, dict[str, int]] = {}
    for name, network in compared.items():
        counters = network.counters()
        rows = [(kind(one), one) for one in counters]
        layers[name] = {
            row: sum(one.seconds for at, one in rows if at == row) for row in dict.fromkeys(at for at, _ in rows)
        }
        kernels[name] = dict(Counter(f"{row}: {one.kernel}" for row, one in rows))
    seconds = {name: one.seconds for name, one in took.items()}
    processor_seconds = {name: one.processor_seconds for name, one in took.items()}
    times = {"seconds": seconds, "processor_seconds": processor_seconds}
    return {"view": view, **times, "layers": layers, "kernels": kernels}


def report(name: str, results: list[dict[str, Any]], views: Counter[tuple[int, int]], *, markdown: bool) -> None:
    for result in results:
        compared = list(result["seconds"])
        width, height = result["view"]
        rows = []
        for row in [*TYPES.values(), "everything else"]:
            times = [result["layers"][one].get(row, 0.0) for one in compared]
            if any(times):
                rows.append([row, *(f"{1000 * took:.2f}" for took in times), *_ratios(compared, times)])
        for row, what in (("inference", "seconds"), ("inference, of the processors", "processor_seconds")):
            times = [result[what][one] for one in compared]
            rows.append([row, *(f"{1000 * took:.2f}" for took in times), *_ratios(compared, times)])
        heads = ["ms", *compared, *(f"{one} : int8" for one in compared[:-1])]
        measuring.show(f"{name}, {width}x{height}", heads, rows, markdown=markdown)
    for what, of in (("seconds", ""), ("processor_seconds", " of the processors")):
        frame = {one: sum(r[what][one] * views[tuple(r["view"])] for r in results) for one in results[0][what]}
        said = ", ".join(f"{one} {1000 * took:.1f} ms" for one, took in frame.items())
        print(f"{name}, all {sum(views.values())} views of a frame of 1920x1080{of}: {said}\n")


def _ratios(compared: list[str], times: list[float]) -> list[str]:
    return [f"{took / times[-1]:.2f}" if times[-1] else "-" for took in times[: len(compared) - 1]]


def main() -> None:
    parser = measuring.parser(__doc__, data=False)
    parser.add_argument("--before", type=Path, help="a model of your own, in place of the shipped ones")
    parser.add_argument("--after", type=Path, help="the same in INT8")
    parser.add_argument("--device", default="CPU")
    parser.add_argument("--rounds", type=int, default=21, help="of which the median is taken; default 21")
    options = parser.parse_args()
    if bool(options.before) != bool(options.after):
        parser.error("--before and --after belong together")
    if options.before:
        pairs = {options.before.stem: (load_file(options.before), load_file(options.after))}
    else:
        pairs = {name: (load_shipped(name), load_shipped(name, "int8")) for name in shipped()}
    figures: dict[str, Any] = {}
    for name, (before, after) in pairs.items():
        every = Detector(before, device=options.device).views(*speed.FRAME, moving=True)
        views = Counter((view.input_width, view.input_height) for view in every)
        watched = measuring.watched(views, f"{name}: views", len(views))
        results = [compare(before, after, options.device, view, options.rounds) for view in watched]
        report(name, results, views, markdown=options.markdown)
        figures[name] = results
    device = next((one.full_name for one in runtime.devices() if one.name == options.device), options.device)
    eight_bit = runtime.eight_bit(options.device)
    print(f"{device}; 8 bits: {eight_bit or 'no instructions for them'}", file=sys.stderr)
    measuring.write(options.json, {"device": device, "eight_bit": eight_bit, "models": figures})


if __name__ == "__main__":
    main()
