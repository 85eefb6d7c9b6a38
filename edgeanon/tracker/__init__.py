"""From what was found in each picture to objects followed through a video."""

from fractions import Fraction
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeanon.association import Indices, assign, likeness
from edgeanon.boxes import areas, intersections
from edgeanon.detections import Detections, Tracks
from edgeanon.errors import ConfigError
from edgeanon.motion import Motion, Scene, expected, sizes, spread
from edgeanon.tracker.arguments import Found, check, is_size, number

__all__ = ["Tracker"]

# A track as a row of one array: selecting and joining tracks is one operation each.
_ROW = np.dtype(
    [
        ("id", np.int64),
        ("kind", np.uint8),
        ("score", np.float32),  # of the last detection
        ("evidence", np.float64),
        ("unseen", np.int32),  # updates since it was last seen
        ("since", np.float64),  # seconds since it was last seen
        ("started", np.bool_),  # one detection at least had a high score
        ("confirmed", np.bool_),
        ("motion", np.float64, (5, 4)),
    ]
)
_Rows = NDArray[Any]

# A track is held for the full time when its evidence is so many times what confirms it.
_ESTABLISHED = 2.0
# A track with one detection of high score is held so long at least, in seconds: two frames of most films.
_BRIEFEST = 0.08
# Evidence of an unconfirmed track that was missed halves in this time, in seconds, so that single false detections
# here and there do not add up.
_HALF_LIFE = 0.05
# Before they are compared, boxes grow by this many standard deviations of where the track is, at most by its size.
_REACH = 0.5
# Detections of high and of low score may differ so much from what is expected, 0..1 (1 - intersection over union).
_HIGH_GATE, _LOW_GATE = 0.85, 0.7
# How much the doubt about a detection adds to its difference, so that the surer of two takes the track.
_DOUBT = 0.5
# A held box grows by this many standard deviations on each side, and at most by this share of its sides.
_GROWTH, _MOST_GROWTH = 1.5, 0.5
# A track is not held when less than this share of it is expected inside the picture.
_INSIDE = 0.6
# Nothing is known of where things are after so long, in seconds; a longer hold counts instead.
_LONGEST_STEP = 2.0


class Tracker:
    """Follows objects from picture to picture: gives them ids, and keeps those that the detector missed for a moment.

    It answers at once, and covers everything that it is given: each detection comes back in its own box. A tracker
    adds; it never removes, moves or delays a box.

    Args:
        start: score, 0..1, from which a detection starts a track that is held when the next picture misses it. One of
            a lower score continues a track; without one it comes back like all others but is not held, unless more of
            them in the same place make up for it.
        confirm: evidence that establishes a track, the sum of the cubes of its scores: 4 detections of 0.9 are enough,
            8 of 0.7, or very many doubtful ones.
        hold: longest time, in seconds, for which an unseen track comes back, where it is expected and in a box that
            grows with the doubt. A track of twice the evidence that establishes it is held so long; one of less is
            held for its share, so a single false detection does not stay. What left the picture is not held.
        frame_interval: seconds that pass between two updates where no times are given, and where a time is not later
            than the one before.
        size: ``(width, height)`` of the pictures in pixels, where none are handed to `update`; None when unknown.
        motion: how objects move.

    One tracker follows one video; its ids are its own. It is not for several threads at once. What it keeps does not
    grow with the length of the video.

    Raises:
        ConfigError: a setting is out of its range.
    """

    def __init__(
        self,
        *,
        start: float = 0.5,
        confirm: float = 2.5,
        hold: float = 1.0,
        frame_interval: float = 1 / 25,
        size: tuple[int, int] | None = None,
        motion: Motion | None = None,
    ) -> None:
        self.start = number("start", start, 0, 1)
        self.confirm = number("confirm", confirm, 0, inf)
        self.hold = number("hold", hold, 0, inf)
        self.frame_interval = number("frame_interval", frame_interval, 0, inf)
        if not self.frame_interval:
            raise ConfigError("frame_interval is 0; give the seconds between two frames, such as 1 / 25")
        if size is not None and not is_size(size):
            raise ConfigError(f"the size is {size!r}; give (width, height) in pixels, or None")
        self._given_size = size
        self._motion = Motion() if motion is None else motion
        self._next_id = 0
        self._clear()

    def __repr__(self) -> str:
        return f"Tracker(start={self.start}, confirm={self.confirm}, hold={self.hold})"

    @property
    def cut(self) -> bool:
        """The last update began a new scene, so it ended all tracks; known only where it was given the picture."""
        return self._cut

    def reset(self) -> None:
        """Forget everything, as for another video; ids are not used again."""
        self._clear()

    def _clear(self) -> None:
        self._rows: _Rows = np.zeros(0, _ROW)
        self._time: Fraction | float | None = None
        self._scene = Scene()
        self._size = self._given_size
        self._cut = False

    def update(
        self, found: Detections, time: Fraction | float | None = None, image: NDArray[np.uint8] | None = None
    ) -> Tracks:
        """The tracks of the next picture, in which this was found.

        Args:
            found: detections of any score, in order of your liking. Kinds never mix.
            time: of the picture, in seconds, on any clock; None for one ``frame_interval`` after the last update. A
                time that is not later than the last one counts as one ``frame_interval``, too.
            image: the picture itself, ``(h, w, 3)`` uint8 BGR. With it, scene cuts are noticed and end all tracks.

        Returns:
            First one row for each detection, in the order given, with its box and score as they were given; then the
            held tracks, with the boxes where they are expected, and the score that they had last.

        Raises:
            ConfigError: an argument is not as above; the tracker is as before.
        """
        check(found, time, image)
        boxes = Found.of(found)
        step = self._step(time)
        self._look(image)
        rows = self._advance(step)

        old, new = self._match(rows, boxes)
        rows[old] = self._seen(rows[old], boxes[new])
        place = np.full(len(found), -1, np.int64)  # which row each detection went to
        place[new] = old
        fresh = np.flatnonzero((place < 0) & boxes.finite)
        place[fresh] = len(rows) + np.arange(len(fresh))
        ids = np.empty(len(found), np.int64)
        ids[new] = rows["id"][old]
        without = place < 0
        without[fresh] = True
        ids[without] = self._new_ids(int(np.count_nonzero(without)))
        rows = np.concatenate([rows, self._begun(boxes[fresh], ids[fresh])])

        rows["confirmed"] |= rows["evidence"] >= self.confirm
        confirmed = np.zeros(len(found), np.bool_)
        confirmed[place >= 0] = rows["confirmed"][place[place >= 0]]
        self._rows = rows[self._alive(rows)]
        return self._answer(self._rows, found, ids, confirmed)

    def predict(self, time: Fraction | float) -> Tracks:
        """Where the held tracks are at a time after the last update, when no detector looked; nothing is changed.

        Args:
            time: in seconds, on the clock of the updates. One that is not later counts as that of the last update.

        Returns:
            The held tracks alone, as `update` would give them.

        Raises:
            ConfigError: the time is no number.
        """
        check(Detections.empty(), time, None)
        step = 0.0 if self._time is None else max(float(time - self._time), 0.0)
        rows = self._advance(step)
        rows["unseen"] = np.maximum(rows["unseen"], 1)
        rows = rows[self._alive(rows)]
        return self._answer(rows, Detections.empty(), np.empty(0, np.int64), np.empty(0, np.bool_))

    def _step(self, time: Fraction | float | None) -> float:
        """Seconds since the last update; keeps the time."""
        last = self._time
        if time is None:
            self._time = None if last is None else float(last) + self.frame_interval
            return self.frame_interval
        self._time = time
        step = self.frame_interval if last is None else float(time - last)
        return step if step > 0 else self.frame_interval

    def _look(self, image: NDArray[np.uint8] | None) -> None:
        self._cut = False
        if image is not None:
            self._cut = self._scene.began(image)
            self._size = (image.shape[1], image.shape[0])
        if self._cut:
            self._rows = self._rows[:0]

    def _advance(self, step: float) -> _Rows:
        rows = self._rows
        if step > max(_LONGEST_STEP, self.hold):
            rows = rows[:0]
        rows = rows.copy()
        if len(rows):
            rows["motion"] = self._motion.advance(rows["motion"], step)
            rows["since"] += step
            rows["unseen"] += 1
        return rows

    def _match(self, rows: _Rows, boxes: Found) -> tuple[Indices, Indices]:
        """Rows and detections that belong together: first those of high score, then the others with what is left."""
        if not len(rows) or not len(boxes.scores):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        fits = (rows["kind"][:, None] == boxes.kinds) & boxes.finite
        motion = rows["motion"]
        reach = np.minimum(_REACH * spread(motion), sizes(motion[:, 0]).astype(np.float32))
        difference = 1 - likeness(expected(motion), boxes.boxes, reach) * (1 - _DOUBT * (1 - boxes.scores))
        high = boxes.scores >= self.start
        gate = np.where(high, _HIGH_GATE, _LOW_GATE)
        fits &= difference < gate
        cost = difference / gate
        first = assign(cost, fits & high)
        fits[first[0]] = False
        second = assign(cost, fits & ~high)
        return np.concatenate([first[0], second[0]]), np.concatenate([first[1], second[1]])

    def _seen(self, rows: _Rows, boxes: Found) -> _Rows:
        """Rows once they were seen in these boxes."""
        # The time in which it could have been seen, and was not.
        missed = np.where(rows["confirmed"], 0, rows["since"] * (1 - 1 / rows["unseen"]))
        rows["evidence"] = rows["evidence"] * 0.5 ** (missed / _HALF_LIFE) + boxes.evidence
        rows["motion"] = self._motion.correct(rows["motion"], boxes.boxes)
        rows["score"] = boxes.scores
        rows["started"] |= boxes.scores >= self.start
        rows["unseen"] = 0
        rows["since"] = 0
        return rows

    def _begun(self, boxes: Found, ids: NDArray[np.int64]) -> _Rows:
        """Rows of tracks that begin with these boxes."""
        rows = np.zeros(len(ids), _ROW)
        rows["id"] = ids
        rows["kind"] = boxes.kinds
        rows["score"] = boxes.scores
        rows["evidence"] = boxes.evidence
        rows["started"] = boxes.scores >= self.start
        rows["motion"] = self._motion.begin(boxes.boxes)
        return rows

    def _new_ids(self, count: int) -> NDArray[np.int64]:
        first = self._next_id
        self._next_id += count
        return np.arange(first, self._next_id, dtype=np.int64)

    def _alive(self, rows: _Rows) -> NDArray[np.bool_]:
        """Which tracks go on: seen now, or not for longer than their evidence allows, and not gone from the picture."""
        share = np.minimum(rows["evidence"] / (_ESTABLISHED * self.confirm), 1) if self.confirm else 1.0
        least = np.where(rows["started"], min(_BRIEFEST, self.hold), 0)
        # A little more, or sums of times such as 0.04 would decide about the last frame.
        alive = rows["since"] <= np.maximum(self.hold * share, least) + 1e-6
        if self._size is not None and len(rows):
            boxes = expected(rows["motion"])
            picture = np.array([[0, 0, *self._size]], np.float32)
            alive &= intersections(boxes, picture)[:, 0] >= _INSIDE * areas(boxes)
        return np.asarray(alive | (rows["unseen"] == 0), np.bool_)

    @staticmethod
    def _answer(rows: _Rows, found: Detections, ids: NDArray[np.int64], confirmed: NDArray[np.bool_]) -> Tracks:
        held = rows[(rows["unseen"] > 0) & (rows["started"] | rows["confirmed"])]
        boxes = expected(held["motion"])
        growth = np.minimum(_GROWTH * spread(held["motion"]), _MOST_GROWTH * (boxes[:, 2:] - boxes[:, :2]))
        grown = np.concatenate([boxes[:, :2] - growth, boxes[:, 2:] + growth], axis=1)
        return Tracks(
            boxes=np.concatenate([found.boxes, grown]),
            scores=np.concatenate([found.scores, held["score"]]),
            kinds=np.concatenate([found.kinds, held["kind"]]),
            ids=np.concatenate([ids, held["id"]]),
            unseen=np.concatenate([np.zeros(len(found), np.int32), held["unseen"]]),
            confirmed=np.concatenate([confirmed, held["confirmed"]]),
        )
