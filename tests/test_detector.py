"""The shipped models on the demonstration picture, models of one's own, and how detection can go wrong."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edgeanon import Detections, Detector, Kind
from edgeanon.boxes import iou
from edgeanon.decoders import Candidates, Outputs
from edgeanon.errors import ConfigError, ModelError
from tests import tiny

Image = NDArray[np.uint8]
DEMO = Path(__file__).parent.parent / "examples" / "demo"


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(profile="fast")


def recall(found: Detections, labels: dict[Kind, NDArray[np.float32]], kind: Kind) -> float:
    overlaps = iou(labels[kind], found.boxes[found.kinds == kind])
    return float((overlaps.max(axis=1, initial=0) >= 0.5).mean())


@pytest.mark.parametrize("profile", ["balanced", pytest.param("thorough", marks=pytest.mark.slow)])
def test_every_face_and_plate_of_the_demonstration_is_found(
    profile: str, street: Image, labels: dict[Kind, NDArray[np.float32]]
) -> None:
    found = Detector(profile=profile).detect(street)
    assert recall(found, labels, Kind.FACE) == 1.0
    assert recall(found, labels, Kind.PLATE) == 1.0
    assert found.boxes.dtype == found.scores.dtype == np.float32
    assert found.kinds.dtype == np.uint8


def test_a_detector_of_one_kind_finds_only_that(street: Image) -> None:
    faces = Detector("face", profile="fast")
    assert faces.finds == {Kind.FACE}
    assert set(faces.detect(street).kinds.tolist()) == {Kind.FACE}


def test_many_pictures_come_back_in_order_with_what_one_at_a_time_gives(detector: Detector, street: Image) -> None:
    pictures = [np.ascontiguousarray(street[y : y + 300, x : x + 400]) for y in (0, 300, 600) for x in (0, 700, 1400)]
    pictures.insert(4, np.zeros((50, 900, 3), np.uint8))
    pairs = list(detector.detect_many(iter(pictures)))
    assert [image is given for (image, _), given in zip(pairs, pictures, strict=True)] == [True] * len(pictures)
    for image, found in pairs:
        alone = detector.detect(image)
        np.testing.assert_allclose(found.boxes, alone.boxes, atol=0.1)
        np.testing.assert_allclose(found.scores, alone.scores, atol=1e-3)


def test_pictures_are_taken_only_a_few_ahead(detector: Detector) -> None:
    taken = 0

    def pictures() -> Iterator[Image]:
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield np.zeros((64, 64, 3), np.uint8)

    results = detector.detect_many(pictures())
    for done in range(1, 5):
        next(results)
        assert taken - done < 8
    results.close()  # type: ignore[attr-defined]


def test_an_error_in_the_middle_reaches_the_caller_and_the_next_run_works(detector: Detector, street: Image) -> None:
    def pictures() -> Iterator[Any]:
        yield street
        yield "no picture"

    with pytest.raises(ConfigError):
        list(detector.detect_many(pictures()))
    assert len(detector.detect(street))


def test_threads_may_share_a_detector(detector: Detector, street: Image) -> None:
    parts = [street[:, start : start + 600] for start in (0, 400, 800, 1200)]
    results: dict[int, Detections] = {}

    def work(index: int) -> None:
        results[index] = detector.detect(parts[index])

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index, part in enumerate(parts):
        np.testing.assert_allclose(results[index].boxes, detector.detect(part).boxes, atol=0.1)


def test_the_picture_is_not_changed_and_may_be_any_view_of_memory(detector: Detector, street: Image) -> None:
    view = street[100:700, 200:1000][:, ::-1]
    found = detector.detect(view)
    packed = detector.detect(np.ascontiguousarray(view))
    np.testing.assert_allclose(found.boxes, packed.boxes, atol=0.1)


def test_boxes_are_clipped_to_the_picture(street: Image) -> None:
    half_a_face = np.ascontiguousarray(street[330:570, 190:420])
    found = Detector("face").detect(half_a_face)
    assert len(found)
    assert (found.boxes >= 0).all()
    assert (found.boxes <= [230, 240, 230, 240]).all()


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        "street.jpg",
        np.zeros((10, 10)),
        np.zeros((10, 10, 3)),
        np.zeros((10, 10, 4), np.uint8),
        np.zeros((0, 5, 3), np.uint8),
    ],
    ids=["none", "a name", "grey", "float", "four channels", "empty"],
)
def test_what_is_no_picture_is_refused(detector: Detector, wrong: Any) -> None:
    with pytest.raises(ConfigError, match="image"):
        detector.detect(wrong)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 500), (30_000, 3), (33, 31)])
def test_pictures_of_odd_sizes_are_searched(detector: Detector, width: int, height: int) -> None:
    assert len(detector.detect(np.full((height, width, 3), 128, np.uint8))) == 0


def test_a_threshold_holds_for_its_kind_only(street: Image) -> None:
    found = Detector(threshold={Kind.FACE: 0.8}, profile="fast").detect(street)
    assert (found.scores[found.kinds == Kind.FACE] >= 0.8).all()
    assert Detector(threshold={Kind.FACE: 0.8}).thresholds[Kind.PLATE] == Detector().thresholds[Kind.PLATE]


def test_weaker_objects_come_on_request_and_displace_no_stronger_one(tmp_path: Path) -> None:
    """Parts cut off by seams are found with 0.6, the whole object with 0.3: on their own, only the parts are found."""

    def white(outputs: Outputs, *, width: int, height: int, threshold: float) -> Candidates:
        rows, columns = np.nonzero(outputs["same"][0, 0] > 128)
        if not len(rows):
            return Candidates(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int64))
        box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        score = 0.6 if box[0] == 0 or box[2] == width or box[1] == 0 or box[3] == height else 0.3
        count = int(score >= threshold)
        return Candidates(
            np.array([box] * count, np.float32).reshape(-1, 4),
            np.full(count, score, np.float32),
            np.zeros(count, np.int64),
        )

    network = tiny.channels()
    network.reshape([1, 3, 64, 64])
    path = tiny.save(network, tmp_path / "white", name="white", kinds={0: "face"}, threshold=0.5)
    detector = Detector.from_file(path, decode=white, profile="fast")
    picture = np.zeros((40, 100, 3), np.uint8)
    picture[10:30, 20:80] = 255
    strong = detector.detect(picture)
    ((_, every),) = detector.detect_many([picture], least=0.1)
    assert len(strong) > 1
    assert len(every) > len(strong)
    assert np.array_equal(every.boxes[: len(strong)], strong.boxes)
    assert every.scores[len(strong) :].max() < 0.5
    ((_, none_weaker),) = detector.detect_many([picture], least=0.7)
    assert np.array_equal(none_weaker.boxes, strong.boxes)


@pytest.mark.parametrize("threshold", [0, -1, 1.1, float("nan")])
def test_a_threshold_that_is_no_score_is_refused(threshold: float) -> None:
    with pytest.raises(ConfigError, match="threshold"):
        Detector("face", threshold=threshold)


def test_an_unknown_profile_names_those_there_are() -> None:
    with pytest.raises(ConfigError, match="fast, balanced, thorough"):
        Detector(profile="best")


def portrait(height: int) -> Image:
    """The head of the demonstration's portrait, its face about this high."""
    image = cv2.imread(str(DEMO / "astronaut.jpg"))
    assert image is not None
    head = image[0:260, 90:360]  # its face is about 118 pixels high
    scale = height / 118
    return np.asarray(
        cv2.resize(head, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC),
        np.uint8,
    )


@pytest.mark.slow
def test_thorough_finds_a_face_12_pixels_high_in_4k_and_one_that_fills_it() -> None:
    detector = Detector("face", profile="thorough")
    frame = np.full((2160, 3840, 3), 120, np.uint8)
    small = portrait(12)
    places = [(100, 100), (1000, 2000), (2040, 1030), (2100, 3700), (700, 2045)]
    for y, x in places:
        frame[y : y + small.shape[0], x : x + small.shape[1]] = small[: 2160 - y, : 3840 - x]
    found = detector.detect(frame)
    for y, x in places:
        centre = np.array([x + small.shape[1] / 2, y + small.shape[0] / 2])
        hits = (found.boxes[:, :2] < centre).all(1) & (found.boxes[:, 2:] > centre).all(1)
        assert hits.any(), f"the face at {x}, {y} was missed"
    large = cv2.resize(portrait(118), (3840, 2160 * 2), interpolation=cv2.INTER_CUBIC)[:2160]
    tall = detector.detect(np.asarray(large, np.uint8))
    assert len(tall)
    assert (tall.boxes[:, 3] - tall.boxes[:, 1]).max() > 1000


def test_a_face_across_a_seam_is_found_once() -> None:
    """A picture of two tiles; the face lies on the line between them, and then all along it."""
    detector = Detector("face", profile="balanced")
    face = portrait(60)
    for x in (1320, 1380, 1440):
        frame = np.full((300, 3000, 3), 120, np.uint8)
        frame[60 : 60 + face.shape[0], x : x + face.shape[1]] = face[:240]
        assert len(detector.detect(frame)) == 1


class TestOwnModel:
    def test_a_model_with_its_manifest_runs(self, tmp_path: Path) -> None:
        detector = Detector.from_file(tiny.save(tiny.bright(), tmp_path, **tiny.FACES))
        image = np.zeros((200, 300, 3), np.uint8)
        image[100:140, 50:90] = 255
        found = detector.detect(image)
        assert len(found)
        assert ((found.boxes[:, :2] < [90, 140]) & (found.boxes[:, 2:] > [50, 100])).all()

    def test_there_is_no_cap_on_the_number_of_objects(self, tmp_path: Path) -> None:
        path = tiny.save(tiny.bright(side=3.0), tmp_path, **tiny.FACES)
        assert len(Detector.from_file(path, profile="fast").detect(np.full((800, 800, 3), 255, np.uint8))) == 200 * 200

    def test_a_model_of_one_input_size_sees_the_whole_picture_in_tiles(self, tmp_path: Path) -> None:
        path = tiny.save(tiny.bright(size=(320, 192)), tmp_path, **tiny.FACES)
        detector = Detector.from_file(path)
        for corner in ((0, 0), (0, 960), (760, 0), (760, 960)):
            image = np.zeros((800, 1000, 3), np.uint8)
            image[corner[0] : corner[0] + 40, corner[1] : corner[1] + 40] = 255
            assert len(detector.detect(image)), corner

    def test_a_decoder_function_serves_a_head_of_ones_own(self, tmp_path: Path) -> None:
        def decode(outputs: Outputs, *, width: int, height: int, threshold: float) -> Candidates:
            assert outputs["heatmap"].shape[2:] == (height // 4, width // 4)
            assert threshold == 0.5
            return Candidates(
                np.array([[0, 0, width / 2, height]], np.float32), np.array([0.9], np.float32), np.array([7])
            )

        path = tiny.save(tiny.bright(), tmp_path, name="own", kinds={7: "plate"}, threshold=0.5)
        found = Detector.from_file(path, decode=decode, profile="fast").detect(np.zeros((480, 960, 3), np.uint8))
        assert found.kinds.tolist() == [Kind.PLATE]
        np.testing.assert_allclose(found.boxes, [[0, 0, 480, 480]], atol=1)

    def test_values_that_are_no_numbers_are_an_error_and_not_a_missed_face(self, tmp_path: Path) -> None:
        detector = Detector.from_file(tiny.save(tiny.bright(faulty=True), tmp_path, **tiny.FACES))
        with pytest.raises(ModelError, match="NaN"):
            detector.detect(np.zeros((64, 64, 3), np.uint8))

    @pytest.mark.parametrize(
        "candidates",
        [
            None,
            Candidates(np.zeros((2, 4), np.float32), np.ones(3, np.float32), np.zeros(2, np.int64)),
            Candidates(np.zeros((2, 5), np.float32), np.ones(2, np.float32), np.zeros(2, np.int64)),
            Candidates(np.full((2, 4), np.nan, np.float32), np.ones(2, np.float32), np.zeros(2, np.int64)),
            Candidates(np.zeros((2, 4), np.float32), np.full(2, np.nan, np.float32), np.zeros(2, np.int64)),
        ],
        ids=["nothing", "scores for other boxes", "five edges", "NaN boxes", "NaN scores"],
    )
    def test_a_decoder_that_gives_nonsense_is_an_error(self, tmp_path: Path, candidates: Any) -> None:
        path = tiny.save(tiny.bright(), tmp_path, **tiny.FACES)
        detector = Detector.from_file(path, decode=lambda *_, **__: candidates)
        with pytest.raises((ModelError, ConfigError)):
            detector.detect(np.zeros((64, 64, 3), np.uint8))

    def test_a_decoder_that_raises_is_a_model_error_with_its_cause(self, tmp_path: Path) -> None:
        def decode(*_: object, **__: object) -> Candidates:
            raise KeyError("head")

        detector = Detector.from_file(tiny.save(tiny.bright(), tmp_path, **tiny.FACES), decode=decode)
        with pytest.raises(ModelError, match="head") as caught:
            detector.detect(np.zeros((64, 64, 3), np.uint8))
        assert isinstance(caught.value.__cause__, KeyError)
