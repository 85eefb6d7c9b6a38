"""What every decoder takes and gives."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from edgeanon.errors import ModelError

Outputs = Mapping[str, NDArray[np.float32]]

SLACK = 1.0
"""Pixels by which the corners of a box may be exchanged; more, and they are no corners."""


class Candidates(NamedTuple):
    """Boxes of one view before suppression.

    ``boxes`` is ``(n, 4)`` float32 ``x1 y1 x2 y2`` in pixels of the network's input, ``scores`` ``(n,)`` float32 0..1,
    ``classes`` ``(n,)`` integers, the network's own class numbers.
    """

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.int64]


class Decoder(Protocol):
    """A function from a network's outputs to candidates."""

    def __call__(self, outputs: Outputs, *, width: int, height: int, threshold: float) -> Candidates:
        """Decode the outputs of one view."""


def one_class(boxes: NDArray[np.float32], scores: NDArray[np.float32]) -> Candidates:
    """Candidates of a network that knows one class only, number 0."""
    return Candidates(boxes.astype(np.float32, copy=False), scores, np.zeros(len(scores), np.int64))


def single(outputs: Outputs) -> str:
    """The name of the only output.

    Raises:
        ModelError: there are several.
    """
    if len(outputs) != 1:
        shapes = {name: list(value.shape) for name, value in outputs.items()}
        raise ModelError(f"the network has {len(outputs)} outputs, {shapes}: name the one that holds boxes")
    return next(iter(outputs))


def output(
    outputs: Outputs, name: str, shape: tuple[int | None, ...], *, remedy: str = "the decoder does not fit the model"
) -> NDArray[np.float32]:
    """The output of this name, of this shape (None: any length), every value a number.

    Args:
        outputs: of the network.
        name: of the output.
        shape: that it must have.
        remedy: what to say where it has another.

    Raises:
        ModelError: it is missing, has another shape, or holds values that are no numbers.
    """
    return finite(name, shaped(outputs, name, shape, remedy=remedy))


def shaped(outputs: Outputs, name: str, shape: tuple[int | None, ...], *, remedy: str) -> NDArray[np.float32]:
    """The output of this name, of this shape, its values not yet looked at.

    Raises:
        ModelError: it is missing, or has another shape.
    """
    if name not in outputs:
        raise ModelError(
            f"the network has no output {name!r}, but {sorted(outputs)}: name the outputs in the manifest's decoder"
        )
    value = outputs[name]
    if value.ndim != len(shape) or any(want not in (None, have) for want, have in zip(shape, value.shape, strict=True)):
        wanted = ", ".join("any" if side is None else str(side) for side in shape)
        raise ModelError(f"output {name!r} has the shape {list(value.shape)}, not [{wanted}]: {remedy}")
    return value


def finite(name: str, value: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same values, if each is a number.

    Raises:
        ModelError: one is NaN or infinite.
    """
    if not np.isfinite(value).all():
        raise ModelError(f"output {name!r} holds NaN or infinity: the model or the device is faulty; try device='CPU'")
    return value


def class_numbers(name: str, values: NDArray[np.float32], known: range) -> NDArray[np.int64]:
    """Class numbers from what a network gives as floats.

    Raises:
        ModelError: one is no whole number, or none of those that the network is said to know.
    """
    numbers = np.rint(values).astype(np.int64)
    strange = (numbers != values) | (numbers < known.start) | (numbers >= known.stop)
    if strange.any():
        raise ModelError(
            f"output {name!r} holds the class {values[strange][0]:g}, and the classes of the manifest's decoder are "
            f"{known.start} to {known.stop - 1}: state how many the network knows, or its decoder"
        )
    return numbers


def as_scores(name: str, values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same values, if they are scores; half precision may overshoot 1 a little.

    Raises:
        ModelError: one lies outside 0..1.
    """
    low, high = float(values.min(initial=0)), float(values.max(initial=0))
    if low < -0.001 or high > 1.01:
        raise ModelError(
            f"output {name!r} holds {low if low < 0 else high:g} where a score from 0 to 1 belongs: the decoder does "
            "not fit the model (another head, values after the classes, or no sigmoid in the network)"
        )
    return values


def pixels_of(name: str, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same boxes, if they are in pixels; shares of the input's sides would all be specks in its corner.

    Raises:
        ModelError: they are shares.
    """
    if boxes.size and float(np.abs(boxes).max()) <= 2:
        raise ModelError(
            f"output {name!r} holds boxes as shares of the input's sides, not in pixels: export the model with pixels, "
            "or pass decode= with a function that multiplies them"
        )
    return boxes


def in_order(name: str, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same boxes ``x1 y1 x2 y2``, corners that rounding exchanged put in order.

    Raises:
        ModelError: more than rounding did: they are no corners.
    """
    low, high = boxes[:, :2], boxes[:, 2:]
    if (low > high + SLACK).any():
        raise ModelError(
            f"output {name!r} holds boxes whose x2 or y2 lies before x1 or y1: they are no corners; export the model "
            "with x1 y1 x2 y2, or pass decode="
        )
    return np.concatenate([np.minimum(low, high), np.maximum(low, high)], axis=1)
