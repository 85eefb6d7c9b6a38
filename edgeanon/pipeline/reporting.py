"""What a run says of itself afterwards."""

from collections.abc import Sequence
from dataclasses import is_dataclass
from typing import Literal

from edgeanon import runtime
from edgeanon.audit import Files, Mask, ModelUsed, Report
from edgeanon.detections import Kind
from edgeanon.detector import Detector
from edgeanon.masker import Masker
from edgeanon.pipeline.results import Tally
from edgeanon.styles import Style


def report(
    detectors: Sequence[Detector], masker: Masker, tally: Tally, *, metadata: Literal["none", "safe"], seconds: float
) -> Report:
    """The report on a run."""
    return Report(
        openvino=runtime.version(),
        seconds=round(seconds, 3),
        device=",".join(dict.fromkeys(detector.device for detector in detectors)),
        reason="; ".join(dict.fromkeys(detector.reason for detector in detectors)),
        profile=",".join(dict.fromkeys(detector.profile for detector in detectors)),
        thresholds={kind.name.lower(): value for detector in detectors for kind, value in detector.thresholds.items()},
        metadata=metadata,
        models=tuple(ModelUsed.of(model) for detector in detectors for model in detector.models),
        masks=_masks(detectors, masker),
        files=Files(**{verdict.value: count for verdict, count in tally.verdicts.items()}),
        pages=tally.pages,
        frames=tally.frames,
        withheld=tally.withheld,
        objects=tally.named_objects(),
    )


def describe(style: Style) -> str:
    """A style in a report: a shipped one with its parameters, somebody's function by its name."""
    if is_dataclass(style):
        return repr(style)
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
