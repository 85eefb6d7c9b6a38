"""The reference for identities, py-motmetrics, for the interpreter of an environment that has it.

Uses nothing of edgeanon. Says first its version. Then takes lines of JSON and answers each with one:
`{"labels": FRAMES, "answers": FRAMES}`, each frame a list of `[x1, y1, x2, y2, id]`, gives
`{"idf1": ..., "idtp": ...}`.
"""

import argparse
import json
import sys
import warnings
from importlib import import_module
from importlib.metadata import version
from typing import Any

import numpy as np

MOST_DISTANCE = 0.5


def judge(labels: list[list[list[float]]], answers: list[list[list[float]]]) -> dict[str, float]:
    library: Any = import_module("motmetrics")
    events = library.MOTAccumulator(auto_id=True)
    for truth, back in zip(labels, answers, strict=True):
        one, other = (np.array(rows, np.float64).reshape(-1, 5) for rows in (truth, back))
        for rows in (one, other):
            rows[:, 2:4] -= rows[:, :2]
        distances = library.distances.iou_matrix(one[:, :4], other[:, :4], max_iou=MOST_DISTANCE)
        events.update(one[:, 4].astype(int).tolist(), other[:, 4].astype(int).tolist(), distances)
    found = library.metrics.create().compute(events, metrics=["idf1", "idtp"], return_dataframe=False)
    return {name: float(np.nan_to_num(value)) for name, value in found.items()}


def main() -> None:
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args()
    answers, sys.stdout = sys.stdout, sys.stderr
    warnings.simplefilter("ignore")
    # motmetrics 1.4 calls what numpy 2 has no more.
    if "asfarray" not in dir(np):
        setattr(np, "asfarray", lambda values: np.asarray(values, np.float64))  # noqa: B010  (it has no such name)
    print(json.dumps({"motmetrics": version("motmetrics")}), file=answers, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(judge(asked["labels"], asked["answers"])), file=answers, flush=True)


if __name__ == "__main__":
    main()
