"""Which models a detector runs, and in which precision."""

import logging
from collections.abc import Iterator, Sequence

from edgeanon import models, runtime
from edgeanon.certificate import LEAST_GAIN
from edgeanon.errors import ConfigError, EdgeanonError

log = logging.getLogger(__name__)

TOGETHER = "thorough"
"""The profile in which all shipped models of a kind search together; in the others only the main one does."""

Which = str | models.Model


def chosen(
    which: Sequence[Which], *, profile: str, precision: models.Precision, device: str | Sequence[str]
) -> Iterator[models.Model]:
    """The models that are asked for, each once; none asked for are the main ones.

    Args:
        which: what shipped models find, their names, or models themselves.
        profile: as for ``Detector``; so are the others.
        precision: of shipped models.
        device: that will run them.

    Raises:
        ConfigError: one is no model, or not to be had in this precision.
        ModelError: a shipped model is missing or altered.
    """
    done: set[str] = set()
    for asked in which or models.main_ones():
        if isinstance(asked, models.Model):
            yield asked
            continue
        if not isinstance(asked, str):
            raise ConfigError(f"{asked!r} is no model: pass a shipped one's name, or use Detector.from_file for a file")
        for name in models.shipped_for(asked) if profile == TOGETHER else [asked]:
            if name not in done:
                done.add(name)
                yield _shipped(name, _in_files(name, precision, named=name in which), device)


def _in_files(name: str, precision: models.Precision, *, named: bool) -> models.Precision:
    """The precision of a shipped model; one that only comes along, not being named itself, may be without INT8."""
    if precision == "int8" and not named and not models.comes_in_int8(name):
        log.warning("A shipped model that was not asked for by its own name has no INT8: it runs in FP16")
        return "fp16"
    return precision


def _shipped(name: str, precision: models.Precision, device: str | Sequence[str]) -> models.Model:
    gain = _int8_gain(name, device) if precision in {"auto", "int8"} else None
    if precision == "auto":
        precision = "int8" if gain is not None and gain >= LEAST_GAIN else "fp16"
    elif precision == "int8" and gain is None:
        log.warning("INT8 was not measured on a device like this one: what its certificate says may not hold here")
    return models.load_shipped(name, "int8" if precision == "int8" else "fp16")


def _int8_gain(name: str, device: str | Sequence[str]) -> float | None:
    """How many times as fast a shipped model's INT8 files were measured to be on a device like the first that is tried;
    None where that was not measured, or they were not released.
    """
    certificate = models.released(name)
    if certificate is None:
        return None
    try:
        first = runtime.choices(device)[0].name
    except EdgeanonError:
        return None  # what is wrong with the device is said when it is first needed
    return certificate.gain_on(first, runtime.eight_bit(first), runtime.native_float(first))
