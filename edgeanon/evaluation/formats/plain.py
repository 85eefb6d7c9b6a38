"""The project's own JSON: a list of pictures, each with its objects."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from edgeanon.config import first_problem
from edgeanon.errors import ConfigError
from edgeanon.evaluation.formats.entries import Entry, Item, Reading

NAME = "annotations.json"
"""What the file is called where a folder is named."""

Side = Annotated[int, Field(ge=1)]


class Thing(BaseModel):
    """One object; what else stands with it is not read."""

    model_config = ConfigDict(frozen=True)

    label: str
    bbox: tuple[float, float, float, float]
    ignore: bool = False


class Picture(BaseModel):
    """One picture; what else stands with it is not read.

    Attributes:
        labelled: names of the kinds that were labelled in it, where not all of its source's were.
    """

    model_config = ConfigDict(frozen=True)

    image: str
    width: Side
    height: Side
    source: str = ""
    labelled: tuple[str, ...] | None = None
    objects: tuple[Thing, ...] = ()


_LIST = TypeAdapter(list[Picture])


def read(path: Path) -> Reading:
    """The pictures of a file, or of the ``annotations.json`` of a folder; names are relative to that folder."""
    file = path / NAME if path.is_dir() else path
    try:
        pictures = _LIST.validate_json(file.read_bytes())
    except ValidationError as error:
        raise ConfigError(f"{file}: {first_problem(error)}") from error

    def entries() -> Iterator[Entry]:
        for picture in pictures:
            items = [
                Item(thing.label, (x, y, x + width, y + height), thing.ignore)
                for thing in picture.objects
                for x, y, width, height in [thing.bbox]
            ]
            yield Entry(picture.image, items, (picture.width, picture.height), picture.source, picture.labelled)

    return Reading(entries(), [file.parent])
