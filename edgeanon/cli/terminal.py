"""What the terminal shows: lines, bars, tables, rows of JSON."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from edgeanon.audit import Report
    from edgeanon.pipeline import FileResult

out = Console(highlight=False, emoji=False)
err = Console(stderr=True, highlight=False, emoji=False)

COLORS = {"masked": "green", "clean": "green", "resumed": "green", "skipped": "yellow", "failed": "red"}


def plain(value: object, *, lines: bool = False) -> Text:
    """What others have written, for the terminal: no markup of theirs counts, and control characters are made visible.

    Args:
        value: what to show.
        lines: whether it is of several lines.
    """
    kept = "\n" if lines else ""
    return Text("".join(c if c.isprintable() or c in kept else ascii(c)[1:-1] for c in str(value)))


def say_json(line: str) -> None:
    print(line, flush=True)  # noqa: T201


@dataclass(frozen=True, slots=True)
class Progressing:
    """What to call while a run goes on."""

    on_file: "Callable[[FileResult], None]"
    on_frames: Callable[[Path, int, int | None], None] | None = None


@contextmanager
def progressing(total: int | None, *, folder: bool, as_json: bool) -> Iterator[Progressing]:
    """Lines of JSON, bars with the time left when a person watches, plain lines when none does.

    Args:
        total: number of files of a folder, where it is known.
        folder: whether there is more than one file.
        as_json: whether a machine reads.
    """
    if as_json:
        yield Progressing(lambda result: say_json(json.dumps(row(result))))
        return
    if not err.is_terminal:
        yield Progressing(lambda result: out.print(line(result), soft_wrap=True))
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    videos: dict[Path, TaskID] = {}
    with Progress(*columns, console=err, transient=True) as bar:
        files = bar.add_task("files", total=total) if folder else None

        def on_file(result: "FileResult") -> None:
            if (video := videos.pop(result.source, None)) is not None:
                bar.remove_task(video)
            if files is None:
                bar.stop()
                out.print(line(result), soft_wrap=True)
                return
            bar.advance(files)
            if result.verdict == "failed":
                bar.console.print(line(result), soft_wrap=True)

        def on_frames(source: Path, done: int, frames: int | None) -> None:
            if source not in videos:
                videos[source] = bar.add_task(plain(source.name).plain, total=frames)
            bar.update(videos[source], completed=done)

        yield Progressing(on_file, on_frames)


def row(result: "FileResult") -> dict[str, object]:
    return {
        "file": str(result.source),
        "target": str(result.target) if result.target else None,
        "verdict": result.verdict.value,
        "notes": result.notes,
        "objects": result.named_objects(),
        "pages": result.pages,
        "frames": result.frames,
        "withheld": result.withheld,
        "seconds": round(result.seconds, 3),
    }


def line(result: "FileResult") -> Text:
    what = [counted(count, name) for name, count in result.named_objects().items()]
    about = "; ".join([*([", ".join(what)] if what else []), *result.notes])
    verdict = (f"{result.verdict.value:>7}", COLORS[result.verdict.value])
    notes = plain(about)
    notes.stylize("dim")
    return Text.assemble(verdict, "  ", plain(result.source), "  ", notes)


def counted(count: int, name: str) -> str:
    return f"{count} {name}" if count == 1 else f"{count} {name}s"


def facts(title: str | None = None) -> Table:
    """A table of what is known of one thing: a row for each fact, its name in front."""
    table = Table(box=None, show_header=False, pad_edge=False, title=title)
    table.title_justify, table.title_style = "left", "bold"
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    return table


def summary(report: "Report") -> None:
    table = facts()
    files = {name: count for name, count in report.files.model_dump().items() if count}
    seen = [counted(count, name) for name, count in (("picture", report.pages), ("frame", report.frames)) if count]
    table.add_row("files", ", ".join(f"[{COLORS[name]}]{count} {name}[/]" for name, count in files.items()) or "none")
    table.add_row("masked", ", ".join(counted(count, name) for name, count in report.objects.items()) or "nothing")
    table.add_row("time", f"{report.seconds:.1f} s for {' and '.join(seen) or 'nothing'}, loading included")
    table.add_row("device", escape(f"{report.device}: {report.reason}"))
    out.print(table)
