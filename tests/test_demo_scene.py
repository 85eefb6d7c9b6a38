"""The demonstration picture: what is committed is what the script makes, and it shows faces and plates of all sizes."""

import hashlib
import importlib
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest

pytestmark = pytest.mark.slow  # draws the whole picture

ROOT = Path(__file__).parent.parent
DEMO = ROOT / "examples" / "demo"


@pytest.fixture(scope="module")
def scene() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        return importlib.import_module("examples.demo_scene")


@pytest.fixture(scope="module")
def made(scene: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    scene.main(folder)
    return folder


@pytest.fixture(scope="module")
def labels() -> dict[str, Any]:
    (entry,) = json.loads((DEMO / "street.json").read_text(encoding="utf-8"))
    return dict(entry)


def heights(labels: dict[str, Any], label: str) -> list[int]:
    return [item["bbox"][3] for item in labels["objects"] if item["label"] == label]


def test_the_script_makes_the_committed_labels(made: Path) -> None:
    assert json.loads((made / "street.json").read_text()) == json.loads((DEMO / "street.json").read_text())


def test_the_script_makes_the_committed_picture(made: Path) -> None:
    committed, again = (cv2.imread(str(folder / "street.jpg")) for folder in (DEMO, made))
    assert committed is not None
    assert again is not None
    difference = np.abs(committed.astype(int) - again.astype(int))
    assert difference.mean() < 1.0  # a little room: other versions of OpenCV and Pillow round and cut out otherwise
    assert (difference.max(axis=2) > 48).mean() < 0.001


def test_the_labels_know_the_size_of_the_picture(labels: dict[str, Any]) -> None:
    picture = cv2.imread(str(DEMO / labels["image"]))
    assert picture is not None
    assert picture.shape == (labels["height"], labels["width"], 3)


def test_every_box_lies_inside_the_picture(labels: dict[str, Any]) -> None:
    for item in labels["objects"]:
        left, top, width, height = item["bbox"]
        assert min(left, top) >= 0
        assert min(width, height) > 0
        assert left + width <= labels["width"]
        assert top + height <= labels["height"]


def test_no_two_boxes_touch(labels: dict[str, Any]) -> None:
    covered = np.zeros((labels["height"], labels["width"]), int)
    for item in labels["objects"]:
        left, top, width, height = item["bbox"]
        covered[top : top + height, left : left + width] += 1
    assert covered.max() == 1


def test_there_are_faces_and_plates_large_and_small(labels: dict[str, Any]) -> None:
    assert {item["label"] for item in labels["objects"]} == {"face", "plate"}
    faces, plates = heights(labels, "face"), heights(labels, "plate")
    assert len(faces) >= 5
    assert min(faces) <= 24
    assert max(faces) >= 150
    assert len(plates) >= 3
    assert min(plates) <= 20
    assert max(plates) >= 50


def test_each_face_shows_skin_and_each_plate_is_brighter_than_its_car(labels: dict[str, Any]) -> None:
    """Guards against a label without its object, as when something is laid over it later."""
    picture = cv2.imread(str(DEMO / "street.jpg"))
    assert picture is not None
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    for item in labels["objects"]:
        left, top, width, height = item["bbox"]
        if item["label"] == "face":
            blue, _, red = picture[top + height // 4 : top + height * 3 // 4, left : left + width].mean(axis=(0, 1))
            assert red > blue + 25
        else:
            around = grey[top - height // 2 : top + height * 3 // 2, left - width // 4 : left + width * 5 // 4]
            assert grey[top : top + height, left : left + width].mean() > around.mean() + 15


def test_the_portrait_is_the_one_whose_source_is_stated() -> None:
    digest = hashlib.sha256((DEMO / "astronaut.jpg").read_bytes()).hexdigest()
    assert digest in (DEMO / "SOURCES.md").read_text(encoding="utf-8")


def test_a_sprite_that_is_placed_takes_its_boxes_along(scene: ModuleType) -> None:
    canvas = np.zeros((400, 400, 4), np.float32)
    sprite = scene.plate("ANON 470", style="european")
    (item,) = scene.place(canvas, sprite, 30, 50, scale=0.5)
    assert item.bbox == (30, 50, 190, 56)
    rows, columns = np.nonzero(canvas[..., 3] > 0.5)
    assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == (30, 50, 220, 106)


def test_what_sticks_out_of_the_canvas_is_cut_off(scene: ModuleType) -> None:
    canvas = np.zeros((60, 80, 4), np.float32)
    scene.place(canvas, scene.plate("EDGE 26", style="american"), -100, -50)
    assert canvas[..., 3].min() == pytest.approx(1)
    outside = canvas.copy()
    scene.place(canvas, scene.plate("EDGE 26", style="american"), 500, 500)
    assert np.array_equal(canvas, outside)
