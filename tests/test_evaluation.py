"""Evaluation of a tiny real network on pictures that can be counted by hand, and of the shipped ones."""

from pathlib import Path

import numpy as np
import pytest

import edgeanon
from edgeanon import ConfigError, Detector, Kind, Masker, MediaError, evaluation
from edgeanon.evaluation import LabelledSet, Rate, Share, read_labels, searched
from edgeanon.evaluation.misses import Misses
from edgeanon.evaluation.page import page
from edgeanon.evaluation.scores import Scores
from edgeanon.evaluation.tables import TOO_FEW, UNDEFINED, Table, tables
from tests import labelled

DEMO = Path(__file__).parent.parent / "examples" / "demo"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("labelled")
    labelled.some(made)
    return made


@pytest.fixture(scope="module")
def detector(folder: Path) -> Detector:
    return labelled.detector(folder)


@pytest.fixture(scope="module")
def scores(detector: Detector, folder: Path) -> Scores:
    return edgeanon.evaluate(detector, folder / "annotations.json", target_recall=0.5)


def test_recall_precision_and_false_detections_are_counted(scores: Scores) -> None:
    found = scores.kinds["face"].all
    assert (found.recall.hits, found.recall.total) == (2, 3)
    assert (found.precision.hits, found.precision.total) == (2, 3)
    assert found.f1 == pytest.approx(2 / 3)
    assert (found.false_per_picture.count, found.false_per_picture.rate) == (1, 0.5)


def test_average_precision_is_the_area_that_can_be_worked_by_hand(scores: Scores) -> None:
    """All three scores are equal; in the order of pictures, the two right ones come first: 67 of 101 recalls at 1."""
    assert scores.kinds["face"].all.ap50 == pytest.approx(67 / 101)
    assert scores.kinds["face"].all.map50_95 == pytest.approx(67 / 101, abs=0.1)


def test_figures_stand_by_size_and_by_source(scores: Scores) -> None:
    face = scores.kinds["face"]
    assert {name: one.recall.total for name, one in face.by_size.items() if one.recall.total} == {"32-64 px": 3}
    assert face.by_size["under 16 px"].recall.share is None
    assert face.by_size["under 16 px"].ap50 is None
    assert {name: (one.recall.hits, one.recall.total) for name, one in face.by_source.items()} == {
        "north": (2, 2),
        "south": (0, 1),
    }
    assert face.by_source["south"].false_per_picture.count == 1


def test_what_is_found_is_covered_and_what_is_missed_is_exposed(scores: Scores) -> None:
    covered = scores.kinds["face"].covered
    assert {part: one.hits for part, one in covered.at_least.items()} == {"0.5": 2, "0.75": 2, "0.9": 2, "1": 2}
    assert covered.exposed_area == pytest.approx(1 / 3)
    assert covered.by_size["32-64 px"].total == 3


def test_what_is_masked_beside_the_labels_is_counted(detector: Detector, folder: Path) -> None:
    plain = edgeanon.evaluate(
        detector, folder / "annotations.json", masker=Masker(margin=(0, 0), shape="rectangle")
    ).masked
    one = labelled.SIDE**2 / (labelled.WIDTH * labelled.HEIGHT)
    assert plain.share == pytest.approx(1.5 * one, rel=0.06)
    assert plain.over == plain.needless == pytest.approx(one / 2, rel=0.06)


def test_margins_lie_outside_the_labels_but_are_not_needless(scores: Scores) -> None:
    assert scores.masked.over > 1.5 * scores.masked.needless > 0


def test_a_file_of_scores_comes_back_as_it_was(scores: Scores) -> None:
    assert Scores.model_validate_json(scores.model_dump_json()) == scores


def test_a_picture_is_searched_as_the_detector_does_it(detector: Detector, folder: Path) -> None:
    pictures = read_labels(folder)
    for picture, found in zip(pictures, searched(detector, pictures, least=0.01), strict=True):
        alone = detector.detect(picture.read())
        strong = found[found.scores >= 0.5]
        assert np.array_equal(strong.boxes, alone.boxes)


def test_no_object_of_a_kind_makes_its_recall_undefined(detector: Detector, tmp_path: Path) -> None:
    labelled.dotted(tmp_path / "a.png", (102, 102, 255))
    empty = edgeanon.evaluate(detector, labelled.write(tmp_path, labelled.entry("a.png")))
    face = empty.kinds["face"]
    assert face.all.recall.share is face.all.ap50 is face.all.f1 is face.covered.exposed_area is None
    assert face.all.false_per_picture.count == 1
    assert face.curve == ()
    assert "1.000" not in str([table.rows for table in tables(empty)])
    assert any(UNDEFINED in row for table in tables(empty) for row in table.rows)
    assert UNDEFINED in page(empty)


def test_a_set_in_which_the_kind_was_never_labelled_is_refused(detector: Detector, tmp_path: Path) -> None:
    labelled.dotted(tmp_path / "a.png")
    plate: dict[str, object] = {"label": "plate", "bbox": [1, 2, 3, 4]}
    with pytest.raises(ConfigError, match="faces were labelled"):
        edgeanon.evaluate(detector, labelled.write(tmp_path, labelled.entry("a.png", plate)))


def test_too_few_objects_are_said_next_to_the_figure(scores: Scores) -> None:
    first = next(tables(scores))
    assert [row[-1] for row in first.rows if row[1] not in {"0", "labelled"}] == [TOO_FEW] * 4
    assert Share.of(299, 299).few
    assert not Share.of(300, 300).few


def test_a_rate_says_more_the_more_pictures_there_are() -> None:
    few, many = Rate.of(np.array([0, 1, 2, 1])), Rate.of(np.array([0, 1, 2, 1] * 100))
    assert few.low is not None
    assert few.high is not None
    assert many.low is not None
    assert many.high is not None
    assert few.low < many.low < 1 < many.high < few.high
    clustered = Rate.of(np.array([0, 0, 0, 4] * 100))
    assert clustered.high is not None
    assert clustered.high > many.high
    assert Rate.of(np.zeros(0, np.int64)).rate is None
    assert Rate.of(np.zeros(100, np.int64)).high == pytest.approx(0.0369, abs=2e-3)  # exact Poisson: 3.69 in 100


def test_the_interval_of_a_rate_is_that_of_poisson_for_poisson_counts() -> None:
    """The exact interval of 10 events is 4.80 to 18.39."""
    counts = np.zeros(1000, np.int64)
    counts[:10] = 1
    assert evaluation.rate_interval(counts) == pytest.approx((0.00480, 0.01839), rel=0.01)


@pytest.mark.parametrize(
    ("target", "levels", "found"),
    [(0.5, (255, 255, 246, 246), 2), (0.75, (255, 255, 246, 240), 3), (1.0, (255, 255, 246, 240), 4)],
)
def test_a_calibrated_threshold_finds_the_share_and_no_more(
    detector: Detector, tmp_path: Path, target: float, levels: tuple[int, ...], found: int
) -> None:
    places = [(102 + 152 * index, 102) for index in range(len(levels))]
    labelled.dotted(tmp_path / "a.png", *((x, y, level) for (x, y), level in zip(places, levels, strict=True)))
    labels = labelled.write(tmp_path, labelled.entry("a.png", *(labelled.face(x, y) for x, y in places)))
    made = edgeanon.calibrate_threshold(detector, labels, target_recall=target)
    assert made.kinds["face"].recall.hits == found
    again = Detector(detector.models[0], profile="fast", threshold=made.thresholds)
    assert edgeanon.evaluate(again, labels).kinds["face"].all.recall.hits == found
    one = made.kinds["face"]
    assert one.high is not None
    assert one.threshold is not None
    assert one.high >= one.threshold >= (one.low or 0)
    assert (one.low is None) == (target > 0.5)  # of four objects, all found say that half of others will be


def test_a_target_that_cannot_be_reached_is_said(detector: Detector, folder: Path, scores: Scores) -> None:
    made = edgeanon.calibrate_threshold(detector, folder, target_recall=0.99)
    assert made.kinds["face"].threshold is None
    assert made.kinds["face"].recall.share == pytest.approx(2 / 3)
    with pytest.raises(ConfigError, match=r"no threshold reaches a recall of 0.99: at 0.01 the detector finds 0.667"):
        _ = made.thresholds
    assert scores.calibration
    assert scores.calibration == edgeanon.calibrate_threshold(detector, folder, target_recall=0.5)
    unreached = scores.model_copy(update={"calibration": made})
    assert any("not reached" in row[-1] for table in tables(unreached) for row in table.rows)


@pytest.mark.parametrize("target", [0, -1, 1.01, float("nan")])
def test_a_target_that_is_no_share_is_refused(detector: Detector, folder: Path, target: float) -> None:
    with pytest.raises(ConfigError, match="no recall"):
        edgeanon.calibrate_threshold(detector, folder, target_recall=target)


def test_a_threshold_cannot_be_chosen_without_objects(detector: Detector, tmp_path: Path) -> None:
    labelled.dotted(tmp_path / "a.png")
    with pytest.raises(ConfigError, match="has no face"):
        edgeanon.calibrate_threshold(detector, labelled.write(tmp_path, labelled.entry("a.png")))


def test_a_picture_that_cannot_be_read_ends_the_evaluation(detector: Detector, tmp_path: Path) -> None:
    path = labelled.some(tmp_path)
    pictures = read_labels(path)
    whole = (tmp_path / "b.png").read_bytes()
    (tmp_path / "b.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(MediaError, match=r"b\.png"):
        edgeanon.evaluate(detector, pictures)


def test_the_shipped_models_are_measured_on_the_demonstration() -> None:
    measured = edgeanon.evaluate(Detector(), DEMO / "street.json")
    for kind in ("face", "plate"):
        assert measured.kinds[kind].all.recall.share == 1
        assert measured.kinds[kind].covered.at_least["0.9"].share == 1
    assert measured.kinds["plate"].all.recall.total == 3
    assert [model.name for model in measured.models] == ["centerface", "clp_det"]


def test_the_page_stands_alone_and_shows_nobody(scores: Scores) -> None:
    text = page(scores)
    for outside in ("http://", "https://", "<script", "<img", "url("):
        assert outside not in text.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert text.count("<svg") == 5


def test_names_of_others_are_text_in_the_page(detector: Detector, tmp_path: Path) -> None:
    labelled.dotted(tmp_path / "a.png", (102, 102, 255))
    entry = labelled.entry("a.png", labelled.face(102, 102), source="<script>alert(1)</script>")
    assert "<script" not in page(edgeanon.evaluate(detector, labelled.write(tmp_path, entry)))


def test_pictures_of_misses_are_masked_where_the_object_is(detector: Detector, tmp_path: Path) -> None:
    """The missed face is painted in a colour that is nowhere else; it is not in the picture that is shown."""
    import cv2  # noqa: PLC0415

    image = np.full((labelled.HEIGHT, labelled.WIDTH, 3), 20, np.uint8)
    image[280:320, 380:420] = (0, 0, 200)
    cv2.imwrite(str(tmp_path / "a.png"), image)
    labels = labelled.write(tmp_path, labelled.entry("a.png", labelled.face(400, 300)))
    misses = Misses(Masker())
    measured = edgeanon.evaluate(detector, labels, on_picture=misses.add)
    ((shown,),) = misses.pictures().values()
    pixels = cv2.imdecode(np.frombuffer(shown, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    assert pixels.max() < 40
    text = page(measured, misses.pictures())
    assert text.count("data:image/jpeg") == 1
    assert "personal data" in text


def test_every_table_has_as_many_cells_as_columns(scores: Scores) -> None:
    for table in tables(scores):
        assert isinstance(table, Table)
        assert all(len(row) == len(table.columns) for row in table.rows)


def test_a_curve_falls_in_score_and_rises_in_recall(scores: Scores) -> None:
    points = scores.kinds["face"].curve
    assert [point.threshold for point in points] == sorted((point.threshold for point in points), reverse=True)
    assert [point.recall for point in points] == sorted(point.recall for point in points)


def test_the_empty_set_is_refused(detector: Detector) -> None:
    with pytest.raises(ConfigError, match="nothing to measure"):
        edgeanon.evaluate(detector, LabelledSet(()))


def test_kinds_are_named_as_everywhere(scores: Scores) -> None:
    assert set(scores.kinds) <= {kind.name.lower() for kind in Kind}
