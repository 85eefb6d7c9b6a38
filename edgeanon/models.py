"""Models on disk: what a manifest says of one, the shipped ones, and that no byte has changed."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from edgeanon.config import first_problem
from edgeanon.decoders import Decoder, center_point, retinaface
from edgeanon.detections import Kind
from edgeanon.errors import ConfigError, ModelError

ZOO = Path(__file__).parent / "zoo"
MANIFEST_NAME = "manifest.json"

Unit = Annotated[float, Field(ge=0, le=1)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
KindName = Literal["face", "plate", "other"]
Channels = tuple[float, float, float]
Positive = Annotated[float, Field(gt=0)]
Pixels = Annotated[int, Field(ge=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Input(_Part):
    """How a picture becomes the network's input.

    Attributes:
        color: order of channels that the network was trained on.
        mean: subtracted from each channel, in 0..255, in that order.
        scale: each channel is then divided by it.
        multiple: width and height of the input are multiples of this many pixels.
        zoom: how many times larger than others the network wants its pictures, where the profile leaves room for it.
    """

    color: Literal["BGR", "RGB"] = "BGR"
    mean: Channels = (0.0, 0.0, 0.0)
    scale: tuple[Positive, Positive, Positive] = (1.0, 1.0, 1.0)
    multiple: Annotated[int, Field(ge=1, le=256)] = 32
    zoom: Annotated[float, Field(ge=0.25, le=4)] = 1.0


class CenterPoint(_Part):
    """Parameters of ``edgeanon.decoders.center_point``."""

    name: Literal["center-point"] = "center-point"
    stride: Pixels = 4
    heatmap: str = "heatmap"
    size: str = "size"
    offset: str = "offset"


class RetinaFace(_Part):
    """Parameters of ``edgeanon.decoders.retinaface``."""

    name: Literal["retinaface"] = "retinaface"
    strides: Annotated[tuple[Pixels, ...], Field(min_length=1)] = (8, 16, 32)
    sides: tuple[Annotated[tuple[Pixels, ...], Field(min_length=1)], ...] = ((24, 48), (96, 192), (384, 768))
    boxes: str = "boxes"
    scores: str = "scores"

    @model_validator(mode="after")
    def _one_level_each(self) -> Self:
        if len(self.strides) != len(self.sides):
            raise ValueError(f"there are {len(self.strides)} strides and {len(self.sides)} lists of sides")
        return self


DECODERS: Mapping[str, Decoder] = {"center-point": center_point, "retinaface": retinaface}


class Source(_Part):
    """Where the weights come from: the package they were taken out of, and the hashes of package and file."""

    package: str
    package_sha256: Sha256
    file: str
    file_sha256: Sha256


class Level(_Part):
    """Recall at one severity of a condition: what was set, objects found, and the share with its 95 % interval."""

    setting: str
    found: Annotated[int, Field(ge=0)]
    recall: Unit
    low: Unit
    high: Unit


class Robustness(_Part):
    """A card: how many of the same labelled objects a model finds as its pictures get worse.

    Attributes:
        model: name, version and precision of the model that was measured.
        objects: how many there are.
        pictures: in how many pictures.
        labels_sha256: one hash over these pictures and their labels.
        profile: at which scales they were searched.
        threshold: least score of a detection.
        as_they_are: in the pictures as they are.
        conditions: by condition, from the mildest severity to the worst; see ``edgeanon.evaluation.conditions``.
    """

    model: str
    objects: Annotated[int, Field(ge=1)]
    pictures: Annotated[int, Field(ge=1)]
    labels_sha256: Sha256
    profile: str
    threshold: Unit
    as_they_are: Level
    conditions: dict[str, tuple[Level, ...]]


class Manifest(_Part):
    """What must be known of a model to run it and to answer for it. Stands beside it as ``manifest.json``.

    Attributes:
        name: what it is called in reports.
        version: of the model, as its maker counts.
        files: SHA-256 of each file by its name beside the manifest; required of shipped models.
        kinds: what the network's class numbers mean.
        input: how a picture becomes its input.
        decoder: how its outputs become boxes; None when a function is handed over instead.
        threshold: least score of a detection, chosen for recall.
        overlap: intersection over union above which two boxes are taken for one object.
        precision: of the weights on disk.
        source: where the weights come from.
        licence: as its distributor declares, an SPDX identifier.
        notice: what the licence asks to be said.
        caveats: what its user should know before relying on it.
        made_with: versions of the tools that made the files.
        scores: figures measured, by name.
        robustness: recall under worse conditions, by kind.
    """

    name: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[\w.+-]+$")]
    version: str = ""
    files: dict[str, Sha256] = Field(default_factory=dict)
    kinds: Annotated[dict[int, KindName], Field(min_length=1)] = {0: "other"}
    input: Input = Input()
    decoder: Annotated[CenterPoint | RetinaFace, Field(discriminator="name")] | None = None
    threshold: Unit = 0.25
    overlap: Unit = 0.4
    precision: str = ""
    source: Source | None = None
    licence: str = ""
    notice: str = ""
    caveats: tuple[str, ...] = ()
    made_with: dict[str, str] = Field(default_factory=dict)
    scores: dict[str, float] = Field(default_factory=dict)
    robustness: dict[KindName, Robustness] = Field(default_factory=dict)

    @field_validator("files")
    @classmethod
    def _names_only(cls, files: dict[str, str]) -> dict[str, str]:
        for name in files:
            if Path(name).name != name:
                raise ValueError(f"{name!r} is not the name of a file beside the manifest")
        return files

    @property
    def finds(self) -> frozenset[Kind]:
        """The kinds of object that the network looks for."""
        return frozenset(self.kind_of(number) for number in self.kinds)

    @property
    def sha256(self) -> str:
        """One hash over all that it says."""
        said = json.dumps(self.model_dump(mode="json"), sort_keys=True)  # in whatever order the file has it
        return hashlib.sha256(said.encode()).hexdigest()

    @property
    def title(self) -> str:
        """Name, version and precision, as far as they are known."""
        return " ".join(filter(None, (self.name, self.version, self.precision)))

    def kind_of(self, number: int) -> Kind:
        """The kind that one of the network's class numbers stands for; ``OTHER`` for a number not listed."""
        return Kind[self.kinds.get(number, "other").upper()]

    def decode_function(self) -> Decoder:
        """The decoder with its parameters filled in.

        Raises:
            ConfigError: the manifest names none.
        """
        if self.decoder is None:
            raise ConfigError(
                f"the manifest of {self.name!r} names no decoder: add one of {', '.join(DECODERS)}, or pass decode="
            )
        return partial(DECODERS[self.decoder.name], **self.decoder.model_dump(exclude={"name"}))


@dataclass(frozen=True, slots=True)
class Model:
    """A model read into memory, every byte of it checked.

    Attributes:
        manifest: what is known of it.
        structure: the ``.xml`` or ``.onnx`` file.
        weights: the ``.bin`` file; empty for ONNX.
        sha256: one hash over both, what reports give.
        decode: a decoder in place of the manifest's, or None.
    """

    manifest: Manifest
    structure: bytes
    weights: bytes
    sha256: str
    decode: Decoder | None = None


def shipped() -> list[str]:
    """Names of the models that come with the package."""
    return sorted(path.parent.name for path in ZOO.glob(f"*/{MANIFEST_NAME}"))


def load_shipped(name: str) -> Model:
    """A shipped model by name: ``"face"`` or ``"plate"``.

    Raises:
        ConfigError: there is no model of this name.
        ModelError: a file is missing, or a byte of it has changed.
    """
    if name not in shipped():
        raise ConfigError(
            f"no shipped model is called {name!r}; there are {', '.join(shipped())}. A file is for Detector.from_file"
        )
    model = load_file(ZOO / name / "model.xml")
    if {"model.xml", "model.bin"} - set(model.manifest.files):
        raise ModelError(f"the manifest of the shipped model {name!r} lacks its hashes: reinstall edgeanon")
    return model


def load_file(path: str | Path, manifest: Manifest | str | Path | None = None, decode: Decoder | None = None) -> Model:
    """A model of one's own: OpenVINO IR (``.xml`` with its ``.bin`` beside it) or ONNX.

    Args:
        path: the ``.xml`` or ``.onnx`` file.
        manifest: what is known of it, or the path of a JSON file; by default ``manifest.json`` beside the model.
        decode: a decoder in place of the one that the manifest names.

    Raises:
        ConfigError: the manifest is wrong; the message names the key and the file.
        ModelError: a file is missing, is no model, or does not have the hash that its manifest states.
    """
    path = Path(path)
    if path.suffix.lower() not in {".xml", ".onnx"}:
        raise ModelError(f"{path} is no model that can be read: pass OpenVINO IR (.xml) or ONNX (.onnx)")
    if not isinstance(manifest, Manifest):
        manifest = read_manifest(Path(manifest) if manifest else path.with_name(MANIFEST_NAME))
    structure = _read(path, manifest)
    weights = _read(path.with_suffix(".bin"), manifest) if path.suffix.lower() == ".xml" else b""
    return Model(manifest, structure, weights, hashlib.sha256(structure + weights).hexdigest(), decode)


def read_manifest(path: Path) -> Manifest:
    """Read a manifest; unknown keys are refused.

    Raises:
        ConfigError: it is missing, no JSON, or a key is wrong.
    """
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ConfigError(
            f"{path}: the manifest cannot be read ({error.strerror}); a model needs one beside it, or manifest=..."
        ) from error
    except ValidationError as error:
        raise ConfigError(f"{path}: {first_problem(error)}") from error


def _read(path: Path, manifest: Manifest) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: the model cannot be read ({error.strerror})") from error
    stated = manifest.files.get(path.name)
    if stated and hashlib.sha256(content).hexdigest() != stated:
        raise ModelError(
            f"{path} is not the file that its manifest describes (SHA-256 differs): reinstall or rebuild it"
        )
    return content
