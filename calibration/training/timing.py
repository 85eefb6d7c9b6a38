"""Milliseconds that networks take for one picture, in turn, so that all meet the same load; medians.

python -m calibration.training.timing plate=edgeanon/zoo/plate-world clp_det=edgeanon/zoo/plate --threads 2
"""

import argparse
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

from calibration import build_zoo  # noqa: F401
from examples.benchmarks import measuring

import openvino as ov  # isort: skip  # behind build_zoo, which keeps its telemetry off

WIDTH, HEIGHT = 640, 384


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="NAME=FOLDER")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=100)
    options = parser.parse_args()
    picture = np.zeros((1, 3, HEIGHT, WIDTH), np.float32)
    rows = []
    for precision in ("f32", "bf16"):
        how = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": options.threads, "NUM_STREAMS": 1}
        requests = {}
        for name, folder in (pair.split("=", 1) for pair in options.models):
            network = ov.Core().read_model(Path(folder) / "model.xml")
            network.reshape([1, 3, HEIGHT, WIDTH])
            requests[name] = ov.Core().compile_model(network, "CPU", how).create_infer_request()
        took: dict[str, list[float]] = {name: [] for name in requests}
        for number in range(-5, options.rounds):  # the first are to warm up
            for name, request in requests.items():
                start = perf_counter()
                request.infer([picture])
                if number >= 0:
                    took[name].append(perf_counter() - start)
        rows += [[f"{name}, {precision}", f"{1000 * median(times):.2f}"] for name, times in took.items()]
    title = f"{WIDTH}x{HEIGHT}, {options.threads} threads, OpenVINO {ov.get_version()}"
    measuring.show(title, ["", "ms"], rows, markdown=False)


if __name__ == "__main__":
    main()
