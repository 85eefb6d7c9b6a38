"""Licence plates found, and how much of them the default mask covers, by where the pictures come from.

python -m examples.benchmarks.plates --data FOLDER --json plates.json
"""

from collections import defaultdict
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeanon import Detector, Kind, Masker
from edgeanon.boxes import Boxes
from edgeanon.preprocess import PROFILES
from examples.benchmarks import measuring

WHOLE, MOST = 0.95, 0.9
"""Shares of a plate that must be covered: of one that was found, and of any."""


@dataclass
class Tally:
    """Counts of one source. ``covered`` holds the share covered of every label, ``found`` whether it was found."""

    pictures: int = 0
    covered: list[float] = field(default_factory=list)
    found: list[bool] = field(default_factory=list)
    unmatched: int = 0

    def add(self, labels: Boxes, boxes: Boxes, scores: NDArray[np.float32], hidden: NDArray[np.bool_]) -> None:
        by_label, used = measuring.match(boxes, scores, labels)
        self.pictures += 1
        self.covered += measuring.coverage(hidden, labels).tolist()
        self.found += (by_label >= 0).tolist()
        self.unmatched += int(np.count_nonzero(~used))

    def of_found(self) -> list[float]:
        """Share covered of each label that was found."""
        return [part for part, found in zip(self.covered, self.found, strict=True) if found]

    def figures(self) -> dict[str, Any]:
        covered, total = self.of_found(), len(self.found)
        whole, most = sum(part >= WHOLE for part in covered), sum(part >= MOST for part in self.covered)
        return {
            "pictures": self.pictures,
            "labels": total,
            "found": len(covered),
            "found_interval": measuring.wilson(len(covered), total),
            "found_and_covered": whole,
            "found_and_covered_interval": measuring.wilson(whole, len(covered)),
            "mean_coverage_of_found": fmean(covered) if covered else None,
            "covered": most,
            "covered_interval": measuring.wilson(most, total),
            "unmatched_per_picture": self.unmatched / self.pictures,
        }


def row(name: str, figures: dict[str, Any], *, whole: bool = False) -> list[str]:
    """One line of the table; with intervals if ``whole``."""
    shown = measuring.share_with_interval if whole else measuring.share
    mean = figures["mean_coverage_of_found"]
    return [
        name,
        str(figures["pictures"]),
        str(figures["labels"]),
        shown(figures["found"], figures["labels"]),
        shown(figures["found_and_covered"], figures["found"]),
        "-" if mean is None else f"{mean:.3f}",
        shown(figures["covered"], figures["labels"]),
        f"{figures['unmatched_per_picture']:.2f}",
    ]


def main() -> None:
    parser = measuring.parser(__doc__, data=True)
    parser.add_argument("--profile", choices=list(PROFILES), default="balanced")
    options = parser.parse_args()
    detector, masker = Detector("plate", profile=options.profile), Masker()
    tallies: defaultdict[str, Tally] = defaultdict(Tally)
    everything, without = Tally(), Tally()
    for picture in measuring.watched(measuring.load(options.data), f"plates, {options.profile}"):
        found = detector.detect(picture.read())
        hidden = masker.hidden((picture.height, picture.width), found.boxes, found.kinds)
        labels = picture.of(Kind.PLATE)
        for tally in (tallies[picture.source], everything) if len(labels) else (without,):
            tally.add(labels, found.boxes, found.scores, hidden)

    figures = {name: tally.figures() for name, tally in sorted(tallies.items())}
    rows = [row(name, each) for name, each in figures.items()]
    if everything.pictures:
        figures["all"] = everything.figures()
        rows.append(row("all", figures["all"], whole=True))
    measuring.show(
        f"Licence plates, profile {options.profile}, threshold {detector.thresholds[Kind.PLATE]}",
        [
            "",
            "pictures",
            "plates",
            f"found (IoU {measuring.MATCH})",
            f"found ones covered to {WHOLE:.0%}",
            "mean cover of found ones",
            f"all covered to {MOST:.0%}",
            "false a picture",
        ],
        rows,
        markdown=options.markdown,
    )
    per_picture = without.unmatched / without.pictures if without.pictures else None
    if per_picture is not None:
        print(
            f"Pictures without a labelled plate: {without.pictures}; plates found on them: {per_picture:.2f} a picture"
        )
    measuring.write(
        options.json,
        {
            "profile": options.profile,
            "threshold": detector.thresholds[Kind.PLATE],
            "sources": figures,
            "without_plates": {"pictures": without.pictures, "unmatched_per_picture": per_picture},
        },
    )


if __name__ == "__main__":
    main()
