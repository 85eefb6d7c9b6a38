"""The command. Everything slow is imported inside the commands, so that ``edgeanon --help`` answers at once."""

import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from edgeanon import __version__
from edgeanon.config import Settings, read_settings
from edgeanon.errors import ConfigError, EdgeanonError, MediaError

if TYPE_CHECKING:
    from edgeanon.audit import Report
    from edgeanon.pipeline import FileResult

app = typer.Typer(
    help="Anonymize faces and licence plates, on this machine, without a network.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
out = Console(highlight=False, emoji=False)
err = Console(stderr=True, highlight=False, emoji=False)

FAILED, USAGE = 1, 2


def _show_version(asked: bool) -> None:
    if asked:
        out.print(f"edgeanon {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[  # its callback does it all
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    pass


@app.command()
def anonymize(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A picture, or a folder of them.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="The masked picture, or the folder to mirror IN into.")],
    *,
    device: Annotated[
        str | None, typer.Option(help="AUTO, or names in order: GPU,CPU. See `edgeanon devices`.")
    ] = None,
    profile: Annotated[
        Literal["fast", "balanced", "thorough"] | None, typer.Option(help="At which scales pictures are searched.")
    ] = None,
    style: Annotated[
        str | None,
        typer.Option(help="soft, fill, fill:#RRGGBB, replace:FILE; reversible: pixelate:CELLS, blur:SIGMA."),
    ] = None,
    margin: Annotated[
        str | None, typer.Option(metavar="X[,Y]", help="Grow boxes on each side, as shares of their size: 0.2,0.3")
    ] = None,
    shape: Annotated[
        Literal["rectangle", "rounded", "ellipse"] | None, typer.Option(help="Outline of the masks.")
    ] = None,
    faces: Annotated[bool | None, typer.Option("--faces/--no-faces", help="Mask faces.")] = None,
    plates: Annotated[bool | None, typer.Option("--plates/--no-plates", help="Mask licence plates.")] = None,
    face_model: Annotated[Path | None, typer.Option(help="Your own model for faces (.xml, .onnx).")] = None,
    plate_model: Annotated[Path | None, typer.Option(help="Your own model for plates (.xml, .onnx).")] = None,
    threshold: Annotated[float | None, typer.Option(help="Least score of a detection, above 0, up to 1.")] = None,
    metadata: Annotated[
        Literal["none", "safe"] | None, typer.Option(help="safe keeps camera settings; never place, time or thumbnail.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace what is at OUT. IN is never changed.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a folder where a run broke off.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write a report as JSON: counts and hashes, no names.")] = None,
    config: Annotated[Path | None, typer.Option(help="Settings from a TOML file; options here go before it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each file, then the report.")] = False,
) -> None:
    """Mask the faces and licence plates of a picture, or of a folder of them."""
    settings = read_settings(
        config,
        device=_devices(device),
        profile=profile,
        style=style,
        margin=_margin(margin),
        shape=shape,
        faces=faces,
        plates=plates,
        face_model=face_model,
        plate_model=plate_model,
        threshold=threshold,
        metadata=metadata,
    )
    _check_paths(source, target, report, overwrite=overwrite)
    if resume and not source.is_dir():
        raise ConfigError(f"--resume is for folders, and {source} is none")
    made = _run(settings, source, target, overwrite=overwrite, resume=resume, as_json=as_json)
    if report:
        _write_report(made, report, overwrite=overwrite)
    if as_json:
        _say_json(made.model_dump_json())
    else:
        _summary(made)
    if made.failed:
        raise typer.Exit(FAILED)


@app.command()
def devices(*, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Show what this machine has, what each device can run, and which one would be taken."""
    from edgeanon import runtime  # noqa: PLC0415

    found = runtime.devices()
    first = runtime.choices("AUTO")[0]
    if as_json:
        rows = [
            {"name": one.name, "full_name": one.full_name, "precisions": one.precisions, "why_not": one.why_not}
            for one in found
        ]
        print(json.dumps({"devices": rows, "auto": first.name, "reason": first.reason}))  # noqa: T201
        return
    table = Table(box=None, pad_edge=False)
    for column in ("device", "what it is", "precisions", "usable"):
        table.add_column(column, overflow="fold")
    for one in found:
        usable = f"[red]no[/]: {escape(one.why_not)}" if one.why_not else "[green]yes[/]"
        table.add_row(one.name, escape(one.full_name) or "-", " ".join(one.precisions) or "-", usable)
    out.print(table)
    order = ", then ".join(runtime.AUTO_ORDER)
    out.print(f"\nAUTO tries {order}, and takes [bold]{first.name}[/] here. Other devices run when they are named.")


@app.command()
def models(
    own: Annotated[
        list[Path] | None, typer.Argument(metavar="[MODEL]...", help="Your own models to show as well.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show the shipped models, and your own: version, licence, source, hash, scores."""
    from edgeanon.models import load_file, load_shipped, shipped  # noqa: PLC0415

    every = [load_shipped(name) for name in shipped()] + [load_file(path) for path in own or []]
    if as_json:
        rows = [{"sha256": one.sha256, **one.manifest.model_dump(mode="json")} for one in every]
        print(json.dumps(rows))  # noqa: T201
        return
    for one in every:
        manifest = one.manifest
        kinds = " and ".join(f"{kind.name.lower()}s" for kind in sorted(manifest.finds))
        table = Table(box=None, show_header=False, pad_edge=False, title=f"{manifest.name}: {kinds}")
        table.title_justify, table.title_style = "left", "bold"
        table.add_column(style="dim", no_wrap=True)
        table.add_column(overflow="fold")
        about = {
            "version": f"{manifest.version or '-'}, {manifest.precision or 'precision unknown'}",
            "licence": manifest.licence or "-",
            "source": f"{manifest.source.package}, {manifest.source.file}" if manifest.source else "-",
            "sha256": one.sha256,
            "threshold": f"{manifest.threshold:g}",
            "scores": "\n".join(f"{name}: {value:g}" for name, value in manifest.scores.items()) or "-",
            "caveats": "\n".join(manifest.caveats) or "-",
        }
        for name, value in about.items():
            table.add_row(name, escape(value))
        out.print(table, "")


def main() -> None:
    """Run the command. Exit codes: 0 done, 1 something failed, 2 usage."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # file names are bytes, and need not be text
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # end as after Ctrl-C: nothing half-written stays
    try:
        app()
    except ConfigError as error:
        _complain(error)
        sys.exit(USAGE)
    except EdgeanonError as error:
        _complain(error)
        sys.exit(FAILED)


def _complain(error: EdgeanonError) -> None:
    err.print(f"[red]error[/]: {_plain(error)}", soft_wrap=True)


def _plain(value: object) -> str:
    """Text for the terminal: no markup, and control characters of file names made visible."""
    text = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in str(value))
    return escape(text)


def _say_json(line: str) -> None:
    print(line, flush=True)  # noqa: T201


def _check_paths(source: Path, target: Path, report: Path | None, *, overwrite: bool) -> None:
    """Find what must go wrong before anything is done."""
    try:
        if not source.exists():
            raise MediaError(f"{source} does not exist: check the name")
        if report is None:
            return
        place = report.resolve()
        if place in {source.resolve(), target.resolve()} or place.is_relative_to(source.resolve()):
            raise ConfigError(
                f"--report {report} would replace a picture or lie among those of IN: choose another path"
            )
        if not report.parent.is_dir():
            raise MediaError(f"{report} cannot be written: the folder {report.parent} does not exist")
        if report.exists() and not overwrite:
            raise MediaError(f"{report} exists and is left as it is: choose another path, or say --overwrite")
    except (OSError, RuntimeError) as error:
        if isinstance(error, EdgeanonError):
            raise
        raise MediaError(f"{source} or {report} cannot be looked at ({error}): check the names") from error


def _run(settings: Settings, source: Path, target: Path, *, overwrite: bool, resume: bool, as_json: bool) -> "Report":
    from edgeanon.pipeline import Anonymizer  # noqa: PLC0415

    anonymizer = Anonymizer.from_settings(settings)
    if not anonymizer.masker.irreversible:
        err.print(f"[yellow]warning[/]: the style {settings.style!r} can be undone; soft, fill and replace cannot")
    try:
        with _progress(source, as_json=as_json) as on_file:
            if source.is_dir():
                return anonymizer.folder(source, target, overwrite=overwrite, resume=resume, on_file=on_file)
            return anonymizer.image(source, target, overwrite=overwrite, on_file=on_file)
    except KeyboardInterrupt:
        err.print(
            "[red]stopped[/]: what is at OUT is whole and masked" + ("; --resume goes on" if source.is_dir() else "")
        )
        raise typer.Exit(FAILED) from None


@contextmanager
def _progress(source: Path, *, as_json: bool) -> "Iterator[Callable[[FileResult], None]]":
    """What to do with each verdict: lines of JSON, a bar when a person watches, plain lines when none does."""
    if as_json:
        yield lambda result: _say_json(json.dumps(_row(result)))
        return
    if not (source.is_dir() and err.is_terminal):
        yield lambda result: out.print(_line(result), soft_wrap=True)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("masking", total=sum(1 for path in source.rglob("*") if path.is_file()))

        def show(result: "FileResult") -> None:
            bar.advance(task)
            if result.verdict == "failed":
                bar.console.print(_line(result), soft_wrap=True)

        yield show


def _row(result: "FileResult") -> dict[str, object]:
    return {
        "file": str(result.source),
        "target": str(result.target) if result.target else None,
        "verdict": result.verdict.value,
        "notes": result.notes,
        "objects": result.named_objects(),
        "pages": result.pages,
        "seconds": round(result.seconds, 3),
    }


COLORS = {"masked": "green", "clean": "green", "resumed": "green", "skipped": "yellow", "failed": "red"}


def _line(result: "FileResult") -> str:
    what = [_counted(count, name) for name, count in result.named_objects().items()]
    about = "; ".join([*([", ".join(what)] if what else []), *result.notes])
    color = COLORS[result.verdict.value]
    return f"[{color}]{result.verdict.value:>7}[/]  {_plain(result.source)}  [dim]{_plain(about)}[/]"


def _counted(count: int, name: str) -> str:
    return f"{count} {name}" if count == 1 else f"{count} {name}s"


def _summary(report: "Report") -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    files = {name: count for name, count in report.files.model_dump().items() if count}
    pictures = "picture" if report.pages == 1 else "pictures"
    table.add_row("files", ", ".join(f"[{COLORS[name]}]{count} {name}[/]" for name, count in files.items()) or "none")
    table.add_row("masked", ", ".join(_counted(count, name) for name, count in report.objects.items()) or "nothing")
    table.add_row("time", f"{report.seconds:.1f} s for {report.pages} {pictures}, loading included")
    table.add_row("device", escape(f"{report.device}: {report.reason}"))
    out.print(table)


def _write_report(report: "Report", path: Path, *, overwrite: bool) -> None:
    from edgeanon.images import atomic_target  # noqa: PLC0415

    with atomic_target(path, overwrite=overwrite) as temporary:
        temporary.write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")


def _devices(text: str | None) -> str | list[str] | None:
    """``GPU,CPU`` as an ordered list; OpenVINO's own lists with a colon stay as they are."""
    return text.split(",") if text and "," in text and ":" not in text else text


def _margin(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        values = [float(part) for part in text.split(",")]
        across, down = values * 2 if len(values) == 1 else values
    except ValueError as error:
        raise ConfigError(f"--margin is {text!r}: pass a share of the box, or two of them: 0.2 or 0.2,0.3") from error
    return across, down
