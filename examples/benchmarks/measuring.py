"""What the benchmarks share: labelled pictures, matching, coverage, intervals, tables."""

import argparse
import json
import os
import platform
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from edgeanon import __version__
from edgeanon.boxes import Boxes, as_boxes, iou, to_pixels
from edgeanon.detections import Kind

ROOT = Path(__file__).parent.parent.parent
HEIGHTS = {"under 16 px": (0, 16), "16-32 px": (16, 32), "32-64 px": (32, 64), "64 px and more": (64, np.inf)}
MATCH = 0.5
"""Intersection over union from which a detection counts as the labelled object, as in PASCAL VOC."""

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """A picture file, its size in pixels, and its labelled boxes by kind, ``(n, 4)`` ``x1 y1 x2 y2``."""

    path: Path
    width: int
    height: int
    source: str
    boxes: dict[Kind, Boxes]

    def read(self) -> Picture:
        """Its pixels as they are stored, ``(h, w, 3)`` BGR; labels were drawn on these."""
        image = cv2.imread(str(self.path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
        if image is None or image.shape[:2] != (self.height, self.width):
            raise SystemExit(f"{self.path} cannot be read, or is not {self.width} x {self.height} as its labels say")
        return np.asarray(image, np.uint8)


def load(folder: Path) -> list[Labelled]:
    """The labelled pictures of a folder with an ``annotations.json``.

    It is a list of ``{"image", "width", "height", "source", "objects": [{"label", "bbox": [x, y, w, h]}]}``. Labels are
    clipped to their picture, and those of which nothing is left are dropped.
    """
    pictures = []
    for entry in json.loads((folder / "annotations.json").read_text(encoding="utf-8")):
        width, height = entry["width"], entry["height"]
        boxes = {}
        for kind in (Kind.FACE, Kind.PLATE):
            found = [item["bbox"] for item in entry["objects"] if item["label"] == kind.name.lower()]
            edges = as_boxes([[x, y, x + w, y + h] for x, y, w, h in found])
            edges = np.clip(edges, 0, np.array([width, height, width, height], np.float32))
            boxes[kind] = edges[(edges[:, 2] > edges[:, 0]) & (edges[:, 3] > edges[:, 1])]
        pictures.append(Labelled(folder / entry["image"], width, height, entry["source"], boxes))
    return pictures


def match(
    boxes: Boxes, scores: NDArray[np.float32], labels: Boxes, least: float = MATCH
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Detections matched to labels one to one: the best score chooses first, and takes the label it overlaps most.

    Returns:
        For each label the index of its detection or -1; for each detection whether it matched a label.
    """
    overlap = iou(boxes, labels)
    by_label = np.full(len(labels), -1, np.int64)
    used = np.zeros(len(boxes), np.bool_)
    for index in np.argsort(-scores, kind="stable"):
        free = np.where(by_label < 0, overlap[index], -1)
        if len(free) and free.max() >= least:
            by_label[free.argmax()] = index
            used[index] = True
    return by_label, used


def coverage(hidden: NDArray[np.bool_], labels: Boxes) -> NDArray[np.float64]:
    """Share of each label, rounded outward to whole pixels, that lies under a mask ``(h, w)``; ``(n,)``, 0..1."""
    height, width = hidden.shape
    return np.array([hidden[y1:y2, x1:x2].mean() for x1, y1, x2, y2 in to_pixels(labels, width, height)], np.float64)


def height_bin(height: float) -> str:
    """Which of ``HEIGHTS`` a label of this height falls into; the lower end belongs to it, the upper does not."""
    return next(name for name, (low, high) in HEIGHTS.items() if low <= height < high)


def wilson(hits: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's score interval of a share, by default at 95 %; E. B. Wilson, JASA 22 (1927) 209."""
    if not total:
        return 0.0, 1.0
    share = hits / total
    middle = share + z * z / (2 * total)
    half = z * sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def share(hits: int, total: int) -> str:
    """A share as it stands in a table."""
    return f"{hits / total:.3f}" if total else "-"


def share_with_interval(hits: int, total: int) -> str:
    """A share with its 95 % interval as it stands in a table."""
    low, high = wilson(hits, total)
    return f"{share(hits, total)} ({low:.3f}-{high:.3f})"


def parser(description: str | None, *, data: bool) -> argparse.ArgumentParser:
    """The options that all benchmarks have; ``data`` for those that need labelled pictures."""
    made = argparse.ArgumentParser(description=(description or "").splitlines()[0])
    if data:
        made.add_argument("--data", type=Path, required=True, help="folder with annotations.json and its pictures")
    made.add_argument("--json", type=Path, help="write the figures to this file as well")
    made.add_argument("--markdown", action="store_true", help="print the tables as Markdown")
    return made


def watched(items: Iterable[Any], what: str, total: int | None = None) -> Iterator[Any]:
    """The items one by one, with a progress bar where somebody watches."""
    yield from track(items, what, total=total, console=Console(stderr=True), transient=True)


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, markdown: bool) -> None:
    """Print a table to the terminal, or as Markdown; the first column is what the row is about."""
    if markdown:
        print(f"\n{title}\n")
        for row in (columns, ["---", *["---:"] * (len(columns) - 1)], *rows):
            print(f"| {' | '.join(row)} |")
        print()
        return
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def write(path: Path | None, figures: dict[str, Any]) -> None:
    """Write figures as JSON, with what they were measured on; nothing without a path."""
    if path is None:
        return
    machine = {
        "processors": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "edgeanon": __version__,
        "opencv": cv2.__version__,
        "numpy": np.__version__,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"measured_on": machine, **figures}, indent=2) + "\n", encoding="utf-8")
