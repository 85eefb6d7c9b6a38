"""Frames of one video through detection, tracking and look-ahead; each comes out with what must be masked in it."""

import logging
import math
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Generic, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from edgeanon.detections import Detections, Tracks
from edgeanon.detector import Detector
from edgeanon.errors import DeviceError, ModelError
from edgeanon.motion import Camera
from edgeanon.pipeline.lookahead import SHORTEST_STEP, LookAhead
from edgeanon.tracker import Tracker

log = logging.getLogger(__name__)

START, CONFIRM = 0.3, 0.5
"""What the tracker is given. Its own defaults keep identities apart; these cover: fewer sightings establish a track."""


class Shown(Protocol):
    """One frame of a video, in whatever form: ``time`` in seconds, and its upright pixels when asked."""

    @property
    def time(self) -> Fraction:
        """Seconds."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright picture, in pixels."""

    def bgr(self) -> NDArray[np.uint8]:
        """``(h, w, 3)`` uint8 BGR, upright."""

    def glance(self) -> tuple[NDArray[np.uint8], float]:
        """The same or smaller, and how many pixels of the frame one of its pixels is wide."""


Item = TypeVar("Item", bound=Shown)


class Followed(NamedTuple, Generic[Item]):
    """A frame with what must be masked in it; ``withheld`` when it was not searched as it should have been."""

    item: Item
    tracks: Tracks
    withheld: bool


class Following(Generic[Item]):
    """One run over the frames of one video.

    Args:
        detectors: what searches.
        look_ahead: seconds that a frame waits for what comes after it.
        interval: seconds between searches. Frames between two of them are covered by what is known of both. 0 searches
            every frame.
        fill: frames whose search failed, and those that were to be covered by it, are withheld rather than ending the
            run. Where there is no device any more, all that follow are.
    """

    def __init__(
        self, detectors: Sequence[Detector], *, look_ahead: float, interval: float = 0.0, fill: bool = False
    ) -> None:
        self._detectors = detectors
        self._look_ahead = look_ahead
        self._interval = interval
        self._fill = fill

    def run(
        self, items: Iterable[Item], is_damaged: Callable[[Item], bool] = lambda _: False
    ) -> Generator[Followed[Item]]:
        """Every frame in order, late by the look-ahead.

        Args:
            items: the frames.
            is_damaged: whether a frame cannot be searched, having no pixels to trust; it comes out withheld.
        """
        tracker = Tracker(start=START, confirm=CONFIRM)
        window = LookAhead[tuple[Item, bool]](self._look_ahead)
        for one in self._searched(items, is_damaged):
            time = float(one.item.time)
            if one.cut:
                tracker.reset()
            tracks = tracker.predict(time) if one.found is None else tracker.update(one.found, time)
            ready = window.push(
                (one.item, one.withheld), tracks, time=time, size=one.item.size, cut=one.cut, shift=one.shift
            )
            yield from _unpacked(ready)
        yield from _unpacked(window.flush())

    def _searched(self, items: Iterable[Item], is_damaged: Callable[[Item], bool]) -> "Iterator[_Searched[Item]]":
        """Every frame with what was found in it, or None where it was not searched.

        The last frame of each scene, and before a long pause, is searched, due or not: nothing after it tells what came
        in. A frame that was to be covered by a search that failed is withheld, whether it was to be searched or not.
        """
        waiting: deque[_Searched[Item]] = deque()
        due = _Due(self._interval)
        camera = Camera()
        frames = _marked(items)
        ended = gone = False

        def to_search() -> Iterator[NDArray[np.uint8]]:
            nonlocal ended
            before: Item | None = None  # the last frame, where it was not searched
            for item in frames:
                one = _Searched(item, withheld=True)
                if not (gone or is_damaged(item)):
                    small, scale = item.glance()
                    motion = camera.look(small, scale=scale)
                    search = due.now(float(item.time), cut=motion.cut)
                    one = _Searched(item, cut=motion.cut, shift=motion.shift, search=search)
                alone = one.withheld or one.cut or (before is not None and item.time - before.time > self._interval)
                last = before if alone else None
                if last is not None:
                    waiting[-1] = waiting[-1]._replace(search=True)
                waiting.append(one)
                before = None if one.search or one.withheld else item
                # Both stand in the queue by now, so that neither is lost when a search fails.
                if last is not None:
                    yield last.bgr()
                if one.search:
                    yield item.bgr()
                if not self._look_ahead:
                    return  # this frame is handed out before the next is taken
            ended = True
            if before is not None:
                waiting[-1] = waiting[-1]._replace(search=True)
                yield before.bgr()

        while not ended:
            try:
                for found in self._detect(to_search()):
                    while not (one := waiting.popleft()).search:
                        yield one
                    yield one._replace(found=found)
            except _FromFramesError as error:
                raise error.args[0] from error.args[0].__cause__
            except (ModelError, DeviceError) as error:
                if not self._fill:
                    raise
                gone = isinstance(error, DeviceError)  # it would fail again, and a device that hangs takes minutes to
                log.warning("a search failed; %d frames are withheld", len(waiting))
                waiting = deque(one._replace(withheld=True) for one in waiting)
                due = _Due(self._interval)
            while waiting:
                yield waiting.popleft()

    def _detect(self, images: Iterator[NDArray[np.uint8]]) -> Iterator[Detections]:
        """What all detectors find in each picture, kept busy together."""
        searches = [
            detector.detect_many(shared, hint="latency", moving=True)
            for detector, shared in zip(self._detectors, _shared(images, len(self._detectors)), strict=True)
        ]
        for results in zip(*searches, strict=True):
            yield Detections.concatenate(found for _, found in results)


class _Searched(NamedTuple, Generic[Item]):
    item: Item
    withheld: bool = False
    cut: bool = False
    shift: tuple[float, float] = (0.0, 0.0)
    search: bool = False
    found: Detections | None = None


class _FromFramesError(Exception):
    """What went wrong in the frames themselves, and not in a search: it is never filled over."""


def _shared(images: Iterator[NDArray[np.uint8]], count: int) -> list[Iterator[NDArray[np.uint8]]]:
    """So many iterators over the same images. Unlike `itertools.tee`, none of which any has passed is kept."""
    waiting: list[deque[NDArray[np.uint8]]] = [deque() for _ in range(count)]

    def share(own: deque[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
        while True:
            if not own:
                try:
                    image = next(images)
                except StopIteration:
                    return
                for each in waiting:
                    each.append(image)
                del image
            yield own.popleft()

    return [share(own) for own in waiting]


def _marked(frames: Iterable[Item]) -> Iterator[Item]:
    try:
        yield from frames
    except Exception as error:
        raise _FromFramesError(error) from error


class _Due:
    """Says when a search is due: at the first frame, at a cut, and when the interval will have passed by the next.

    Its clock advances with every frame, like that of the look-ahead: frames whose times stand still wait no longer.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._clock = 0.0
        self._searched_at: float | None = None
        self._before: float | None = None

    def now(self, time: float, *, cut: bool) -> bool:
        """Whether the frame of this time is to be searched."""
        step = 0.0 if self._before is None else time - self._before
        self._before = time
        self._clock += max(step, SHORTEST_STEP)
        passed = math.inf if self._searched_at is None else self._clock - self._searched_at
        if cut or step < 0 or passed + step / 2 >= self._interval:
            self._searched_at = self._clock
            return True
        return False


def _unpacked(ready: Iterator[tuple[tuple[Item, bool], Tracks]]) -> Iterator[Followed[Item]]:
    for (item, withheld), tracks in ready:
        yield Followed(item, tracks, withheld)
