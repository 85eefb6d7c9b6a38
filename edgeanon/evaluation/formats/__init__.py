"""Readers of labelled sets, one a format.

| format | what is given | its boxes | what is ignored |
|---|---|---|---|
| ``json`` | a file, the list below, or a folder with it as ``annotations.json`` | ``x y width height`` | ``ignore`` |
| ``coco`` | a file with ``images``, ``annotations``, ``categories`` | ``x y width height`` | ``iscrowd``, ``ignore`` |
| ``yolo`` | a folder with ``labels`` and ``images``, or with both in one | centre, width, height as shares | |
| ``voc`` | a folder of ``.xml``, or ``Annotations`` and ``JPEGImages`` | corners from 1, both inside | ``difficult`` |
| ``wider`` | the text file of WIDER FACE | ``x y width height`` | ``invalid`` |

The JSON list has ``{"image", "width", "height", "objects": [{"label", "bbox", "ignore"}]}`` for each picture, where
``ignore`` may be left out; ``"source"`` says where the picture comes from, and ``"labelled"`` which kinds were labelled
in it.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from edgeanon.errors import ConfigError, EdgeanonError, MediaError
from edgeanon.evaluation.formats import coco, plain, voc, wider, yolo
from edgeanon.evaluation.formats.entries import Entry, Reading, gather
from edgeanon.evaluation.labels import LabelledSet, Meaning

FORMATS: Final = ("json", "coco", "yolo", "voc", "wider")
_READERS = {"json": plain.read, "coco": coco.read, "yolo": yolo.read, "voc": voc.read, "wider": wider.read}
_KNOWN = "a JSON list, COCO, WIDER FACE text, or a folder of YOLO or Pascal VOC labels; see edgeanon.evaluation.formats"

__all__ = ["FORMATS", "Entry", "detected_format", "read_labels"]


def read_labels(
    path: str | Path,
    *,
    images: str | Path | None = None,
    form: str | None = None,
    names: Mapping[str, Meaning] | None = None,
) -> LabelledSet:
    """Read a labelled set.

    Labels are clipped to their pictures; those of which nothing is left, or that have no area, are left out, and so is
    the second of two equal ones; ``notes`` says how many. Where a picture does not say which kinds were labelled in it,
    they are those that are labelled in any picture of its source; in a source without a single label, all of them.

    Args:
        path: the labels, a file or a folder.
        images: the folder that the names of pictures are relative to; by default where the format has them.
        form: one of ``FORMATS``; by default told from the content.
        names: what a label stands for, by its name in the set, in addition to ``entries.NAMES``: a ``Kind``,
            ``"ignore"`` for a region in which nothing counts, ``"skip"`` for what is of no interest.

    Raises:
        MediaError: the labels or pictures are missing or cannot be read.
        ConfigError: the labels are in no known format, or wrong: NaN, negative sides, a picture listed twice or of
            another size, a label that nobody has said the meaning of, no picture at all.
    """
    path = Path(path)
    try:
        form = form or detected_format(path)
        if form not in _READERS:
            raise ConfigError(f"there is no format {form!r}; choose one of {', '.join(FORMATS)}")
        reading: Reading = _READERS[form](path)
        return gather(path, reading, Path(images) if images else None, names or {})
    except EdgeanonError:
        raise
    except OSError as error:
        raise MediaError(f"{path}: the labels cannot be read ({error.strerror}): check the name and rights") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: the labels are no text in UTF-8: save them as such") from error


def detected_format(path: Path) -> str:
    """Which format the labels are in, by their content.

    Raises:
        ConfigError: they are in none that is known.
    """
    if path.is_dir():
        return _of_folder(path)
    suffix = path.suffix.lower()
    if suffix == ".json":
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except json.JSONDecodeError as error:
            raise ConfigError(
                f"{path} is no JSON (line {error.lineno}: {error.msg}): export the labels again"
            ) from error
        if isinstance(content, list):
            return "json"
        if isinstance(content, dict) and {"images", "annotations"} <= set(content):
            return "coco"
    if suffix in {".yaml", ".yml"}:
        return "yolo"
    if suffix == ".xml":
        return "voc"
    if suffix == ".txt" and wider.looks_like_it(path):
        return "wider"
    raise ConfigError(f"{path} holds labels in no format that is known: pass {_KNOWN}, and name it if it is one")


def _of_folder(path: Path) -> str:
    if (path / plain.NAME).is_file():
        return detected_format(path / plain.NAME)
    if (path / "Annotations").is_dir() or _any(path.glob("*.xml")):
        return "voc"
    if (path / "labels").is_dir() or _any(path.glob("*.txt")) or _any(path.glob("*.yaml")):
        return "yolo"
    raise ConfigError(f"{path} holds no labels that are known: pass {_KNOWN}")


def _any(paths: Iterable[Path]) -> bool:
    return next(iter(paths), None) is not None
