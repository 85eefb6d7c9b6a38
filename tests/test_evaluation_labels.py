"""Labelled sets in every format, and what is wrong with some."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeanon import ConfigError, Kind, MediaError
from edgeanon.evaluation import FORMATS, LabelledSet, read_labels
from tests import labelled

WIDTH, HEIGHT = 80, 60
FACE, PLATE, VAGUE = (10, 20, 30, 50), (40, 10, 70, 20), (0, 0, 8, 9)


def picture(path: Path, width: int = WIDTH, height: int = HEIGHT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.zeros((height, width, 3), np.uint8))
    return path


def sides(box: tuple[int, int, int, int]) -> list[int]:
    x1, y1, x2, y2 = box
    return [x1, y1, x2 - x1, y2 - y1]


def plain(folder: Path, **changes: object) -> Path:
    """The project's own JSON: a face, a plate, and a face to be ignored."""
    picture(folder / "a.png")
    objects = [
        {"label": "face", "bbox": sides(FACE)},
        {"label": "plate", "bbox": sides(PLATE)},
        {"label": "face", "bbox": sides(VAGUE), "ignore": True},
    ]
    path = folder / "annotations.json"
    path.write_text(json.dumps([{"image": "a.png", "width": WIDTH, "height": HEIGHT, "objects": objects} | changes]))
    return path


def coco(folder: Path, **changes: object) -> Path:
    picture(folder / "images" / "a.png")
    whole = {
        "images": [{"id": 7, "file_name": "a.png", "width": WIDTH, "height": HEIGHT}],
        "categories": [{"id": 1, "name": "Face"}, {"id": 2, "name": "license_plate"}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 1, "bbox": sides(FACE), "iscrowd": 0, "area": 1},
            {"id": 2, "image_id": 7, "category_id": 2, "bbox": sides(PLATE)},
            {"id": 3, "image_id": 7, "category_id": 1, "bbox": sides(VAGUE), "iscrowd": 1},
        ],
    }
    path = folder / "instances.json"
    path.write_text(json.dumps(whole | changes))
    return path


def yolo(folder: Path, names: str | None = "classes.txt") -> Path:
    """Without the face to be ignored, which the format cannot say."""
    picture(folder / "images" / "a.png")
    rows = []
    for number, (x1, y1, x2, y2) in enumerate((FACE, PLATE)):
        middle = (x1 + x2) / 2 / WIDTH, (y1 + y2) / 2 / HEIGHT
        rows.append(f"{number} {middle[0]} {middle[1]} {(x2 - x1) / WIDTH} {(y2 - y1) / HEIGHT}")
    (folder / "labels").mkdir()
    (folder / "labels" / "a.txt").write_text("\n".join(rows) + "\n")
    if names == "classes.txt":
        (folder / names).write_text("face\nplate\n")
    elif names:
        (folder / "data.yaml").write_text(names)
    return folder


def voc(folder: Path) -> Path:
    picture(folder / "JPEGImages" / "a.png")
    objects = ""
    for name, (x1, y1, x2, y2), difficult in (("face", FACE, 0), ("plate", PLATE, 0), ("face", VAGUE, 1)):
        objects += (
            f"<object><name>{name}</name><difficult>{difficult}</difficult><bndbox><xmin>{x1 + 1}</xmin>"
            f"<ymin>{y1 + 1}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox></object>"
        )
    (folder / "Annotations").mkdir()
    (folder / "Annotations" / "a.xml").write_text(
        f"<annotation><filename>a.png</filename><size><width>{WIDTH}</width><height>{HEIGHT}</height></size>{objects}"
        "</annotation>"
    )
    return folder


def wider(folder: Path) -> Path:
    """A picture with a face and an invalid one, and two without any, one with its line of zeros."""
    for name in ("a", "b", "c"):
        picture(folder / "images" / "0--Parade" / f"{name}.png")
    rows = [
        "0--Parade/b.png", "0", "0 0 0 0 0 0 0 0 0 0",
        "0--Parade/c.png", "0",
        "0--Parade/a.png", "2",
        f"{' '.join(map(str, sides(FACE)))} 0 0 0 0 0 0", f"{' '.join(map(str, sides(VAGUE)))} 2 0 0 1 0 0",
    ]  # fmt: skip
    path = folder / "wider_face_val_bbx_gt.txt"
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.mark.parametrize("make", [plain, coco, yolo, voc])
def test_every_format_says_the_same(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    (one,) = read_labels(make(tmp_path))
    assert one.of(Kind.FACE).tolist() == [list(FACE)]
    np.testing.assert_allclose(one.of(Kind.PLATE), [PLATE], atol=1e-4)
    assert one.ignored_of(Kind.FACE).tolist() == ([] if make is yolo else [list(VAGUE)])
    assert (one.width, one.height) == (WIDTH, HEIGHT)
    assert one.read().shape == (HEIGHT, WIDTH, 3)


def test_wider_face_has_faces_and_pictures_without_any(tmp_path: Path) -> None:
    read = read_labels(wider(tmp_path))
    assert [one.path.stem for one in read] == ["b", "c", "a"]
    assert [len(one.of(Kind.FACE)) for one in read] == [0, 0, 1]
    assert read[2].ignored_of(Kind.FACE).tolist() == [list(VAGUE)]
    assert {one.source for one in read} == {"0--Parade"}
    assert read[0].judged == {Kind.FACE}


def test_a_folder_holds_the_projects_own_labels_under_their_usual_name(tmp_path: Path) -> None:
    plain(tmp_path)
    assert len(read_labels(tmp_path)) == 1


@pytest.mark.parametrize("names", ["names: [face, plate]\n", "names:\n  0: face\n  1: plate\nnc: 2\n"])
def test_names_of_classes_come_from_a_yaml_file(tmp_path: Path, names: str) -> None:
    (one,) = read_labels(yolo(tmp_path, names))
    assert one.of(Kind.FACE).tolist() == [list(FACE)]


def test_numbers_of_classes_are_told_their_meaning(tmp_path: Path) -> None:
    folder = yolo(tmp_path, None)
    with pytest.raises(ConfigError, match="--label '0=face'"):
        read_labels(folder)
    (one,) = read_labels(folder, names={"0": Kind.FACE, "1": "skip"})
    assert (len(one.of(Kind.FACE)), len(one.of(Kind.PLATE))) == (1, 0)


def test_yaml_without_its_reader_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(ConfigError, match=r"edgeanon\[evaluation\]"):
        read_labels(yolo(tmp_path, "names: [face, plate]\n"))


def test_an_outline_of_yolo_is_taken_by_its_box(tmp_path: Path) -> None:
    folder = yolo(tmp_path)
    (folder / "labels" / "a.txt").write_text("0 0.25 0.5 0.5 0.25 0.75 0.75\n")
    (one,) = read_labels(folder)
    assert one.of(Kind.FACE).tolist() == [[20, 15, 60, 45]]


def test_a_region_to_ignore_is_ignored_for_every_kind(tmp_path: Path) -> None:
    (one,) = read_labels(plain(tmp_path, objects=[{"label": "crowd", "bbox": [0, 0, 9, 9]}]), names={"crowd": "ignore"})
    assert [len(one.ignored_of(kind)) for kind in Kind] == [1, 1, 1]


def test_kinds_nobody_labelled_in_a_source_are_not_judged_there(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        labelled.dotted(tmp_path / f"{name}.png")
    plate: dict[str, object] = {"label": "plate", "bbox": [1, 2, 30, 10]}
    read = read_labels(
        labelled.write(
            tmp_path,
            labelled.entry("a.png", labelled.face(100, 100), source="people"),
            labelled.entry("b.png", plate, source="roads", labelled=["plate", "face"]),
            labelled.entry("c.png", source="nobody"),
        )
    )
    assert [one.judged for one in read] == [{Kind.FACE}, {Kind.FACE, Kind.PLATE}, set(Kind)]
    assert [one.path.stem for one in read.only(Kind.PLATE)] == ["b", "c"]


def test_a_sample_is_spread_over_the_sources_and_the_same_for_a_seed(tmp_path: Path) -> None:
    entries = []
    for index in range(40):
        picture(tmp_path / f"{index}.png", 8, 8)
        source = "many" if index < 30 else "few"
        entries.append({"image": f"{index}.png", "width": 8, "height": 8, "source": source})
    (tmp_path / "annotations.json").write_text(json.dumps(entries))
    read = read_labels(tmp_path)
    one, again, other = read.sample(12, seed=1), read.sample(12, seed=1), read.sample(12, seed=2)
    assert [picture.path for picture in one] == [picture.path for picture in again]
    assert [picture.path for picture in one] != [picture.path for picture in other]
    assert sum(picture.source == "few" for picture in one) == 3
    assert len(read.sample(100)) == 40


def test_one_hash_stands_for_pictures_and_labels(tmp_path: Path) -> None:
    first = read_labels(plain(tmp_path)).sha256()
    assert read_labels(plain(tmp_path)).sha256() == first
    assert read_labels(plain(tmp_path, objects=[])).sha256() != first
    read = read_labels(plain(tmp_path))
    cv2.imwrite(str(tmp_path / "a.png"), np.ones((HEIGHT, WIDTH, 3), np.uint8))
    assert read.sha256() != first
    assert isinstance(read[:1], LabelledSet)


def face(*bbox: float) -> dict[str, object]:
    return {"label": "face", "bbox": bbox}


def test_what_was_changed_in_reading_is_noted(tmp_path: Path) -> None:
    objects = [face(70, 50, 30, 30), face(100, 0, 5, 5), face(1, 1, 0, 5), face(1, 1, 5, 5), face(1, 1, 5, 5)]
    read = read_labels(plain(tmp_path, objects=objects))
    assert read[0].of(Kind.FACE).tolist() == [[70, 50, 80, 60], [1, 1, 6, 6]]
    assert sorted(read.notes) == [
        "1 equal to another of the same picture: counted once",
        "1 reaching beyond the picture: clipped",
        "2 without area, or wholly outside the picture: left out",
    ]


@pytest.mark.parametrize(
    ("objects", "said"),
    [
        pytest.param([face(1, 2, -3, 4)], "negative width", id="negative"),
        pytest.param([face(float("nan"), 2, 3, 4)], "no number", id="NaN"),
        pytest.param([face(1, 2, float("inf"), 4)], "no number", id="infinite"),
        pytest.param([face(1, 2, 3)], "bbox", id="three numbers"),
        pytest.param([{"label": "dog", "bbox": [1, 2, 3, 4]}], r"'dog' \(1\).*--label 'dog=face'", id="unknown label"),
        pytest.param([{"bbox": [1, 2, 3, 4]}], "label", id="no label"),
    ],
)
def test_wrong_labels_are_refused(tmp_path: Path, objects: list[object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read_labels(plain(tmp_path, objects=objects))


def test_missing_pictures_are_counted_and_the_first_is_named(tmp_path: Path) -> None:
    path = plain(tmp_path)
    (tmp_path / "a.png").rename(tmp_path / "b.png")
    with pytest.raises(MediaError, match=r"1 of 1 pictures are missing, the first is .*a\.png; name the folder"):
        read_labels(path)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "b.png").rename(tmp_path / "elsewhere" / "a.png")
    assert len(read_labels(path, images=tmp_path / "elsewhere")) == 1


def test_a_picture_of_another_size_is_refused(tmp_path: Path) -> None:
    path = plain(tmp_path)
    picture(tmp_path / "a.png", HEIGHT, WIDTH)
    with pytest.raises(ConfigError, match=r"60 x 80 pixels and its labels say 80 x 60 \(turned by its EXIF"):
        read_labels(path)
    picture(tmp_path / "a.png", 10, 10)
    with pytest.raises(ConfigError, match="10 x 10 pixels"):
        read_labels(path)


def test_a_picture_that_changes_after_reading_is_refused(tmp_path: Path) -> None:
    (one,) = read_labels(plain(tmp_path))
    picture(tmp_path / "a.png", 10, 10)
    with pytest.raises(ConfigError, match="10 x 10"):
        one.read()


def test_a_picture_listed_twice_is_refused(tmp_path: Path) -> None:
    path = plain(tmp_path)
    path.write_text(json.dumps(json.loads(path.read_text()) * 2))
    with pytest.raises(ConfigError, match=r"lists a\.png twice, as picture 1 and 2"):
        read_labels(path)


@pytest.mark.parametrize("content", ["[]", "{}", "nonsense", '{"images": [], "annotations": []}', '"text"'])
def test_labels_of_nothing_or_in_no_format_are_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(ConfigError, match=r"a\.json"):
        read_labels(tmp_path / "a.json")


def test_what_is_no_labels_says_which_formats_there_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="COCO, WIDER FACE text"):
        read_labels(tmp_path)
    (tmp_path / "notes.txt").write_text("hello\n")
    with pytest.raises(ConfigError, match="COCO, WIDER FACE text"):
        read_labels(tmp_path / "notes.txt")
    with pytest.raises(MediaError, match="cannot be read"):
        read_labels(tmp_path / "none.json")
    with pytest.raises(ConfigError, match=", ".join(FORMATS)):
        read_labels(tmp_path, form="xls")


BOX = {"bbox": [1, 2, 3, 4]}


@pytest.mark.parametrize(
    ("make", "name", "content", "said"),
    [
        pytest.param(yolo, "labels/a.txt", "0 0.5 0.5 x 0.1", "line 1", id="yolo, no number"),
        pytest.param(yolo, "labels/a.txt", "0 0.5", "line 1", id="yolo, too short"),
        pytest.param(voc, "Annotations/a.xml", "<annotation>", "no XML", id="voc, no end"),
        pytest.param(voc, "Annotations/a.xml", "<a/>", "<filename>", id="voc, no name"),
        pytest.param(voc, "Annotations/a.xml", '<!DOCTYPE a [<!ENTITY b "c">]><a/>', "entities", id="voc, entities"),
        pytest.param(wider, "", "a.png\n3\n1 2 3 4\n", "ends within", id="wider, cut short"),
        pytest.param(wider, "", "a.png\n1\na b c d\n", "is no face", id="wider, no numbers"),
        pytest.param(wider, "", "a.png\n0\nb.png\nc.png\n", "number of faces", id="wider, no count"),
    ],
)
def test_damaged_labels_are_refused(
    tmp_path: Path, make: Callable[[Path], Path], name: str, content: str, said: str
) -> None:
    path = make(tmp_path)
    (path / name).write_text(content)
    with pytest.raises(ConfigError, match=said):
        read_labels(path)


def test_a_label_of_no_picture_or_no_category_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="image 8 that it does not list"):
        read_labels(coco(tmp_path, annotations=[{"image_id": 8, "category_id": 1, **BOX}]))
    with pytest.raises(ConfigError, match="'5'"):
        read_labels(coco(tmp_path, annotations=[{"image_id": 7, "category_id": 5, **BOX}]))
