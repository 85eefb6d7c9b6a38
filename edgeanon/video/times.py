"""Times that only go forward."""

from dataclasses import dataclass


@dataclass(slots=True)
class Timeline:
    """Presentation times in ticks, each after the one before.

    A time that goes forward is kept. One that repeats, or goes back by no more than ``near``, becomes the first tick
    after the one before. One that goes back further begins a new count: it stands one ``step`` after the one before,
    and what follows keeps its distance to it. A missing time stands one ``step`` after the one before.

    Attributes:
        step: ticks from frame to frame where nothing else is known, at least 1.
        near: how far back still counts as disorder, in ticks.
        moved: how many times were changed.
    """

    step: int
    near: int
    moved: int = 0
    _shift: int = 0
    _last: int | None = None

    def place(self, time: int | None) -> int:
        """The tick at which a frame with this time stands."""
        last = self._last
        if time is None:
            placed = 0 if last is None else last + self.step
        else:
            placed = time + self._shift
            if last is not None and placed <= last:
                self.moved += 1
                if last - placed <= self.near:
                    placed = last + 1
                else:
                    self._shift += last + self.step - placed
                    placed = last + self.step
        self._last = placed
        return placed
