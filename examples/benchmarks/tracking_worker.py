"""norfair, or the trackers of roboflow's `trackers`, for the interpreter of an environment that has one of them.

Uses nothing of edgeanon. Says first which trackers it has. Then takes lines of JSON and answers each with one:
`{"tracker": NAME, "options": {...}, "rate": FRAMES A SECOND, "frames": [[[x1, y1, x2, y2, score], ...], ...]}` gives
`{"frames": [[[x1, y1, x2, y2, id, seen], ...], ...], "seconds": ...}`, what came back for each frame: ``id`` is -1
where the tracker gives no identity, ``seen`` 0 for a box that it made up for a frame without a detection.
"""

import argparse
import json
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = list[list[float]]
Step = Callable[[NDArray[np.float64], int], Rows]
CLASSES = {"SORT": "SORTTracker", "ByteTrack": "ByteTrackTracker", "OC-SORT": "OCSORTTracker", "C-BIoU": "CBIoUTracker"}


def norfair(rate: float, options: dict[str, Any]) -> Step:
    """norfair with two points a box, matched by overlap, as its own MOTChallenge demonstration has it."""
    del rate  # it counts in frames
    library = import_module("norfair")
    tracker = library.Tracker(**{"distance_function": "iou", "distance_threshold": 0.5, **options})

    def step(rows: NDArray[np.float64], number: int) -> Rows:
        found = [library.Detection(row[:4].reshape(2, 2), scores=np.array([row[4]] * 2), data=number) for row in rows]
        objects = tracker.update(found)
        return [[*track.estimate.ravel().tolist(), track.id, track.last_detection.data == number] for track in objects]

    return step


def roboflow(name: str) -> Callable[[float, dict[str, Any]], Step]:
    """One of the trackers of the package `trackers`."""

    def make(rate: float, options: dict[str, Any]) -> Step:
        detections = import_module("supervision").Detections
        tracker = getattr(import_module("trackers"), CLASSES[name])(frame_rate=rate, **options)

        def step(rows: NDArray[np.float64], number: int) -> Rows:
            del number
            found = tracker.update(detections(rows[:, :4], confidence=rows[:, 4]))
            ids = [] if found.tracker_id is None else found.tracker_id.tolist()
            return [[*box, track, 1] for box, track in zip(found.xyxy.tolist(), ids, strict=True)]

        return step

    return make


def available() -> dict[str, Callable[[float, dict[str, Any]], Step]]:
    """The trackers of this environment by name."""
    found: dict[str, Callable[[float, dict[str, Any]], Step]] = {}
    for package in ("norfair", "trackers"):
        try:
            version(package)
        except PackageNotFoundError:
            continue
        found |= {"norfair": norfair} if package == "norfair" else {name: roboflow(name) for name in CLASSES}
    return found


def follow(step: Step, frames: list[Rows]) -> dict[str, Any]:
    """What came back for each frame, and the seconds that it took."""
    arrays = [np.array(rows, np.float64).reshape(-1, 5) for rows in frames]
    start = perf_counter()
    answers = [step(rows, number) for number, rows in enumerate(arrays)]
    return {
        "seconds": perf_counter() - start,
        "frames": [[[float(v) for v in row] for row in rows] for rows in answers],
    }


def main() -> None:
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args()
    answers, sys.stdout = sys.stdout, sys.stderr  # norfair prints to the terminal
    makers = available()
    versions = {name: version("norfair" if name == "norfair" else "trackers") for name in makers}
    print(json.dumps({"trackers": versions}), file=answers, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        step = makers[asked["tracker"]](asked["rate"], asked.get("options", {}))
        print(json.dumps(follow(step, asked["frames"])), file=answers, flush=True)


if __name__ == "__main__":
    main()
