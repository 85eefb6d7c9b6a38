"""What a run says of itself to who started it: counts, hashes, versions and settings, exactly, and no names."""

from datetime import UTC, date, datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from edgeanon import __version__
from edgeanon.models import Model


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelUsed(_Part):
    """A model that searched: its name, one hash over its files, one over its manifest, and one of its certificate."""

    name: str
    version: str
    precision: str
    sha256: str
    manifest_sha256: str
    certificate_sha256: str | None = None

    @classmethod
    def of(cls, model: Model) -> Self:
        """What is said of a model."""
        return cls(
            name=model.manifest.name,
            version=model.manifest.version,
            precision=model.manifest.precision,
            sha256=model.sha256,
            manifest_sha256=model.manifest.sha256,
            certificate_sha256=model.certificate_sha256,
        )


class Mask(_Part):
    """What was drawn over one kind of object.

    Attributes:
        style: the style with its parameters.
        irreversible: whether what is drawn is a function of pixels outside the masks alone.
        shape: outline of the mask.
        margin: ``(x, y)`` by which boxes grew on each side, as shares of their width and height.
    """

    style: str
    irreversible: bool
    shape: str
    margin: tuple[float, float]


class HardwareUsed(_Part):
    """A device that ran the models: its name in OpenVINO, what its driver calls it, and the driver's version."""

    name: str
    full_name: str
    driver: str | None = None


class VideoUsed(_Part):
    """What was asked of videos; see ``edgeanon.config.Settings``."""

    look_ahead: float
    interval: float
    audio: Literal["drop", "keep"]
    codec: str
    quality: float | None
    preset: str | None
    on_error: Literal["fail", "fill"]


class Files(_Part):
    """How many files ended how."""

    masked: Annotated[int, Field(ge=0)] = 0
    clean: Annotated[int, Field(ge=0)] = 0
    resumed: Annotated[int, Field(ge=0)] = 0
    skipped: Annotated[int, Field(ge=0)] = 0
    failed: Annotated[int, Field(ge=0)] = 0


class Report(_Part):
    """One run: what was done, by what, with which settings.

    The counts are exact, for who started the run. What is kept and handed on is a `ReportFile`, which is coarser.

    Attributes:
        edgeanon: version of this package.
        openvino: version of the runtime.
        day: when it ended, in UTC, to the day.
        seconds: how long it took.
        device: the concrete device that ran the models.
        reason: why that device was taken.
        hardware: the devices that this means, with their drivers.
        profile: at which scales pictures were searched.
        thresholds: least score of a detection, by kind.
        metadata: which metadata were kept.
        models: what searched.
        masks: what was drawn, by kind.
        video: what was asked of videos.
        files: how many ended how: ``masked``; ``clean``, nothing found in it; ``resumed``, done by a run before;
            ``skipped``, neither picture nor video; ``failed``.
        pages: pictures searched; a file can hold several.
        frames: frames of videos.
        withheld: frames that could not be searched and were filled wholly.
        objects: how many were masked, by kind; in a video, one that goes on through many frames counts once.
    """

    edgeanon: str = __version__
    openvino: str
    day: date = Field(default_factory=lambda: datetime.now(UTC).date())
    seconds: float
    device: str
    reason: str
    hardware: tuple[HardwareUsed, ...]
    profile: str
    thresholds: dict[str, float]
    metadata: Literal["none", "safe"]
    models: tuple[ModelUsed, ...]
    masks: dict[str, Mask]
    video: VideoUsed
    files: Files
    pages: int
    frames: int = 0
    withheld: int = 0
    objects: dict[str, int]

    @property
    def failed(self) -> int:
        """Files for which there is no output."""
        return self.files.failed
