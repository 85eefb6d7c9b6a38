"""Looking ahead: an object that was found once is covered before that, between sightings, and after.

Frames wait in a window of about a second. What is learnt of an object while its frame waits is used for that frame:

- between two sightings its place is interpolated;
- before the first it is extrapolated backward, and after the last forward, which is the tracker's hold;
- what is not seen is uncertain, so its box grows with the time to the nearest sighting, and with its speed;
- detections flicker in size, so a box is as large as the larger ones around it in time;
- nothing is carried over a cut.

Places are taken relative to the camera where its motion is known, so that a pan does not bend the way between two
sightings.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from edgeanon.detections import Tracks

Item = TypeVar("Item")

SHORTEST_STEP = 1 / 240
"""Seconds by which the window's clock advances with every frame at least, whatever the timestamps say: it bounds how
many frames can wait."""

SURE = 0.2
"""Score from which a single sighting covers an object for a whole second before and after it. One of a lower score
covers it for its share: most single sightings of low score are false alarms."""

LARGE, SURE_LARGE = 0.05, 0.6
"""A box of this share of the picture or more must have such a score for the same; smaller ones one in between. What is
large and really there is found with a high score, and a false alarm of this size hides much."""

LEAST = 0.25
"""Seconds for which an object of any score is covered after its last sighting."""

SLACK = 0.5
"""Growth on each side, as a share of the box, for each second to the nearest sighting."""

DRIFT = 0.5
"""Growth on each side, as a share of the way that the object moves in the time to the nearest sighting."""

EDGE = 0.5
"""What is not seen and would be nearer to the picture's edge than this share of its own side is covered up to the edge:
mostly it is coming in or going out."""

RECENT = 0.5
"""Seconds of sightings from which a velocity is taken, and in which they smooth each other."""

LARGER = 1.5
"""How many times its own sides a box may be enlarged to be as large as its neighbours in time."""

BLURRED = 0.08
"""Growth on each side of every box, as a share of it: what moves is found less exactly than what stands still, and for
that the margins of masks were measured."""

STEADY = 0.1
"""Seconds that are added to those from which a velocity is taken. The fewer they are the more of it is noise, and most
things stand still."""

REMEMBERED = 10.0
"""Seconds after which the last sighting of an object is forgotten; trackers forget sooner."""


class _Sighting(NamedTuple):
    """One object as it was seen in one frame; the box is relative to the camera's place at the start."""

    clock: float
    box: NDArray[np.float64]


@dataclass(slots=True)
class _Object:
    """What is known of one object in its scene; ``share`` is its largest part of the picture."""

    kind: int
    scene: int
    score: float = 0.0
    share: float = 0.0
    confirmed: bool = False
    established: bool = False
    sightings: deque[_Sighting] = field(default_factory=deque)

    @property
    def reach(self) -> float:
        """Seconds for which a single sighting covers it."""
        sure = SURE + (SURE_LARGE - SURE) * min(self.share / LARGE, 1.0)
        return min(self.score / sure, 1.0)

    def is_past(self, clock: float, scene: int) -> bool:
        """Whether no frame from this one on can need it; sightings that none can need are dropped."""
        while len(self.sightings) > 1 and self.sightings[1].clock <= clock - RECENT:
            self.sightings.popleft()
        return self.scene < scene or self.sightings[-1].clock < clock - REMEMBERED


class _Entry(NamedTuple, Generic[Item]):
    """A frame that waits: ``item`` with the tracker's rows."""

    item: Item
    clock: float
    scene: int
    camera: NDArray[np.float64]
    size: tuple[int, int]
    tracks: Tracks


class LookAhead(Generic[Item]):
    """A window over the frames of one video.

    Args:
        seconds: how long a frame waits for what comes after it; 0 hands every frame out at once.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waiting: deque[_Entry[Item]] = deque()
        self._objects: dict[int, _Object] = {}
        self._clock = 0.0
        self._last_time = 0.0
        self._scene = 0
        self._camera = np.zeros(2)

    def push(
        self,
        item: Item,
        tracks: Tracks,
        *,
        time: float,
        size: tuple[int, int],
        cut: bool = False,
        shift: tuple[float, float] = (0.0, 0.0),
    ) -> Iterator[tuple[Item, Tracks]]:
        """Take the next frame, and hand out those that have waited long enough.

        Args:
            item: whatever stands for the frame; handed out again.
            tracks: what the tracker says of it; rows that are seen in it (``unseen == 0``) are sightings.
            time: seconds; may jump, repeat or go backward.
            size: ``(width, height)`` of the frame in pixels.
            cut: the frame begins a new scene.
            shift: ``(x, y)`` pixels by which still things moved in the picture since the frame before.
        """
        step = time - self._last_time
        self._last_time = time
        self._clock += max(step, SHORTEST_STEP)
        if cut:
            self._scene += 1
        self._camera = self._camera + shift
        entry = _Entry(item, self._clock, self._scene, self._camera, size, tracks)
        self._waiting.append(entry)
        self._remember(entry)
        while self._waiting and self._waiting[0].clock <= self._clock - self._seconds:
            yield self._hand_out()

    def flush(self) -> Iterator[tuple[Item, Tracks]]:
        """Hand out what still waits: the video has ended."""
        while self._waiting:
            yield self._hand_out()

    def _remember(self, entry: _Entry[Item]) -> None:
        tracks, place = entry.tracks, np.tile(entry.camera, 2)
        area = entry.size[0] * entry.size[1]
        for row in np.flatnonzero(tracks.unseen == 0):
            name = int(tracks.ids[row])
            known = self._objects.setdefault(name, _Object(int(tracks.kinds[row]), entry.scene))
            known.score = max(known.score, float(tracks.scores[row]))
            known.share = max(known.share, float(np.prod(_sides(tracks.boxes[row])) / area))
            known.confirmed |= bool(tracks.confirmed[row])
            known.established |= known.confirmed or bool(known.sightings)
            known.sightings.append(_Sighting(entry.clock, tracks.boxes[row].astype(np.float64) - place))

    def _hand_out(self) -> tuple[Item, Tracks]:
        entry = self._waiting.popleft()
        tracks = entry.tracks
        boxes = tracks.boxes.copy()
        here = {int(name): row for row, name in enumerate(tracks.ids)}
        added: list[tuple[int, _Object, NDArray[np.float64]]] = []
        for name, known in list(self._objects.items()):
            if known.is_past(entry.clock, entry.scene):
                del self._objects[name]
                continue
            if known.scene != entry.scene:
                continue
            if name in here and tracks.unseen[here[name]] == 0:
                row = here[name]
                boxes[row] = _enlarged(_smoothed(boxes[row], known, entry), known, entry.clock)
                continue
            box = _place(known, entry.clock, held=name in here)
            if box is None:
                continue
            box = _to_the_edge(_enlarged(box, known, entry.clock) + np.tile(entry.camera, 2), entry.size)
            if name in here:
                boxes[here[name]] = box
            else:
                added.append((name, known, box))
        if not added:
            return entry.item, Tracks(boxes, tracks.scores, tracks.kinds, tracks.ids, tracks.unseen, tracks.confirmed)
        return entry.item, Tracks(
            np.concatenate([boxes, np.array([box for _, _, box in added], np.float32)]),
            np.concatenate([tracks.scores, np.array([known.score for _, known, _ in added], np.float32)]),
            np.concatenate([tracks.kinds, np.array([known.kind for _, known, _ in added], np.uint8)]),
            np.concatenate([tracks.ids, np.array([name for name, _, _ in added], np.int64)]),
            np.concatenate([tracks.unseen, np.ones(len(added), np.int32)]),
            np.concatenate([tracks.confirmed, np.array([known.confirmed for _, known, _ in added], np.bool_)]),
        )


def _place(known: _Object, clock: float, *, held: bool) -> NDArray[np.float64] | None:
    """Where an object that is not seen at this moment must be covered; None where that is not known, or is past.

    What was seen later goes before what the tracker expected, which goes before what was seen last.
    """
    before = [one for one in known.sightings if one.clock <= clock]
    after = [one for one in known.sightings if one.clock > clock]
    if before and after:
        first, then = before[-1], after[0]
        part = (clock - first.clock) / (then.clock - first.clock)
        box = first.box + part * (then.box - first.box)
        away = min(clock - first.clock, then.clock - clock)
        velocity = _center(then.box - first.box) / (then.clock - first.clock)
    elif after:
        away = after[0].clock - clock
        if away > known.reach and not known.established:
            return None
        velocity = _velocity([one for one in after if one.clock <= after[0].clock + RECENT])
        box = after[0].box - np.tile(velocity, 2) * away
    else:
        away = clock - before[-1].clock
        if held or away > max(LEAST, known.reach):
            return None
        velocity = _velocity([one for one in before if one.clock >= before[-1].clock - RECENT])
        box = before[-1].box + np.tile(velocity, 2) * away
    grow = SLACK * away * _sides(box) + DRIFT * away * np.abs(velocity)
    return np.concatenate([box[:2] - grow, box[2:] + grow])


def _enlarged(box: NDArray[np.float64], known: _Object, clock: float) -> NDArray[np.float64]:
    """The box as large as the largest that was seen around this moment, and a little more."""
    near = [_sides(one.box) for one in known.sightings if abs(one.clock - clock) <= RECENT]
    own = _sides(box)
    wanted = np.clip(np.max(near, axis=0, initial=0), own, LARGER * own)
    grow = (wanted - own) / 2 + BLURRED * wanted
    return np.concatenate([box[:2] - grow, box[2:] + grow])


def _to_the_edge(box: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
    """The box, stretched to those edges of the picture that it is near to and not past."""
    low, high, end, near = box[:2], box[2:], np.array(size, np.float64), EDGE * _sides(box)
    return np.concatenate(
        [
            np.where((low < near) & (high > 0), np.minimum(low, 0), low),
            np.where((high > end - near) & (low < end), np.maximum(high, end), high),
        ]
    )


def _smoothed(seen: NDArray[np.float32], known: _Object, entry: _Entry[Any]) -> NDArray[np.float64]:
    """The box that was seen, and around it what its neighbours in time make likely."""
    box = seen.astype(np.float64)
    before = [one for one in known.sightings if entry.clock - RECENT <= one.clock < entry.clock]
    after = [one for one in known.sightings if entry.clock < one.clock <= entry.clock + RECENT]
    if not (before and after):
        return box
    first, then = before[-1], after[0]
    part = (entry.clock - first.clock) / (then.clock - first.clock)
    likely = first.box + part * (then.box - first.box) + np.tile(entry.camera, 2)
    return np.concatenate([np.minimum(box[:2], likely[:2]), np.maximum(box[2:], likely[2:])])


def _velocity(sightings: list[_Sighting]) -> NDArray[np.float64]:
    """Pixels a second of the centre from the first to the last; 0 when there is only one."""
    if len(sightings) < 2:
        return np.zeros(2)
    first, last = sightings[0], sightings[-1]
    return (_center(last.box) - _center(first.box)) / (last.clock - first.clock + STEADY)


def _center(box: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((box[:2] + box[2:]) / 2, np.float64)


def _sides(box: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(box[2:] - box[:2], np.float64)
