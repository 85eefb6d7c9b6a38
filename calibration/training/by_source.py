r"""Plates by where the pictures come from: our network, each source judged by a model that never saw it, beside others.

    python -m calibration.training.by_source --data FOLDER --model zoo/plate --left-out romanian=RUN/without-romanian \
        --beside clp_det=zoo/clp_det --json by_source.json

For each source: average precision, recall at a tenth of a false detection a picture, and what the default mask covers.
Pictures without plates count false detections; those that were trained on are left out. With ``--keep FOLDER``,
detections stay there, and are taken from there by the next run with the same model, profile and pictures.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.training.pictures import learned, listed
from edgeanon import Detections, Detector, Kind, Masker
from edgeanon.evaluation import Labelled, coverage
from edgeanon.evaluation.evidence import Evidence, evidence
from edgeanon.evaluation.searching import searched
from edgeanon.models import load_file, load_shipped, shipped
from edgeanon.preprocess import PROFILES
from examples.benchmarks import measuring

LEAST = 0.08
"""Score from which detections take part in average precisions; below, these networks see something everywhere."""

FALSE = 0.1
"""False detections a picture at which recall is compared."""

COVERED = 0.9
"""Share of a plate that must be covered."""


def detector(which: str, profile: str) -> Detector:
    """A shipped model by name, the model of a folder, or several together, with a plus between them."""
    parts = [load_shipped(one) if one in shipped() else load_file(Path(one) / "model.xml") for one in which.split("+")]
    return Detector(*parts, profile=profile)


def found_in(one: Detector, pictures: Sequence[Labelled], keep: Path | None, what: str) -> list[Detections]:
    """What a detector finds in pictures, kept in a file if there is a folder for that."""
    key = "".join(
        [*(model.sha256 for model in one.models), one.profile, *(str(picture.path.name) for picture in pictures)]
    )
    file = keep / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.npz" if keep else None
    if file and file.exists():
        kept = np.load(file)
        ends = np.cumsum(kept["counts"])[:-1]
        columns = (np.split(kept[name], ends) for name in ("boxes", "scores", "kinds"))
        every = [Detections(*row) for row in zip(*columns, strict=True)]
        return [found[found.scores >= np.float32(LEAST)] for found in every]
    found = list(measuring.watched(searched(one, pictures, least=LEAST), what, len(pictures)))
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        whole = Detections.concatenate(found)
        counts = np.array([len(each) for each in found])
        with file.with_suffix(".part").open("wb") as half:
            np.savez(half, counts=counts, boxes=whole.boxes, scores=whole.scores, kinds=whole.kinds)
        file.with_suffix(".part").replace(file)
    return found


def recall_at(known: Evidence, false: float) -> tuple[float, float]:
    """Greatest recall with no more false detections a picture than this, and the threshold for it."""
    counts = ~known.void[0]
    order = np.argsort(-known.scores[counts], kind="stable")
    scores, hits = known.scores[counts][order], known.used[0][counts][order]
    allowed = np.flatnonzero(np.cumsum(~hits) <= false * max(1, int(known.judged.sum())))
    if not len(allowed) or not len(known.heights):
        return 0.0, 1.0
    return float(np.count_nonzero(hits[: allowed[-1] + 1]) / len(known.heights)), float(scores[allowed[-1]])


class Side:
    """One contestant: detections of every picture, with the threshold that its manifest says."""

    def __init__(self, pictures: Sequence[Labelled], found: Sequence[Detections], threshold: float) -> None:
        self.pictures, self.found, self.threshold = pictures, found, threshold
        self.covered: list[NDArray[np.bool_]] = []
        masker = Masker()
        for picture, every in zip(pictures, found, strict=True):
            strong = every[every.scores >= np.float32(threshold)]
            hidden = masker.hidden((picture.height, picture.width), strong.boxes, strong.kinds)
            self.covered.append(coverage(hidden, picture.of(Kind.PLATE)) >= COVERED)

    def figures(self, chosen: Sequence[int], heights: tuple[float, float] = (0, np.inf)) -> dict[str, Any]:
        """Of some pictures, by their numbers, and of plates of some heights in pixels."""
        pictures, found = [self.pictures[number] for number in chosen], [self.found[number] for number in chosen]
        known = evidence(pictures, found, Kind.PLATE, heights=heights)
        low, high = heights
        covered = []
        for number, picture in zip(chosen, pictures, strict=True):
            tall = picture.of(Kind.PLATE)[:, 3] - picture.of(Kind.PLATE)[:, 1]
            covered += self.covered[number][(tall >= low) & (tall < high)].tolist()
        recall, threshold = recall_at(known, FALSE)
        return {
            "pictures": len(chosen),
            "plates": len(known.heights),
            "average_precision": known.average_precision(0),
            "recall_at_0.1_false_a_picture": recall,
            "threshold_for_that": threshold,
            "found": int(np.count_nonzero(known.found_at >= np.float32(self.threshold))),
            "covered": sum(covered),
            "false_a_picture": float(known.false_by_picture(self.threshold).mean()) if len(chosen) else None,
        }

    def without_plates(self, chosen: Sequence[int]) -> float:
        """Detections a picture where there is no plate."""
        counts = [np.count_nonzero(self.found[number].scores >= np.float32(self.threshold)) for number in chosen]
        return float(np.mean(counts))


def row(name: str, figures: Mapping[str, Any]) -> list[str]:
    """One line of the table."""
    plates = figures["plates"]
    return [
        name,
        str(plates),
        f"{figures['average_precision'] or 0:.3f}",
        f"{figures['recall_at_0.1_false_a_picture']:.3f}",
        measuring.share(figures["found"], plates),
        measuring.share(figures["covered"], plates),
        f"{figures['false_a_picture']:.2f}",
    ]


def main() -> None:
    parser = measuring.parser(__doc__, data=True)
    parser.add_argument("--model", default="plate", help="our network: a folder, or the name of a shipped model")
    parser.add_argument("--left-out", nargs="*", default=[], metavar="SOURCE=FOLDER", help="models that lack a source")
    parser.add_argument("--beside", nargs="*", default=[], metavar="NAME=MODEL", help="others to compare with")
    parser.add_argument("--held-out", action="store_true", help="only pictures that the shipped model never saw")
    parser.add_argument("--profile", choices=list(PROFILES), default="balanced")
    parser.add_argument("--keep", type=Path, help="folder for detections")
    options = parser.parse_args()
    listing = listed()
    hashes = {sha256 for source in listing.sources.values() for sha256 in source.pictures}
    labelled = list(measuring.load(options.data))
    sha256 = [hashlib.sha256(picture.path.read_bytes()).hexdigest() for picture in labelled]
    plates = [number for number, picture in enumerate(labelled) if len(picture.of(Kind.PLATE))]
    taught = {sha256 for each in listing.sources.values() if each.use == "train" for sha256 in each.pictures}
    if options.held_out:
        plates = [at for at in plates if sha256[at] not in taught or not learned(sha256[at], plates=True)]
    bare = [
        number
        for number in range(len(labelled))
        if not len(labelled[number].of(Kind.PLATE))
        and not (sha256[number] in hashes and learned(sha256[number], plates=False))
    ]
    sources = sorted({labelled[number].source for number in plates})
    chosen = [*plates, *bare]
    pictures = [labelled[number] for number in chosen]
    groups = {name: [at for at in range(len(plates)) if pictures[at].source == name] for name in sources}
    empty = list(range(len(plates), len(chosen)))

    ours = detector(options.model, options.profile)
    lacking = dict(pair.split("=", 1) for pair in options.left_out)
    everything: dict[int, Detections] = {}
    for name, numbers in {**groups, "without plates": empty}.items():
        one = detector(lacking[name], options.profile) if name in lacking else ours
        seen = found_in(one, [pictures[at] for at in numbers], options.keep, name)
        everything.update(zip(numbers, seen, strict=True))
    threshold = ours.thresholds[Kind.PLATE]
    sides = {"ours": Side(pictures, [everything[at] for at in range(len(chosen))], threshold)}
    for name, which in (pair.split("=", 1) for pair in options.beside):
        other = detector(which, options.profile)
        parts = [found_in(other, [pictures[at] for at in numbers], options.keep, name) for numbers in groups.values()]
        parts.append(found_in(other, [pictures[at] for at in empty], options.keep, name))
        order = [at for numbers in (*groups.values(), empty) for at in numbers]
        by_number = dict(zip(order, (found for part in parts for found in part), strict=True))
        sides[name] = Side(pictures, [by_number[at] for at in range(len(chosen))], other.thresholds[Kind.PLATE])

    results: dict[str, Any] = {}
    rows = []
    for source, numbers in groups.items():
        saw = " (left out)" if source in lacking else ""
        for name, side in sides.items():
            results.setdefault(name, {})[source] = side.figures(numbers)
            rows.append(row(f"{source}{saw}, {name}", results[name][source]))
    for name, side in sides.items():
        results[name]["all"] = side.figures(range(len(plates)))
        rows.append(row(f"all, {name}", results[name]["all"]))
    heads = ["", "plates", "AP50", f"recall at {FALSE} false", "found", f"covered to {COVERED:.0%}", "false a picture"]
    measuring.show(f"Plates by source, profile {options.profile}", heads, rows, markdown=options.markdown)
    rows = []
    for height, limits in measuring.HEIGHTS.items():
        for name, side in sides.items():
            results[name][height] = side.figures(range(len(plates)), limits)
            rows.append(row(f"{height}, {name}", results[name][height]))
    measuring.show("Plates by height", heads, rows, markdown=options.markdown)
    for name, side in sides.items():
        if empty:
            results[name]["without_plates"] = side.without_plates(empty)
            print(
                f"{len(empty)} pictures without plates, {name}: {results[name]['without_plates']:.2f} found a picture"
            )
    thresholds = {name: side.threshold for name, side in sides.items()}
    figures = {"profile": options.profile, "left_out": sorted(lacking), "thresholds": thresholds, "results": results}
    measuring.write(options.json, figures)


if __name__ == "__main__":
    main()
