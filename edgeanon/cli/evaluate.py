"""The verb that measures: what is missed, what stays visible, on labelled pictures or a labelled clip."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from edgeanon.cli import options
from edgeanon.cli.anonymize import FAILED, as_devices
from edgeanon.cli.terminal import err, out, plain, say_json
from edgeanon.config import Settings, read_settings
from edgeanon.errors import ConfigError, MediaError

if TYPE_CHECKING:
    from edgeanon import evaluation
    from edgeanon.evaluation import tables
    from edgeanon.pipeline import Anonymizer

_MEANINGS = ("face", "plate", "other", "ignore", "skip")


def evaluate(
    labels: Annotated[
        Path, typer.Argument(metavar="LABELS", help="Labels of pictures, a file or a folder, or of a clip (JSON).")
    ],
    *,
    images: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="What the names of pictures are relative to.")
    ] = None,
    form: Annotated[
        Literal["json", "coco", "yolo", "voc", "wider"] | None,
        typer.Option("--format", help="Of the labels; by default told from their content."),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=MEANING", help="What a label is: face, plate, other, ignore or skip. Repeatable."),
    ] = None,
    device: options.Device = None,
    profile: options.Profile = None,
    faces: options.Faces = None,
    plates: options.Plates = None,
    face_model: options.FaceModel = None,
    plate_model: options.PlateModel = None,
    threshold: options.Threshold = None,
    precision: options.Precision = None,
    target_recall: Annotated[
        float | None, typer.Option(metavar="SHARE", help="Find the thresholds that find this share: 0.99")
    ] = None,
    robustness: Annotated[
        bool,
        typer.Option("--robustness", help="Also in low light, noise, blur, rain and so on; takes 33 times as long."),
    ] = False,
    sample: Annotated[
        int | None, typer.Option(metavar="PICTURES", help="Measure so many, drawn evenly over the sources.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the draw, and of what is random in --robustness.")] = 0,
    config: options.Config = None,
    report: Annotated[Path | None, typer.Option(metavar="FILE.json", help="Write the figures as JSON.")] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Write one page with plots.")] = None,
    pictures: Annotated[
        bool, typer.Option("--pictures", help="In the page, show what was missed, masked. It is personal data then.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is at --report and --html.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Measure on labelled pictures what is missed, and what the masks leave showing."""
    settings = read_settings(
        config,
        device=as_devices(device),
        profile=profile,
        faces=faces,
        plates=plates,
        face_model=face_model,
        plate_model=plate_model,
        threshold=threshold,
        precision=precision,
    )
    if pictures and not html:
        raise ConfigError("--pictures go into a page: name it with --html FILE.html")
    _check_targets(labels, [path for path in (report, html) if path], overwrite=overwrite)
    if target_recall is not None and not 0 < target_recall <= 1:
        raise ConfigError(f"--target-recall is {target_recall:g}: pass a share above 0, up to 1, such as 0.99")
    meanings = _meanings(label or [])
    try:
        if _is_clip(labels):
            asked = {"--html": html, "--robustness": robustness, "--target-recall": target_recall, "--sample": sample}
            _refuse_for_clips([name for name, value in asked.items() if value])
            said = _clip(settings, labels)
        else:
            from edgeanon.evaluation import read_labels  # noqa: PLC0415

            with err.status("reading labels") if err.is_terminal and not as_json else _nothing():
                known = read_labels(labels, images=images, form=form, names=meanings)
            known = known if sample is None else known.sample(_positive(sample), seed=seed)
            said = _pictures(
                settings,
                known,
                target_recall=target_recall,
                robustness_seed=seed if robustness else None,
                with_pictures=pictures,
                with_page=html is not None,
            )
    except KeyboardInterrupt:
        err.print("[red]stopped[/]: nothing was written")
        raise typer.Exit(FAILED) from None
    for path, text in ((report, said.as_json + "\n"), (html, said.page)):
        if path and text:
            _write(path, text, overwrite=overwrite)
    if as_json:
        say_json(said.as_json)
        return
    remarks = ""
    for table in said.tables:
        _show(table, with_remark=table.remark != remarks)
        remarks = table.remark
    for note in said.notes:
        out.print(plain(f"labels: {note}"), style="dim")


class _Said:
    """What is to be shown and written."""

    def __init__(
        self, as_json: str, shown: "Sequence[tables.Table]", notes: Sequence[str] = (), page: str | None = None
    ) -> None:
        self.as_json = as_json
        self.tables = shown
        self.notes = notes
        self.page = page


def _pictures(
    settings: Settings,
    labels: "evaluation.LabelledSet",
    *,
    target_recall: float | None,
    robustness_seed: int | None,
    with_pictures: bool,
    with_page: bool,
) -> _Said:
    from edgeanon import evaluation  # noqa: PLC0415
    from edgeanon.evaluation import misses, page, tables  # noqa: PLC0415
    from edgeanon.evaluation.robustness import searches  # noqa: PLC0415

    made = _anonymizer(settings)
    detector, masker = made.detectors[0], made.masker
    seen = misses.Misses(masker)
    with _progressing() as progress:
        step = progress("pictures", len(labels.only(*detector.finds)))

        def on_picture(picture: "evaluation.Labelled", found: Any) -> None:
            step()
            if with_pictures:
                seen.add(picture, found)

        scores = evaluation.evaluate(
            detector, labels, masker=masker, target_recall=target_recall, on_picture=on_picture
        )
        if robustness_seed is not None:
            step = progress("worse conditions", searches(detector, labels))
            cards = evaluation.robustness(detector, labels, seed=robustness_seed, on_picture=step)
            scores = scores.model_copy(update={"robustness": cards})
    drawn = seen.pictures() if with_pictures else None
    return _Said(
        scores.model_dump_json(indent=2),
        list(tables.tables(scores)),
        scores.labels.notes,
        page.page(scores, drawn) if with_page else None,
    )


def _clip(settings: Settings, labels: Path) -> _Said:
    from edgeanon.evaluation import tables  # noqa: PLC0415
    from edgeanon.evaluation.clips import read_clip  # noqa: PLC0415
    from edgeanon.evaluation.exposure import Exposure, detected_in  # noqa: PLC0415

    clip = read_clip(labels)
    made = _anonymizer(settings)
    exposure = Exposure(made.masker)
    with _progressing() as progress:
        detected = detected_in(clip, made.detectors[0], on_frame=progress("frames searched one by one", clip.length))
        step = progress("frames masked with look-ahead", clip.length)

        def masked() -> Iterator[Any]:
            for pair in made.tracks(clip.frames()):
                step()
                yield pair

        exposure.add(clip, masked(), detected)
    window = settings.look_ahead * float(clip.rate)
    tallies = exposure.tallies(window)
    figures = {
        "look_ahead_seconds": settings.look_ahead,
        "interval_seconds": settings.interval,
        "profile": settings.profile,
        "groups": {name: tally.figures() for name, tally in tallies.items()},
        **exposure.shares(),
    }
    return _Said(json.dumps(figures, indent=2), [tables.exposed(tallies, float(clip.rate))])


def _anonymizer(settings: Settings) -> "Anonymizer":
    from edgeanon.pipeline import Anonymizer  # noqa: PLC0415

    return Anonymizer.from_settings(settings)


def _is_clip(labels: Path) -> bool:
    """Whether the labels are those of a clip: a JSON object that names a video."""
    if labels.suffix.lower() != ".json" or not labels.is_file():
        return False
    try:
        content = json.loads(labels.read_bytes())
    except (OSError, ValueError):
        return False  # whoever reads the labels of pictures says what is wrong
    return isinstance(content, dict) and "video" in content


def _refuse_for_clips(asked: list[str]) -> None:
    if asked:
        raise ConfigError(f"{', '.join(asked)}: for labelled pictures, and LABELS are those of a clip; leave it out")


def _meanings(texts: list[str]) -> "dict[str, evaluation.Meaning]":
    from edgeanon.detections import Kind  # noqa: PLC0415

    meanings: dict[str, Any] = {}
    for text in texts:
        name, _, meaning = text.rpartition("=")
        if not name or meaning not in _MEANINGS:
            raise ConfigError(f"--label {text!r}: pass NAME=MEANING with one of {', '.join(_MEANINGS)}")
        meanings[name] = Kind[meaning.upper()] if meaning.upper() in Kind.__members__ else meaning
    return meanings


def _positive(sample: int) -> int:
    if sample < 1:
        raise ConfigError(f"--sample is {sample}: pass how many pictures to draw, 1 or more")
    return sample


def _check_targets(labels: Path, targets: list[Path], *, overwrite: bool) -> None:
    """Find what must go wrong before anything is measured."""
    if not labels.exists():
        raise MediaError(f"{labels} does not exist: check the name")
    if len({path.resolve() for path in targets}) < len(targets):
        raise ConfigError("--report and --html name the same file: choose two")
    for path in targets:
        if path.is_dir():
            raise MediaError(f"{path} is a folder: name a file in it")
        if not path.parent.is_dir():
            raise MediaError(f"{path} cannot be written: the folder {path.parent} does not exist")
        if path.resolve() == labels.resolve():
            raise ConfigError(f"{path} would replace the labels: choose another path")
        if path.exists() and not overwrite:
            raise MediaError(f"{path} exists and is left as it is: choose another path, or say --overwrite")


def _write(path: Path, text: str, *, overwrite: bool) -> None:
    from edgeanon.images import atomic_target  # noqa: PLC0415

    with atomic_target(path, overwrite=overwrite) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextmanager
def _nothing() -> Iterator[None]:
    yield


@contextmanager
def _progressing() -> Iterator[Callable[[str, int], Callable[[], None]]]:
    """Bars with the time left when a person watches: name one and its length, and call what you get at each step."""
    if not err.is_terminal:
        yield lambda _name, _length: lambda: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        yield lambda name, length: partial(bar.advance, bar.add_task(name, total=length))


def _show(table: "tables.Table", *, with_remark: bool) -> None:
    title = plain(table.title)
    title.stylize("bold")
    shown = Table(title=title, title_justify="left", title_style="", box=None, pad_edge=False, collapse_padding=True)
    for number, column in enumerate(table.columns):
        last = number == len(table.columns) - 1 and not column
        side: Literal["left", "right"] = "left" if last or not number else "right"
        shown.add_column(column, justify=side, style="yellow" if last else None)
    for row in table.rows:
        shown.add_row(*(plain(cell) for cell in row))
    out.print(shown)
    if table.remark and with_remark:
        out.print(plain(table.remark), style="dim")
    out.print()
