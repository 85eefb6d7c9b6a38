"""Pictures from file to file and array to array."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage

from edgeanon import Anonymizer, Detector, Fill, Kind, Masker, Pixelate, Report
from edgeanon.config import Settings
from edgeanon.errors import ConfigError, LeakError, MediaError, ModelError
from edgeanon.pipeline import FileResult
from tests import tiny

Image = NDArray[np.uint8]
DEMO = Path(__file__).parent.parent / "examples" / "demo"


@pytest.fixture(scope="module")
def anonymizer() -> Anonymizer:
    return Anonymizer(profile="fast")


@pytest.fixture(scope="module")
def tiny_anonymizer(tmp_path_factory: pytest.TempPathFactory) -> Anonymizer:
    """Masks white squares with black ones: fast, and its output is easy to tell."""
    path = tiny.save(tiny.bright(), tmp_path_factory.mktemp("tiny"), **tiny.FACES)
    return Anonymizer(detectors=[Detector.from_file(path, profile="fast")], masker=Masker(Fill((0, 0, 255))))


def picture(path: Path, *squares: tuple[int, int], size: tuple[int, int] = (400, 300)) -> Path:
    """A dark picture with white squares of 40 pixels."""
    image = np.full((size[1], size[0], 3), 40, np.uint8)
    for x, y in squares:
        image[y : y + 40, x : x + 40] = 255
    PillowImage.fromarray(image).save(path)
    return path


def shows_white(path: Path) -> bool:
    with PillowImage.open(path) as image:
        return bool((np.asarray(image.convert("RGB")).min(axis=2) > 200).any())


def test_a_frame_comes_back_masked_and_the_input_is_unchanged(
    anonymizer: Anonymizer, street: Image, labels: dict[Kind, NDArray[np.float32]]
) -> None:
    before = street.copy()
    safe = anonymizer.frame(street)
    assert (street == before).all()
    by_height = sorted(labels[Kind.FACE].astype(int), key=lambda box: int(box[3] - box[1]))
    for box in by_height[-3:]:
        x1, y1, x2, y2 = box
        assert (safe[y1:y2, x1:x2] != street[y1:y2, x1:x2]).any(axis=2).mean() > 0.9


def test_a_frame_may_be_any_view_of_memory_and_read_only(tiny_anonymizer: Anonymizer) -> None:
    memory = np.full((400, 600, 4), 40, np.uint8)
    memory[100:180, 200:280] = 255
    memory.flags.writeable = False
    before = memory.copy()
    for image in (memory[::2, ::-2, 2::-1], memory[50:300, 150:400, :3], memory.transpose(1, 0, 2)[:, :, 1:]):
        safe = tiny_anonymizer.frame(image)
        assert not (safe.min(axis=2) > 200).any()
        assert safe.flags.writeable
        np.testing.assert_array_equal(safe, tiny_anonymizer.frame(np.ascontiguousarray(image)))
    np.testing.assert_array_equal(memory, before)


def test_a_picture_file_is_masked_and_reported(tiny_anonymizer: Anonymizer, tmp_path: Path) -> None:
    source = picture(tmp_path / "a.png", (50, 60), (300, 200))
    results: list[FileResult] = []
    report = tiny_anonymizer.image(source, tmp_path / "b.png", on_file=results.append)
    assert shows_white(source)
    assert not shows_white(tmp_path / "b.png")
    assert report.files.masked == 1
    assert report.objects["face"] >= 2
    assert report.device == "CPU"
    assert report.models[0].sha256 == tiny_anonymizer.detectors[0].models[0].sha256
    assert results[0].target == tmp_path / "b.png"


def test_a_picture_without_anybody_is_written_clean_of_metadata(tiny_anonymizer: Anonymizer, tmp_path: Path) -> None:
    exif = PillowImage.Exif()
    exif[0x010E] = "SECRET PLACE"
    PillowImage.new("RGB", (100, 80), (40, 40, 40)).save(tmp_path / "a.jpg", exif=exif)
    report = tiny_anonymizer.image(tmp_path / "a.jpg", tmp_path / "b.jpg")
    assert report.files.clean == 1
    assert b"SECRET" in (tmp_path / "a.jpg").read_bytes()
    assert b"SECRET" not in (tmp_path / "b.jpg").read_bytes()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_rotated_picture_is_searched_and_written_upright(
    tiny_anonymizer: Anonymizer, tmp_path: Path, orientation: int
) -> None:
    exif = PillowImage.Exif()
    exif[0x0112] = orientation
    with PillowImage.open(picture(tmp_path / "plain.png", (50, 60))) as image:
        image.save(tmp_path / "a.jpg", exif=exif, quality=95)
    tiny_anonymizer.image(tmp_path / "a.jpg", tmp_path / "b.png")
    assert not shows_white(tmp_path / "b.png")
    with PillowImage.open(tmp_path / "b.png") as image:
        assert image.size == ((400, 300) if orientation < 5 else (300, 400))
        assert not image.getexif()


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [
        ("L", ".png"),
        ("RGBA", ".png"),
        ("LA", ".png"),
        ("P", ".png"),
        ("CMYK", ".tif"),
        ("CMYK", ".jpg"),
        ("1", ".png"),
        ("I;16", ".png"),
    ],
)
def test_every_kind_of_samples_is_masked(tiny_anonymizer: Anonymizer, tmp_path: Path, mode: str, suffix: str) -> None:
    with PillowImage.open(picture(tmp_path / "plain.png", (50, 60))) as image:
        if mode == "I;16":
            samples = np.asarray(image.convert("L")).astype(np.uint16) * 257
            PillowImage.fromarray(samples).save(tmp_path / f"a{suffix}")
        else:
            image.convert(mode, dither=PillowImage.Dither.NONE).save(tmp_path / f"a{suffix}")
    report = tiny_anonymizer.image(tmp_path / f"a{suffix}", tmp_path / f"b{suffix}")
    assert report.files.masked == 1
    out = cv2.imread(str(tmp_path / f"b{suffix}"), cv2.IMREAD_COLOR)
    assert out is not None
    assert not (out[50:110, 40:100].min(axis=2) > 200).any()


def test_what_is_hidden_under_transparency_is_masked_as_well(tiny_anonymizer: Anonymizer, tmp_path: Path) -> None:
    with PillowImage.open(picture(tmp_path / "plain.png", (50, 60))) as image:
        hidden = image.convert("RGBA")
    hidden.putalpha(0)
    hidden.save(tmp_path / "a.png")
    assert tiny_anonymizer.image(tmp_path / "a.png", tmp_path / "b.png").files.masked == 1
    with PillowImage.open(tmp_path / "b.png") as image:
        assert not (np.asarray(image)[..., :3].min(axis=2) > 200).any()


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_what_shows_on_a_dark_page_of_16_bit_once_it_is_brightened_is_masked(
    tiny_anonymizer: Anonymizer, tmp_path: Path, suffix: str
) -> None:
    samples = np.full((300, 400), 600, np.uint16)
    samples[60:100, 50:90] = 4095  # white of a sensor of 12 bit: 16 of 255 in 8 bit
    PillowImage.fromarray(samples).save(tmp_path / f"a{suffix}")
    assert tiny_anonymizer.image(tmp_path / f"a{suffix}", tmp_path / f"b{suffix}").files.masked == 1
    with PillowImage.open(tmp_path / f"b{suffix}") as image:
        out = np.asarray(image)
    assert out.dtype == np.uint16
    assert not (out == 4095).any()
    assert (out[200:, 200:] == 600).all()


@pytest.mark.parametrize("suffix", [".gif", ".tif", ".webp"])
def test_every_page_of_a_file_is_masked(tiny_anonymizer: Anonymizer, tmp_path: Path, suffix: str) -> None:
    pages = []
    for place in ((50, 60), (200, 100), (300, 200)):
        with PillowImage.open(picture(tmp_path / "plain.png", place)) as image:
            pages.append(image.copy())
    pages[0].save(tmp_path / f"a{suffix}", save_all=True, append_images=pages[1:])
    report = tiny_anonymizer.image(tmp_path / f"a{suffix}", tmp_path / f"b{suffix}")
    assert report.pages == 3
    with PillowImage.open(tmp_path / f"b{suffix}") as image:
        assert image.n_frames == 3  # type: ignore[attr-defined]
        for index in range(3):
            image.seek(index)
            assert not (np.asarray(image.convert("RGB")).min(axis=2) > 200).any()


def test_an_existing_target_is_left_alone_unless_asked(tiny_anonymizer: Anonymizer, tmp_path: Path) -> None:
    source = picture(tmp_path / "a.png", (50, 60))
    (tmp_path / "b.png").write_bytes(b"mine")
    with pytest.raises(MediaError, match="exists"):
        tiny_anonymizer.image(source, tmp_path / "b.png")
    assert (tmp_path / "b.png").read_bytes() == b"mine"
    tiny_anonymizer.image(source, tmp_path / "b.png", overwrite=True)
    assert not shows_white(tmp_path / "b.png")


def test_the_source_is_never_overwritten(tiny_anonymizer: Anonymizer, tmp_path: Path) -> None:
    source = picture(tmp_path / "a.png", (50, 60))
    (tmp_path / "link.png").symlink_to(source)
    before = source.read_bytes()
    for target in (source, tmp_path / "link.png"):
        with pytest.raises(MediaError):
            tiny_anonymizer.image(source, target, overwrite=True)
    assert source.read_bytes() == before


@pytest.mark.parametrize(
    "error", [ModelError("the device is gone"), RuntimeError("bug"), KeyboardInterrupt(), MemoryError()]
)
def test_an_error_in_detection_leaves_no_output(
    tiny_anonymizer: Anonymizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    source = picture(tmp_path / "a.png", (50, 60))

    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(tiny_anonymizer.detectors[0], "detect", fail)
    with pytest.raises(type(error)):
        tiny_anonymizer.image(source, tmp_path / "b.png")
    assert {path.name for path in tmp_path.iterdir()} == {"a.png"}


def test_a_style_that_fails_leaves_no_output(tiny_anonymizer: Anonymizer, tmp_path: Path) -> None:
    def style(_: Any) -> Any:
        raise ZeroDivisionError

    broken = Anonymizer(detectors=tiny_anonymizer.detectors, masker=Masker(style))
    source = picture(tmp_path / "a.png", (50, 60))
    with pytest.raises(LeakError):
        broken.image(source, tmp_path / "b.png")
    with pytest.raises(LeakError):
        broken.frame(np.full((80, 80, 3), 255, np.uint8))
    assert {path.name for path in tmp_path.iterdir()} == {"a.png"}


def test_a_report_holds_no_names_and_says_whether_a_mask_can_be_undone(tmp_path: Path) -> None:
    anonymizer = Anonymizer(detectors=[Detector("face", profile="fast")], masker=Masker(Pixelate()))
    source = picture(tmp_path / "Jane Doe.png", (50, 60))
    report = anonymizer.image(source, tmp_path / "out.png")
    text = report.model_dump_json()
    assert "Jane" not in text
    assert str(tmp_path) not in text
    assert not report.masks["face"].irreversible
    assert "plate" not in report.masks
    assert Report.model_validate_json(text) == report


def test_detectors_of_ones_own_run_together(tmp_path: Path, street: Image) -> None:
    own = Detector.from_file(tiny.save(tiny.bright(), tmp_path, **tiny.FACES | {"kinds": {0: "other"}}))
    anonymizer = Anonymizer(detectors=[Detector("face", profile="fast"), own])
    image = np.ascontiguousarray(street[300:600, 0:600])
    image[0:40, 500:540] = 255
    safe = anonymizer.frame(image)
    assert not (safe[0:40, 500:540] == 255).all()
    assert not (safe[120:160, 150:210] == image[120:160, 150:210]).all()


@pytest.mark.parametrize(
    "arguments",
    [
        {"metadata": "all"},
        {"detectors": []},
        {"profile": "best"},
        {"device": ""},
    ],
)
def test_settings_without_meaning_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Anonymizer(**arguments).frame(np.zeros((8, 8, 3), np.uint8))


def test_settings_of_detectors_are_not_taken_twice() -> None:
    with pytest.raises(ConfigError, match="detectors"):
        Anonymizer(detectors=[Detector("face")], profile="fast")


class TestSettings:
    def test_kinds_can_be_left_out_but_not_both(self) -> None:
        assert Anonymizer.from_settings(Settings(plates=False)).detectors[0].finds == {Kind.FACE}
        with pytest.raises(ConfigError, match="neither"):
            Anonymizer.from_settings(Settings(plates=False, faces=False))

    def test_a_model_of_ones_own_takes_the_place_of_a_shipped_one(self, tmp_path: Path) -> None:
        path = tiny.save(tiny.bright(), tmp_path, **tiny.FACES)
        names = [
            model.manifest.name for model in Anonymizer.from_settings(Settings(face_model=path)).detectors[0].models
        ]
        assert names == ["bright", "clp_det"]

    def test_a_picture_can_take_the_place_of_what_is_masked(self, tmp_path: Path) -> None:
        path = tiny.save(tiny.bright(), tmp_path, **tiny.FACES)
        PillowImage.new("RGB", (20, 20), (0, 255, 0)).save(tmp_path / "logo.png")
        settings = Settings(face_model=path, plates=False, style=f"replace:{tmp_path / 'logo.png'}")
        safe = Anonymizer.from_settings(settings).frame(np.full((80, 80, 3), 255, np.uint8))
        assert safe[40, 40].tolist() == [0, 255, 0]

    @pytest.mark.parametrize("style", ["smear", "replace:none.png", "fill:red", "pixelate:many"])
    def test_a_style_that_there_is_not_is_an_error(self, style: str) -> None:
        with pytest.raises((ConfigError, MediaError)):
            Anonymizer.from_settings(Settings(style=style))
