"""How long masking takes, in copies of the frame.

A copy (``np.copyto`` of one frame to another) is a measure that goes with the machine. Each round times a copy before
each style, so that all meet the same load; medians are compared.

    python examples/benchmarks/masker.py --rounds 200 --json masker.json
"""

import argparse
import json
import os
import platform
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeanon.masker import Masker
from edgeanon.styles import Blur, Fill, Pixelate, Soft, Style

Frame = NDArray[np.uint8]
STYLES: dict[str, Style] = {"fill": Fill(), "soft": Soft(), "pixelate": Pixelate(), "blur": Blur()}


def street(width: int, height: int) -> Frame:
    """A frame with structure at all scales, from a fixed seed."""
    random = np.random.default_rng(7)
    frame = np.zeros((height, width, 3), np.float32)
    for cell in (8, 64, 256):
        noise = random.random((height // cell + 2, width // cell + 2, 3), np.float32)
        frame += cv2.resize(noise, (width, height), interpolation=cv2.INTER_LINEAR) * 85
    return frame.astype(np.uint8)


def scattered(count: int, size: tuple[int, int], frame: Frame, *, varied: bool = False) -> NDArray[np.float32]:
    """Boxes of about one size all over the frame; ``varied``: no two of the same size, as tracked ones are."""
    random = np.random.default_rng(count)
    sides = np.array(size) * (random.uniform(0.8, 1.2, (count, 2)) if varied else np.ones((count, 2)))
    corners = random.random((count, 2)) * (np.array([frame.shape[1], frame.shape[0]]) - sides)
    return np.concatenate([corners, corners + sides], axis=1).astype(np.float32)


def timed(action: Callable[[], Any]) -> float:
    start = perf_counter()
    action()
    return perf_counter() - start


def compare(frame: Frame, boxes: list[NDArray[np.float32]], rounds: int) -> dict[str, tuple[float, float]]:
    """Median seconds of each style in place, and its median in copies of the frame.

    ``boxes`` are taken in turn, one entry a round.
    """
    target = frame.copy()
    maskers = {name: Masker(style) for name, style in STYLES.items()}
    times: dict[str, list[float]] = {name: [] for name in ("copy", *maskers)}
    for number in range(rounds):
        chosen = boxes[number % len(boxes)]
        for name, masker in maskers.items():
            times["copy"].append(timed(lambda: np.copyto(target, frame)))
            times[name].append(
                timed(lambda masker=masker, chosen=chosen: masker.mask(target, chosen, out=target))  # type: ignore[misc]
            )
    copy = median(times["copy"])
    return {name: (median(values), median(values) / copy) for name, values in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    options = parser.parse_args()

    full, ultra = street(1920, 1080), street(3840, 2160)
    cases = {
        "1080p, 1 of 64x80": (full, [scattered(1, (64, 80), full)]),
        "1080p, 20 of 64x80": (full, [scattered(20, (64, 80), full)]),
        "1080p, 20 of about 64x80, new sizes": (
            full,
            [scattered(20 * 64, (64, 80), full, varied=True)[at : at + 20] for at in range(0, 20 * 64, 20)],
        ),
        "1080p, 200 of 64x80": (full, [scattered(200, (64, 80), full)]),
        "2160p, 5 of 600x700": (ultra, [scattered(5, (600, 700), ultra)]),
    }
    results = {}
    print(f"{'milliseconds (copies)':38}" + "".join(f"{name:>16}" for name in ("copy", *STYLES)))
    for case, (frame, boxes) in cases.items():
        results[case] = compare(frame, boxes, options.rounds)
        cells = [f"{seconds * 1e3:.2f} ({copies:.1f})" for seconds, copies in results[case].values()]
        print(f"{case:38}" + "".join(f"{cell:>16}" for cell in cells))
    if options.json:
        figures = {
            "processors": os.cpu_count(),
            "machine": platform.machine(),
            "opencv": cv2.__version__,
            "numpy": np.__version__,
            "rounds": options.rounds,
            "cases": {
                case: {name: {"seconds": seconds, "copies": copies} for name, (seconds, copies) in styles.items()}
                for case, styles in results.items()
            },
        }
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
