"""COCO: one JSON file with images, annotations and categories; T.-Y. Lin et al., ECCV 2014, https://cocodataset.org."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict, ValidationError

from edgeanon.config import first_problem
from edgeanon.errors import ConfigError
from edgeanon.evaluation.formats.entries import Entry, Item, Reading

Id = int | str


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Picture(_Part):
    """One picture, by its name relative to a folder of pictures."""

    id: Id
    file_name: str
    width: int | None = None
    height: int | None = None


class Category(_Part):
    """What a number of a category means."""

    id: Id
    name: str


class Annotation(_Part):
    """One object. ``iscrowd`` and ``ignore`` mean that nothing counts there."""

    image_id: Id
    category_id: Id
    bbox: tuple[float, float, float, float]
    iscrowd: bool = False
    ignore: bool = False


class Labels(_Part):
    """The whole file; what else it holds is not read."""

    images: tuple[Picture, ...]
    annotations: tuple[Annotation, ...]
    categories: tuple[Category, ...] = ()


def read(path: Path) -> Reading:
    """The pictures of a file; the first folder of a picture's name is its source."""
    file = path / "annotations.json" if path.is_dir() else path
    try:
        labels = Labels.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise ConfigError(f"{file}: {first_problem(error)}") from error
    names = {category.id: category.name for category in labels.categories}
    known = {picture.id for picture in labels.images}
    by_picture: defaultdict[Id, list[Item]] = defaultdict(list)
    for annotation in labels.annotations:
        if annotation.image_id not in known:
            raise ConfigError(f"{file} labels an image {annotation.image_id!r} that it does not list: export it again")
        x, y, width, height = annotation.bbox
        name = names.get(annotation.category_id, str(annotation.category_id))
        ignore = annotation.iscrowd or annotation.ignore
        by_picture[annotation.image_id].append(Item(name, (x, y, x + width, y + height), ignore))

    def entries() -> Iterator[Entry]:
        for picture in labels.images:
            size = (picture.width, picture.height) if picture.width and picture.height else None
            folders = PurePosixPath(picture.file_name).parts[:-1]
            yield Entry(picture.file_name, by_picture[picture.id], size, folders[0] if folders else "")

    beside = file.parent
    return Reading(entries(), [beside, beside / "images", beside / file.stem, beside.parent, beside.parent / "images"])
