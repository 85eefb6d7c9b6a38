"""Pascal VOC: an XML file a picture; M. Everingham et al., IJCV 88 (2010) 303."""

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

from edgeanon.errors import ConfigError
from edgeanon.evaluation.formats.entries import Entry, Item, Reading


def read(path: Path) -> Reading:
    """The pictures of a folder, of ``Annotations`` in it, or of one file. Objects marked difficult are ignored.

    ``xmin ymin xmax ymax`` are pixels counted from 1, and the last belongs to the object, as in the original.
    """
    labels = path / "Annotations" if (path / "Annotations").is_dir() else path
    files = [path] if path.is_file() else sorted(labels.glob("*.xml"))
    folder = labels.parent if labels.is_file() else labels

    def entries() -> Iterator[Entry]:
        for file in files:
            yield _entry(file)

    beside = (folder, folder.parent)
    return Reading(entries(), [place / name for place in beside for name in ("JPEGImages", "images", "")])


def _entry(file: Path) -> Entry:
    content = file.read_bytes()
    if b"<!ENTITY" in content:  # of which expat would make as much text as its writer likes
        raise ConfigError(f"{file} defines entities, which no label needs: export the labels again")
    try:
        root = ET.fromstring(content)  # noqa: S314  # entities are refused above
    except ET.ParseError as error:
        raise ConfigError(f"{file} is no XML ({error}): export the labels again") from error
    name = root.findtext("filename")
    if root.tag != "annotation" or not name:
        raise ConfigError(f"{file} is no annotation with a <filename>: export the labels again")
    items = []
    for found in root.iter("object"):
        label = (found.findtext("name") or "").strip()
        try:
            left, top, right, bottom = (
                float(found.findtext(f"bndbox/{edge}") or "nothing") for edge in ("xmin", "ymin", "xmax", "ymax")
            )
        except ValueError as error:
            raise ConfigError(f"{file}: an object {label!r} lacks a number in its <bndbox>: correct it") from error
        items.append(Item(label, (left - 1, top - 1, right, bottom), found.findtext("difficult") == "1"))
    width, height = (int(float(root.findtext(f"size/{side}") or 0)) for side in ("width", "height"))
    return Entry(name.strip(), items, (width, height) if width and height else None)
