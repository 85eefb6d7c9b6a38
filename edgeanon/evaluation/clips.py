"""Labelled clips: videos in which every object has an id, and a box in each frame in which it shows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edgeanon.config import first_problem
from edgeanon.detections import Frame, Kind
from edgeanon.errors import ConfigError, MediaError
from edgeanon.video import VideoReader

LEAST: Final[Mapping[Kind, tuple[float, float]]] = {Kind.FACE: (0.0, 20.0), Kind.PLATE: (40.0, 10.0)}
"""Width and height in pixels from which an object can be found in principle, and is counted; any, of other kinds."""

Number = Annotated[float, Field(allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]


class Seen(NamedTuple):
    """An object in one frame: its box in pixel edges, cut at the frame's edge, and the share of it that shows."""

    box: tuple[float, float, float, float]
    visible: float


@dataclass(frozen=True, slots=True)
class Followed:
    """A labelled object and where it is, by the index of the frame; frames without it are not there."""

    id: str
    kind: Kind
    seen: dict[int, Seen] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip with its labels.

    Attributes:
        name: for tables.
        width: of a frame in pixels; so is ``height``.
        length: how many frames it has.
        rate: frames a second.
        objects: every one with an id of its own.
        frames: makes or reads its frames anew each time, always the same.
    """

    name: str
    width: int
    height: int
    length: int
    rate: Fraction
    objects: list[Followed]
    frames: Callable[[], Iterator[Frame]]


def large_enough(kind: Kind, box: Sequence[float]) -> bool:
    """Whether a box ``x1 y1 x2 y2`` is one that can be found in principle."""
    width, height = LEAST.get(kind, (0.0, 0.0))
    return box[2] - box[0] >= width and box[3] - box[1] >= height


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FollowedLabels(_Part):
    """One object of a file of labels: its boxes are ``frame x y width height visible``."""

    id: str
    label: str
    boxes: tuple[tuple[Count, Number, Number, Number, Number, Annotated[float, Field(ge=0, le=1.001)]], ...]


class ClipLabels(_Part):
    """A file of labels: the video beside it, its size, ``frame_rate`` as a fraction, its length, and its objects."""

    video: str
    width: Positive
    height: Positive
    frame_rate: tuple[Positive, Positive]
    frames: Positive
    objects: tuple[FollowedLabels, ...]


def read_clip(path: Path) -> Clip:
    """A labelled clip: JSON as ``ClipLabels`` has it, with its video in the same folder.

    Raises:
        MediaError: the file cannot be read, or its video is missing.
        ConfigError: a key is wrong or unknown, a label is no ``Kind``, an object has two boxes in one frame or an id
            that another has.
    """
    try:
        labels = ClipLabels.model_validate_json(path.read_bytes())
    except OSError as error:
        raise MediaError(f"{path}: the labels cannot be read ({error.strerror}): check the name and rights") from error
    except ValidationError as error:
        raise ConfigError(f"{path}: {first_problem(error)}") from error
    video = path.parent / labels.video
    if not video.is_file():
        raise MediaError(f"{path}: its video {video} is missing: put it beside the labels")
    objects: dict[str, Followed] = {}
    for one in labels.objects:
        if one.id in objects:
            raise ConfigError(f"{path} has two objects {one.id!r}: give each an id of its own")
        if one.label.upper() not in Kind.__members__:
            raise ConfigError(f"{path}: the label {one.label!r} of {one.id!r} is none of face, plate and other")
        seen = {row[0]: Seen((row[1], row[2], row[1] + row[3], row[2] + row[4]), row[5]) for row in one.boxes}
        if len(seen) != len(one.boxes) or max(seen, default=0) >= labels.frames:
            raise ConfigError(f"{path}: {one.id!r} has two boxes in one frame, or one after the last: correct it")
        objects[one.id] = Followed(one.id, Kind[one.label.upper()], seen)

    def frames() -> Iterator[Frame]:
        with VideoReader(video) as opened:
            yield from opened

    return Clip(
        path.stem,
        labels.width,
        labels.height,
        labels.frames,
        Fraction(*labels.frame_rate),
        list(objects.values()),
        frames,
    )
