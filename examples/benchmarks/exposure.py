"""Exposure: how often and how long a labelled face or plate stays visible in masked video, with and without look-ahead.

python -m examples.benchmarks.exposure --data FOLDER --demo --json exposure.json

An object-frame is one labelled object in one frame. It counts where at least half of the object shows and its box is
large enough to be found in principle, and exposed where less than 0.9 of its box lies under the mask. It is detected
where the detector, frame by frame, has a box of its kind with an intersection over union of 0.5 or more; the longest
time without such a frame is the object's gap. All columns mask what one and the same detection found.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeanon import Anonymizer, Detections, Detector, Frame, Kind, Masker
from edgeanon.boxes import as_boxes, iou
from edgeanon.config import INTERVAL, LOOK_AHEAD
from examples.benchmarks import clips, measuring
from examples.benchmarks.clips import Clip, Followed

COVERED, HALF = 0.9, 0.5
SHOWN = 0.5
"""Least share of an object that must show for its frame to be counted."""
ALONE = "frame by frame"
DEMONSTRATION = "Demonstration clip"
WITHIN, LONGER, NEVER = "gap within the window", "longer gap", "never detected"
Masked = Iterable[tuple[Frame, Detections]]


@dataclass
class History:
    """One object of a clip: the frames that count, whether each is exposed, and where it was detected.

    ``covered`` holds the share of its box that is masked in each frame that counts.
    """

    object: Followed
    exposed: dict[int, bool] = field(default_factory=dict)
    detected: set[int] = field(default_factory=set)
    covered: dict[int, float] = field(default_factory=dict)

    def bare(self) -> list[dict[str, Any]]:
        """What is known of each frame in which it is exposed."""
        return [
            {
                "frame": frame,
                "covered": round(self.covered[frame], 3),
                "visible": round(self.object.seen[frame].visible, 3),
                "detected": frame in self.detected,
            }
            for frame, bare in sorted(self.exposed.items())
            if bare
        ]

    def longest_exposed(self) -> int:
        """Most frames in a row in which it is exposed; a frame that is not counted ends a row."""
        longest = run = 0
        before = -1
        for frame, bare in sorted(self.exposed.items()):
            run = (run + 1 if before == frame - 1 else 1) if bare else 0
            longest, before = max(longest, run), frame
        return longest

    def longest_gap(self) -> int | None:
        """Most frames in a row without a detection, from the first to the last that counts; None if it has none."""
        first, last = min(self.exposed), max(self.exposed)
        seen = [first - 1, *sorted(frame for frame in self.detected if first <= frame <= last), last + 1]
        return None if len(seen) == 2 else int(max(np.diff(seen))) - 1

    def group(self, window: float) -> str:
        """Which group it is in, for a window of so many frames."""
        gap = self.longest_gap()
        return NEVER if gap is None else WITHIN if gap <= window else LONGER


@dataclass
class Tally:
    """Sums over objects: how many, their frames, those exposed, and the longest time that one was exposed.

    ``touched`` counts objects that were exposed at all, ``open`` frames in which not even half was covered: there
    nothing lay over the object, while between the two an edge of it shows.
    """

    objects: int = 0
    frames: int = 0
    exposed: int = 0
    longest: int = 0
    touched: int = 0
    open: int = 0

    def add(self, history: History) -> None:
        bare = sum(history.exposed.values())
        self.objects += 1
        self.frames += len(history.exposed)
        self.exposed += bare
        self.touched += bare > 0
        self.open += sum(share < HALF for share in history.covered.values())
        self.longest = max(self.longest, history.longest_exposed())

    def figures(self) -> dict[str, Any]:
        return {
            "objects": self.objects,
            "object_frames": self.frames,
            "exposed_object_frames": self.exposed,
            "exposed_per_1000": 1000 * self.exposed / self.frames if self.frames else None,
            "less_than_half_covered": self.open,
            "objects_ever_exposed": self.touched,
            "longest_exposed_frames": self.longest,
        }


@dataclass
class Exposure:
    """What one way of masking shows, clip after clip."""

    masker: Masker
    histories: list[History] = field(default_factory=list)
    masked: list[float] = field(default_factory=list)
    needless: list[float] = field(default_factory=list)

    def add(self, clip: Clip, masked: Masked, detected: list[set[int]]) -> None:
        """Take in one clip.

        Args:
            masked: each frame of it, in order, with what is masked there.
            detected: for each of the clip's objects the frames in which it was detected.

        Raises:
            ValueError: frames are missing, twice there, or out of order.
        """
        histories = [History(one, detected=frames) for one, frames in zip(clip.objects, detected, strict=True)]
        expected = 0
        for frame, found in masked:
            if frame.index != expected:
                raise ValueError(f"frame {frame.index} came where frame {expected} belongs")
            expected += 1
            shape = frame.pixels.shape[0], frame.pixels.shape[1]
            hidden = self.masker.hidden(shape, found.boxes, found.kinds)
            for history in histories:
                seen = history.object.seen.get(frame.index)
                if seen and seen.visible >= SHOWN and clips.large_enough(history.object.kind, seen.box):
                    share = measuring.coverage(hidden, as_boxes([seen.box]))[0]
                    history.covered[frame.index] = float(share)
                    history.exposed[frame.index] = bool(share < COVERED)
            boxes, kinds = labelled(clip, frame.index)
            self.masked.append(float(hidden.mean()))
            self.needless.append(float((hidden & ~self.masker.hidden(shape, boxes, kinds)).mean()))
        if expected != clip.length:
            raise ValueError(f"{expected} frames came of {clip.length}")
        self.histories += [history for history in histories if history.exposed]

    def tallies(self, window: float) -> dict[str, Tally]:
        """Sums over all objects, each kind, and each group of gaps, for a window of so many frames."""
        names = ("all", *(kind.name.lower() for kind in (Kind.FACE, Kind.PLATE)), WITHIN, LONGER, NEVER)
        found = {name: Tally() for name in names}
        for history in self.histories:
            for name in ("all", history.object.kind.name.lower(), history.group(window)):
                found[name].add(history)
        return found

    def figures(self, window: float) -> dict[str, Any]:
        exposed = [history for history in self.histories if any(history.exposed.values())]
        return {
            "groups": {name: tally.figures() for name, tally in self.tallies(window).items()},
            "masked_share": float(np.mean(self.masked)),
            "needlessly_masked_share": float(np.mean(self.needless)),
            "exposed_objects": [
                {
                    "id": history.object.id,
                    "group": history.group(window),
                    "longest_gap_frames": history.longest_gap(),
                    "exposed_frames": history.bare(),
                }
                for history in exposed
            ],
        }


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


def labelled(clip: Clip, frame: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """All labels of a frame: boxes ``(n, 4)`` and kinds ``(n,)``."""
    here = [(one.seen[frame].box, int(one.kind)) for one in clip.objects if frame in one.seen]
    return as_boxes([box for box, _ in here]), np.array([kind for _, kind in here], np.uint8)


def frame_by_frame(detector: Detector, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Detections]]:
    """What is masked where every frame is a picture of its own."""
    for frame in frames:
        yield frame, detector.detect(frame.pixels)


def detected_in(clip: Clip, detector: Detector) -> list[set[int]]:
    """For each object of a clip the frames in which the detector finds it."""
    frames: list[set[int]] = [set() for _ in clip.objects]
    for frame, found in frame_by_frame(detector, clip.frames()):
        for history, one in zip(frames, clip.objects, strict=True):
            if frame.index in one.seen:
                boxes = found.boxes[found.kinds == one.kind]
                overlap = iou(as_boxes([one.seen[frame.index].box]), boxes)
                if overlap.max(initial=0) >= measuring.MATCH:
                    history.add(frame.index)
    return frames


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
            "covered": COVERED,
            "least_visible": SHOWN,
            "least_size": {kind.name.lower(): size for kind, size in clips.LEAST.items()},
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
