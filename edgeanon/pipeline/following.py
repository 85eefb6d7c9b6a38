"""Frames of one video through detection, tracking and look-ahead; each comes out with what must be masked in it."""

import logging
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import tee
from typing import Generic, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from edgeanon.detections import Detections, Tracks
from edgeanon.detector import Detector
from edgeanon.errors import DeviceError, ModelError
from edgeanon.motion import Camera
from edgeanon.pipeline.lookahead import LookAhead
from edgeanon.tracker import Tracker

log = logging.getLogger(__name__)


class Shown(Protocol):
    """One frame of a video, in whatever form: ``time`` in seconds, and its upright pixels when asked."""

    @property
    def time(self) -> Fraction:
        """Seconds."""

    def bgr(self) -> NDArray[np.uint8]:
        """``(h, w, 3)`` uint8 BGR, upright."""


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
        fill: a frame whose search failed is withheld rather than ending the run.
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
        tracker = Tracker()
        window = LookAhead[tuple[Item, bool]](self._look_ahead)
        for one in self._searched(items, is_damaged):
            time = float(one.item.time)
            if one.cut:
                tracker.reset()
            tracks = tracker.predict(time) if one.found is None else tracker.update(one.found, time)
            yield from _unpacked(window.push((one.item, one.withheld), tracks, time=time, cut=one.cut, shift=one.shift))
        yield from _unpacked(window.flush())

    def _searched(self, items: Iterable[Item], is_damaged: Callable[[Item], bool]) -> "Iterator[_Searched[Item]]":
        """Every frame with what was found in it, or None where it was not searched."""
        waiting: deque[_Searched[Item]] = deque()
        due = _Due(self._interval)
        camera = Camera()
        frames = iter(items)

        def to_search() -> Iterator[NDArray[np.uint8]]:
            for item in frames:
                if is_damaged(item):
                    waiting.append(_Searched(item, withheld=True))
                    continue
                image = item.bgr()
                motion = camera.look(image)
                search = due.now(float(item.time), cut=motion.cut)
                waiting.append(_Searched(item, cut=motion.cut, shift=motion.shift, search=search))
                if search:
                    yield image

        while True:
            try:
                for found in self._detect(to_search()):
                    while not (one := waiting.popleft()).search:
                        yield one
                    yield one._replace(found=found)
            except (ModelError, DeviceError):
                if not self._fill:
                    raise
                log.warning("a search failed; %d frames are withheld", sum(one.search for one in waiting))
                while waiting:
                    one = waiting.popleft()
                    yield one._replace(withheld=one.withheld or one.search)
                continue
            break
        yield from waiting

    def _detect(self, images: Iterator[NDArray[np.uint8]]) -> Iterator[Detections]:
        """What all detectors find in each picture, kept busy together."""
        copies = tee(images, len(self._detectors))
        searches = [detector.detect_many(copy) for detector, copy in zip(self._detectors, copies, strict=True)]
        for results in zip(*searches, strict=True):
            yield Detections.concatenate(found for _, found in results)


class _Searched(NamedTuple, Generic[Item]):
    item: Item
    withheld: bool = False
    cut: bool = False
    shift: tuple[float, float] = (0.0, 0.0)
    search: bool = False
    found: Detections | None = None


class _Due:
    """Says when a search is due: at the first frame, at a cut, and when the interval will have passed by the next."""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._searched_at: float | None = None
        self._before: float | None = None

    def now(self, time: float, *, cut: bool) -> bool:
        """Whether the frame of this time is to be searched."""
        step = 0.0 if self._before is None else time - self._before
        self._before = time
        if self._searched_at is None or cut or step < 0 or time - self._searched_at + step / 2 >= self._interval:
            self._searched_at = time
            return True
        return False


def _unpacked(ready: Iterator[tuple[tuple[Item, bool], Tracks]]) -> Iterator[Followed[Item]]:
    for (item, withheld), tracks in ready:
        yield Followed(item, tracks, withheld)
