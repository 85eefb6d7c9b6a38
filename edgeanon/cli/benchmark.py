"""The verb that measures what detection costs on this machine."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table

from edgeanon.cli import options
from edgeanon.cli.anonymize import FAILED, as_devices
from edgeanon.cli.terminal import counted, err, facts, out, plain, say_json
from edgeanon.config import read_settings
from edgeanon.errors import ConfigError

if TYPE_CHECKING:
    from edgeanon.evaluation.operation import ModelFigures, Operation, Run

SIZE = (1920, 1080)


def benchmark(
    source: Annotated[
        Path | None,
        typer.Argument(
            metavar="[PICTURE-OR-FOLDER]", help="What to search; by default a picture made in memory, without faces."
        ),
    ] = None,
    *,
    device: Annotated[
        list[str] | None,
        typer.Option(metavar="DEVICE", help="AUTO, or names in order: GPU,CPU. Again for one more to measure."),
    ] = None,
    profile: options.Profile = None,
    size: Annotated[
        str | None,
        typer.Option(metavar="WIDTHxHEIGHT", help="Bring pictures to this size. The one made is 1920x1080."),
    ] = None,
    seconds: Annotated[
        float, typer.Option(help="For one at a time, for many at once, and for the networks alone.")
    ] = 10.0,
    hint: Annotated[
        Literal["latency", "throughput"] | None,
        typer.Option(help="Only one picture at a time, or only many at once. By default both."),
    ] = None,
    faces: options.Faces = None,
    plates: options.Plates = None,
    face_model: options.FaceModel = None,
    plate_model: options.PlateModel = None,
    precision: options.Precision = None,
    layers: Annotated[
        bool, typer.Option("--layers", help="Time by type and precision of layer as well, from OpenVINO's counters.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON: a line for each device.")] = False,
) -> None:
    """Measure latency, throughput, memory and energy of detection on this machine."""
    from edgeanon import runtime  # noqa: PLC0415
    from edgeanon.evaluation import operation  # noqa: PLC0415
    from edgeanon.pipeline import Anonymizer  # noqa: PLC0415

    wanted = _size(size)
    devices = [names for name in device or ["AUTO"] if (names := as_devices(name)) is not None]
    for names in devices:
        runtime.choices(names)  # one that is not there is an error before another is measured
    pictures, there = operation.read(source, wanted) if source else ([operation.made(*wanted or SIZE)], 0)
    for names in devices:
        settings = read_settings(
            None,
            device=names,
            profile=profile,
            faces=faces,
            plates=plates,
            face_model=face_model,
            plate_model=plate_model,
            precision=precision,
        )
        (detector,) = Anonymizer.from_settings(settings).detectors
        try:
            with err.status("measuring") as status:
                figures = operation.measure_operation(
                    detector,
                    pictures,
                    seconds=seconds,
                    hint=hint,
                    layers=layers,
                    on_step=lambda step: status.update(f"measuring: {step}"),
                )
        except KeyboardInterrupt:
            err.print("[red]stopped[/]: nothing is kept of what was measured")
            raise typer.Exit(FAILED) from None
        if as_json:
            say_json(figures.model_dump_json())
        else:
            _show(figures, there)


def _show(figures: "Operation", there: int) -> None:
    """Print what was measured, for a person.

    Args:
        figures: what was measured.
        there: how many pictures there were to choose from; 0 for one made in memory.
    """
    sizes = ", ".join(f"{width}x{height}" for width, height in figures.sizes[:3])
    sizes += f" and {len(figures.sizes) - 3} more sizes" if len(figures.sizes) > 3 else ""
    of = "made in memory" if not there else "from its file" if there == 1 else f"of {there}, spread evenly"
    runs = [run for run in (figures.one_at_a_time, figures.many) if run]
    about = facts()
    about.add_row("device", plain(f"{figures.device}, {figures.full_name}" if figures.full_name else figures.device))
    about.add_row("why", plain(figures.reason))
    about.add_row(
        "machine", f"{counted(figures.processors, 'processor')}, a load of {figures.load:.1f} in the minute before"
    )
    about.add_row("detector", plain(f"{' and '.join(one.name for one in figures.models)}, profile {figures.profile}"))
    about.add_row("pictures", f"{counted(figures.pictures, 'picture')} {of}: {sizes}")
    about.add_row("software", f"edgeanon {figures.edgeanon}, OpenVINO {figures.openvino}")
    about.add_row(
        "first picture", f"{_time(figures.first_picture)}, models read and compiled or fetched from the cache"
    )
    about.add_row("memory before", f"{_memory(figures.memory_before)}, of Python and what it had imported")
    out.print(about, "")
    out.print(_runs(runs), "")
    out.print(_networks(figures), "")
    for model in figures.models:
        if model.layers:
            out.print(_layers(model), "")
    if figures.energy_why_not:
        out.print(plain(f"Energy is not available on this machine: {figures.energy_why_not}."), style="dim")
    else:
        out.print("Energy is that of the processor packages, with all else that ran meanwhile.", style="dim")
    if figures.load > figures.processors / 4:
        out.print("Other work kept the machine busy: expect better figures when it is idle.", style="dim")
    if figures.peak_memory_is_whole:
        out.print("Linux did not let peaks be told apart: they are those of the whole process.", style="dim")
    for run in runs:
        if run.latency and run.latency.p99 is None:
            out.print("A percentile without a figure wants more pictures: raise --seconds.", style="dim")


def _runs(runs: "list[Run]") -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("with decoding and suppression", no_wrap=True)
    for run in runs:
        table.add_column("one at a time" if run.latency else "many at once", justify="right", no_wrap=True)

    def row(name: str, *cells: str) -> None:
        table.add_row(name, *cells)

    row("OpenVINO's hint", *(run.hint for run in runs))
    row("streams, threads", *(f"{_or(run.streams)}, {_or(run.threads)}" for run in runs))
    row("pictures searched", *(str(run.pictures) for run in runs))
    for name in ("p50", "p95", "p99"):
        latencies = [getattr(run.latency, name) if run.latency else None for run in runs]
        row(f"latency, {name}", *("-" if one is None else _time(one) for one in latencies))
    row(
        "pictures a second",
        *(_rate(run.per_second) for run in runs),
    )
    row("CPU time a picture", *(_time(run.cpu_seconds) for run in runs))
    row("cores busy", *(f"{run.cpu_seconds * run.per_second:.1f}" for run in runs))
    row("peak memory", *(_memory(run.peak_memory) for run in runs))
    row("energy a picture", *("-" if run.joules is None else f"{run.joules:.3g} J" for run in runs))
    return table


def _networks(figures: "Operation") -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("networks alone", no_wrap=True)
    for name in ("weights", "size", "computed in", "inputs a picture", "pictures a second"):
        table.add_column(name, justify="right")
    for model in figures.models:
        weights, computed = model.precision or "-", model.computes_in or "-"
        size = f"{model.bytes / 1e6:.1f} MB"
        table.add_row(plain(model.name), plain(weights), size, computed, f"{model.inputs:.3g}", _rate(model.per_second))
    if len(figures.models) > 1:
        size = f"{sum(model.bytes for model in figures.models) / 1e6:.1f} MB"
        inputs = sum(model.inputs for model in figures.models)
        table.add_row("one after the other", "", size, "", f"{inputs:.3g}", _rate(figures.per_second))
    return table


def _layers(model: "ModelFigures") -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column(plain(f"layers of {model.name}"), no_wrap=True)
    table.add_column("computed in", justify="right")
    table.add_column("number", justify="right")
    table.add_column("time a picture", justify="right")
    table.add_column("share", justify="right")
    whole = sum(one.seconds for one in model.layers)
    for one in model.layers:
        share = f"{one.seconds / whole:.1%}"
        table.add_row(plain(one.type), plain(one.precision), str(one.layers), _time(one.seconds), share)
    table.add_row("all", "", str(sum(one.layers for one in model.layers)), _time(whole), "")
    return table


def _time(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1e3:.0f} ms" if seconds >= 0.1 else f"{seconds * 1e3:.2f} ms"


def _rate(per_second: float) -> str:
    return f"{per_second:.0f}" if per_second >= 100 else f"{per_second:#.3g}"


def _memory(size: int) -> str:
    return f"{size / 2**20:.0f} MiB"


def _or(value: int | None) -> str:
    return "-" if value is None else str(value)


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    found = re.fullmatch(r"\s*([1-9]\d{0,4})\s*[xX]\s*([1-9]\d{0,4})\s*", text)
    if not found:
        raise ConfigError(f"--size is {text!r}: pass width and height in pixels, such as 1920x1080")
    return int(found[1]), int(found[2])
