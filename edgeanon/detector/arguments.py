"""What a detector is given: pictures, and thresholds by kind."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from edgeanon.detections import Kind
from edgeanon.errors import ConfigError
from edgeanon.models import Manifest

Thresholds = float | Mapping[Kind, float]


def check_image(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The image, if it is ``(h, w, 3)`` uint8 with at least one pixel.

    Raises:
        ConfigError: it is not.
    """
    if not isinstance(image, np.ndarray) or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        what = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise ConfigError(f"the image is {what}; pass a numpy array of uint8, (height, width, 3), BGR")
    if not image.size:
        raise ConfigError(f"the image has no pixels: its shape is {image.shape}")
    return image


def by_kind(threshold: Thresholds | None, manifest: Manifest) -> dict[Kind, float]:
    """A threshold for each kind: what is given for it, or else the manifest's.

    Raises:
        ConfigError: it is no score, or no mapping from kinds to scores.
    """
    try:
        if isinstance(threshold, Mapping):
            chosen = {Kind(kind): float(value) for kind, value in threshold.items()}
        else:
            chosen = {} if threshold is None else dict.fromkeys(Kind, float(threshold))
    except (TypeError, ValueError) as error:
        raise ConfigError(f"threshold is {threshold!r}: pass a number, or a mapping from Kind to numbers") from error
    for value in chosen.values():
        if not 0 < value <= 1:
            raise ConfigError(f"a threshold of {value} is no score: pass a number above 0, up to 1")
    return {kind: chosen.get(kind, manifest.threshold) for kind in Kind}
