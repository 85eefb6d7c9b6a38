import hashlib
import json
import math
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from edgeanon import Detector, Kind, Manifest
from edgeanon.errors import ConfigError, ModelError
from edgeanon.models import MANIFEST_NAME, ZOO, load_file, load_shipped, read_manifest, shipped
from tests import tiny


def test_a_face_and_a_plate_model_are_shipped_with_all_that_must_be_known() -> None:
    assert shipped() == ["face", "plate", "plate-world"]
    for name in shipped():
        manifest = load_shipped(name).manifest
        assert {kind.name.lower() for kind in manifest.finds} == {name.split("-")[0]}
        assert set(manifest.files) == {"model.xml", "model.bin"}
        assert manifest.source or manifest.made_from
        assert manifest.licence
        assert manifest.notice
        assert manifest.caveats
        assert manifest.made_with["openvino"]


def test_a_shipped_model_stays_under_four_megabytes() -> None:
    for name in shipped():
        assert sum(path.stat().st_size for path in (ZOO / name).iterdir()) < 4_000_000


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(ZOO / "plate", tmp_path_factory.mktemp("zoo") / "plate"))


@given(st.data())
def test_a_changed_byte_is_a_model_error(copy: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["model.xml", "model.bin"]))
    content = (copy / name).read_bytes()
    place = data.draw(st.integers(0, len(content) - 1))
    changed = bytearray(content)
    changed[place] ^= data.draw(st.integers(1, 255))
    (copy / name).write_bytes(changed)
    try:
        with pytest.raises(ModelError, match=name):
            load_file(copy / "model.xml")
    finally:
        (copy / name).write_bytes(content)


def test_a_model_that_is_missing_or_of_another_kind_is_an_error(tmp_path: Path) -> None:
    path = tiny.save(tiny.bright(), tmp_path, **tiny.FACES)
    with pytest.raises(ModelError, match=r"\.xml.*\.onnx"):
        load_file(tmp_path / "model.pt")
    path.with_suffix(".bin").unlink()
    with pytest.raises(ModelError, match=r"model\.bin"):
        load_file(path)


def test_an_unknown_shipped_model_names_those_there_are() -> None:
    with pytest.raises(ConfigError, match="face, plate"):
        Detector("eye")


def test_a_model_without_a_manifest_says_what_it_needs(tmp_path: Path) -> None:
    path = tiny.save(tiny.bright(), tmp_path, **tiny.FACES)
    (tmp_path / MANIFEST_NAME).unlink()
    with pytest.raises(ConfigError, match="manifest"):
        load_file(path)
    assert load_file(path, Manifest(name="own")).manifest.name == "own"


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"thresold": 0.2}, "thresold"),
        ({"threshold": 2}, "threshold"),
        ({"input": {"color": "HSV"}}, "input.color"),
        ({"decoder": {"name": "yolo-99"}}, "decoder"),
        ({"kinds": {"0": "dog"}}, "kinds.0"),
        ({"files": {"../model.bin": "0" * 64}}, "files"),
        ({"files": {"model.bin": "beef"}}, "files.model.bin"),
        ({"input": {"scale": [1, 0, 1]}}, "input.scale.1"),
        ({"input": {"scale": [-1, 1, 1]}}, "input.scale.0"),
        ({"input": {"scale": [1, 1, math.inf]}}, "input.scale.2"),
        ({"input": {"scale": [1, 1]}}, "input.scale.2"),
        ({"input": {"mean": [0, 0, math.nan]}}, "input.mean.2"),
        ({"input": {"mean": [-math.inf, 0, 0]}}, "input.mean.0"),
        ({"input": {"zoom": math.nan}}, "input.zoom"),
        ({"input": {"multiple": 0}}, "input.multiple"),
        ({"decoder": {"name": "retinaface", "strides": [8, 16]}}, "decoder.*2 strides and 3"),
        ({"decoder": {"name": "retinaface", "strides": [8, 0, 32]}}, "decoder.*strides.1"),
        ({"decoder": {"name": "retinaface", "strides": [], "sides": []}}, "decoder.*strides"),
        ({"decoder": {"name": "retinaface", "sides": [[8], [], [32]]}}, "decoder.*sides.1"),
        ({"kinds": {}}, "kinds"),
        ({"decoder": {"name": "yolo-v8", "classes": 0}}, "decoder.*classes"),
        ({"decoder": {"name": "yolo-v8", "extra": -1}}, "decoder.*extra"),
        ({"decoder": {"name": "yolo-v5", "strides": []}}, "decoder.*strides"),
        ({"decoder": {"name": "yolo-v5-grids", "strides": [8, 16]}}, "decoder.*2 strides and 3 anchors"),
        ({"decoder": {"name": "yolo-v5-grids", "grids": ["a"]}}, "decoder.*3 strides and 1 grids"),
        ({"decoder": {"name": "yolo-end-to-end", "anchors": 3}}, "decoder.*anchors"),
        ({"decoder": {"name": "ssd", "background": 3}}, "decoder.*background"),
    ],
)
def test_a_wrong_key_is_named_with_its_file(tmp_path: Path, change: dict[str, object], key: str) -> None:
    path = tmp_path / MANIFEST_NAME
    path.write_text(json.dumps(tiny.FACES | change))
    with pytest.raises(ConfigError, match=key) as caught:
        read_manifest(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"null"])
def test_what_is_no_manifest_is_a_config_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / MANIFEST_NAME
    path.write_bytes(content)
    with pytest.raises(ConfigError):
        read_manifest(path)


def test_a_class_number_that_the_manifest_does_not_list_does_not_count() -> None:
    manifest = Manifest(name="own", kinds={0: "face", 2: "plate"})
    assert [manifest.kind_of(number) for number in (0, 1, 2)] == [Kind.FACE, None, Kind.PLATE]
    assert manifest.finds == {Kind.FACE, Kind.PLATE}


def test_without_a_list_of_kinds_every_class_is_other_and_counts() -> None:
    manifest = Manifest(name="own")
    assert [manifest.kind_of(number) for number in (0, 79)] == [Kind.OTHER, Kind.OTHER]
    assert manifest.finds == {Kind.OTHER}


@pytest.mark.parametrize(
    ("kinds", "decoder", "message"),
    [
        ({"1": "face"}, {"name": "center-point"}, "class 1.*'center-point' comes 0 only"),
        ({"0": "face", "3": "plate"}, {"name": "yolo-v8", "classes": 3}, "class 3.*'yolo-v8' comes 0 to 2"),
        ({"0": "face"}, {"name": "ssd"}, "class 0.*'ssd' comes 1 only"),
        ({"1": "face"}, {"name": "ssd", "background": False}, "class 1.*'ssd' comes 0 only"),
        ({"-1": "face"}, {"name": "yolo-v5"}, "class -1.*'yolo-v5' comes 0 only"),
    ],
)
def test_a_kind_that_could_never_be_found_is_refused(
    kinds: dict[str, str], decoder: dict[str, object], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        Manifest.model_validate({"name": "own", "kinds": kinds, "decoder": decoder})


def test_a_manifest_without_a_decoder_asks_for_a_function(tmp_path: Path) -> None:
    path = tiny.save(tiny.bright(), tmp_path, name="own")
    with pytest.raises(ConfigError, match="decode="):
        Detector.from_file(path)


def test_the_hash_of_a_model_is_over_its_files(tmp_path: Path) -> None:
    path = tiny.save(tiny.bright(), tmp_path, **tiny.FACES)
    both = path.read_bytes() + path.with_suffix(".bin").read_bytes()
    assert load_file(path).sha256 == hashlib.sha256(both).hexdigest()


def test_the_hash_of_a_manifest_is_over_what_it_says_and_not_how_it_is_written(tmp_path: Path) -> None:
    said = tiny.FACES | {
        "decoder": {"name": "yolo-v8", "classes": 4},
        "kinds": {"0": "face", "3": "plate"},
        "scores": {"recall": 0.9, "precision": 0.8},
    }
    one, other = tmp_path / "one.json", tmp_path / "other.json"
    one.write_text(json.dumps(said))
    turned = {key: dict(reversed(value.items())) if isinstance(value, dict) else value for key, value in said.items()}
    other.write_text(json.dumps(dict(reversed(turned.items())), indent=4))
    assert read_manifest(one).sha256 == read_manifest(other).sha256
    # In another process as well: hashes of Python's own differ from one to the next.
    code = f"from edgeanon.models import *; print(read_manifest(Path({str(one)!r})).sha256)"
    again = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert again.stdout.strip() == read_manifest(one).sha256


@pytest.mark.parametrize(
    "change",
    [
        {"threshold": 0.51},
        {"overlap": 0.5},
        {"kinds": {"0": "plate"}},
        {"input": {"multiple": 8}},
        {"decoder": {"name": "center-point", "stride": 8}},
        {"caveats": ["none"]},
        {"files": {"model.bin": "0" * 64}},
    ],
    ids=str,
)
def test_the_hash_of_a_manifest_changes_with_what_it_says(change: dict[str, object]) -> None:
    hashes = {Manifest.model_validate_json(json.dumps(said)).sha256 for said in (tiny.FACES, tiny.FACES | change)}
    assert len(hashes) == 2
