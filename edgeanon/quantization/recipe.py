"""How a model is quantized, as it stands in a TOML file."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from edgeanon.config import first_problem
from edgeanon.errors import ConfigError

Target = Literal["cpu", "cpu-vnni", "gpu", "npu"]
Overflow = Literal["all", "first-layer", "none"]
Range = Literal["minmax", "mean-minmax", "median-minmax", "mean-no-outliers", "mean-quantile", "histogram"]


class Preset(NamedTuple):
    """What a kind of device asks for: NNCF's name for it, which weights get room against overflow, one input size."""

    device: str
    overflow_fix: Overflow
    static: bool


PRESETS: Mapping[Target, Preset] = {
    "cpu": Preset("CPU", "all", static=False),
    "cpu-vnni": Preset("CPU", "none", static=False),
    "gpu": Preset("GPU", "none", static=False),
    "npu": Preset("NPU", "none", static=True),
}
"""A CPU without VNNI or AMX adds products of 8-bit numbers in 16 bits, which can saturate: there the weights use half
of their range. The NPU compiles for one input size."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Keep(_Part):
    """Layers that stay in higher precision whatever is measured.

    Attributes:
        layers: by name, as they stand in the ``.xml``.
        patterns: by regular expressions over their names.
        types: by their type, such as ``"Sigmoid"``.
    """

    layers: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    types: tuple[str, ...] = ()


class Recipe(_Part):
    """How a model is quantized. Unknown keys are refused.

    Attributes:
        target: ``"cpu"`` without instructions for 8 bits, ``"cpu-vnni"`` with VNNI or AMX, ``"gpu"`` or ``"npu"``.
        size: ``(width, height)`` of the one input that the model will take; needed for the NPU.
        pictures: how many are taken for calibration.
        views: how many views of a picture, at different scales, tiles at random.
        moving: share of the pictures that are looked at as frames of a video.
        seed: of every choice.
        activations: ``"symmetric"`` around zero, which is fastest, or ``"asymmetric"``.
        bias_correction: ``"fast"``, ``"accurate"`` (takes long), or ``"none"``.
        activation_range: how the range of activations is estimated; by default NNCF's choice for the device.
        weight_range: how that of weights is.
        overflow_fix: which weights use half of their range, in place of the target's ``"all"`` or ``"none"``.
        keep: layers that stay in higher precision.
        most_kept: how many more may stay so to pass the gate.
    """

    target: Target = "cpu-vnni"
    size: Annotated[tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] | None, Field()] = None
    pictures: Annotated[int, Field(ge=1, le=10_000)] = 150
    views: Annotated[int, Field(ge=1, le=100)] = 2
    moving: Annotated[float, Field(ge=0, le=1)] = 0.5
    seed: Annotated[int, Field(ge=0)] = 0
    activations: Literal["symmetric", "asymmetric"] = "symmetric"
    bias_correction: Literal["fast", "accurate", "none"] = "fast"
    activation_range: Range | None = None
    weight_range: Range | None = None
    overflow_fix: Overflow | None = None
    keep: Keep = Keep()
    most_kept: Annotated[int, Field(ge=0, le=1000)] = 8

    @model_validator(mode="after")
    def _size_where_it_is_needed(self) -> Self:
        if PRESETS[self.target].static and not self.size:
            raise ValueError(f"the target {self.target!r} compiles for one input size: give size = [width, height]")
        return self

    @property
    def preset(self) -> Preset:
        """What the target asks for, with this recipe's own word on overflow."""
        preset = PRESETS[self.target]
        return preset._replace(overflow_fix=self.overflow_fix) if self.overflow_fix else preset


def read_recipe(path: str | Path, **changes: object) -> Recipe:
    """A recipe from a TOML file, with what is given here in place of the file's; None means not given.

    Raises:
        ConfigError: the file cannot be read, a key is unknown, or a value does not fit; the message names key and file.
    """
    try:
        values = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: the recipe cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: this is not TOML: {error}") from error
    try:
        return Recipe.model_validate(values | {key: value for key, value in changes.items() if value is not None})
    except ValidationError as error:
        raise ConfigError(f"{path}: {first_problem(error)}") from error
