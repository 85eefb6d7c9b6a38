"""A file of the boxes that were masked. It is personal data, says so itself, and is written only where asked for.

JSON Lines: a `Notice` first, then a `Seen` for each page of a picture and each frame of a video, and an `Ended` for
each file once it is done. Lines of several files may be mixed; those of one are in order.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Literal, Self, TextIO

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from edgeanon.config import first_problem
from edgeanon.detections import Detections, Kind, Tracks
from edgeanon.errors import MediaError
from edgeanon.images import atomic_target

WARNING = "Personal data: where persons and vehicles were, and when. Keep it apart, and delete it when it has served."


@dataclass(frozen=True, slots=True, eq=False)
class Covered:
    """What was masked in one page of a picture or one frame of a video.

    Attributes:
        source: the file.
        index: of the page or frame, from 0.
        time: of a frame, in seconds; None for a page.
        width: of the upright picture, in pixels; ``height`` likewise.
        objects: their boxes without the margin of the masks; ``Tracks`` in a video.
        withheld: the frame was filled wholly.
    """

    source: Path
    index: int
    time: Fraction | None
    width: int
    height: int
    objects: Detections
    withheld: bool = False


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Notice(_Line):
    """The first line: what this is."""

    line: Literal["notice"] = "notice"
    form: Literal["edgeanon-tracks-1"] = "edgeanon-tracks-1"
    personal_data: Literal[True] = True
    warning: str = WARNING


class Object(_Line):
    """One object in one picture.

    Attributes:
        kind: what it is.
        box: ``x1 y1 x2 y2`` in pixel edges of the upright picture, without the margin of the mask.
        score: of its detection, or its latest.
        id: in a video, the same for one object in all frames of its file.
        unseen: in a video, frames since the detector last saw it.
        confirmed: in a video, whether its track is established.
    """

    kind: Literal["face", "plate", "other"]
    box: tuple[float, float, float, float]
    score: float
    id: int | None = None
    unseen: int | None = None
    confirmed: bool | None = None


class Seen(_Line):
    r"""What was masked in one page or frame.

    Attributes:
        file: the source, relative to the folder that was masked, or its name; bytes that are no text as ``\xff``.
        index: of the page or frame, from 0.
        time: of a frame, in seconds to the microsecond; None for a page of a picture.
        size: ``(width, height)`` of the upright picture.
        withheld: the frame could not be searched and was filled wholly.
        objects: what was masked.
    """

    line: Literal["seen"] = "seen"
    file: str
    index: int
    time: float | None = None
    size: tuple[int, int]
    withheld: bool = False
    objects: tuple[Object, ...]


class Ended(_Line):
    """How a file ended. Of one that failed there may be `Seen` lines, and there is no masked copy."""

    line: Literal["ended"] = "ended"
    file: str
    verdict: Literal["masked", "clean", "resumed", "skipped", "failed"]


Line = Annotated[Notice | Seen | Ended, Field(discriminator="line")]


class TracksWriter:
    """Writes the file; a context manager. It appears whole when the block ends well, or not at all, and is 0600.

    May be called from several threads.

    Args:
        path: of the file.
        root: the folder that names are relative to; without it only the last part of a name is kept.
        overwrite: whether an existing file may be replaced.

    Raises:
        MediaError: it cannot be written, or exists.
    """

    def __init__(self, path: str | Path, *, root: Path | None = None, overwrite: bool = False) -> None:
        self._path = Path(path)
        self._root = root
        self._overwrite = overwrite
        self._lock = threading.Lock()
        self._stack = ExitStack()
        self._file: TextIO | None = None
        self._broken = False

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            temporary = stack.enter_context(atomic_target(self._path, overwrite=self._overwrite))
            self._file = stack.enter_context(temporary.open("w", encoding="utf-8"))
            self._write(Notice())
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._broken and error is None:
            error = self._failure()
            self._stack.__exit__(type(error), error, None)
            raise error
        self._stack.__exit__(kind, error, trace)

    def add(self, covered: Covered) -> None:
        """Write a line for one page or frame.

        Raises:
            MediaError: it cannot be written; nothing more will be.
        """
        self._write(
            Seen(
                file=self._name(covered.source),
                index=covered.index,
                time=None if covered.time is None else round(float(covered.time), 6),
                size=(covered.width, covered.height),
                withheld=covered.withheld,
                objects=tuple(_objects(covered.objects)),
            )
        )

    def end(self, source: Path, verdict: str) -> None:
        """Write how a file ended.

        Raises:
            MediaError: it cannot be written; nothing more will be.
        """
        self._write(Ended.model_validate({"file": self._name(source), "verdict": verdict}))

    def _write(self, line: Notice | Seen | Ended) -> None:
        with self._lock:
            if self._broken or self._file is None:
                raise self._failure()
            try:
                self._file.write(line.model_dump_json(exclude_none=True) + "\n")
            except OSError as error:
                self._broken = True
                raise self._failure() from error

    def _failure(self) -> MediaError:
        return MediaError(f"{self._path} cannot be written: check the room there")

    def _name(self, source: Path) -> str:
        name = source.name if self._root is None else source.relative_to(self._root)
        return os.fsencode(name).decode("utf-8", "backslashreplace")


def read_tracks(path: str | Path) -> Iterator[Notice | Seen | Ended]:
    """The lines of such a file.

    Raises:
        MediaError: it cannot be read, or a line is none of them.
    """
    adapter: TypeAdapter[Notice | Seen | Ended] = TypeAdapter(Line)
    number = 0
    try:
        with Path(path).open(encoding="utf-8") as file:
            for line in file:
                number += 1
                yield adapter.validate_json(line)
    except OSError as error:
        raise MediaError(f"{path} cannot be read ({error.strerror}): check the name") from error
    except (ValidationError, UnicodeDecodeError) as error:
        reason = first_problem(error) if isinstance(error, ValidationError) else "it is no text"
        raise MediaError(f"{path}, line {number}, is none that `--export-tracks` has written: {reason}") from error


def _objects(found: Detections) -> Iterator[Object]:
    more: list[dict[str, Any]] = [{} for _ in range(len(found))]
    if isinstance(found, Tracks):
        columns = zip(found.ids.tolist(), found.unseen.tolist(), found.confirmed.tolist(), strict=True)
        more = [{"id": name, "unseen": unseen, "confirmed": confirmed} for name, unseen, confirmed in columns]
    for box, score, kind, rest in zip(found.boxes, found.scores, found.kinds, more, strict=True):
        left, top, right, bottom = (round(float(edge), 2) for edge in box)
        name = Kind(kind).name.lower()
        yield Object.model_validate(
            {"kind": name, "box": (left, top, right, bottom), "score": round(float(score), 4), **rest}
        )
