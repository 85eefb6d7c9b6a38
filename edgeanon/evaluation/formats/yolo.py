"""YOLO: a text file a picture, ``class centre-x centre-y width height`` a line, as shares of the picture."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from edgeanon.errors import ConfigError
from edgeanon.evaluation.formats.entries import Entry, Item, Reading
from edgeanon.images import is_picture

_LISTS = ("classes.txt", "obj.names")


def read(path: Path) -> Reading:
    """The pictures of a folder; one without a text file has no objects.

    The text files are in ``labels`` and the pictures in ``images`` beside it, sub-folders alike, or both in one folder.
    Class numbers get their names from ``classes.txt``, ``obj.names`` or a ``data.yaml``; otherwise the number is the
    name.
    """
    root = path.parent if path.is_file() else path
    labels = root / "labels" if (root / "labels").is_dir() else root
    images = root / "images" if (root / "images").is_dir() else root
    names = _names(root if path.is_dir() else path)

    def entries() -> Iterator[Entry]:
        for file in sorted(images.rglob("*")):
            if is_picture(file):
                name = file.relative_to(images)
                text = (labels / name).with_suffix(".txt")
                source = name.parts[0] if len(name.parts) > 1 else ""
                yield Entry(str(name), list(_items(text, names)), source=source, relative=True)

    return Reading(entries(), [images])


def _items(file: Path, names: Mapping[str, str]) -> Iterator[Item]:
    if not file.is_file():
        return
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        columns = line.split()
        if not columns:
            continue
        try:
            x, y, width, height = (float(value) for value in columns[1:5])
        except ValueError as error:
            raise ConfigError(f"{file}: line {number} is no object (class x y width height): correct it") from error
        if len(columns) > 5:  # corners of an outline; its box is what surrounds them
            corners = [float(value) for value in columns[1:]]
            edges = min(corners[::2]), min(corners[1::2]), max(corners[::2]), max(corners[1::2])
        else:
            edges = x - width / 2, y - height / 2, x + width / 2, y + height / 2
        yield Item(names.get(columns[0], columns[0]), edges)


def _names(path: Path) -> dict[str, str]:
    if path.is_file():
        return _from_yaml(path)
    for name in _LISTS:
        if (path / name).is_file():
            lines = (path / name).read_text(encoding="utf-8").splitlines()
            return {str(number): line.strip() for number, line in enumerate(lines)}
    found = sorted(path.glob("*.yaml"))
    return _from_yaml(found[0]) if found else {}


def _from_yaml(path: Path) -> dict[str, str]:
    try:
        import yaml  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError(
            f"{path} needs the package pyyaml to be read: pip install 'edgeanon[evaluation]', or write the names of "
            f"the classes into {path.parent / _LISTS[0]}, one a line"
        ) from error
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is no YAML: {error}") from error
    names = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict):
        raise ConfigError(f"{path} does not give the classes their names: add names:, a list or a mapping")
    return {str(number): str(name) for number, name in names.items()}
