"""From what a run returned to what may be kept of it: own words are left out, counts are put in bins."""

import platform
import re
from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from edgeanon.audit.ledger import Ledger
from edgeanon.audit.run import Mask, ModelUsed, Report
from edgeanon.audit.statement import SettingsStated, Statement, canonical, digest
from edgeanon.audit.terms import OURS, PRECISION, PRESET, STYLE, VERSION, binned, build, fitting, hardware_name, setting
from edgeanon.models import MANIFEST_NAME, ZOO, read_manifest

YEAR = timedelta(days=365)
"""After so long a run is to be assessed anew, unless another day is given: attacks and models get better."""

_LIBRARIES: Mapping[str, tuple[str, ...]] = {
    "av": ("av",),
    "numpy": ("numpy",),
    "opencv": ("opencv-python-headless", "opencv-python", "opencv-contrib-python-headless"),
    "pillow": ("pillow",),
}


def state(report: Report, ledger: Ledger, *, reassess_by: date | None = None) -> Statement:
    """What may be kept of a run.

    Args:
        report: what the run returned.
        ledger: the hashes of its files.
        reassess_by: a year after the run by default.

    Raises:
        ConfigError: a setting is too large to be stated.
        pydantic.ValidationError: something else has no place in a statement.
    """
    settings = _settings(report)
    inputs = {"nonce": ledger.nonce, "hmac_sha256": ledger.inputs, "without": ledger.inputs_without}
    return Statement.model_validate(
        {
            "day": report.day,
            "reassess_by": reassess_by or report.day + YEAR,
            "code": _code(report),
            "devices": tuple(
                {"name": one.name, "hardware": hardware_name(one.full_name), "driver": fitting(VERSION, one.driver)}
                for one in report.hardware
            ),
            "models": tuple(map(_model, report.models)),
            "settings": settings,
            "settings_sha256": digest(canonical(SettingsStated.model_validate(settings))),
            "files": report.files.model_dump(),
            "pages": binned(report.pages),
            "frames": binned(report.frames),
            "withheld": binned(report.withheld),
            "seconds": binned(report.seconds),
            "objects": {name: binned(count) for name, count in report.objects.items()},
            "outputs": {"sha256": ledger.outputs, "without": ledger.outputs_without},
            "inputs": inputs if ledger.salt else None,
        }
    )


def _code(report: Report) -> dict[str, Any]:
    return {
        "edgeanon": report.edgeanon,
        "sha256": own_code(),
        "python": platform.python_version().removesuffix("+"),
        "openvino": build(report.openvino),
        "libraries": {name: found for name, names in _LIBRARIES.items() if (found := _version(names))},
    }


@lru_cache(maxsize=1)
def own_code() -> str:
    """One hash over the names and contents of all modules of this package.

    ``cd edgeanon && find . -name '*.py' | sed 's|^./||' | LC_ALL=C sort | xargs sha256sum | sha256sum`` prints it.
    """
    root = Path(__file__).parent.parent
    names = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.py"))
    lines = [f"{digest((root / name).read_bytes())}  {name}\n" for name in names]
    return digest("".join(lines).encode())


def _version(names: tuple[str, ...]) -> str | None:
    for name in names:
        try:
            return fitting(VERSION, version(name))
        except PackageNotFoundError:
            continue
    return None


def _model(used: ModelUsed) -> dict[str, Any]:
    shipped = used.manifest_sha256 in _shipped()
    return {
        "name": used.name if shipped else "own",
        "version": fitting(OURS, used.version) if shipped else None,
        "precision": fitting(PRECISION, used.precision),
        "sha256": used.sha256,
        "manifest_sha256": used.manifest_sha256,
        "certificate_sha256": used.certificate_sha256,
    }


@lru_cache(maxsize=1)
def _shipped() -> frozenset[str]:
    """Hashes of the manifests of the models that come with the package, in all their precisions."""
    return frozenset(read_manifest(path).sha256 for path in ZOO.rglob(MANIFEST_NAME))


def _settings(report: Report) -> dict[str, Any]:
    video = report.video
    return {
        "profiles": tuple(report.profile.split(",")),
        "thresholds": {name: setting(value) for name, value in report.thresholds.items()},
        "metadata": report.metadata,
        "masks": {name: _mask(mask) for name, mask in report.masks.items()},
        "video": {
            "look_ahead": setting(video.look_ahead),
            "interval": setting(video.interval),
            "audio": video.audio,
            "codec": video.codec,
            "quality": None if video.quality is None else setting(video.quality),
            "preset": fitting(PRESET, video.preset),
            "on_error": video.on_error,
        },
    }


def _mask(mask: Mask) -> dict[str, Any]:
    shown = re.sub(r"^Replace\(.*(sha256 [0-9a-f]{16}).*\)$", r"Replace(\1)", mask.style)
    return {
        "style": fitting(STYLE, shown) or "own",
        "style_sha256": digest(mask.style.encode()),
        "irreversible": mask.irreversible,
        "shape": mask.shape,
        "margin": tuple(map(setting, mask.margin)),
    }
