"""What a report file may say at all: each string is one of these, and none has room for a name, a place or a time."""

import re
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from edgeanon.errors import ConfigError

VERSION = r"^\d{1,6}(\.\d{1,6}){0,3}(\.?[a-z]{1,5}\d{0,4})?$"
PRECISION = r"^(FP|BF|INT)(4|8|16|32)$"
OURS = r"^[a-z0-9][a-z0-9_.+-]{0,31}$"
PRESET = r"^((ultra|super|very)?fast|faster|medium|slow|slower|veryslow|placebo|\d{1,2})$"
STYLE = (
    r"^(own|Soft\(grain=\d{1,2}(\.\d{1,8})?\)|Fill\(color=\(\d{1,3}, \d{1,3}, \d{1,3}\)\)"
    r"|Pixelate\(cells=\d{1,2}, bits=\d\)|Blur\(sigma=\d{1,2}(\.\d{1,8})?\)|Replace\(sha256 [0-9a-f]{16}\))$"
)

KindName = Literal["face", "plate", "other"]
Count = Annotated[int, Field(ge=0)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Nonce = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Setting = Annotated[str, Field(pattern=r"^\d{1,2}(\.\d{1,4})?$", description="a number below 100, to four decimals")]
Version = Annotated[str, Field(pattern=VERSION)]
Build = Annotated[str, Field(pattern=r"^\d{1,6}(\.\d{1,6}){0,3}(-\d{1,8})?(-[0-9a-f]{7,40})?$")]
Precision = Annotated[str, Field(pattern=PRECISION)]
Ours = Annotated[str, Field(pattern=OURS, description='of a shipped model; "own" for others')]
Preset = Annotated[str, Field(pattern=PRESET)]
DeviceName = Annotated[str, Field(pattern=r"^[A-Z]{2,8}(\.\d{1,2})?$")]
HardwareName = Annotated[str, Field(pattern=r"^[A-Za-z0-9 ()@.+-]{0,96}$", description="what the driver calls it")]
StyleName = Annotated[str, Field(pattern=STYLE)]


def binned(count: float) -> str:
    """The bin of a count: ``0``, ``1-4``, ``5-9``, ``10-19``, ``20-49``, ``50-99``, ``100-199`` and so on.

    Counts below five share a bin, as in official statistics, so that no single person stands out.
    """
    if count <= 0:
        return "0"
    if count < 5:
        return "1-4"
    power = 10 ** (len(str(int(count))) - 1)
    lowest = max(factor for factor in (1, 2, 5) if factor * power <= count) * power
    highest = {1: 2, 2: 5, 5: 10}[lowest // power] * power - 1
    return f"{lowest}-{highest}"


def _is_a_bin(text: str) -> str:
    if binned(int(text.partition("-")[0])) != text:
        raise ValueError(f"{text} is no bin: they go 0, 1-4, 5-9, 10-19, 20-49, 50-99, 100-199 and so on")
    return text


Bin = Annotated[str, Field(pattern=r"^(0|1-4|5-9|10*-19*|20*-49*|50*-99*)$", max_length=40), AfterValidator(_is_a_bin)]


def setting(value: float) -> str:
    """A number as `Setting`, to four decimals.

    Raises:
        ConfigError: it is too large for one.
    """
    if not 0 <= value < 99.9999:
        raise ConfigError(f"a setting is {value:g}: a report holds settings from 0 to 99, use a smaller one")
    return f"{Decimal(repr(float(value))).quantize(Decimal('0.0001')).normalize():f}"


def build(version: str) -> str:
    """The numbers of OpenVINO's version, without the name of the branch that it was built from."""
    found = re.match(r"\d{1,6}(\.\d{1,6}){0,3}(-\d{1,8})?(-[0-9a-f]{7,40}(?![0-9a-z]))?", version)
    return found[0] if found else "0"


def fitting(pattern: str, text: str | None) -> str | None:
    """The text where all of it fits one of the patterns above, else None: it is somebody's own words."""
    return text if text is not None and re.fullmatch(pattern, text) else None


def hardware_name(text: str) -> str:
    """A driver's name for its hardware, without whatever is not a letter, a digit or the usual marks."""
    return re.sub(r"[^A-Za-z0-9 ()@.+-]", "", text)[:96]
