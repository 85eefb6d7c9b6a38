"""Models of the families that users bring, from a picture to boxes: real networks, each with the head of its family."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest
from numpy.typing import NDArray

from edgeanon import Detections, Detector, Kind
from edgeanon.boxes import iou
from edgeanon.errors import ModelError
from tests import heads

Image = NDArray[np.uint8]
RED, GREEN, BLUE = (0, 0, 255), (0, 255, 0), (255, 0, 0)  # of BGR pictures
WIDTH, HEIGHT = 1280, 640

FAMILIES: dict[str, tuple[Callable[..., ov.Model], dict[str, object]]] = {
    "YOLOv8": (heads.yolo_v8, {"name": "yolo-v8"}),
    "YOLOv8 with landmarks": (lambda size: heads.yolo_v8(size, extra=15), {"name": "yolo-v8", "extra": 15}),
    "YOLOv5": (heads.yolo_v5, {"name": "yolo-v5"}),
    "YOLOv5 without its last steps": (heads.yolo_v5_grids, {"name": "yolo-v5-grids", "anchors": heads.ANCHORS}),
    "YOLOv10": (heads.yolo_end_to_end, {"name": "yolo-end-to-end"}),
    "Geti": (heads.boxes_and_labels, {"name": "boxes-and-labels"}),
    "SSD": (heads.ssd, {"name": "ssd"}),
    "SSD without background": (
        lambda size: heads.ssd(size, background=False),
        {"name": "ssd", "background": False},
    ),
}


def squares(*placed: tuple[tuple[int, int, int], int, int, int], size: tuple[int, int] = (WIDTH, HEIGHT)) -> Image:
    """A black picture with squares of a colour, at x and y, with a side."""
    image = np.zeros((size[1], size[0], 3), np.uint8)
    for colour, x, y, side in placed:
        image[y : y + side, x : x + side] = colour
    return image


def detector(family: str, folder: Path, size: tuple[int, int] | None = None, **options: Any) -> Detector:
    build, decoder = FAMILIES[family]
    return Detector.from_file(heads.save(build(size), folder, **decoder), **options)


def agrees(found: Detections, kind: Kind, place: tuple[int, int, int], *, least: float = 0.9) -> bool:
    """Whether exactly one box of this kind lies where the square is."""
    x, y, side = place
    overlaps = iou(np.array([[x, y, x + side, y + side]], np.float32), found.boxes[found.kinds == kind])[0]
    return int((overlaps > least).sum()) == 1


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_finds_what_is_there_and_only_that(family: str, tmp_path: Path) -> None:
    """A class that the manifest does not list, the blue one, does not count."""
    size = (WIDTH, HEIGHT) if family.startswith("SSD") else None  # a DetectionOutput that is free of size is rare
    image = squares((RED, 512, 96, 160), (GREEN, 128, 96, 80), (BLUE, 832, 320, 160))
    found = detector(family, tmp_path, size, profile="balanced").detect(image)
    assert agrees(found, Kind.FACE, (512, 96, 160))
    assert agrees(found, Kind.PLATE, (128, 96, 80))
    assert len(found) == 2
    assert (found.scores > 0.9).all()
    assert (found.scores <= 1).all()


@pytest.mark.parametrize("family", ["YOLOv8", "YOLOv5", "YOLOv10", "YOLOv5 without its last steps"])
def test_every_stride_finds_its_size(family: str, tmp_path: Path) -> None:
    places = [(64, 64, 40), (256, 64, 80), (512, 64, 160)]
    found = detector(family, tmp_path).detect(squares(*((RED, *place) for place in places)))
    assert all(agrees(found, Kind.FACE, place) for place in places)
    assert len(found) == 3


@pytest.mark.parametrize("family", ["YOLOv8", "YOLOv5", "SSD"])
@pytest.mark.parametrize(("width", "height"), [(720, 1280), (1280, 640)])
def test_a_network_of_one_input_size_sees_a_picture_of_any_shape_in_its_own_proportions(
    family: str, width: int, height: int, tmp_path: Path
) -> None:
    """In tiles and whole; what the picture lacks of the input is added at its right and below, and moves no box."""
    xs, ys = ((0, side // 32 * 16 - 48, side - 80) for side in (width, height))
    places = [(x, y, 80) for x in xs for y in ys][::2]  # corners and middle; tiles begin between the filter's cells
    found = detector(family, tmp_path, (320, 320)).detect(squares(*((RED, *at) for at in places), size=(width, height)))
    assert all(agrees(found, Kind.FACE, at, least=0.65) for at in places), found.boxes
    assert len(found) == len(places)


def test_the_picture_whole_is_what_finds_an_object_that_fills_it(tmp_path: Path) -> None:
    found = detector("YOLOv8", tmp_path, (320, 320)).detect(squares((GREEN, 128, 128, 320), size=(640, 640)))
    assert agrees(found, Kind.PLATE, (128, 128, 320))


def test_another_head_than_the_manifest_says_is_an_error_that_says_what_does_not_fit(tmp_path: Path) -> None:
    wrong = heads.save(heads.yolo_v5(), tmp_path, name="yolo-v8")
    with pytest.raises(ModelError, match=r"\[1, \d+, 8\], not \[1, 7, \d+\].*strides 8, 16, 32, classes 3, extra 0"):
        Detector.from_file(wrong).detect(squares())


def test_an_output_that_a_converter_left_without_a_name_is_found(tmp_path: Path) -> None:
    model = heads.yolo_v8()
    model.outputs[0].get_tensor().set_names(set())
    found = Detector.from_file(heads.save(model, tmp_path, name="yolo-v8")).detect(squares((RED, 64, 64, 80)))
    assert agrees(found, Kind.FACE, (64, 64, 80))
