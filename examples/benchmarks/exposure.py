"""Exposure: how often and how long a labelled face or plate stays visible in masked video, with and without look-ahead.

python -m examples.benchmarks.exposure --data FOLDER --demo --json exposure.json

An object-frame is one labelled object in one frame. It counts where at least half of the object shows and its box is
large enough to be found in principle, and exposed where less than 0.9 of its box lies under the mask. It is detected
where the detector, frame by frame, has a box of its kind with an intersection over union of 0.5 or more; the longest
time without such a frame is the object's gap. All columns mask what one and the same detection found.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeanon import Anonymizer, Detections, Detector, Frame, Masker
from edgeanon.config import INTERVAL, LOOK_AHEAD
from edgeanon.evaluation.clips import LEAST, Clip
from edgeanon.evaluation.exposure import SHOWN, Exposure, Tally, detected_in
from edgeanon.evaluation.masking import ENOUGH
from examples.benchmarks import clips, measuring

ALONE = "frame by frame"
DEMONSTRATION = "Demonstration clip"


class Remembering(Detector):
    """A detector that looks at each picture once, however often it is asked."""

    def __init__(self, *, profile: str = "balanced") -> None:
        super().__init__(profile=profile)
        self._known: dict[bytes, Detections] = {}

    def detect(self, image: NDArray[np.uint8], *, hint: Any = "latency") -> Detections:
        key = hashlib.blake2b(image.tobytes(), digest_size=16).digest()
        if key not in self._known:
            ((_, self._known[key]),) = super().detect_many([image], hint=hint, moving=True)
        return self._known[key]

    def detect_many(
        self,
        images: Iterable[NDArray[np.uint8]],
        *,
        hint: Any = "throughput",
        moving: bool = False,  # noqa: ARG002
        least: float | None = None,  # noqa: ARG002
    ) -> Iterator[tuple[NDArray[np.uint8], Detections]]:
        for image in images:
            yield image, self.detect(image, hint=hint)


def frame_by_frame(detector: Detector, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections]]:
    """What is masked where every frame is a picture of its own."""
    for frame in frames:
        yield frame, detector.detect(frame.pixels)


def report(ways: dict[str, Exposure], window: float, title: str, *, markdown: bool) -> None:
    tallies = {name: way.tallies(window) for name, way in ways.items()}
    first = next(iter(tallies.values()))
    rows = [
        [
            f"{group} ({tally.objects} objects, {tally.frames} frames)",
            *(cell(each[group]) for each in tallies.values()),
        ]
        for group, tally in first.items()
    ]
    bare = [each["all"] for each in tallies.values()]
    rows.append(
        ["all, less than half covered", *(f"{1000 * one.open / one.frames:.1f}" if one.frames else "-" for one in bare)]
    )
    for name, what in (("picture masked", "masked"), ("of it needlessly", "needless")):
        rows.append([name, *(f"{np.mean(getattr(way, what)):.2%}" for way in ways.values())])
    columns = [f"{title}: exposed per 1,000 object-frames (longest, in frames)", *ways]
    measuring.show(title, columns, rows, markdown=markdown)


def cell(tally: Tally) -> str:
    return f"{1000 * tally.exposed / tally.frames:.1f} ({tally.longest})" if tally.frames else "-"


def main() -> None:
    parser = measuring.parser(__doc__, data=False)
    parser.add_argument("--data", type=Path, help="folder with annotations.json and its pictures, to make clips of")
    parser.add_argument("--demo", action="store_true", help="measure the demonstration clip as well")
    parser.add_argument("--clips", type=int, default=10, help="how many clips to make of the pictures (%(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--look-ahead", type=float, default=LOOK_AHEAD, metavar="SECONDS")
    parser.add_argument(
        "--interval", type=float, default=INTERVAL, metavar="SECONDS", help="between searches (%(default)s)"
    )
    parser.add_argument("--profile", default="balanced")
    options = parser.parse_args()
    if not (options.data or options.demo):
        parser.error("nothing to measure: pass --data FOLDER, --demo, or both")
    sets: dict[str, Iterable[Clip]] = {}
    if options.demo:
        sets[DEMONSTRATION] = [clips.demonstration(measuring.ROOT / "examples" / "demo")]
    if options.data:
        sets["Made clips"] = clips.make(measuring.load(options.data), count=options.clips, seed=options.seed)

    window = options.look_ahead * clips.RATE
    figures = {}
    for title, some in sets.items():
        total = 1 if title == DEMONSTRATION else options.clips
        ways = measure(some, options.look_ahead, options.interval, options.profile, total)
        report(ways, window, title, markdown=options.markdown)
        figures[title] = {name: way.figures(window) for name, way in ways.items()}
    measuring.write(
        options.json,
        {
            "look_ahead_seconds": options.look_ahead,
            "interval_seconds": options.interval,
            "covered": ENOUGH,
            "least_visible": SHOWN,
            "least_size": {kind.name.lower(): size for kind, size in LEAST.items()},
            "profile": options.profile,
            "seed": options.seed,
            "sets": figures,
        },
    )


def measure(some: Iterable[Clip], look_ahead: float, interval: float, profile: str, total: int) -> dict[str, Exposure]:
    """All ways of masking over the same clips."""
    masker = Masker()
    settings = {"tracked, no look-ahead": (0.0, interval), f"look-ahead of {look_ahead:g} s": (look_ahead, interval)}
    if interval:
        settings[f"look-ahead of {look_ahead:g} s, every frame searched"] = (look_ahead, 0.0)
    ways = {name: Exposure(masker) for name in (ALONE, *settings)}
    for clip in measuring.watched(some, "exposure", total):
        detector = Remembering(profile=profile)  # a new one each time, so that memory does not grow
        detected = detected_in(clip, detector)
        ways[ALONE].add(clip, frame_by_frame(detector, clip.frames()), detected)
        for name, (window, pace) in settings.items():
            anonymizer = Anonymizer(detectors=[detector], masker=masker, interval=pace)
            ways[name].add(clip, anonymizer.tracks(clip.frames(), look_ahead=window), detected)
    return ways


if __name__ == "__main__":
    main()
