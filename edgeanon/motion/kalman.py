"""How boxes move from picture to picture: many at once, and in seconds.

The centre and the sides of a box are followed one by one by a Kalman filter of constant velocity, which so needs no
matrices. All of its noise is in units of the box's own size: a near face and a far one are followed alike.

A state is ``(n, 5, 4)`` float64: for each of ``centre x, centre y, width, height`` its value in pixels, its speed in
pixels a second, the variance of the value, the covariance of the two, and the variance of the speed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeanon.boxes import Boxes

State = NDArray[np.float64]
_VALUE, _SPEED, _VARIANCE, _COVARIANCE, _SPEED_VARIANCE = range(5)
# Past any picture. What is followed is held within, so that no arithmetic on it overflows.
_FAR = 1e6


@dataclass(frozen=True, slots=True)
class Motion:
    """What is known of how objects move, in sizes of the object; each pair is ``(of its centre, of its sides)``.

    Attributes:
        measured: standard deviation of what a detector says.
        speed: standard deviation of the speed of an object seen for the first time, in sizes a second.
        change: standard deviation, in sizes a second, of the change of a speed within one second.
        fading: seconds in which the speed of an unseen object falls to 37 %.
    """

    measured: tuple[float, float] = (0.05, 0.08)
    speed: tuple[float, float] = (2.0, 0.5)
    change: tuple[float, float] = (2.0, 0.7)
    fading: tuple[float, float] = (5.0, 0.7)

    def begin(self, boxes: Boxes) -> State:
        """States of objects seen for the first time, in finite boxes ``(n, 4)``."""
        state = np.zeros((len(boxes), 5, 4))
        state[:, _VALUE] = measured(boxes)
        size = sizes(state[:, _VALUE])
        state[:, _VARIANCE] = np.square(_four(self.measured) * size)
        state[:, _SPEED_VARIANCE] = np.square(_four(self.speed) * size)
        return state

    def advance(self, state: State, seconds: float) -> State:
        """States after so many seconds, at least 0, in which nothing was seen."""
        fading = _four(self.fading)
        left = np.exp(-seconds / fading)
        way = fading * (1 - left)  # how far a speed of 1 goes while it fades
        value, speed, variance, covariance, speed_variance = state.swapaxes(0, 1)
        noise = np.square(_four(self.change) * sizes(value))
        after = np.empty_like(state)
        after[:, _VALUE] = np.clip(value + way * speed, -_FAR, _FAR)
        # However fast an object shrinks, something of it stays.
        np.maximum(after[:, _VALUE, 2:], value[:, 2:] / 2, out=after[:, _VALUE, 2:])
        after[:, _SPEED] = left * speed
        after[:, _VARIANCE] = variance + way * (2 * covariance + way * speed_variance) + noise * (seconds**3 / 3)
        after[:, _COVARIANCE] = left * (covariance + way * speed_variance) + noise * (seconds**2 / 2)
        after[:, _SPEED_VARIANCE] = left * left * speed_variance + noise * seconds
        return after

    def correct(self, state: State, boxes: Boxes) -> State:
        """States once each object was seen in its finite box, ``(n, 4)``."""
        seen = measured(boxes)
        noise = np.square(_four(self.measured) * sizes(seen))
        value, speed, variance, covariance, speed_variance = state.swapaxes(0, 1)
        gain, gain_of_speed = variance / (variance + noise), covariance / (variance + noise)
        surprise = seen - value
        after = np.empty_like(state)
        after[:, _VALUE] = value + gain * surprise
        after[:, _SPEED] = speed + gain_of_speed * surprise
        after[:, _VARIANCE] = gain * noise
        after[:, _COVARIANCE] = (1 - gain) * covariance
        after[:, _SPEED_VARIANCE] = np.maximum(speed_variance - gain_of_speed * covariance, 0)
        return after


def _four(pair: tuple[float, float]) -> NDArray[np.float64]:
    centre, sides = pair
    return np.array([centre, centre, sides, sides])


def measured(boxes: Boxes) -> NDArray[np.float64]:
    """``centre x, centre y, width, height`` of boxes, ``(n, 4)``; the edges of an inverted box are exchanged."""
    edges = np.clip(boxes.astype(np.float64), -_FAR, _FAR)
    return np.concatenate([(edges[:, :2] + edges[:, 2:]) / 2, np.abs(edges[:, 2:] - edges[:, :2])], axis=1)


def sizes(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Size of each object by its ``(n, 4)`` values, ``(n, 1)``: the mean of its sides, at least one pixel."""
    return np.maximum((values[:, 2:3] + values[:, 3:4]) / 2, 1)


def expected(state: State) -> Boxes:
    """Where each object is expected, ``(n, 4)`` ``x1 y1 x2 y2``."""
    centre, half = state[:, _VALUE, :2], state[:, _VALUE, 2:] / 2
    return np.concatenate([centre - half, centre + half], axis=1).astype(np.float32)


def spread(state: State) -> NDArray[np.float32]:
    """Standard deviation of where each object is, ``(n, 2)`` across and down, in pixels."""
    return np.sqrt(state[:, _VARIANCE, :2]).astype(np.float32)
