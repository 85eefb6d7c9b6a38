"""What a reader makes of a file of labels, and the checked set that comes of it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from edgeanon.boxes import areas
from edgeanon.detections import Kind
from edgeanon.errors import ConfigError, MediaError
from edgeanon.evaluation.labels import Labelled, LabelledSet, Meaning, check_size
from edgeanon.images import open_picture

NAMES: Final[Mapping[str, Meaning]] = {
    **dict.fromkeys(("face", "faces", "human face"), Kind.FACE),
    **dict.fromkeys(
        ("plate", "plates", "license plate", "licence plate", "number plate", "vehicle registration plate"), Kind.PLATE
    ),
    "other": Kind.OTHER,
    "ignore": "ignore",
}
"""What labels stand for whose names leave no doubt; capitals, ``_`` and ``-`` make no difference."""

_ROUNDING = 1.0  # pixels by which a label may reach beyond its picture without a word


@dataclass(frozen=True, slots=True)
class Item:
    """One label: its name, its edges ``x1 y1 x2 y2``, and whether it is to be ignored."""

    label: str
    edges: tuple[float, float, float, float]
    ignore: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One picture as a file of labels has it.

    Attributes:
        image: its name, relative to the folder of pictures.
        items: its labels.
        size: width and height as the labels have them, or None.
        source: where it comes from; None where the format does not say.
        labelled: names of the kinds that were labelled; None where the format does not say.
        relative: the edges are shares of the picture's width and height.
    """

    image: str
    items: Sequence[Item]
    size: tuple[int, int] | None = None
    source: str | None = None
    labelled: Sequence[str] | None = None
    relative: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader found: the pictures, the folders in which they may be, and how names are told it."""

    entries: Iterable[Entry]
    folders: Sequence[Path]


def gather(path: Path, reading: Reading, images: Path | None, names: Mapping[str, Meaning]) -> LabelledSet:
    """The checked set; see ``read_labels``."""
    entries = list(reading.entries)
    if not entries:
        raise ConfigError(f"{path} lists no picture: there is nothing to measure on")
    meanings = _meanings(path, entries, names)
    files = _files(path, entries, [images] if images else reading.folders)
    notes: Counter[str] = Counter()
    pictures = [_picture(path, entry, file, meanings, notes) for entry, file in zip(entries, files, strict=True)]
    skipped = Counter(item.label for entry in entries for item in entry.items if meanings[_key(item.label)] == "skip")
    notes.update({f"labelled {name!r}: skipped as asked": count for name, count in skipped.items()})
    return LabelledSet(
        tuple(_judged(pictures, entries, meanings)), tuple(f"{count} {what}" for what, count in notes.items())
    )


def _key(name: str) -> str:
    return " ".join(name.replace("_", " ").replace("-", " ").lower().split())


def _meanings(path: Path, entries: Sequence[Entry], names: Mapping[str, Meaning]) -> dict[str, Meaning]:
    meanings = {**NAMES, **{_key(name): meaning for name, meaning in names.items()}}
    unknown = Counter(item.label for entry in entries for item in entry.items if _key(item.label) not in meanings)
    unknown.update(name for entry in entries for name in entry.labelled or () if _key(name) not in meanings)
    if unknown:
        most = ", ".join(f"{name!r} ({count})" for name, count in unknown.most_common(5))
        first = unknown.most_common(1)[0][0]
        raise ConfigError(
            f"{path} has labels whose meaning is not known: {most}{' and more' if len(unknown) > 5 else ''}. Say for "
            f"each what it is: --label '{first}=face' (or plate, other, ignore, skip), names={{{first!r}: Kind.FACE}}"
        )
    return meanings


def _files(path: Path, entries: Sequence[Entry], folders: Sequence[Path]) -> list[Path]:
    seen: dict[str, int] = {}
    for number, entry in enumerate(entries, 1):
        if entry.image in seen:
            raise ConfigError(
                f"{path} lists {entry.image} twice, as picture {seen[entry.image]} and {number}: its objects would "
                "count twice; put all labels of a picture into one entry"
            )
        seen[entry.image] = number
    present = [sum((folder / entry.image).is_file() for entry in entries) for folder in folders]
    folder = folders[int(np.argmax(present))]
    missing = [entry.image for entry in entries if not (folder / entry.image).is_file()]
    if missing:
        raise MediaError(
            f"{path}: {len(missing)} of {len(entries)} pictures are missing, the first is {folder / missing[0]}; name "
            "the folder that they are in (--images, images=), or remove them from the labels"
        )
    return [folder / entry.image for entry in entries]


def _picture(path: Path, entry: Entry, file: Path, meanings: Mapping[str, Meaning], notes: Counter[str]) -> Labelled:
    with open_picture(file) as picture:
        size = picture.width, picture.height
    check_size(file, size, entry.size or size)
    rows: dict[tuple[float, float, float, float, int, bool], None] = {}
    limits = np.array([*size, *size], np.float64)
    for number, item in enumerate(entry.items, 1):
        meaning = meanings[_key(item.label)]
        if meaning == "skip":
            continue
        where = f"{path}: {item.label} {number} of {entry.image}"
        edges = np.array(item.edges, np.float64) * (limits if entry.relative else 1)
        if not np.isfinite(edges).all():
            raise ConfigError(f"{where} has an edge that is no number: correct the label or remove it")
        if (edges[2:] < edges[:2]).any():
            raise ConfigError(f"{where} has a negative width or height: correct the label or remove it")
        clipped = np.clip(edges, 0, limits)
        if not (clipped[2:] > clipped[:2]).all():
            notes["without area, or wholly outside the picture: left out"] += 1
            continue
        if np.abs(clipped - edges).max() > _ROUNDING:
            notes["reaching beyond the picture: clipped"] += 1
        ignored = item.ignore or meaning == "ignore"
        x1, y1, x2, y2 = clipped.tolist()
        for kind in Kind if meaning == "ignore" else (meaning,):
            row = (x1, y1, x2, y2, int(kind), ignored)
            if row in rows:
                notes["equal to another of the same picture: counted once"] += 1
            rows[row] = None
    table = np.array([row[:4] for row in rows], np.float32).reshape(-1, 4)
    kept = areas(table) > 0
    return Labelled(
        path=file,
        width=size[0],
        height=size[1],
        source=entry.source or "",
        boxes=table[kept],
        kinds=np.array([row[4] for row in rows], np.uint8)[kept],
        ignored=np.array([row[5] for row in rows], np.bool_)[kept],
    )


def _judged(
    pictures: Sequence[Labelled], entries: Sequence[Entry], meanings: Mapping[str, Meaning]
) -> Iterable[Labelled]:
    """The pictures with the kinds that were labelled in each."""
    by_source: defaultdict[str, set[Kind]] = defaultdict(set)
    for picture in pictures:
        by_source[picture.source] |= {Kind(int(kind)) for kind in picture.kinds[~picture.ignored]}
    for picture, entry in zip(pictures, entries, strict=True):
        kinds = by_source[picture.source] or set(Kind)
        if entry.labelled is not None:
            kinds = {kind for name in entry.labelled if isinstance(kind := meanings[_key(name)], Kind)}
            kinds |= {Kind(int(kind)) for kind in picture.kinds[~picture.ignored]}
        yield replace(picture, judged=frozenset(kinds))
