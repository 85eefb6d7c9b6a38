"""From settings, as they stand in a file or on the command line, to what searches and what masks."""

import numpy as np

from edgeanon import images
from edgeanon.config import Settings
from edgeanon.detector import Detector
from edgeanon.errors import ConfigError
from edgeanon.masker import Masker
from edgeanon.models import load_file
from edgeanon.styles import Replace, Style, named


def detector(settings: Settings) -> Detector:
    """The detector that settings describe.

    Raises:
        ConfigError: neither faces nor plates are wanted, or a setting does not fit.
        ModelError: a model is missing or altered.
    """
    wanted = {
        "face": (settings.faces, settings.face_model),
        "plate": (settings.plates, settings.plate_model),
    }
    which = [load_file(own) if own else name for name, (asked, own) in wanted.items() if asked]
    if not which:
        raise ConfigError("neither faces nor plates are asked for: nothing would be masked")
    return Detector(
        *which,
        device=settings.device,
        profile=settings.profile,
        threshold=settings.threshold,
        precision=settings.precision,
    )


def masker(settings: Settings) -> Masker:
    """The masker that settings describe.

    Raises:
        ConfigError: a setting does not fit.
        MediaError: the picture of a ``replace:`` style cannot be read.
    """
    return Masker(_style(settings.style), margin=settings.margin, shape=settings.shape)


def _style(text: str) -> Style:
    """The style that a setting names; ``replace:FILE`` reads the file."""
    name, _, path = text.partition(":")
    if name != "replace":
        return named(text)
    with images.open_picture(path) as picture:
        page = next(picture.pages())
    return Replace(page.pixels.astype(np.uint8) if page.has_alpha and page.pixels.dtype == np.uint8 else page.bgr())
