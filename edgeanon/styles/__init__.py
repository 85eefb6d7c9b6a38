"""What is drawn where an object was.

A style is a callable: it takes a `Patch` and returns what to show in its region, as an array of the shape and dtype of
``patch.pixels``, or as one colour. Any function will do (``lambda patch: 255 - patch.pixels``). Two attributes are read
when present: ``irreversible``, that what is drawn is a function of pixels outside the masks alone, so nothing can be
recovered from it (without it: False), and ``feather``, that the edge may fade outward (without it: False).

The styles here are immutable and hold no state, so one may serve any number of threads and masks.
"""

import re

from edgeanon.errors import ConfigError
from edgeanon.styles.patch import Patch, Style
from edgeanon.styles.plain import Blur, Fill, Pixelate, Replace
from edgeanon.styles.soft import Soft

__all__ = ["Blur", "Fill", "Patch", "Pixelate", "Replace", "Soft", "Style", "named"]


def named(text: str) -> Style:
    """The style that a word of the command line means: ``soft``, ``fill:#202020``, ``pixelate:6``, ``blur:0.8``.

    Raises:
        ConfigError: there is no such style, or what follows the colon does not fit it.
    """
    name, colon, value = text.strip().partition(":")
    try:
        match name, bool(colon):
            case "soft", False:
                return Soft()
            case "fill", False:
                return Fill()
            case "fill", True if re.fullmatch("#[0-9a-fA-F]{6}", value):
                red, green, blue = bytes.fromhex(value[1:])
                return Fill((blue, green, red))
            case "pixelate", _:
                return Pixelate(int(value)) if colon else Pixelate()
            case "blur", _:
                return Blur(float(value)) if colon else Blur()
    except ValueError as error:
        if isinstance(error, ConfigError):
            raise
    raise ConfigError(
        f"no style is called {text!r}; there are soft, fill, fill:#RRGGBB, pixelate, pixelate:CELLS, blur, blur:SIGMA"
    )
