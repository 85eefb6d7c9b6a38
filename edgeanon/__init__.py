"""Anonymizes faces and licence plates in images and video, on Intel machines beside the camera, without a network.

    Anonymizer().image("street.jpg", "street-anon.jpg")      one picture, file to file
    Anonymizer().video("walk.mp4", "walk-anon.mp4")          one video, tracked, with look-ahead
    Anonymizer().folder("archive", "archive-anon")           a tree of both, mirrored
    safe = Anonymizer().frame(image)                         one array

    found = Detector().detect(image)                         the parts, each usable alone
    safe = Masker().mask(image, found.boxes, kinds=found.kinds)

Names are imported when they are first used, so ``from edgeanon import Masker`` does not load OpenVINO. Import edgeanon
before openvino and its telemetry stays off.
"""

import sys
import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgeanon.audit import Report
    from edgeanon.certificate import Certificate
    from edgeanon.detections import Detections, Frame, Kind, Tracks
    from edgeanon.detector import Detector
    from edgeanon.errors import ConfigError, DeviceError, EdgeanonError, LeakError, MediaError, ModelError
    from edgeanon.evaluation import Scores, calibrate_threshold, evaluate, read_labels
    from edgeanon.masker import Masker
    from edgeanon.models import Manifest
    from edgeanon.pipeline import Anonymizer, FileResult, Verdict
    from edgeanon.quantization import Recipe, quantize
    from edgeanon.runtime import Device, devices
    from edgeanon.styles import Blur, Fill, Pixelate, Replace, Soft
    from edgeanon.tracker import Tracker
    from edgeanon.video import VideoReader, VideoWriter

__version__ = "0.1.0"

__all__ = [
    "Anonymizer",
    "Blur",
    "Certificate",
    "ConfigError",
    "Detections",
    "Detector",
    "Device",
    "DeviceError",
    "EdgeanonError",
    "FileResult",
    "Fill",
    "Frame",
    "Kind",
    "LeakError",
    "Manifest",
    "Masker",
    "MediaError",
    "ModelError",
    "Pixelate",
    "Recipe",
    "Replace",
    "Report",
    "Scores",
    "Soft",
    "Tracker",
    "Tracks",
    "Verdict",
    "VideoReader",
    "VideoWriter",
    "calibrate_threshold",
    "devices",
    "evaluate",
    "quantize",
    "read_labels",
]

_HOMES = {
    "audit": ("Report",),
    "certificate": ("Certificate",),
    "detections": ("Detections", "Frame", "Kind", "Tracks"),
    "detector": ("Detector",),
    "errors": ("ConfigError", "DeviceError", "EdgeanonError", "LeakError", "MediaError", "ModelError"),
    "evaluation": ("Scores", "calibrate_threshold", "evaluate", "read_labels"),
    "masker": ("Masker",),
    "models": ("Manifest",),
    "pipeline": ("Anonymizer", "FileResult", "Verdict"),
    "quantization": ("Recipe", "quantize"),
    "runtime": ("Device", "devices"),
    "styles": ("Blur", "Fill", "Pixelate", "Replace", "Soft"),
    "tracker": ("Tracker",),
    "video": ("VideoReader", "VideoWriter"),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"edgeanon.{module}"), name)
    if name in _HOMES or name in {"boxes", "config", "decoders", "images", "preprocess"}:
        return import_module(f"edgeanon.{name}")
    raise AttributeError(f"module 'edgeanon' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _keep_telemetry_off() -> None:
    """Keep OpenVINO and NNCF from reporting their use over the network.

    Both look for the module ``openvino_telemetry`` and do without it when it cannot be imported, which None in its
    place brings about. Where it was imported before, its senders are replaced.
    """
    loaded = sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    if loaded is None:
        return
    for sender in ("start_session", "end_session", "send_event", "send_error", "send_stack_trace", "force_shutdown"):
        setattr(loaded.Telemetry, sender, lambda *_, **__: None)
    warnings.warn(
        "openvino was imported before edgeanon and may have reported that to its analytics service already; its "
        "telemetry is off from here on. Import edgeanon first to keep it off altogether.",
        stacklevel=3,
    )


_keep_telemetry_off()
