"""Checks of what a style is set to."""

from typing import Any

import numpy as np

from edgeanon.errors import ConfigError


def check_number(style: str, name: str, value: object, low: float, high: float, *, whole: bool = False) -> None:
    kinds: Any = (int, np.integer) if whole else (int, float, np.integer, np.floating)
    if isinstance(value, bool) or not isinstance(value, kinds) or not low <= float(value) <= high:
        what = "a whole number" if whole else "a number"
        raise ConfigError(f"{name} of {style} is {value!r}; give {what} from {low:g} to {high:g}")


def check_color(style: str, color: object) -> None:
    parts: Any = color
    if not (
        isinstance(color, tuple | list)
        and len(parts) == 3
        and all(isinstance(part, int | np.integer) and 0 <= part <= 255 for part in parts)
    ):
        raise ConfigError(f"the color of {style} is {color!r}; give (blue, green, red), whole numbers from 0 to 255")
