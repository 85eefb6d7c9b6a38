"""What was measured of a quantized model beside the one it was made from. Stands beside it as ``certificate.json``."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edgeanon.config import first_problem
from edgeanon.errors import ConfigError

CERTIFICATE_NAME = "certificate.json"

TOO_FEW = 300
"""A size bin with fewer objects is said to have too few: its recall is uncertain by more than two points."""

LEAST_GAIN = 1.1
"""How many times as fast a device must have been measured to be for a quantized model to be taken by itself."""

Unit = Annotated[float, Field(ge=0, le=1)]
Interval = tuple[Unit, Unit]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SizeBin(_Part):
    """Objects of one kind and of some height in their pictures, found before and after."""

    name: str
    objects: Count
    before: Count
    after: Count

    @property
    def too_few(self) -> bool:
        """Whether there are too few objects for the shares to say much."""
        return self.objects < TOO_FEW


class Compared(_Part):
    """One kind of object, found before and after on the same pictures, at each model's own threshold.

    Attributes:
        kind: what they are.
        objects: how many were labelled.
        before: how many the model in higher precision found.
        after: how many the quantized model found.
        lost: found before and not after; ``gained`` the other way round.
        recall_before: with its 95 % interval, as ``recall_after``.
        drop: recall before less recall after; negative when more were found.
        drop_bound: one-sided 95 % upper bound of the drop; see ``edgeanon.quantization.gate``.
        false_before: detections without a label, per picture; ``false_after`` of the quantized model.
        bins: by height.
    """

    kind: Literal["face", "plate", "other"]
    objects: Count
    before: Count
    after: Count
    lost: Count
    gained: Count
    recall_before: Interval
    recall_after: Interval
    drop: float
    drop_bound: float
    false_before: float
    false_after: float
    bins: tuple[SizeBin, ...]


class Speed(_Part):
    """Seconds of one inference before and after, medians of interleaved runs on one machine.

    Attributes:
        device: that ran both, as OpenVINO names it.
        full_name: what its driver calls it.
        eight_bit: its instructions for 8 bits; see ``edgeanon.runtime.eight_bit``.
        against: what the model in higher precision was computed in: ``"bf16"``, ``"f16"`` or ``"f32"``.
        view: ``(width, height)`` of the network's input.
        before: seconds in higher precision; ``after`` quantized.
    """

    device: str
    full_name: str
    eight_bit: str
    against: str
    view: tuple[int, int]
    before: float
    after: float

    @property
    def gain(self) -> float:
        """How many times as fast the quantized model is."""
        return self.before / self.after


class Attempt(_Part):
    """One thing that was tried, and what came of it."""

    what: str
    outcome: str
    passed: bool


class Certificate(_Part):
    """A quantized model's release: which files, made how, from what, and how it did beside what it was made from.

    It is written only where the gate was passed.

    Attributes:
        model: name of the model, as its manifest has it.
        files: SHA-256 of the quantized files by name.
        manifest_sha256: of its manifest's file, which holds its threshold.
        reference: SHA-256 over the files of the model it was made from, which was computed in 32 bits.
        recipe: how it was quantized, as the recipe says it.
        kept: layers that stayed in higher precision because of what was measured.
        calibration: SHA-256 of each calibration picture's file, sorted.
        gate_sha256: one hash over the labelled set of the gate: pictures and labels.
        gate_pictures: how many pictures it has.
        profile: at which scales its pictures were searched.
        versions: of edgeanon, OpenVINO and NNCF.
        day: when it was made, in UTC.
        max_recall_drop: what the bound of each kind's drop had to stay below or at.
        max_false_ratio: how many times as many false detections there might be.
        threshold_before: least score of a detection of the model in higher precision.
        threshold_after: of the quantized model.
        compared: by kind.
        speeds: as measured where it was made.
        bytes_before: of structure and weights; ``bytes_after`` of the quantized files.
        attempts: what was tried, in order; the last one passed.
    """

    model: str
    files: dict[str, Sha256]
    manifest_sha256: Sha256
    reference: Sha256
    recipe: dict[str, object]
    kept: tuple[str, ...] = ()
    calibration: tuple[Sha256, ...]
    gate_sha256: Sha256
    gate_pictures: Count
    profile: str
    versions: dict[str, str]
    day: date = Field(default_factory=lambda: datetime.now(UTC).date())
    max_recall_drop: float
    max_false_ratio: float
    threshold_before: Unit
    threshold_after: Unit
    compared: Annotated[tuple[Compared, ...], Field(min_length=1)]
    speeds: tuple[Speed, ...]
    bytes_before: Count
    bytes_after: Count
    attempts: tuple[Attempt, ...]

    @property
    def passed(self) -> bool:
        """Whether every kind holds what was asked, worked out again from the figures."""
        return all(not problem for one in self.compared for problem in self.problems(one))

    def problems(self, one: Compared) -> Iterator[str]:
        """What keeps one kind from passing."""
        return problems(one, max_recall_drop=self.max_recall_drop, max_false_ratio=self.max_false_ratio)

    def gain_on(self, device: str, eight_bit: str, against: str) -> float | None:
        """How many times as fast it was measured on a device that computes as this one, over all views that were timed;
        None where that was not measured.

        Args:
            device: such as ``"CPU"`` or ``"GPU.0"``.
            eight_bit: its instructions for 8 bits; without any, nothing was measured.
            against: what it computes in without quantization.
        """
        here = (device.split(".", maxsplit=1)[0], eight_bit, against)
        found = [one for one in self.speeds if (one.device.split(".")[0], one.eight_bit, one.against) == here]
        if not found or not eight_bit:
            return None
        return sum(one.before for one in found) / sum(one.after for one in found)


def problems(one: Compared, *, max_recall_drop: float, max_false_ratio: float) -> Iterator[str]:
    """What keeps a kind from passing the gate, each as a clause."""
    name = f"{one.kind}s"
    if one.drop_bound > max_recall_drop:
        yield (
            f"recall of {name} falls by {one.drop:.4f}, at most {one.drop_bound:.4f}, where {max_recall_drop:g} is "
            f"allowed ({one.lost} of {one.objects} lost, {one.gained} gained)"
        )
    if one.false_after > one.false_before * max_false_ratio:
        yield (
            f"false {name} a picture go from {one.false_before:.3f} to {one.false_after:.3f}, more than "
            f"{max_false_ratio:g} times as many"
        )


def read_certificate(path: Path) -> Certificate:
    """Read a certificate; unknown keys are refused.

    Raises:
        ConfigError: it is missing, no JSON, or a key is wrong.
    """
    try:
        return Certificate.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path}: the certificate cannot be read ({error.strerror})") from error
    except ValidationError as error:
        raise ConfigError(f"{path}: {first_problem(error)}") from error
