import hashlib
import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeanon import Detector, Kind, Manifest
from edgeanon.errors import ConfigError, ModelError
from edgeanon.models import MANIFEST_NAME, ZOO, load_file, load_shipped, read_manifest, shipped
from tests import tiny


def test_a_face_and_a_plate_model_are_shipped_with_all_that_must_be_known() -> None:
    assert shipped() == ["face", "plate"]
    for name in shipped():
        manifest = load_shipped(name).manifest
        assert {kind.name.lower() for kind in manifest.finds} == {name}
        assert set(manifest.files) == {"model.xml", "model.bin"}
        assert manifest.source
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


def test_a_class_number_that_the_manifest_does_not_list_is_other() -> None:
    manifest = Manifest(name="own", kinds={0: "face", 2: "plate"})
    assert [manifest.kind_of(number) for number in (0, 1, 2)] == [Kind.FACE, Kind.OTHER, Kind.PLATE]


def test_a_manifest_without_a_decoder_asks_for_a_function(tmp_path: Path) -> None:
    path = tiny.save(tiny.bright(), tmp_path, name="own")
    with pytest.raises(ConfigError, match="decode="):
        Detector.from_file(path)


def test_the_hash_of_a_model_is_over_its_files(tmp_path: Path) -> None:
    path = tiny.save(tiny.bright(), tmp_path, **tiny.FACES)
    both = path.read_bytes() + path.with_suffix(".bin").read_bytes()
    assert load_file(path).sha256 == hashlib.sha256(both).hexdigest()
