"""Settings of a run, as they stand in a TOML file and on the command line; the names are the same in both."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edgeanon.errors import ConfigError

Seconds = Annotated[float, Field(ge=0, le=60, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=5, allow_inf_nan=False)]


LOOK_AHEAD = 1.0
"""Seconds that a frame of a video waits for what comes after it, unless something else is asked for."""

INTERVAL = 0.16
"""Seconds between searches of a video, unless something else is asked for."""


class Settings(BaseModel):
    """What is searched, where, and what is drawn over it. Unknown keys are refused.

    Attributes:
        device: ``"AUTO"``, a device's name, or an ordered list of names.
        profile: at which scales a picture is searched.
        style: what is drawn: ``soft``, ``fill``, ``fill:#RRGGBB``, ``pixelate:CELLS``, ``blur:SIGMA`` or
            ``replace:FILE``.
        margin: ``(x, y)`` by which boxes grow on each side, as shares of their width and height; by default what was
            measured for each kind.
        shape: outline of the masks.
        faces: whether faces are masked.
        plates: whether licence plates are masked.
        face_model: a model of one's own for faces, with its manifest beside it.
        plate_model: a model of one's own for plates, with its manifest beside it.
        threshold: least score of a detection; by default what each model's manifest says.
        precision: of the shipped models: ``"auto"`` takes INT8 where it is certified and faster, else FP16.
        metadata: ``"none"``, or ``"safe"`` to keep what ``edgeanon.images.SAFE_TAGS`` lists.
        look_ahead: seconds that a frame of a video waits for what comes after it.
        interval: seconds between searches of a video; 0 searches every frame.
        audio: ``"drop"``, or ``"keep"`` to copy the sound of a video bit for bit.
        codec: of videos: ``"auto"``, ``"h264"``, ``"hevc"``, ``"vp9"``, ``"av1"`` or ``"mjpeg"``.
        quality: the codec's own scale of constant quality.
        preset: the encoder's own word for how much time it takes.
        on_error: ``"fail"``, or ``"fill"`` for frames of a video that cannot be read or searched.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    device: str | tuple[str, ...] = "AUTO"
    profile: Literal["fast", "balanced", "thorough"] = "balanced"
    style: str = "soft"
    margin: tuple[Share, Share] | None = None
    shape: Literal["rectangle", "rounded", "ellipse"] | None = None
    faces: bool = True
    plates: bool = True
    face_model: Path | None = None
    plate_model: Path | None = None
    threshold: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] | None = None
    precision: Literal["auto", "fp16", "int8", "fp32"] = "auto"
    metadata: Literal["none", "safe"] = "none"
    look_ahead: Seconds = LOOK_AHEAD
    interval: Seconds = INTERVAL
    audio: Literal["drop", "keep"] = "drop"
    codec: Literal["auto", "h264", "hevc", "vp9", "av1", "mjpeg"] = "auto"
    quality: Annotated[float, Field(ge=0, le=63, allow_inf_nan=False)] | None = None
    preset: str | None = None
    on_error: Literal["fail", "fill"] = "fail"


def read_settings(path: Path | None, **changes: object) -> Settings:
    """Settings from a TOML file, with those that are given here in place of the file's.

    Args:
        path: the file, or None for the defaults.
        changes: settings by name; None means not given.

    Raises:
        ConfigError: the file cannot be read, a key is unknown, or a value does not fit; the message names key and file.
    """
    values: dict[str, object] = {}
    if path:
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(f"{path}: the settings cannot be read ({error.strerror})") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: this is not TOML: {error}") from error
    given = {key: value for key, value in changes.items() if value is not None}
    try:
        return Settings.model_validate(values | given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]["loc"]
        where = f"{path}: " if path and first and first[0] not in given else ""
        raise ConfigError(where + first_problem(error)) from error


def first_problem(error: ValidationError) -> str:
    """The first thing that pydantic found wrong, as one line: the key, and what is wrong with it."""
    problem = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in problem["loc"])
    unknown = problem["type"] == "extra_forbidden"
    message = "there is no such setting" if unknown else problem["msg"].removeprefix("Value error, ")
    return f"{key}: {message}" if key else message
