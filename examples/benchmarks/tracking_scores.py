"""Labelled sequences in the MOTChallenge layout, and how well what a tracker returned fits them."""

import csv
from collections.abc import Iterable
from configparser import ConfigParser
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from edgeanon.association import assign
from edgeanon.boxes import Boxes, areas, as_boxes, intersections, iou
from examples.benchmarks.measuring import MATCH

COVERED = 0.9
"""Share of a box from which it counts as covered by another."""
TINY = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Boxes of one frame, ``(n, 4)``, with a track each, ``(n,)``, -1 for none, and a value each, ``(n,)``.

    The value is the score of a detection, and of what a tracker returned, whether it was seen in this frame.
    """

    boxes: Boxes
    ids: NDArray[np.int64]
    values: NDArray[np.float32]

    @classmethod
    def of(cls, rows: Iterable[Iterable[float]]) -> Self:
        """From ``x1 y1 x2 y2 id value`` each."""
        table = np.array([list(row) for row in rows], np.float64).reshape(-1, 6)
        return cls(as_boxes(table[:, :4]), table[:, 4].astype(np.int64), table[:, 5].astype(np.float32))

    def __getitem__(self, rows: NDArray[np.bool_]) -> "Rows":
        return Rows(self.boxes[rows], self.ids[rows], self.values[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """A sequence: what was detected and what is labelled, one entry a frame.

    ``rate`` is frames a second, ``width`` and ``height`` are pixels.
    """

    name: str
    rate: float
    width: int
    height: int
    detections: list[Rows]
    labels: list[Rows]


def load(folder: Path) -> list[Labelled]:
    """The sequences of a folder: those of its folders that hold ``seqinfo.ini``, ``det/det.txt`` and ``gt/gt.txt``.

    Scores that are not within 0..1 are taken for logits. Labels that their file tells to ignore are left out.
    """
    found = [_read(path.parent) for path in sorted(folder.glob("*/seqinfo.ini"))]
    if not found:
        raise SystemExit(f"{folder} holds no folder with a seqinfo.ini: give the folder of the sequences")
    return found


def _read(folder: Path) -> Labelled:
    parser = ConfigParser()
    parser.read(folder / "seqinfo.ini", encoding="utf-8")
    about = parser["Sequence"]
    length = int(about["seqLength"])
    detected = _table(folder / "det" / "det.txt")
    scores = detected[:, 6]
    if len(scores) and (scores.min() < 0 or scores.max() > 1):
        detected[:, 6] = 1 / (1 + np.exp(-scores))
    labelled = _table(folder / "gt" / "gt.txt")
    return Labelled(
        folder.name, float(about["frameRate"]), int(about["imWidth"]), int(about["imHeight"]),
        _by_frame(detected, length), _by_frame(labelled[labelled[:, 6] > 0], length),
    )  # fmt: skip


def _table(path: Path) -> NDArray[np.float64]:
    """``frame id x y width height value`` of each line; frames count from 1."""
    with path.open(encoding="utf-8", newline="") as file:
        return np.array([row[:7] for row in csv.reader(file) if row], np.float64).reshape(-1, 7)


def _by_frame(table: NDArray[np.float64], length: int) -> list[Rows]:
    edges = np.concatenate([table[:, 2:4], table[:, 2:4] + table[:, 4:6], table[:, 1:2], table[:, 6:7]], axis=1)
    return [Rows.of(edges[table[:, 0] == number]) for number in range(1, length + 1)]


@dataclass
class Tally:
    """Counts of one tracker over sequences; ``seconds`` is what its updates took.

    Attributes:
        labels: labelled boxes.
        identified: returned boxes that carry an identity.
        right: those of them that are right: identities and labelled tracks are paired one to one for the whole of a
            sequence, so that the most boxes of pairs overlap (IDTP of Ristani et al., ECCV workshops 2016).
        detections: boxes that the tracker was given.
        lost: those of them with an area, of which less than ``COVERED`` lies in one box that came back.
        gaps: labelled boxes that no detection overlaps by ``MATCH`` or covers by ``COVERED``, though one does before
            and one after, in the same track.
        gaps_covered: those of them of which at least ``COVERED`` lies in one box that came back.
        gaps_matched: those that a box that came back overlaps by ``MATCH`` and more.
        made_up: returned boxes without a detection in their frame.
        ghosts: those of them that overlap no label by ``MATCH``.
        void: those of them that cover no label, and not even half of one.
        returned: all boxes that came back.
    """

    frames: int = 0
    labels: int = 0
    identified: int = 0
    right: int = 0
    detections: int = 0
    lost: int = 0
    gaps: int = 0
    gaps_covered: int = 0
    gaps_matched: int = 0
    made_up: int = 0
    ghosts: int = 0
    void: int = 0
    returned: int = 0
    seconds: float = field(default=0.0)

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(**{item.name: getattr(self, item.name) + getattr(other, item.name) for item in fields(self)})

    def figures(self) -> dict[str, float]:
        """The counts, and what follows from them."""
        return {
            **{item.name: getattr(self, item.name) for item in fields(self)},
            "idf1": 2 * self.right / max(self.labels + self.identified, 1),
            "gap_coverage": self.gaps_covered / max(self.gaps, 1),
            "gap_match": self.gaps_matched / max(self.gaps, 1),
            "ghosts_per_frame": self.ghosts / max(self.frames, 1),
            "void_per_frame": self.void / max(self.frames, 1),
            "milliseconds_per_frame": 1e3 * self.seconds / max(self.frames, 1),
        }


def judge(sequence: Labelled, answers: list[Rows], seconds: float = 0.0) -> Tally:
    """What came back for a sequence, one entry a frame, beside its labels."""
    tally = Tally(frames=len(sequence.labels), seconds=seconds, right=right_identities(sequence.labels, answers))
    gaps = in_gaps(sequence)
    for found, labels, back, gap in zip(sequence.detections, sequence.labels, answers, gaps, strict=True):
        inside, overlap = within(labels.boxes, back.boxes), iou(labels.boxes, back.boxes)
        tally.labels += len(labels.boxes)
        tally.identified += int(np.count_nonzero(back.ids >= 0))
        tally.returned += len(back.boxes)
        tally.detections += len(found.boxes)
        bare = within(found.boxes, back.boxes).max(1, initial=0) < COVERED
        tally.lost += int(np.count_nonzero(bare & (areas(found.boxes) > 0)))
        tally.gaps += int(np.count_nonzero(gap))
        tally.gaps_covered += int(np.count_nonzero(inside.max(1, initial=0)[gap] >= COVERED))
        tally.gaps_matched += int(np.count_nonzero(overlap.max(1, initial=0)[gap] >= MATCH))
        unseen = back.values == 0
        tally.made_up += int(np.count_nonzero(unseen))
        tally.ghosts += int(np.count_nonzero(overlap.max(0, initial=0)[unseen] < MATCH))
        tally.void += int(np.count_nonzero(inside.max(0, initial=0)[unseen] < MATCH))
    return tally


def within(boxes: Boxes, others: Boxes) -> NDArray[np.float32]:
    """Share of each box that lies in each of the others, ``(n, m)``, 0..1; 0 for a box without area."""
    return np.asarray(intersections(boxes, others) / np.maximum(areas(boxes), TINY)[:, None], np.float32)


def in_gaps(sequence: Labelled) -> list[NDArray[np.bool_]]:
    """For each frame, which of its labels are in a gap; see `Tally`."""
    detected = [
        (iou(labels.boxes, found.boxes).max(1, initial=0) >= MATCH)
        | (within(labels.boxes, found.boxes).max(1, initial=0) >= COVERED)
        for labels, found in zip(sequence.labels, sequence.detections, strict=True)
    ]
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for number, (labels, hit) in enumerate(zip(sequence.labels, detected, strict=True)):
        for track in labels.ids[hit].tolist():
            first.setdefault(track, number)
            last[track] = number
    return [
        ~hit & np.array([first.get(t, number) < number < last.get(t, -1) for t in labels.ids.tolist()], np.bool_)
        for number, (labels, hit) in enumerate(zip(sequence.labels, detected, strict=True))
    ]


def right_identities(labels: list[Rows], answers: list[Rows]) -> int:
    """IDTP: the most labelled boxes that identities can be right about when each stands for one labelled track."""
    tracks = {track: row for row, track in enumerate(sorted({t for rows in labels for t in rows.ids.tolist()}))}
    given = sorted({t for rows in answers for t in rows.ids.tolist() if t >= 0})
    identities = {track: column for column, track in enumerate(given)}
    both = np.zeros((len(tracks), len(identities)), np.float64)
    for truth, back in zip(labels, answers, strict=True):
        known = back[back.ids >= 0]
        rows, columns = np.nonzero(iou(truth.boxes, known.boxes) >= MATCH)
        for row, column in zip(truth.ids[rows].tolist(), known.ids[columns].tolist(), strict=True):
            both[tracks[row], identities[column]] += 1
    most = max(both.max(initial=0), 1)
    rows, columns = assign(1 - both / most, both > 0)
    return int(both[rows, columns].sum())
