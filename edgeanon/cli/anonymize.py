"""The verb that masks: a picture, a video, or a folder of both."""

import json
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from edgeanon.cli import options
from edgeanon.cli.proof import PROOF, Proof, Recording
from edgeanon.cli.terminal import err, progressing, row, say_json, summary
from edgeanon.config import Settings, read_settings
from edgeanon.errors import ConfigError, DeviceError, LeakError, MediaError, ModelError

if TYPE_CHECKING:
    from edgeanon.audit import Report

FAILED = 1


def anonymize(
    source: Annotated[str, typer.Argument(metavar="IN", help="A picture, a video, or a folder of both.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="The masked file, or the folder to mirror IN into.")],
    *,
    device: options.Device = None,
    profile: options.Profile = None,
    style: Annotated[
        str | None,
        typer.Option(
            help="soft, fill, fill:#RRGGBB, replace:FILE; reversible: pixelate:CELLS, blur:SIGMA.",
            rich_help_panel=options.MASKS,
        ),
    ] = None,
    margin: Annotated[
        str | None,
        typer.Option(
            metavar="X[,Y]",
            help="Grow boxes on each side, as shares of their size: 0.2,0.3",
            rich_help_panel=options.MASKS,
        ),
    ] = None,
    shape: Annotated[
        Literal["rectangle", "rounded", "ellipse"] | None,
        typer.Option(help="Outline of the masks.", rich_help_panel=options.MASKS),
    ] = None,
    faces: options.Faces = None,
    plates: options.Plates = None,
    face_model: options.FaceModel = None,
    plate_model: options.PlateModel = None,
    threshold: options.Threshold = None,
    precision: options.Precision = None,
    metadata: Annotated[
        Literal["none", "safe"] | None,
        typer.Option(help="safe keeps camera settings; never place, time or thumbnail.", rich_help_panel=options.FILES),
    ] = None,
    audio: Annotated[
        Literal["drop", "keep"] | None,
        typer.Option(help="keep copies the sound of a video bit for bit.", rich_help_panel=options.VIDEO),
    ] = None,
    codec: Annotated[
        Literal["auto", "h264", "hevc", "vp9", "av1", "mjpeg"] | None,
        typer.Option(help="Of videos; auto is the video's own, or else h264.", rich_help_panel=options.VIDEO),
    ] = None,
    quality: Annotated[
        float | None,
        typer.Option(help="Of videos, on the codec's own scale; less is better.", rich_help_panel=options.VIDEO),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(help="Of videos: the encoder's word for how much time it takes.", rich_help_panel=options.VIDEO),
    ] = None,
    look_ahead: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS", help="How long a frame waits for what comes after it.", rich_help_panel=options.VIDEO
        ),
    ] = None,
    interval: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="Between searches of a video; 0 searches every frame.",
            rich_help_panel=options.VIDEO,
        ),
    ] = None,
    on_error: Annotated[
        Literal["fail", "fill"] | None,
        typer.Option(
            help="A frame that cannot be read or searched: fail leaves no output, fill makes it grey.",
            rich_help_panel=options.VIDEO,
        ),
    ] = None,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace what is at OUT. IN is never changed.", rich_help_panel=options.FILES),
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a folder where a run broke off.", rich_help_panel=options.FILES)
    ] = False,
    config: options.Config = None,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each file, then the report.")] = False,
    report: Annotated[
        Path | None,
        typer.Option(help="Write hashes, versions, settings, counts: no personal data.", rich_help_panel=PROOF),
    ] = None,
    sign: Annotated[
        Path | None,
        typer.Option(
            metavar="KEY", help="Sign the report: an Ed25519 key in PEM, from openssl.", rich_help_panel=PROOF
        ),
    ] = None,
    salt: Annotated[
        Path | None,
        typer.Option(help="List the inputs as well, by hashes that only FILE opens.", rich_help_panel=PROOF),
    ] = None,
    reassess_by: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], metavar="DAY", help="By default in a year.", rich_help_panel=PROOF),
    ] = None,
    export_tracks: Annotated[
        Path | None,
        typer.Option(help="Write all boxes and tracks: personal data, mode 0600.", rich_help_panel=PROOF),
    ] = None,
) -> None:
    """Mask the faces and licence plates of a picture, a video, or a folder of both."""
    settings = read_settings(
        config,
        device=as_devices(device),
        profile=profile,
        style=style,
        margin=_margin(margin),
        shape=shape,
        faces=faces,
        plates=plates,
        face_model=face_model,
        plate_model=plate_model,
        threshold=threshold,
        precision=precision,
        metadata=metadata,
        audio=audio,
        codec=codec,
        quality=quality,
        preset=preset,
        look_ahead=look_ahead,
        interval=interval,
        on_error=on_error,
    )
    file = None if "://" in source else Path(source)
    proof = Proof(report, sign, salt, reassess_by.date() if reassess_by else None, export_tracks, overwrite=overwrite)
    proof.check(file, target)
    if resume and not (file and file.is_dir()):
        raise ConfigError("--resume is for folders, and IN is none")
    with proof.recording(file if file and file.is_dir() else None) as recording:
        made = _run(settings, file or source, target, recording, overwrite=overwrite, resume=resume, as_json=as_json)
    recording.write(made)
    if as_json:
        say_json(made.model_dump_json())
    else:
        summary(made)
    if made.failed or made.withheld:
        raise typer.Exit(FAILED)


def _run(
    settings: Settings,
    source: Path | str,
    target: Path,
    recording: Recording,
    *,
    overwrite: bool,
    resume: bool,
    as_json: bool,
) -> "Report":
    from edgeanon.pipeline import Anonymizer, FileResult, Verdict  # noqa: PLC0415
    from edgeanon.pipeline.folder import files  # noqa: PLC0415
    from edgeanon.pipeline.footage import shown_name  # noqa: PLC0415
    from edgeanon.runtime import memory  # noqa: PLC0415

    memory.share_pools()
    anonymizer = Anonymizer.from_settings(settings)
    if not anonymizer.masker.irreversible:
        err.print(f"[yellow]warning[/]: the style {settings.style!r} can be undone; soft, fill and replace cannot")
    folder = isinstance(source, Path) and source.is_dir()
    total = sum(1 for _ in files(Path(source), leave_out=target)) if folder and err.is_terminal else None
    try:
        with progressing(total, folder=folder, as_json=as_json) as watch:

            def on_file(result: FileResult) -> None:
                watch.on_file(result)
                recording.on_file(result)

            masking = partial(anonymizer.folder, resume=resume) if folder else anonymizer.file
            return masking(
                source,
                target,
                overwrite=overwrite,
                on_file=on_file,
                on_frames=watch.on_frames,
                on_objects=recording.on_objects,
            )
    except (DeviceError, LeakError, MediaError, ModelError) as error:
        if as_json and not folder:
            say_json(json.dumps(row(FileResult(shown_name(source), None, Verdict.FAILED, (str(error),)))))
        raise
    except KeyboardInterrupt:
        err.print("[red]stopped[/]: nothing half-written is left" + ("; --resume goes on" if folder else ""))
        raise typer.Exit(FAILED) from None


def as_devices(text: str | None) -> str | list[str] | None:
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
