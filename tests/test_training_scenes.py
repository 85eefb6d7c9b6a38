"""What the plate network is trained on: drawn plates, decoys, scenes, and the list of pictures."""

import hashlib
import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from calibration.training import by_source, curve, decoys, pictures, plates, scenes
from calibration.training.pictures import PictureList, Source
from edgeanon.boxes import as_boxes
from edgeanon.detections import Detections, Kind
from edgeanon.errors import ConfigError
from edgeanon.evaluation import Labelled
from edgeanon.evaluation.evidence import evidence

MAGENTA = (255, 0, 255)


def scene_maker(seed: int = 1, **changes: object) -> scenes.Scenes:
    drawn, others = scenes.pools(0, drawn=12, others=6)
    settings = {"labelled": 0.5, "bare": 0.0, "side": 128, "seed": seed} | changes
    return scenes.Scenes(drawn, others, [photograph()], **settings)  # type: ignore[arg-type]


def photograph() -> pictures.Photograph:
    """A grey picture with one magenta plate."""
    image = np.full((300, 400, 3), 90, np.uint8)
    image[140:170, 150:250] = MAGENTA
    _, content = cv2.imencode(".png", image)
    return pictures.photograph(content.tobytes(), [[150, 140, 100, 30]], source="made", sha256="1" * 64)


def magenta(image: NDArray[np.uint8]) -> tuple[float, float, float, float]:
    """Edges of all that is nearly magenta."""
    blue, green, red = (image[..., channel].astype(int) for channel in range(3))
    rows, columns = np.nonzero((np.minimum(blue, red) - green) > 120)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


@pytest.mark.parametrize("form", plates.formats(), ids=lambda form: form.name)
def test_a_drawn_plate_has_its_form_and_something_written_on_it(form: plates.Format) -> None:
    plate = plates.draw(form, np.random.default_rng(3))
    assert plate.shape[2] == 4
    ratios = [width / height for width, height in form.size]
    assert min(ratios) * 0.9 < plate.shape[1] / plate.shape[0] < max(ratios) * 1.1
    middle = plate[plate.shape[0] // 8 : -plate.shape[0] // 8, plate.shape[1] // 8 : -plate.shape[1] // 8, :3]
    assert middle.reshape(-1, 3).std(axis=0).max() > 12


def test_every_decoy_can_be_drawn_and_is_not_empty() -> None:
    for draw, _ in decoys.SORTS:
        decoy = draw(np.random.default_rng(1))
        assert decoy.shape[2] == 4
        assert min(decoy.shape[:2]) >= 16
        assert decoy[..., 3].any()


def test_the_same_seed_makes_the_same_scenes_and_another_makes_others() -> None:
    first, again, other = scene_maker(), scene_maker(), scene_maker(seed=2)
    for number in range(6):
        one, same = first.scene(number), again.scene(number)
        np.testing.assert_array_equal(one.image, same.image)
        np.testing.assert_array_equal(one.plates, same.plates)
    assert any(not np.array_equal(first.scene(number).image, other.scene(number).image) for number in range(6))
    assert not np.array_equal(first.scene(0).image, first.scene(1).image)


def test_what_is_asked_for_is_large_enough_and_mostly_in_the_scene() -> None:
    maker, asked = scene_maker(labelled=0.3), 0
    for number in range(40):
        scene = maker.scene(number)
        assert scene.image.shape == (128, 128, 3)
        for x1, y1, x2, y2 in scene.plates.tolist():
            asked += 1
            assert y2 - y1 >= scenes.SMALLEST
            assert scenes.seen((x1, y1, x2, y2), 128) >= scenes.VISIBLE
    assert asked > 20


def test_a_label_is_where_its_plate_comes_to_lie_in_a_part_of_a_photograph() -> None:
    for seed in range(25):
        work = scenes.part_of(photograph(), 128, np.random.default_rng(seed))
        if work.plates:
            (box,) = work.plates
            np.testing.assert_allclose(np.clip(box, 0, 128), magenta(work.image), atol=5)


def test_a_label_is_where_a_plate_was_hung() -> None:
    """Hung twice by the same chance, a dark and a light plate differ where the plate is and nowhere else."""
    maker, checked = scene_maker(), 0
    for seed in range(20):
        works = []
        for level in (10, 250):
            sheet = np.full((60, 200, 4), (level, level, level, 255), np.uint8)
            works.append(scenes._Work(np.full((128, 128, 3), 90, np.uint8), [], []))
            maker._hang(works[-1], sheet, (64, 64), 20, np.random.default_rng(seed))
        for box in works[0].plates:
            rows, columns = np.nonzero((works[0].image != works[1].image).any(axis=2))
            edges = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
            np.testing.assert_allclose(box, edges, atol=2)
            checked += 1
    assert checked > 10


def listed_folder(folder: Path) -> PictureList:
    """Two pictures, one with a plate, and their list."""
    entries, sources = [], {}
    for number, source in enumerate(("cars", "people")):
        path = folder / f"{number}.png"
        cv2.imwrite(str(path), np.full((40, 60, 3), 50 * number, np.uint8))
        objects = [{"label": "plate", "bbox": [5, 5, 20, 8]}] if source == "cars" else []
        entries.append({"image": path.name, "width": 60, "height": 40, "source": source, "objects": objects})
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        use = "train" if source == "cars" else "negative"
        sources[source] = Source(origin="made", licence="none", use=use, pictures=(sha256,))
    (folder / "annotations.json").write_text(json.dumps(entries), encoding="utf-8")
    return PictureList(sources=sources)


def test_only_listed_pictures_are_read_and_a_missing_one_is_an_error(tmp_path: Path) -> None:
    listing = listed_folder(tmp_path)
    (cars,) = pictures.load(tmp_path, ["cars"], listing)
    assert cars.plates.tolist() == [[5, 5, 25, 13]]
    (tmp_path / "0.png").write_bytes((tmp_path / "1.png").read_bytes())
    with pytest.raises(ConfigError, match="lacks 1 of the listed pictures of cars"):
        pictures.load(tmp_path, ["cars"], listing)


def test_some_pictures_of_every_source_judge_instead_of_teaching() -> None:
    listing = pictures.listed()
    assert set(listing.sources) > {"romanian", "iwpod", "egypt_moto"}
    assert listing.sources["egypt_moto"].use == "measure"
    for source in listing.sources.values():
        if source.use == "train":
            shares = [pictures.learned(sha256, plates=True) for sha256 in source.pictures]
            assert 0.8 < np.mean(shares) < 1


def test_recall_is_read_off_where_false_detections_are_few_enough() -> None:
    kinds, ignored = np.full(2, Kind.PLATE, np.uint8), np.zeros(2, np.bool_)
    labels = Labelled(Path("none.png"), 100, 100, "", as_boxes([[0, 0, 10, 5], [20, 0, 30, 5]]), kinds, ignored)
    boxes = as_boxes([[0, 0, 10, 5], [50, 50, 60, 55], [20, 0, 30, 5]])
    found = Detections(boxes, np.array([0.9, 0.8, 0.7], np.float32), np.full(3, Kind.PLATE, np.uint8))
    known = evidence([labels], [found], Kind.PLATE)
    assert by_source.recall_at(known, 0) == pytest.approx((0.5, 0.9))
    assert by_source.recall_at(known, 1) == pytest.approx((1.0, 0.7))


@pytest.mark.slow
def test_sources_are_judged_by_models_that_lack_them_beside_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole script, twice: the second time the detections are taken from where they were kept."""
    listed_folder(tmp_path)
    plate = str(Path(by_source.__file__).parents[2] / "edgeanon" / "zoo" / "plate")
    options = ["--data", str(tmp_path), "--model", "plate", "--left-out", f"cars={plate}", "--beside", "same=plate"]
    options += ["--profile", "fast", "--keep", str(tmp_path / "kept"), "--json", str(tmp_path / "a.json"), "--markdown"]
    monkeypatch.setattr(sys, "argv", ["by_source", *options])
    tables = []
    for _ in range(2):
        by_source.main()
        tables.append(capsys.readouterr().out)
    assert tables[0] == tables[1]
    assert "| cars (left out), ours | 1 |" in tables[0]
    assert "1 pictures without plates, same: " in tables[0]
    written = json.loads((tmp_path / "a.json").read_text())
    assert written["left_out"] == ["cars"]
    assert written["results"]["ours"] == written["results"]["same"]


def test_a_learning_curve_is_drawn_from_left_to_right() -> None:
    points = [{"scenes": 100, "average_precision": 0.5}, {"scenes": 200, "average_precision": 1.0}]
    drawn = curve.drawing({"first": points})
    line = drawn.split('points="')[1].split('"')[0]
    (x1, y1), (x2, y2) = (map(float, pair.split(",")) for pair in line.split())
    assert x1 < x2
    assert y1 > y2
    assert "first" in drawn
