"""WIDER FACE: a text file that names a picture, says how many faces follow, and gives one a line.

S. Yang et al., CVPR 2016; the columns are ``x y width height blur expression illumination invalid occlusion pose``.
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from edgeanon.errors import ConfigError
from edgeanon.evaluation.formats.entries import Entry, Item, Reading

_INVALID = 7


def looks_like_it(path: Path) -> bool:
    """Whether a picture's name and a number stand at the beginning."""
    with path.open(encoding="utf-8") as file:
        first, second = file.readline().strip(), file.readline().strip()
    return "." in first and second.isdecimal()


def read(path: Path) -> Reading:
    """The pictures of a file; the folder of a picture (the event) is its source. Faces marked invalid are ignored."""
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]

    def entries() -> Iterator[Entry]:
        at = 0
        while at < len(lines):
            name, count = lines[at], lines[at + 1] if at + 1 < len(lines) else ""
            if not count.isdecimal():
                raise ConfigError(f"{path}: the number of faces does not follow the name {name!r}: fetch it again")
            rows = lines[at + 2 : at + 2 + max(int(count), 1)]  # a picture without faces has a line of zeros
            at += 2 + len(rows)
            if int(count) and len(rows) < int(count):
                raise ConfigError(f"{path} ends within the faces of {name!r}: fetch it again")
            if not int(count) and rows and not set(rows[0].split()) <= {"0"}:
                at -= 1  # nor does everybody write that line
            yield Entry(name, [_face(path, name, row) for row in rows[: int(count)]], source=_event(name))

    beside = path.parent
    folders = [beside / "images", beside, beside / "WIDER_val" / "images", beside / "WIDER_train" / "images"]
    return Reading(entries(), [*folders, *(beside.parent / folder.relative_to(beside) for folder in folders)])


def _event(name: str) -> str:
    folders = PurePosixPath(name).parts[:-1]
    return folders[-1] if folders else ""


def _face(path: Path, name: str, row: str) -> Item:
    try:
        values = [float(value) for value in row.split()]
        x, y, width, height = values[:4]
    except ValueError as error:
        raise ConfigError(f"{path}: {row!r} of {name!r} is no face (x y width height ...): fetch it again") from error
    return Item("face", (x, y, x + width, y + height), len(values) > _INVALID and values[_INVALID] == 1)
