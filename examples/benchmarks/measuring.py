"""What the benchmarks share: labelled pictures and their figures, which `edgeanon.evaluation` has, and tables."""

import argparse
import json
import os
import platform
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from edgeanon import __version__
from edgeanon.evaluation import (
    HEIGHTS,
    MATCH,
    Labelled,
    LabelledSet,
    coverage,
    height_bin,
    match,
    read_labels,
    wilson,
)

__all__ = ["HEIGHTS", "MATCH", "Labelled", "coverage", "height_bin", "match", "wilson"]

ROOT = Path(__file__).parent.parent.parent
Picture = NDArray[np.uint8]


def load(folder: Path) -> LabelledSet:
    """The labelled pictures of a folder with an ``annotations.json``."""
    return read_labels(folder / "annotations.json")


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
