"""The tracker beside norfair and the trackers of roboflow's `trackers`, on sequences in the MOTChallenge layout.

All get the same detections. Rivals run in environments of their own, whose interpreters are named, at their defaults
and at the best of a small grid of settings on the sequences named in ``TUNED``. Our defaults were searched for on these
as well, and more widely; a few choices between near equals were made with an eye on the other sequences too, so "held
out" is said of the search and not of every look. IDF1 counts boxes that carry an identity, ours where the track is
confirmed and seen.
With ``--reference``, an environment that has motmetrics, every IDF1 is checked against it.

    python -m examples.benchmarks.tracking --data FOLDER --norfair ENVIRONMENT/bin/python \\
        --trackers ENVIRONMENT/bin/python --reference ENVIRONMENT/bin/python --json tracking.json
"""

import argparse
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from edgeanon.detections import Detections, Kind
from edgeanon.tracker import Tracker
from examples.benchmarks import measuring, peer
from examples.benchmarks.tracking_scores import Labelled, Rows, Tally, judge, load

TUNED = ("KITTI-0000", "KITTI-0004", "KITTI-0008", "KITTI-0012", "KITTI-0016", "MOT15_TUD-Campus")
OURS, OURS_HELD = "edgeanon", "edgeanon, held boxes too"
# The best IDF1 on the tuned sequences of a grid over each tracker's thresholds; see ``--search``.
CHOSEN: dict[str, dict[str, Any]] = {
    "norfair": {"distance_threshold": 0.7, "initialization_delay": 7, "hit_counter_max": 8},
    "SORT": {
        "track_activation_threshold": 0.8,
        "minimum_consecutive_frames": 5,
        "minimum_iou_threshold": 0.1,
    },
    "ByteTrack": {
        "track_activation_threshold": 0.9,
        "minimum_consecutive_frames": 4,
        "minimum_iou_threshold": 0.1,
        "high_conf_det_threshold": 0.8,
    },
    "OC-SORT": {"minimum_consecutive_frames": 3, "minimum_iou_threshold": 0.1, "high_conf_det_threshold": 0.8},
    "C-BIoU": {
        "track_activation_threshold": 0.9,
        "minimum_consecutive_frames": 4,
        "high_conf_det_threshold": 0.8,
    },
}
GRIDS: dict[str, dict[str, tuple[Any, ...]]] = {
    "norfair": {"distance_threshold": (0.5, 0.7, 0.8), "initialization_delay": (2, 4, 7), "hit_counter_max": (8, 15)},
    "SORT": {
        "track_activation_threshold": (0.25, 0.6, 0.8),
        "minimum_consecutive_frames": (3, 5),
        "minimum_iou_threshold": (0.1, 0.3),
    },
    "ByteTrack": {
        "track_activation_threshold": (0.7, 0.9),
        "minimum_consecutive_frames": (2, 4),
        "minimum_iou_threshold": (0.1, 0.3),
        "high_conf_det_threshold": (0.6, 0.8),
    },
    "OC-SORT": {
        "minimum_consecutive_frames": (3, 5),
        "minimum_iou_threshold": (0.1, 0.3),
        "high_conf_det_threshold": (0.5, 0.6, 0.8),
    },
    "C-BIoU": {
        "track_activation_threshold": (0.7, 0.9),
        "minimum_consecutive_frames": (2, 4),
        "high_conf_det_threshold": (0.6, 0.8),
    },
}
Run = tuple[list[Rows], float]
Follow = Callable[[Labelled], Run]


def ours(sequence: Labelled, *, held: bool = False) -> Run:
    """What our tracker returns at its defaults, and its seconds; ``held``: held boxes carry their identity as well."""
    frames = [Detections(rows.boxes, rows.values, np.full(len(rows.boxes), Kind.OTHER, np.uint8))
              for rows in sequence.detections]  # fmt: skip
    tracker = Tracker(size=(sequence.width, sequence.height))
    start = perf_counter()
    tracks = [tracker.update(found, number / sequence.rate) for number, found in enumerate(frames)]
    seconds = perf_counter() - start
    answers = [
        Rows(each.boxes, np.where(each.confirmed & (held | seen), each.ids, -1), seen.astype(np.float32))
        for each in tracks
        for seen in [each.unseen == 0]
    ]
    return answers, seconds


def rival(process: peer.Peer, name: str, options: dict[str, Any]) -> Follow:
    """A tracker of another environment."""

    def follow(sequence: Labelled) -> Run:
        frames = [np.concatenate([rows.boxes, rows.values[:, None]], axis=1).tolist() for rows in sequence.detections]
        answer = process.ask(tracker=name, options=options, rate=sequence.rate, frames=frames)
        return [Rows.of(rows) for rows in answer["frames"]], answer["seconds"]

    return follow


def worker(python: Path, script: str) -> peer.Peer:
    """A script beside this one, run by the interpreter of another environment."""
    return peer.Peer([str(python.absolute()), str(Path(__file__).with_name(f"{script}.py"))])


def check(reference: peer.Peer, sequence: Labelled, answers: list[Rows], tally: Tally) -> None:
    """Hold our count of right identities against the reference's.

    Raises:
        SystemExit: they differ.
    """

    def plain(frames: list[Rows]) -> list[list[list[float]]]:
        known = [rows[rows.ids >= 0] for rows in frames]
        return [np.concatenate([rows.boxes, rows.ids[:, None]], axis=1).tolist() for rows in known]

    theirs = reference.ask(labels=plain(sequence.labels), answers=plain(answers))["idtp"]
    if theirs != tally.right:
        raise SystemExit(f"{sequence.name}: {tally.right} right identities, and {theirs:g} by the reference")


def measure(sequences: list[Labelled], follow: Follow, reference: peer.Peer | None) -> dict[str, Tally]:
    """One tracker's tallies on the sequences that were tuned on, and on those held out."""
    tallies = {"tuned on": Tally(), "held out": Tally()}
    for sequence in sequences:
        answers, seconds = follow(sequence)
        tally = judge(sequence, answers, seconds)
        if reference is not None:
            check(reference, sequence, answers, tally)
        tallies["tuned on" if sequence.name.startswith(TUNED) else "held out"] += tally
    return tallies


def combinations(grid: dict[str, tuple[Any, ...]]) -> Iterator[dict[str, Any]]:
    """Every choice of one value for each option."""
    if not grid:
        yield {}
        return
    (name, values), *rest = grid.items()
    for others in combinations(dict(rest)):
        yield from ({name: value, **others} for value in values)


def search(process: peer.Peer, name: str, sequences: list[Labelled]) -> dict[str, Any]:
    """The options of a grid that give a rival its best IDF1 on the tuned sequences."""
    tuned = [sequence for sequence in sequences if sequence.name.startswith(TUNED)]

    def idf1(options: dict[str, Any]) -> float:
        return measure(tuned, rival(process, name, options), None)["tuned on"].figures()["idf1"]

    return max(measuring.watched(list(combinations(GRIDS[name])), name), key=idf1)


def table(results: dict[str, dict[str, Tally]], half: str) -> list[list[str]]:
    """The lines of one half's table."""
    lines = []
    for name, tallies in results.items():
        tally = tallies[half]
        figures = tally.figures()
        lines.append([
            name, f"{figures['idf1']:.3f}", f"{tally.lost} of {tally.detections}",
            measuring.share(tally.gaps_covered, tally.gaps), measuring.share(tally.gaps_matched, tally.gaps),
            f"{figures['ghosts_per_frame']:.2f}", f"{figures['milliseconds_per_frame']:.2f}",
        ])  # fmt: skip
    return lines


COLUMNS = ["", "IDF1", "detections lost", "gaps covered", "gaps matched", "ghosts a frame", "ms a frame"]


def options() -> argparse.Namespace:
    parser = measuring.parser(__doc__, data=True)
    parser.add_argument("--norfair", type=Path, help="interpreter of an environment with norfair")
    parser.add_argument("--trackers", type=Path, help="interpreter of an environment with roboflow's trackers")
    parser.add_argument("--reference", type=Path, help="interpreter of an environment with motmetrics, to check IDF1")
    parser.add_argument("--search", action="store_true", help="choose the rivals' settings again; takes long")
    return parser.parse_args()


def main() -> None:
    asked = options()
    sequences = load(asked.data)
    results: dict[str, dict[str, Tally]] = {}
    about: dict[str, Any] = {}
    chosen = dict(CHOSEN)
    with ExitStack() as open_:
        reference = None
        if asked.reference:
            reference = open_.enter_context(worker(asked.reference, "tracking_reference"))
            about |= reference.about
        results[OURS] = measure(sequences, ours, reference)
        results[OURS_HELD] = measure(sequences, lambda sequence: ours(sequence, held=True), reference)
        for python in filter(None, (asked.norfair, asked.trackers)):
            process = open_.enter_context(worker(python, "tracking_worker"))
            for name, version in process.about["trackers"].items():
                about[name] = version
                results[f"{name} {version}"] = measure(sequences, rival(process, name, {}), reference)
                if asked.search:
                    chosen[name] = search(process, name, sequences)
                if name in chosen:
                    follow = rival(process, name, chosen[name])
                    results[f"{name} {version}, tuned"] = measure(sequences, follow, reference)
    for half in ("tuned on", "held out"):
        frames = results[OURS][half].frames
        if frames:
            gaps = results[OURS][half].gaps
            title = f"Sequences {half}: {frames} frames, {results[OURS][half].labels} labels, {gaps} of them in gaps"
            measuring.show(title, COLUMNS, table(results, half), markdown=asked.markdown)
    figures = {name: {half: tally.figures() for half, tally in halves.items()} for name, halves in results.items()}
    checked = reference is not None
    measuring.write(
        asked.json, {"versions": about, "settings": chosen, "checked_against_reference": checked, "results": figures}
    )


if __name__ == "__main__":
    main()
