"""What a report file states of a run: counts, hashes, versions and settings, with no room for anything else.

Every text in it is an enumeration, a hash, a version or another narrow pattern of ``edgeanon.audit.terms``; times are
days, and how many people were seen is said in bins. So no name, place or box can stand in it, whatever a run is fed.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from edgeanon.audit.run import Files
from edgeanon.audit.terms import (
    Bin,
    Build,
    Count,
    DeviceName,
    HardwareName,
    KindName,
    Nonce,
    Ours,
    Precision,
    Preset,
    Setting,
    Sha256,
    StyleName,
    Version,
)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Code(_Part):
    """The code that ran.

    Attributes:
        edgeanon: version of this package.
        sha256: one hash over all its modules.
        python: version of Python.
        openvino: version of the runtime, without the branch it was built from.
        libraries: versions of what reads, computes and writes pixels.
    """

    edgeanon: Version
    sha256: Sha256
    python: Version
    openvino: Build
    libraries: dict[Literal["av", "numpy", "opencv", "pillow"], Version]


class DeviceStated(_Part):
    """A device that searched: its name, its hardware, and the version of its driver."""

    name: DeviceName
    hardware: HardwareName
    driver: Version | None = None


class ModelStated(_Part):
    """A model that searched.

    Attributes:
        name: of a shipped model; ``own`` for any other, which its hashes identify.
        version: of a shipped model.
        precision: of the weights, where the manifest says it in the usual form.
        sha256: one hash over structure and weights.
        manifest_sha256: one hash over all that the manifest says.
        certificate_sha256: hash of the file that certifies the quantized model, where it has one.
    """

    name: Ours
    version: Ours | None = None
    precision: Precision | None = None
    sha256: Sha256
    manifest_sha256: Sha256
    certificate_sha256: Sha256 | None = None


class MaskStated(_Part):
    """What was drawn over one kind of object.

    Attributes:
        style: a shipped style with its parameters, or ``own``.
        style_sha256: hash of how the style describes itself.
        irreversible: whether what is drawn is a function of pixels outside the masks alone.
        shape: outline of the mask.
        margin: ``(x, y)`` by which boxes grew on each side, as shares of their width and height.
    """

    style: StyleName
    style_sha256: Sha256
    irreversible: bool
    shape: Literal["rectangle", "rounded", "ellipse"]
    margin: tuple[Setting, Setting]


class VideoStated(_Part):
    """What was asked of videos; a preset of one's own words is left out."""

    look_ahead: Setting
    interval: Setting
    audio: Literal["drop", "keep"]
    codec: Literal["auto", "h264", "hevc", "vp9", "av1", "mjpeg"]
    quality: Setting | None = None
    preset: Preset | None = None
    on_error: Literal["fail", "fill"]


class SettingsStated(_Part):
    """What was searched for, how, and what was drawn; lists have an entry for each detector."""

    profiles: tuple[Literal["fast", "balanced", "thorough"], ...]
    thresholds: dict[KindName, Setting]
    metadata: Literal["none", "safe"]
    masks: dict[KindName, MaskStated]
    video: VideoStated


class Outputs(_Part):
    """SHA-256 of each masked file, in the order of the hashes; how many could not be read back."""

    sha256: tuple[Sha256, ...] = ()
    without: Count = 0


class Inputs(_Part):
    """Salted hashes of the files that were masked, in the order of the hashes.

    Attributes:
        nonce: drawn for this report, so that the hashes of one file differ from report to report.
        hmac_sha256: HMAC-SHA-256, keyed with the salt, over the nonce and the SHA-256 of a file.
        without: inputs that have none: addresses, and files that changed while the run went on.
    """

    nonce: Nonce
    hmac_sha256: tuple[Sha256, ...] = ()
    without: Count = 0


class Exemption(_Part):
    """A rule by which something was left unmasked, and how many objects it touched."""

    rule: Literal["region", "track"]
    objects: Bin


class Statement(_Part):
    """One run, as it may be kept and handed on.

    Attributes:
        form: of this file.
        day: when the run ended, in UTC.
        reassess_by: when its risk is to be looked at anew.
        code: what ran.
        devices: what it ran on.
        models: what searched.
        settings: what was asked.
        settings_sha256: SHA-256 over the settings in canonical form: two runs with the same one were asked the same.
        files: how many ended how.
        pages: pictures searched.
        frames: frames of videos.
        withheld: frames that could not be searched and were filled wholly.
        seconds: how long it took.
        objects: how many were masked, by kind.
        outputs: hashes of the masked files.
        inputs: salted hashes of their sources; None when no salt was kept.
        exemptions: what was left unmasked on purpose.
    """

    form: Literal["edgeanon-report-1"] = "edgeanon-report-1"
    day: date
    reassess_by: date
    code: Code
    devices: tuple[DeviceStated, ...]
    models: tuple[ModelStated, ...] = Field(min_length=1)
    settings: SettingsStated
    settings_sha256: Sha256
    files: Files
    pages: Bin
    frames: Bin
    withheld: Bin
    seconds: Bin
    objects: dict[KindName, Bin]
    outputs: Outputs
    inputs: Inputs | None = None
    exemptions: tuple[Exemption, ...] = ()

    @model_validator(mode="after")
    def _hashes_its_settings(self) -> Self:
        if digest(canonical(self.settings)) != self.settings_sha256:
            raise ValueError("settings_sha256 is not the hash of the settings")
        return self


def canonical(said: BaseModel | Mapping[str, Any]) -> bytes:
    """The one form of a part of a report that is hashed and signed.

    JSON in UTF-8 without white space, keys in the order of their characters; it holds no fractions, so this is what
    RFC 8785 and ``jq -cjS`` give.
    """
    content = said.model_dump(mode="json") if isinstance(said, BaseModel) else said
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()
