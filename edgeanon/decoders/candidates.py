"""What every decoder takes and gives."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from edgeanon.errors import ModelError

Outputs = Mapping[str, NDArray[np.float32]]


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


def output(outputs: Outputs, name: str, shape: tuple[int | None, ...]) -> NDArray[np.float32]:
    """The output of this name, of this shape (None: any length).

    Raises:
        ModelError: it is missing, has another shape, or holds values that are no numbers.
    """
    if name not in outputs:
        raise ModelError(
            f"the network has no output {name!r}, but {sorted(outputs)}: name the outputs in the manifest's decoder"
        )
    value = outputs[name]
    if value.ndim != len(shape) or any(want not in (None, have) for want, have in zip(shape, value.shape, strict=True)):
        wanted = [side if side is not None else "any" for side in shape]
        raise ModelError(
            f"output {name!r} has the shape {list(value.shape)}, not {wanted}: the decoder does not fit the model"
        )
    if not np.isfinite(value).all():
        raise ModelError(f"output {name!r} holds NaN or infinity: the model or the device is faulty; try device='CPU'")
    return value
