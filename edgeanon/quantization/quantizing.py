"""From a model and pictures to an INT8 model that was let through the gate, or to none."""

import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from edgeanon import __version__, runtime
from edgeanon.certificate import CERTIFICATE_NAME, Certificate
from edgeanon.decoders import Decoder
from edgeanon.errors import ConfigError
from edgeanon.evaluation import LabelledSet, read_labels
from edgeanon.models import MANIFEST_NAME, Manifest, Model, load_file
from edgeanon.quantization import calibration_set, post_training, speed
from edgeanon.quantization.recipe import Recipe, Target, read_recipe
from edgeanon.quantization.trials import Passed, Trials, first_that_passes
from edgeanon.quantization.writing import atomic_folder, check_target

log = logging.getLogger(__name__)

MAX_RECALL_DROP = 0.01
MAX_FALSE_RATIO = 1.2


def quantize(
    model: str | Path | Model,
    calibration: str | Path | Iterable[str | Path],
    *,
    labelled: str | Path | LabelledSet,
    out: str | Path,
    manifest: Manifest | str | Path | None = None,
    decode: Decoder | None = None,
    recipe: Recipe | str | Path | None = None,
    max_recall_drop: float = MAX_RECALL_DROP,
    max_false_ratio: float = MAX_FALSE_RATIO,
    device: str | Sequence[str] = "CPU",
    profile: str = "balanced",
    overwrite: bool = False,
    on_step: Callable[[str], None] | None = None,
) -> Certificate:
    """Make an INT8 model of a model, and write it where it passes the gate.

    The model is calibrated on views of pictures exactly as a `Detector` takes and renders them. Then the quantized
    model and the original, computed in 32 bits, search the same labelled pictures; ``edgeanon.quantization.gate`` says
    what is held against them. Where the gate is not passed, the threshold is moved within what false detections allow;
    then the layers that lose most stay in higher precision, one, two, four and so on; and where that does not do,
    nothing is written.

    Args:
        model: OpenVINO IR or ONNX, or a model that was read.
        calibration: a folder of pictures, of which some are chosen, or a list of files. They need no labels.
        labelled: the labelled set of the gate, whose pictures are others than those; see ``read_labels``.
        out: the folder to make: ``model.xml``, ``model.bin``, ``manifest.json`` and ``certificate.json``.
        manifest: what is known of the model; by default ``manifest.json`` beside it.
        decode: a decoder in place of the manifest's.
        recipe: how it is quantized, or the TOML file that says it; by default for a CPU such as this one.
        max_recall_drop: by how much recall may fall, as a share of the labelled objects, for each kind.
        max_false_ratio: how many times as many false detections there may be.
        device: that runs the quantized model in the gate and is timed.
        profile: at which scales pictures are searched.
        overwrite: whether a folder that is there may be replaced.
        on_step: called with a line on what is done next.

    Returns:
        The certificate, as it was written.

    Raises:
        ConfigError: nncf is not installed; the recipe, the manifest or a setting is wrong; there are too few
            calibration pictures; a picture is in both sets; a kind has no labelled object.
        MediaError: a picture or the labels cannot be read; the folder cannot be made.
        ModelError: the model cannot be read or does not fit its decoder; no INT8 model passed the gate: what was tried.
    """
    out = Path(out)
    check_target(out, overwrite=overwrite)
    if not 0 < max_recall_drop < 1 or not max_false_ratio >= 1:
        raise ConfigError(
            f"max_recall_drop is {max_recall_drop} and max_false_ratio {max_false_ratio}: pass a share above 0 and "
            "below 1, and a ratio from 1 up"
        )
    post_training.load()
    if not isinstance(recipe, Recipe):
        recipe = read_recipe(recipe) if recipe else Recipe(target=here())
    original = model if isinstance(model, Model) else load_file(model, manifest, decode)
    say = on_step or log.info
    if not isinstance(labelled, LabelledSet):
        labelled = read_labels(labelled)
    kinds = sorted(original.manifest.finds)
    labelled = labelled.only(*kinds)
    for kind in kinds:
        if not labelled.total(kind):
            raise ConfigError(
                f"the labelled set has no {kind.name.lower()}, so its recall is unknown: add labelled pictures"
            )
    say("looking through the calibration pictures")
    pictures = calibration_set.choose(calibration_set.candidates(calibration), recipe.pictures, recipe.seed)
    _refuse_overlap(pictures, labelled)
    trials = Trials(
        original, recipe=recipe, pictures=pictures, labelled=labelled, device=device, profile=profile, say=say
    )
    passed = first_that_passes(trials, max_recall_drop=max_recall_drop, max_false_ratio=max_false_ratio)
    say("timing both")
    speeds = speed.timed(trials.original, passed.model, device=device)
    manifest = _finished(passed)
    said = json.dumps(manifest.model_dump(mode="json", exclude_none=True), indent=2, ensure_ascii=False) + "\n"
    certificate = Certificate(
        model=manifest.name,
        files=manifest.files,
        manifest_sha256=hashlib.sha256(said.encode()).hexdigest(),
        reference=original.sha256,
        recipe=recipe.model_dump(mode="json", exclude_none=True),
        kept=tuple(passed.kept),
        calibration=tuple(one.sha256 for one in pictures),
        gate_sha256=labelled.sha256(),
        gate_pictures=len(labelled),
        profile=profile,
        versions={"edgeanon": __version__, "openvino": runtime.version(), "nncf": post_training.version()},
        max_recall_drop=max_recall_drop,
        max_false_ratio=max_false_ratio,
        threshold_before=original.manifest.threshold,
        threshold_after=manifest.threshold,
        compared=passed.compared,
        speeds=speeds,
        bytes_before=len(original.structure) + len(original.weights),
        bytes_after=len(passed.model.structure) + len(passed.model.weights),
        attempts=tuple(passed.attempts),
    )
    with atomic_folder(out, overwrite=overwrite) as folder:
        (folder / "model.xml").write_bytes(passed.model.structure)
        (folder / "model.bin").write_bytes(passed.model.weights)
        (folder / MANIFEST_NAME).write_text(said, encoding="utf-8")
        write_certificate(folder / CERTIFICATE_NAME, certificate)
    return certificate


def here() -> Target:
    """The target that is this machine's CPU."""
    return "cpu-vnni" if runtime.eight_bit("CPU") else "cpu"


def _refuse_overlap(pictures: Sequence[calibration_set.Candidate], labelled: LabelledSet) -> None:
    gate = {calibration_set.file_hash(picture.path) for picture in labelled}
    both = [one.path for one in pictures if one.sha256 in gate]
    if both:
        raise ConfigError(
            f"{len(both)} of the calibration pictures are in the labelled set as well ({both[0]}): what was calibrated "
            "on cannot judge; leave them out of one of the two"
        )


def _finished(passed: Passed) -> Manifest:
    """What the quantized model's manifest says."""
    model = passed.model
    files = {"model.xml": model.structure, "model.bin": model.weights}
    scores: dict[str, float] = {}
    for one in passed.compared:
        of = f" {one.kind}s" if len(passed.compared) > 1 else ""
        scores[f"recall{of}"] = round(one.after / one.objects, 3)
        scores |= {f"recall{of} {part.name}": round(part.after / part.objects, 3) for part in one.bins if part.objects}
    return model.manifest.model_copy(
        update={
            "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
            "precision": "INT8",
            "robustness": {},  # was measured of the original
            "made_with": model.manifest.made_with | {"openvino": runtime.version(), "nncf": post_training.version()},
            "scores": scores,
        }
    )


def write_certificate(path: Path, certificate: Certificate) -> None:
    """Write a certificate as JSON."""
    path.write_text(certificate.model_dump_json(indent=2) + "\n", encoding="utf-8")
