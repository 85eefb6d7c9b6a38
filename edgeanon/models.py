"""Models on disk: what a manifest says of one, the shipped ones, and that no byte has changed."""

import hashlib
import json
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from edgeanon.certificate import CERTIFICATE_NAME, Certificate, read_certificate
from edgeanon.config import first_problem
from edgeanon.decoders import DECODERS, Decoder, Section
from edgeanon.detections import Kind
from edgeanon.errors import ConfigError, ModelError

ZOO = Path(__file__).parent / "zoo"
MANIFEST_NAME = "manifest.json"

Unit = Annotated[float, Field(ge=0, le=1)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
KindName = Literal["face", "plate", "other"]
Channels = tuple[float, float, float]
Positive = Annotated[float, Field(gt=0)]
Precision = Literal["auto", "fp16", "int8", "fp32"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Input(_Part):
    """How a picture becomes the network's input.

    Attributes:
        color: order of channels that the network was trained on.
        mean: subtracted from each channel, in 0..255, in that order.
        scale: each channel is then divided by it: 255 for a network that expects 0..1, as YOLO does.
        multiple: width and height of the input are multiples of this many pixels.
        zoom: how many times larger than others the network wants its pictures, where the profile leaves room for it.
    """

    color: Literal["BGR", "RGB"] = "BGR"
    mean: Channels = (0.0, 0.0, 0.0)
    scale: tuple[Positive, Positive, Positive] = (1.0, 1.0, 1.0)
    multiple: Annotated[int, Field(ge=1, le=256)] = 32
    zoom: Annotated[float, Field(ge=0.25, le=4)] = 1.0


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

    For a YOLO11 of one's own that knows faces as class 0 and plates as class 1::

        {"name": "my-yolo", "kinds": {"0": "face", "1": "plate"}, "input": {"color": "RGB", "scale": [255, 255, 255]},
         "decoder": {"name": "yolo-v8", "classes": 2}, "threshold": 0.25}

    The decoders and what they take stand in ``edgeanon.decoders``.

    Attributes:
        name: what it is called in reports.
        version: of the model, as its maker counts.
        files: SHA-256 of each file by its name beside the manifest; required of shipped models.
        kinds: what the network's class numbers mean. Classes that are not listed do not count: of a network that knows
            80, ``{0: "other"}`` masks persons and leaves chairs. Without a list, every class is ``OTHER``, and counts.
        input: how a picture becomes its input.
        decoder: how its outputs become boxes; None when a function is handed over instead.
        threshold: least score of a detection, chosen for recall.
        overlap: intersection over union above which two boxes are taken for one object.
        precision: of the weights on disk.
        source: where the weights come from, when others made them.
        made_from: SHA-256 of what weights of this project's own were made from, by its path in the project.
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
    kinds: Annotated[dict[int, KindName], Field(min_length=1)] | None = None
    input: Input = Input()
    decoder: Section | None = None
    threshold: Unit = 0.25
    overlap: Unit = 0.4
    precision: str = ""
    source: Source | None = None
    made_from: dict[str, Sha256] = Field(default_factory=dict)
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

    @model_validator(mode="after")
    def _kinds_that_can_come(self) -> Self:
        never = sorted(set(self.kinds or ()) - set(self.decoder.numbers)) if self.decoder else []
        if self.decoder and never:
            first, last = self.decoder.numbers[0], self.decoder.numbers[-1]
            numbers = f"{first} only" if first == last else f"{first} to {last}"
            raise ValueError(
                f"kinds lists the class {never[0]}, but from the decoder {self.decoder.name!r} comes {numbers}: it "
                "would never be found; correct kinds, or what the decoder is told of classes"
            )
        return self

    @property
    def finds(self) -> frozenset[Kind]:
        """The kinds of object that the network looks for."""
        if self.kinds is None:
            return frozenset({Kind.OTHER})
        return frozenset(Kind[name.upper()] for name in self.kinds.values())

    @property
    def sha256(self) -> str:
        """One hash over all that it says."""
        said = json.dumps(self.model_dump(mode="json"), sort_keys=True)  # in whatever order the file has it
        return hashlib.sha256(said.encode()).hexdigest()

    @property
    def title(self) -> str:
        """Name, version and precision, as far as they are known."""
        return " ".join(filter(None, (self.name, self.version, self.precision)))

    def kind_of(self, number: int) -> Kind | None:
        """The kind that one of the network's class numbers stands for; None for one that does not count."""
        if self.kinds is None:
            return Kind.OTHER
        name = self.kinds.get(number)
        return Kind[name.upper()] if name else None

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
        certificate_sha256: hash of the certificate beside it, or None where there is none that is about these files.
    """

    manifest: Manifest
    structure: bytes
    weights: bytes
    sha256: str
    decode: Decoder | None = None
    certificate_sha256: str | None = None


def shipped() -> list[str]:
    """Names of the models that come with the package."""
    return sorted(path.parent.name for path in ZOO.glob(f"*/{MANIFEST_NAME}"))


def model_files() -> list[Path]:
    """The files of all shipped models, each in FP16 and then in INT8 where it comes so."""
    both = [folder / "model.xml" for name in shipped() for folder in (ZOO / name, ZOO / name / "int8")]
    return [path for path in both if path.exists()]


def comes_in_int8(name: str) -> bool:
    """Whether a shipped model has INT8 files."""
    return (ZOO / name / "int8").is_dir()


def main_ones() -> list[str]:
    """Names of the shipped models that search by default: the main one for each kind."""
    return [name for name in shipped() if "-" not in name]


def shipped_for(name: str) -> list[str]:
    """The shipped models for what a name says: ``"plate"`` means all that look for plates, ``"plate-world"`` one.

    Those that look for the same have its name, and one of their own behind a hyphen. A name that fits none comes back.
    """
    return [each for each in shipped() if each == name or each.startswith(f"{name}-")] or [name]


def load_shipped(name: str, precision: Literal["fp16", "int8"] = "fp16") -> Model:
    """A shipped model by name: ``"face"`` or ``"plate"``.

    Args:
        name: of the model.
        precision: which of its files.

    Raises:
        ConfigError: there is no model of this name, or it is not shipped in this precision.
        ModelError: a file is missing, or a byte of it has changed.
    """
    if name not in shipped():
        raise ConfigError(
            f"no shipped model is called {name!r}; there are {', '.join(shipped())}. A file is for Detector.from_file"
        )
    folder = ZOO / name / precision if precision == "int8" else ZOO / name
    if not folder.is_dir():
        raise ConfigError(f"the shipped model {name!r} does not come in {precision.upper()}: leave precision out")
    model = load_file(folder / "model.xml")
    if {"model.xml", "model.bin"} - set(model.manifest.files):
        raise ModelError(f"the manifest of the shipped model {name!r} lacks its hashes: reinstall edgeanon")
    return model


def released(name: str) -> Certificate | None:
    """The certificate of a shipped model's INT8 files, where there is one that they passed with.

    Raises:
        ConfigError: it is there and cannot be read.
    """
    path = ZOO / name / "int8" / CERTIFICATE_NAME
    certificate = read_certificate(path) if path.exists() else None
    return certificate if certificate and certificate.passed and _is_about(certificate, path) else None


def certificate_of(path: str | Path, model: Model) -> Certificate | None:
    """The certificate beside a model's file, where there is one and it is about these very files.

    Raises:
        ConfigError: it cannot be read.
        ModelError: it is about other files.
    """
    beside = Path(path).with_name(CERTIFICATE_NAME)
    if not beside.exists():
        return None
    certificate = read_certificate(beside)
    hashes = {hashlib.sha256(content).hexdigest() for content in (model.structure, model.weights) if content}
    if set(certificate.files.values()) != hashes or not _is_about(certificate, beside):
        raise ModelError(f"{beside} is about other files than those beside it: quantize the model again")
    return certificate


def _certificate_sha256(path: Path, model: Model) -> str | None:
    try:
        known = certificate_of(path, model)
        return hashlib.sha256(path.with_name(CERTIFICATE_NAME).read_bytes()).hexdigest() if known else None
    except (ConfigError, ModelError, OSError):  # `quantize` says what is wrong with it
        return None


def _is_about(certificate: Certificate, path: Path) -> bool:
    """Whether the manifest beside a certificate is the one that it names; that one names the model's files."""
    manifest = path.with_name(MANIFEST_NAME)
    return manifest.is_file() and hashlib.sha256(manifest.read_bytes()).hexdigest() == certificate.manifest_sha256


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
    model = Model(manifest, structure, weights, hashlib.sha256(structure + weights).hexdigest(), decode)
    return replace(model, certificate_sha256=_certificate_sha256(path, model))


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
