"""Exposure: how often and how long a labelled object stays visible in masked video.

An object-frame is one labelled object in one frame. It counts where at least half of the object shows and its box is
large enough to be found in principle, and it is exposed where less than 0.9 of its box lies under the mask. An object
is detected where a detector, frame by frame, has a box of its kind with an intersection over union of 0.5 or more; the
longest time without such a frame is the object's gap.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edgeanon.boxes import as_boxes, iou
from edgeanon.detections import Detections, Frame, Kind
from edgeanon.detector import Detector
from edgeanon.evaluation.clips import Clip, Followed, large_enough
from edgeanon.evaluation.masking import ENOUGH, coverage
from edgeanon.evaluation.matching import MATCH
from edgeanon.masker import Masker

SHOWN: Final = 0.5
"""Least share of an object that must show for its frame to be counted."""

HALF: Final = 0.5
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
        """Count one object."""
        bare = sum(history.exposed.values())
        self.objects += 1
        self.frames += len(history.exposed)
        self.exposed += bare
        self.touched += bare > 0
        self.open += sum(share < HALF for share in history.covered.values())
        self.longest = max(self.longest, history.longest_exposed())

    def figures(self) -> dict[str, Any]:
        """The sums by name."""
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
            clip: with its labels.
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
                if seen and seen.visible >= SHOWN and large_enough(history.object.kind, seen.box):
                    share = coverage(hidden, as_boxes([seen.box]))[0]
                    history.covered[frame.index] = float(share)
                    history.exposed[frame.index] = bool(share < ENOUGH)
            boxes, kinds = labels_in(clip, frame.index)
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

    def shares(self) -> dict[str, float]:
        """Mean shares of a frame that are masked, and that masks of exactly the labelled boxes would not reach."""
        return {
            "masked_share": float(np.mean(self.masked)),
            "needlessly_masked_share": float(np.mean(self.needless)),
        }

    def figures(self, window: float) -> dict[str, Any]:
        """All of it by name, for a window of so many frames."""
        exposed = [history for history in self.histories if any(history.exposed.values())]
        return {
            "groups": {name: tally.figures() for name, tally in self.tallies(window).items()},
            **self.shares(),
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


def labels_in(clip: Clip, frame: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """All labels of a frame: boxes ``(n, 4)`` and kinds ``(n,)``."""
    here = [(one.seen[frame].box, int(one.kind)) for one in clip.objects if frame in one.seen]
    return as_boxes([box for box, _ in here]), np.array([kind for _, kind in here], np.uint8)


def detected_in(clip: Clip, detector: Detector, *, on_frame: Callable[[], None] | None = None) -> list[set[int]]:
    """For each object of a clip the frames in which the detector finds it; ``on_frame`` is called after each."""
    frames: list[set[int]] = [set() for _ in clip.objects]
    for frame in clip.frames():
        found = detector.detect(frame.pixels)
        for history, one in zip(frames, clip.objects, strict=True):
            if frame.index in one.seen:
                boxes = found.boxes[found.kinds == one.kind]
                overlap = iou(as_boxes([one.seen[frame.index].box]), boxes)
                if overlap.max(initial=0) >= MATCH:
                    history.add(frame.index)
        if on_frame:
            on_frame()
    return frames
