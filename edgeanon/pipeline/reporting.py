"""What a run says of itself afterwards."""

from collections.abc import Sequence
from dataclasses import asdict, is_dataclass
from typing import Literal

from edgeanon import runtime
from edgeanon.audit import Files, HardwareUsed, Mask, ModelUsed, Report, VideoUsed
from edgeanon.detections import Kind
from edgeanon.detector import Detector
from edgeanon.masker import Masker
from edgeanon.pipeline.footage import VideoSettings
from edgeanon.pipeline.results import Tally
from edgeanon.runtime.hardware import hardware
from edgeanon.styles import Style


def report(
    detectors: Sequence[Detector],
    masker: Masker,
    tally: Tally,
    *,
    metadata: Literal["none", "safe"],
    video: VideoSettings,
    seconds: float,
) -> Report:
    """The report on a run."""
    devices = ",".join(dict.fromkeys(detector.device for detector in detectors))
    return Report(
        openvino=runtime.version(),
        seconds=round(seconds, 3),
        device=devices,
        reason="; ".join(dict.fromkeys(detector.reason for detector in detectors)),
        hardware=tuple(HardwareUsed(**asdict(one)) for one in hardware(devices)),
        profile=",".join(dict.fromkeys(detector.profile for detector in detectors)),
        thresholds={kind.name.lower(): value for detector in detectors for kind, value in detector.thresholds.items()},
        metadata=metadata,
        models=tuple(ModelUsed.of(model) for detector in detectors for model in detector.models),
        masks=_masks(detectors, masker),
        video=VideoUsed(**asdict(video)),
        files=Files(**{verdict.value: count for verdict, count in tally.verdicts.items()}),
        pages=tally.pages,
        frames=tally.frames,
        withheld=tally.withheld,
        objects=tally.named_objects(),
    )


def describe(style: Style) -> str:
    """A style in a report: one with parameters by these, somebody's function by its name, and both by their module."""
    if is_dataclass(style):
        where = type(style).__module__
        return repr(style) if where.startswith("edgeanon.styles.") else f"{where}.{style!r}"
    return f"{style.__module__}.{getattr(style, '__qualname__', type(style).__qualname__)}"


def _masks(detectors: Sequence[Detector], masker: Masker) -> dict[str, Mask]:
    """What is drawn over each kind that is looked for."""
    finds = sorted(frozenset[Kind]().union(*(detector.finds for detector in detectors)))
    return {
        kind.name.lower(): Mask(
            style=describe(masker.styles[kind]),
            irreversible=bool(getattr(masker.styles[kind], "irreversible", False)),
            shape=masker.shapes[kind],
            margin=masker.margins[kind],
        )
        for kind in finds
    }
