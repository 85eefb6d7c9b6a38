"""The shipped models on the demonstration picture, models of one's own, and how detection can go wrong."""

import hashlib
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edgeanon import Detections, Detector, Kind, models, runtime
from edgeanon.boxes import iou
from edgeanon.certificate import CERTIFICATE_NAME
from edgeanon.decoders import Candidates, Outputs
from edgeanon.errors import ConfigError, DeviceError, ModelError
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


def test_what_several_models_find_of_one_kind_counts_once_and_stays_covered(tmp_path: Path) -> None:
    """Two models see the same spot, in boxes of 40 and 48 pixels; one sees what the other's threshold hides."""
    picture = np.zeros((96, 96, 3), np.uint8)
    picture[48:52, 48:52] = 255
    folders = [tiny.save(tiny.bright(side=side), tmp_path / str(side), **tiny.FACES) for side in (40.0, 48.0)]
    small, large = (models.load_file(path) for path in folders)
    alone = Detector(small, profile="fast").detect(picture)
    both = Detector(small, large, profile="fast").detect(picture)
    assert len(alone) == len(both) == 1
    assert (both.boxes[:, :2] < alone.boxes[:, :2]).all()
    assert (both.boxes[:, 2:] > alone.boxes[:, 2:]).all()


@pytest.mark.parametrize(
    ("profile", "names"),
    [("balanced", ["centerface", "clp_det"]), ("thorough", ["centerface", "clp_det", "edgeanon-plate"])],
)
def test_all_shipped_models_of_a_kind_search_together_when_thorough(profile: str, names: list[str]) -> None:
    assert [model.manifest.name for model in Detector(profile=profile).models] == names
    alone = Detector("plate-world", profile=profile)
    assert [model.manifest.name for model in alone.models] == ["edgeanon-plate"]


def test_scores_of_several_models_of_one_kind_are_on_one_scale(tmp_path: Path) -> None:
    """What lies at the threshold of either is shown at the lower threshold; what is certain stays certain."""
    picture = np.zeros((96, 192, 3), np.uint8)
    picture[48:52, 48:52] = 255
    picture[48:52, 144:148] = 245  # scores about 0.6
    strict = tiny.FACES | {"threshold": 0.55}
    lax = tiny.FACES | {"threshold": 0.25}
    folders = [tiny.save(tiny.bright(), tmp_path / name, **said) for name, said in (("a", strict), ("b", lax))]
    one, other = (models.load_file(path) for path in folders)
    alone, both = Detector(one, profile="fast"), Detector(one, other, profile="fast")
    assert alone.thresholds == {Kind.FACE: 0.55}
    assert both.thresholds == {Kind.FACE: 0.25}
    seen, together = alone.detect(picture), both.detect(picture)
    assert len(seen) == len(together) == 2
    assert together.scores.max() == pytest.approx(seen.scores.max(), abs=0.01)
    assert Detector(one, other, profile="fast", threshold=0.7).thresholds == {Kind.FACE: 0.7}
    part = both._parts[0]
    scores = np.array([0, 0.275, 0.55, 0.775, 1], np.float32)
    scaled = part._on_the_scale_shown(scores, np.full(5, Kind.FACE, np.uint8))
    np.testing.assert_allclose(scaled, [0, 0.125, 0.25, 0.625, 1], atol=1e-6)


def test_where_each_is_wanted_soon_it_comes_back_before_the_next_is_taken(tmp_path: Path) -> None:
    taken = 0

    def pictures() -> Iterator[NDArray[np.uint8]]:
        nonlocal taken
        for _ in range(4):
            taken += 1
            yield np.zeros((64, 64, 3), np.uint8)

    detector = Detector.from_file(tiny.save(tiny.bright(), tmp_path, **tiny.FACES), profile="fast")
    for number, _ in enumerate(detector.detect_many(pictures(), hint="latency")):
        assert taken == number + 1


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


class TestPrecision:
    """Which files of a shipped model run, on machines that are played by what they report."""

    @pytest.fixture
    def certified(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A zoo of one model in both precisions, measured on a CPU with VNNI against BF16."""
        zoo = tmp_path / "zoo"
        fast = {
            "device": "CPU",
            "full_name": "one",
            "eight_bit": "avx512_vnni",
            "view": [64, 64],
            "before": 2.0,
            "after": 1.0,
        }
        for folder, precision in ((zoo / "face", "FP16"), (zoo / "face" / "int8", "INT8")):
            path = tiny.save(tiny.bright(), folder, **tiny.FACES)
            files = {
                name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("model.xml", "model.bin")
            }
            manifest = json.dumps(tiny.FACES | {"precision": precision, "files": files})
            path.with_name(models.MANIFEST_NAME).write_text(manifest)
        said = {
            "model": "bright",
            "files": files,
            "manifest_sha256": hashlib.sha256(manifest.encode()).hexdigest(),
            "reference": "0" * 64,
            "recipe": {},
            "calibration": [],
            "gate_sha256": "0" * 64,
            "gate_pictures": 1,
            "profile": "balanced",
            "versions": {},
            "max_recall_drop": 0.01,
            "max_false_ratio": 1.2,
            "threshold_before": 0.5,
            "threshold_after": 0.5,
            "compared": [
                {
                    "kind": "face",
                    "objects": 1000,
                    "before": 900,
                    "after": 900,
                    "lost": 0,
                    "gained": 0,
                    "recall_before": [0.88, 0.92],
                    "recall_after": [0.88, 0.92],
                    "drop": 0.0,
                    "drop_bound": 0.003,
                    "false_before": 1.0,
                    "false_after": 1.0,
                    "bins": [],
                }
            ],
            "speeds": [fast | {"against": "bf16"}, fast | {"against": "f32", "after": 1.9}],
            "bytes_before": 2,
            "bytes_after": 1,
            "attempts": [],
        }
        (zoo / "face" / "int8" / CERTIFICATE_NAME).write_text(json.dumps(said))
        monkeypatch.setattr(models, "ZOO", zoo)
        self.machine(monkeypatch, "avx512_vnni", "bf16")
        return zoo / "face" / "int8"

    def machine(self, monkeypatch: pytest.MonkeyPatch, eight_bit: str, floating: str) -> None:
        monkeypatch.setattr(runtime, "eight_bit", lambda _: eight_bit)
        monkeypatch.setattr(runtime, "native_float", lambda _: floating)

    def ran(self, **options: Any) -> str:
        return Detector("face", **options).models[0].manifest.precision

    def test_int8_runs_by_itself_where_it_was_measured_to_be_faster(self, certified: Path) -> None:
        assert certified.is_dir()
        assert self.ran(device="CPU") == "INT8"
        assert self.ran(device="AUTO") == "INT8"

    @pytest.mark.parametrize(
        ("eight_bit", "floating"),
        [("", "f32"), ("avx_vnni", "f32"), ("amx_int8", "bf16"), ("avx512_vnni", "f32")],
        ids=["no instructions for 8 bits", "others", "others that are faster", "gains less than a tenth"],
    )
    @pytest.mark.usefixtures("certified")
    def test_fp16_runs_where_nothing_was_measured_or_too_little_gained(
        self, monkeypatch: pytest.MonkeyPatch, eight_bit: str, floating: str
    ) -> None:
        self.machine(monkeypatch, eight_bit, floating)
        assert self.ran(device="CPU") == "FP16"

    @pytest.mark.usefixtures("certified")
    def test_what_is_asked_for_runs_with_a_warning_where_it_was_not_measured(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert self.ran(precision="int8", device="CPU") == "INT8"
        assert not caplog.records
        self.machine(monkeypatch, "", "f32")
        assert self.ran(precision="int8", device="CPU") == "INT8"
        assert "not measured" in caplog.text
        assert self.ran(precision="fp16", device="CPU") == "FP16"
        with pytest.raises(ConfigError, match="auto, fp16, int8, fp32"):
            self.ran(precision="int4")

    @pytest.mark.parametrize("change", ["failed", "other manifest", "none"])
    def test_int8_does_not_run_by_itself_without_a_certificate_that_holds(self, certified: Path, change: str) -> None:
        path = certified / CERTIFICATE_NAME
        said = json.loads(path.read_text())
        if change == "none":
            path.unlink()
        elif change == "failed":
            said["compared"][0]["drop_bound"] = 0.02
            path.write_text(json.dumps(said))
        else:
            path.write_text(json.dumps(said | {"manifest_sha256": "1" * 64}))
        assert self.ran(device="CPU") == "FP16"

    def test_a_model_that_is_not_shipped_in_int8_says_so(self, certified: Path) -> None:
        shutil.rmtree(certified)
        assert self.ran(device="CPU") == "FP16"
        with pytest.raises(ConfigError, match="INT8"):
            self.ran(precision="int8")

    @pytest.mark.usefixtures("certified")
    def test_a_device_that_is_not_there_is_said_when_it_is_needed(self) -> None:
        detector = Detector("face", device="GPU.7")
        with pytest.raises(DeviceError):
            detector.detect(np.zeros((64, 64, 3), np.uint8))

    def test_fp32_is_computed_in_32_bits(self, tmp_path: Path) -> None:
        path = tiny.save(tiny.bright(), tmp_path, **tiny.FACES)
        part = Detector.from_file(path, device="CPU", precision="fp32")._parts[0]
        assert part.network("latency").precision == "f32"
