"""The verb that makes an INT8 model and lets it through the gate, or not."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table

from edgeanon.cli.terminal import err, out, plain, say_json
from edgeanon.errors import ConfigError

if TYPE_CHECKING:
    from edgeanon.certificate import Certificate
    from edgeanon.quantization import Recipe

FAILED = 1


def quantize(
    model: Annotated[Path, typer.Argument(help="OpenVINO IR (.xml) or ONNX (.onnx), its manifest beside it.")],
    pictures: Annotated[Path, typer.Argument(help="A folder of pictures to calibrate on; they need no labels.")],
    *,
    labelled: Annotated[Path, typer.Option(help="The labelled set of the gate: other pictures than those.")],
    target_folder: Annotated[Path, typer.Option("--out", help="The folder to make.")],
    images: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="What the names of labelled pictures are relative to.")
    ] = None,
    manifest: Annotated[Path | None, typer.Option(help="The model's manifest, where it is not beside it.")] = None,
    recipe: Annotated[Path | None, typer.Option(help="How it is quantized: a TOML file.")] = None,
    target: Annotated[
        Literal["cpu", "cpu-vnni", "gpu", "npu"] | None, typer.Option(help="What will run it; by default this CPU.")
    ] = None,
    count: Annotated[int | None, typer.Option("--pictures", help="How many pictures are taken.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of every choice.")] = None,
    max_recall_drop: Annotated[
        float, typer.Option(help="By how much recall may fall, as a share of the labelled objects.")
    ] = 0.01,
    max_false_ratio: Annotated[float, typer.Option(help="How many times as many false detections there may be.")] = 1.2,
    device: Annotated[str, typer.Option(help="That runs the gate and is timed.")] = "CPU",
    profile: Annotated[
        Literal["fast", "balanced", "thorough"], typer.Option(help="At which scales pictures are searched.")
    ] = "balanced",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the folder at --out.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The certificate as JSON.")] = False,
) -> None:
    """Make an INT8 model that finds what the model finds, or say why there is none. Needs nncf."""
    from edgeanon.evaluation import read_labels  # noqa: PLC0415
    from edgeanon.quantization import quantize as make  # noqa: PLC0415

    try:
        certificate = make(
            model,
            pictures,
            labelled=read_labels(labelled, images=images),
            out=target_folder,
            manifest=manifest,
            recipe=_recipe(recipe, target=target, pictures=count, seed=seed),
            max_recall_drop=max_recall_drop,
            max_false_ratio=max_false_ratio,
            device=device,
            profile=profile,
            overwrite=overwrite,
            on_step=lambda line: err.print(plain(line), style="dim", soft_wrap=True),
        )
    except KeyboardInterrupt:
        err.print("[red]stopped[/]: nothing half-written is left")
        raise typer.Exit(FAILED) from None
    if as_json:
        say_json(certificate.model_dump_json())
        return
    show_certificate(certificate)


def _recipe(path: Path | None, **given: object) -> "Recipe":
    from pydantic import ValidationError  # noqa: PLC0415

    from edgeanon.config import first_problem  # noqa: PLC0415
    from edgeanon.quantization import Recipe, read_recipe  # noqa: PLC0415
    from edgeanon.quantization.quantizing import here  # noqa: PLC0415

    if path:
        return read_recipe(path, **given)
    try:
        return Recipe.model_validate(
            {"target": here()} | {key: value for key, value in given.items() if value is not None}
        )
    except ValidationError as error:
        raise ConfigError(first_problem(error)) from error


def show_certificate(certificate: "Certificate") -> None:
    """A certificate as people read it."""
    table = Table(box=None, pad_edge=False, title=f"{certificate.model}: INT8 beside what it was made from")
    table.title_justify, table.title_style = "left", "bold"
    for name in ("", "objects", "before", "INT8", "drop, at most"):
        table.add_column(name, justify="left" if not name else "right")
    for one in certificate.compared:
        table.add_row(
            f"{one.kind}s found",
            f"{one.objects}",
            f"{one.before / one.objects:.3f}",
            f"{one.after / one.objects:.3f}",
            f"{one.drop:+.4f}, {one.drop_bound:+.4f}",
        )
        for part in one.bins:
            if part.objects:
                few = ", too few objects" if part.too_few else ""
                shares = (f"{count / part.objects:.3f}" for count in (part.before, part.after))
                table.add_row(f"  {part.name}{few}", f"{part.objects}", *shares, "")
        table.add_row(f"  false {one.kind}s a picture", "", f"{one.false_before:.2f}", f"{one.false_after:.2f}", "")
    out.print(table)
    for line in summed_up(certificate):
        out.print(plain(line), soft_wrap=True)


def summed_up(certificate: "Certificate") -> list[str]:
    """What else stands in a certificate, a line each."""
    kept = f"; {len(certificate.kept)} layers in higher precision" if certificate.kept else ""
    lines = [
        (
            f"{'passed' if certificate.passed else 'NOT PASSED'} on {certificate.gate_pictures} labelled pictures, "
            f"{certificate.day}; recall may fall by {certificate.max_recall_drop:g}, false detections rise "
            f"{certificate.max_false_ratio:g} times"
        ),
        f"{certificate.bytes_before / 2**20:.2f} MiB before, {certificate.bytes_after / 2**20:.2f} MiB in INT8{kept}",
    ]
    lines += [
        f"{one.gain:.2f} times as fast as {one.against} at {one.view[0]}x{one.view[1]} on {one.full_name or one.device}"
        + (f" with {one.eight_bit}" if one.device == "CPU" and one.eight_bit else "")
        for one in certificate.speeds
    ]
    return lines
