"""NNCF: post-training quantization. The only module that imports it, when it is first needed."""

import logging
import warnings
from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edgeanon import runtime
from edgeanon.errors import ConfigError, ModelError
from edgeanon.quantization.recipe import Range, Recipe

Tensor = NDArray[np.float32]


class Tensors(Protocol):
    """The network's inputs, ``(1, 3, h, w)``, each made when it is asked for."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> Tensor: ...


def load() -> Any:
    """The module ``nncf``, quiet.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import nncf  # noqa: PLC0415  # seconds; only who quantizes waits for it
    except ImportError as error:
        raise ConfigError("nncf is not installed, which quantizes: pip install 'edgeanon[calibration]'") from error
    nncf.set_log_level(logging.ERROR)
    return nncf


def version() -> str:
    """NNCF's version."""
    return str(load().__version__)


def post_training(graph: runtime.Graph, tensors: Tensors, recipe: Recipe, kept: Sequence[str] = ()) -> runtime.Graph:
    """A quantized copy of a graph.

    Args:
        graph: with its own input in front.
        tensors: what it is calibrated on.
        recipe: how.
        kept: names of layers that stay in higher precision beside those that the recipe keeps.

    Raises:
        ConfigError: the recipe keeps layers that are not there.
        ModelError: NNCF cannot quantize it.
    """
    nncf = load()
    advanced = nncf.AdvancedQuantizationParameters(
        overflow_fix={
            "all": nncf.OverflowFix.ENABLE,
            "first-layer": nncf.OverflowFix.FIRST_LAYER,
            "none": nncf.OverflowFix.DISABLE,
        }[recipe.preset.overflow_fix],
        disable_bias_correction=recipe.bias_correction == "none",
    )
    if recipe.activation_range:
        advanced.activations_range_estimator_params = _range(recipe.activation_range)
    if recipe.weight_range:
        advanced.weights_range_estimator_params = _range(recipe.weight_range)
    keep = recipe.keep
    names = [*keep.layers, *kept]
    if missing := sorted(set(names) - runtime.names(graph)):
        raise ConfigError(
            f"keep.layers names {missing[0]!r}, and the model has no such layer: see the names in its .xml"
        )
    presets = {"symmetric": nncf.QuantizationPreset.PERFORMANCE, "asymmetric": nncf.QuantizationPreset.MIXED}
    try:
        # Its progress bars go to the standard output, where a line of JSON may be awaited.
        with warnings.catch_warnings(), redirect_stdout(StringIO()):
            warnings.simplefilter("ignore")
            return nncf.quantize(
                graph,
                nncf.Dataset(tensors),
                preset=presets[recipe.activations],
                target_device=nncf.TargetDevice[recipe.preset.device],
                subset_size=len(tensors),
                fast_bias_correction=recipe.bias_correction != "accurate",
                ignored_scope=nncf.IgnoredScope(
                    names=names, patterns=list(keep.patterns), types=list(keep.types), validate=False
                ),
                advanced_parameters=advanced,
            )
    except (nncf.ValidationError, nncf.ParameterNotSupportedError) as error:
        raise ConfigError(f"NNCF does not take this recipe: {error}") from error
    except (nncf.InternalError, nncf.UnsupportedModelError, RuntimeError) as error:
        raise ModelError(f"NNCF cannot quantize the model: {error}") from error


def _range(name: Range) -> Any:
    from nncf.quantization.range_estimator import RangeEstimatorParametersSet  # noqa: PLC0415

    return getattr(RangeEstimatorParametersSet, name.replace("-", "_").upper())
