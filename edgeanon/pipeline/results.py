"""How files end, and how a run adds up."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from edgeanon.detections import Kind


class Verdict(StrEnum):
    """How one file ended."""

    MASKED = "masked"
    CLEAN = "clean"
    RESUMED = "resumed"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class FileResult:
    """The verdict on one file.

    Attributes:
        source: where it was read.
        target: where its masked copy is; None when there is none.
        verdict: ``masked``; ``clean``, nothing was found in it and it was written anew without its metadata;
            ``resumed``, done by an earlier run; ``skipped``, neither picture nor video; ``failed``.
        notes: why it was skipped or failed, or what was left behind, such as a thumbnail or a second picture.
        objects: how many were masked, by kind; in a video, one that goes on through many frames counts once.
        pages: pictures that it holds; 0 for a video.
        frames: frames of a video.
        withheld: frames of a video that could not be searched and were filled wholly.
        seconds: how long it took.
    """

    source: Path
    target: Path | None
    verdict: Verdict
    notes: tuple[str, ...] = ()
    objects: dict[Kind, int] = field(default_factory=dict)
    pages: int = 0
    frames: int = 0
    withheld: int = 0
    seconds: float = 0.0

    def named_objects(self) -> dict[str, int]:
        """Counts by the kinds' lower-case names."""
        return named(self.objects)


class Tally:
    """Counts over the files of a run, and nothing that grows with their number."""

    def __init__(self) -> None:
        self.verdicts: Counter[Verdict] = Counter()
        self.objects: Counter[Kind] = Counter()
        self.pages = self.frames = self.withheld = 0

    def add(self, result: FileResult) -> None:
        """Count one file."""
        self.verdicts[result.verdict] += 1
        self.objects.update(result.objects)
        self.pages += result.pages
        self.frames += result.frames
        self.withheld += result.withheld

    def named_objects(self) -> dict[str, int]:
        """Counts by the kinds' lower-case names."""
        return named(self.objects)


def named(objects: dict[Kind, int]) -> dict[str, int]:
    """Counts under the kinds' lower-case names, in the order of the kinds, those of 0 left out."""
    return {kind.name.lower(): count for kind, count in sorted(objects.items()) if count}
