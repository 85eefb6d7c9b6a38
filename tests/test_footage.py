"""Videos from file to file: nobody can be recognised in any frame, and all else comes out as it went in."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from edgeanon import Anonymizer, FileResult, Fill, Masker, Tracks, Verdict, VideoReader, VideoWriter
from edgeanon.config import INTERVAL, LOOK_AHEAD
from edgeanon.errors import ConfigError, DeviceError, LeakError, MediaError, ModelError
from edgeanon.pipeline.footage import VideoSettings, _Objects, shown_name
from edgeanon.runtime import Pending
from edgeanon.video.encoding import Encoding
from tests import films, media

COUNT = 20
AHEAD = 6
"""Frames that a detector may have in its hands when a search fails."""
Planes = list[NDArray[Any]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tiny")


@pytest.fixture(scope="module")
def anonymizer(folder: Path) -> Anonymizer:
    return films.anonymizer(folder)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """An object that walks, and is missed by the detector for a while."""
    return films.save(tmp_path / "in" / "a.mp4", films.film(COUNT, at=films.walking, dim=[0, 1, *range(8, 13)]))


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "a.mp4"


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[Planes]:
    """The samples of every frame that encoders get."""
    frames: list[Planes] = []
    encode = VideoWriter.encode

    def spy(writer: VideoWriter, frame: Any) -> None:
        assert not media.riding(frame)
        frames.append(media.planes(frame))
        encode(writer, frame)

    monkeypatch.setattr(VideoWriter, "encode", spy)
    return frames


def samples(path: Path) -> Iterator[Planes]:
    """Those of every frame as it was decoded."""
    with VideoReader(path) as video:
        for picture in video.pictures():
            yield media.planes(picture.untouched())


def state(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def check_covered(path: Path, at: Callable[[int], films.Place | None], *, count: int, grey: int = 0) -> list[int]:
    """The object is in no frame, and so many frames are grey; which they are."""
    pictures = films.decoded(path)
    assert len(pictures) == count
    shown = [index for index, image in enumerate(pictures) if films.shows(image, at(index))]
    assert shown == []
    filled = [index for index, image in enumerate(pictures) if films.is_grey(image)]
    assert len(filled) == grey
    return filled


def check_nothing_left(
    run: Callable[[], object], source: Path, target: Path, error: type[Exception], fact: str
) -> None:
    before = state(source.parent)
    with pytest.raises(error, match=fact):
        run()
    assert list(target.parent.iterdir()) == []
    assert state(source.parent) == before


class TestMasked:
    @pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "mov"])
    def test_the_object_is_covered_in_every_frame_and_the_rest_stays(
        self, anonymizer: Anonymizer, tmp_path: Path, suffix: str
    ) -> None:
        pictures = films.film(COUNT, at=films.walking, dim=[0, 1, *range(8, 13)])
        codec = "mjpeg" if suffix == "avi" else "libx264"
        path = films.save(tmp_path / f"a.{suffix}", pictures, codec=codec)
        before = films.decoded(path)
        assert all(films.shows(image, films.walking(index)) for index, image in enumerate(before))
        results: list[FileResult] = []
        report = anonymizer.video(path, tmp_path / f"b.{suffix}", on_file=results.append)
        check_covered(tmp_path / f"b.{suffix}", films.walking, count=COUNT)
        for index, (old, new) in enumerate(zip(before, films.decoded(tmp_path / f"b.{suffix}"), strict=True)):
            x, _ = films.walking(index)
            away = (old.astype(int) - new)[:, x + 60 :]
            assert np.abs(away).mean() < 3
        assert media.moments(tmp_path / f"b.{suffix}") == media.moments(path)
        assert (report.files.masked, report.frames, report.withheld, report.pages) == (1, COUNT, 0, 0)
        assert report.objects == {"face": 1}
        (result,) = results
        assert (result.verdict, result.frames, result.target) == (Verdict.MASKED, COUNT, tmp_path / f"b.{suffix}")
        assert result.objects == {0: 1}
        assert 0 < result.seconds <= report.seconds + 0.001

    def test_times_that_follow_no_rate_stay(self, anonymizer: Anonymizer, tmp_path: Path) -> None:
        ticks = [700, 740, 773, 863, 880, 1080, 1081, 1120, 1500, 1533, 1566, 1600]
        path = media.make(tmp_path / "a.mkv", time_base=Fraction(1, 1000), ticks=ticks)
        report = anonymizer.video(path, tmp_path / "b.mkv")
        assert media.moments(tmp_path / "b.mkv") == [Fraction(tick - 700, 1000) for tick in ticks]
        assert report.frames == len(ticks)

    @pytest.mark.parametrize("size", [(97, 63), (1080 // 8, 1920 // 8 + 2)])
    def test_sizes_stay(self, anonymizer: Anonymizer, tmp_path: Path, size: tuple[int, int]) -> None:
        path = media.make(tmp_path / "a.mp4", size=size, pixel_format="yuv444p")
        anonymizer.video(path, tmp_path / "b.mp4")
        for frame in media.decoded(tmp_path / "b.mp4"):
            assert (frame.width, frame.height) == size
            assert frame.format.name == "yuv444p"

    @pytest.mark.parametrize("angle", [90, 180, -90])
    def test_a_rotated_video_is_masked_upright_and_stored_as_it_was(
        self, anonymizer: Anonymizer, tmp_path: Path, angle: int, given: list[Planes]
    ) -> None:
        path = films.save(tmp_path / "a.mp4", films.film(10, at=lambda index: (10 + index, 70)), angle=angle)
        anonymizer.video(path, tmp_path / "b.mp4")
        with VideoReader(path) as before, VideoReader(tmp_path / "b.mp4") as after:
            upright = (96, 160) if angle == 180 else (160, 96)
            assert (before.height, before.width) == (after.height, after.width) == upright
            for old, new in zip(before, after, strict=True):
                white = old.pixels.min(axis=2) > 200
                assert white.sum() > 40
                assert (new.pixels[white] < 60).all()
                assert (new.pixels < 20).all(axis=2).mean() < 0.25
        assert given[0][0].shape == (96, 160)

    def test_ten_bits_stay_ten(self, anonymizer: Anonymizer, tmp_path: Path, given: list[Planes]) -> None:
        path = media.make(tmp_path / "a.mp4", frames=6, size=(160, 96), pixel_format="yuv420p10le")
        anonymizer.video(path, tmp_path / "b.mp4")
        assert {frame.format.name for frame in media.decoded(tmp_path / "b.mp4")} == {"yuv420p10le"}
        masked = unmasked = 0
        for old, new in zip(samples(path), given, strict=True):
            masked += int((old[0][:20, :32] != new[0][:20, :32]).all())  # the bright corner
            unmasked += int((old[0][-20:] == new[0][-20:]).all())
        assert masked == unmasked == 6

    def test_samples_outside_the_masks_are_the_same_to_the_bit(
        self, anonymizer: Anonymizer, source: Path, target: Path, given: list[Planes], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        every: list[NDArray[np.int64]] = []
        regions = Masker.regions

        def spy(masker: Masker, shape: tuple[int, int], boxes: Any, kinds: Any = None) -> NDArray[np.int64]:
            every.append(regions(masker, shape, boxes, kinds))
            return every[-1]

        monkeypatch.setattr(Masker, "regions", spy)
        anonymizer.video(source, target)
        assert len(given) == len(every) == COUNT
        for old, new, boxes in zip(samples(source), given, every, strict=True):
            assert len(boxes)
            outside = np.ones((films.HEIGHT, films.WIDTH), bool)
            for x1, y1, x2, y2 in boxes.tolist():
                outside[y1 // 2 * 2 : -(-y2 // 2) * 2, x1 // 2 * 2 : -(-x2 // 2) * 2] = False
            assert outside.mean() > 0.5
            for index, (one, other) in enumerate(zip(old, new, strict=True)):
                here = outside[::2, ::2] if index else outside
                np.testing.assert_array_equal(one[here], other[here])
                assert (one[~here] != other[~here]).any() or index

    def test_an_irreversible_style_hands_nothing_of_what_it_hides_to_the_encoder(
        self, folder: Path, tmp_path: Path, given: list[Planes]
    ) -> None:
        soft = films.anonymizer(folder, masker=Masker())
        one, other = films.film(12), films.film(12)
        for image in other:
            image[32:40, 64:88] = 20  # around the object, and under its mask
        first = films.save(tmp_path / "1.mp4", one, exact=True)
        second = films.save(tmp_path / "2.mp4", other, exact=True)
        assert not all((a[0] == b[0]).all() for a, b in zip(samples(first), samples(second), strict=True))
        soft.video(first, tmp_path / "3.mp4")
        soft.video(second, tmp_path / "4.mp4")
        assert len(given) == 24
        for a, b in zip(given[:12], given[12:], strict=True):
            for mine, theirs in zip(a, b, strict=True):
                np.testing.assert_array_equal(mine, theirs)

    def test_nothing_is_carried_over_a_cut(self, folder: Path, tmp_path: Path) -> None:
        def at(index: int) -> films.Place | None:
            return (20, 40) if index < 10 else None

        path = films.save(tmp_path / "a.mp4", films.film(COUNT, at=at, scene=lambda index: index // 10))
        films.anonymizer(folder).video(path, tmp_path / "b.mp4")
        check_covered(tmp_path / "b.mp4", at, count=COUNT)
        for old, new in list(zip(films.decoded(path), films.decoded(tmp_path / "b.mp4"), strict=True))[10:]:
            assert np.abs(old.astype(int) - new).max() < 60  # a black box differs by more

    def test_without_anybody_it_is_clean(self, anonymizer: Anonymizer, tmp_path: Path) -> None:
        path = films.save(tmp_path / "a.mp4", films.film(8, at=lambda _: None))
        report = anonymizer.video(path, tmp_path / "b.mp4")
        assert (report.files.clean, report.frames, report.objects) == (1, 8, {})

    def test_what_is_left_behind_is_said(self, anonymizer: Anonymizer, tmp_path: Path) -> None:
        path = media.make(tmp_path / "a.mkv", others=media.sound("aac"))
        results: list[FileResult] = []
        anonymizer.video(path, tmp_path / "b.mkv", on_file=results.append)
        assert "audio (aac)" in results[0].notes
        with av.open(str(tmp_path / "b.mkv")) as container:
            assert [stream.type for stream in container.streams] == ["video"]
        captioned = media.captioned(tmp_path / "c.ts")
        anonymizer.video(captioned, tmp_path / "d.mp4", on_file=results.append)
        assert "closed captions" in results[1].notes
        assert media.CAPTION not in (tmp_path / "d.mp4").read_bytes()

    def test_sound_is_kept_where_asked(self, folder: Path, tmp_path: Path) -> None:
        path = media.make(tmp_path / "a.mp4", others=media.sound("aac"))
        films.anonymizer(folder, audio="keep").video(path, tmp_path / "b.mp4")

        def sound(path: Path) -> list[bytes]:
            with av.open(str(path)) as container:
                return [bytes(packet) for packet in container.demux(audio=0) if packet.size]

        assert sound(path)
        assert sound(path) == sound(tmp_path / "b.mp4")

    def test_frames_are_told_as_they_are_written(self, anonymizer: Anonymizer, source: Path, target: Path) -> None:
        told: list[tuple[Path, int, int | None]] = []
        anonymizer.video(source, target, on_frames=lambda *what: told.append(what))
        assert told == [(source, index + 1, COUNT) for index in range(COUNT)]

    def test_a_file_is_masked_by_what_it_is(self, anonymizer: Anonymizer, source: Path, target: Path) -> None:
        shutil.move(source, source.with_name("film"))
        assert anonymizer.file(source.with_name("film"), target).frames == COUNT
        check_covered(target, films.walking, count=COUNT)


class TestSearchFails:
    @pytest.mark.parametrize("call", [0, 2, 3])
    def test_fail_leaves_nothing(self, folder: Path, source: Path, target: Path, call: int) -> None:
        failing = films.anonymizer(folder, films.Failing(call))
        check_nothing_left(lambda: failing.video(source, target), source, target, ModelError, "the network says so")

    @pytest.mark.parametrize("call", [0, 7, COUNT - 1])
    def test_fill_makes_it_grey_and_counts_it(self, folder: Path, source: Path, target: Path, call: int) -> None:
        results: list[FileResult] = []
        filling = films.anonymizer(folder, films.Failing(call), on_error="fill", interval=0)
        report = filling.video(source, target, on_file=results.append)
        assert 0 < report.withheld <= AHEAD
        assert results[0].withheld == report.withheld
        assert f"{report.withheld} of {COUNT} frames could not be read or searched" in results[0].notes[-1]
        grey = check_covered(target, films.walking, count=COUNT, grey=report.withheld)
        assert grey == list(range(call, call + report.withheld))
        assert media.moments(target) == media.moments(source)

    def test_fill_shows_nothing_of_a_video_that_no_search_went_well_in(
        self, folder: Path, source: Path, target: Path
    ) -> None:
        filling = films.anonymizer(folder, films.Failing(*range(99)), on_error="fill", interval=0.2)
        assert filling.video(source, target).withheld == COUNT
        check_covered(target, films.walking, count=COUNT, grey=COUNT)

    def test_a_device_that_hangs(
        self, folder: Path, source: Path, target: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def hanging(_: Pending) -> None:
            raise DeviceError("the device has not answered")

        failing, filling = films.anonymizer(folder), films.anonymizer(folder, on_error="fill")
        for one in (failing, filling):
            next(one.stream(films.frames(films.film(1))))
        monkeypatch.setattr(Pending, "_wait", hanging)
        check_nothing_left(lambda: failing.video(source, target), source, target, DeviceError, "not answered")
        assert filling.video(source, target).withheld == COUNT
        check_covered(target, films.walking, count=COUNT, grey=COUNT)


class TestStyleFails:
    @staticmethod
    def style(times: int) -> Callable[[object], Any]:
        """One that fails after so many times."""
        left = iter(range(times))

        def paint(_: object) -> Any:
            next(left)
            return (0, 0, 0)

        return paint

    def test_fail_leaves_nothing(self, folder: Path, source: Path, target: Path) -> None:
        failing = films.anonymizer(folder, masker=Masker(self.style(9)))
        check_nothing_left(lambda: failing.video(source, target), source, target, LeakError, "the style")

    def test_fill_makes_it_grey(self, folder: Path, source: Path, target: Path) -> None:
        report = films.anonymizer(folder, masker=Masker(self.style(9)), on_error="fill").video(source, target)
        assert report.withheld == COUNT - 9
        assert check_covered(target, films.walking, count=COUNT, grey=COUNT - 9) == list(range(9, COUNT))


class TestDamagedSource:
    @pytest.fixture
    def damaged(self, tmp_path: Path) -> Path:
        path = films.save(tmp_path / "in" / "a.mp4", films.film(COUNT, at=films.walking))
        position, size = media.data_packets(path)[13]
        data = bytearray(path.read_bytes())
        data[position : position + size] = bytes(size)
        path.write_bytes(data)
        return path

    @pytest.fixture
    def cut_off(self, tmp_path: Path) -> Path:
        path = films.save(tmp_path / "in" / "a.mkv", films.film(COUNT, at=films.walking))
        position, size = media.data_packets(path)[14]
        path.write_bytes(path.read_bytes()[: position + size // 2])
        return path

    @pytest.mark.parametrize("which", ["damaged", "cut_off"])
    @pytest.mark.parametrize("interval", [0, 0.2])
    def test_fail_leaves_nothing_and_fill_fills(
        self, folder: Path, target: Path, which: str, interval: float, request: pytest.FixtureRequest
    ) -> None:
        source: Path = request.getfixturevalue(which)
        failing = films.anonymizer(folder, interval=interval)
        check_nothing_left(lambda: failing.video(source, target), source, target, MediaError, r"damaged|cut off|cannot")
        results: list[FileResult] = []
        filling = films.anonymizer(folder, interval=interval, on_error="fill")
        report = filling.video(source, target, on_file=results.append)
        assert report.withheld >= 5
        grey = check_covered(target, films.walking, count=COUNT, grey=report.withheld)
        assert min(grey) > 10
        assert any("damaged" in note for note in results[0].notes)

    @pytest.mark.parametrize("content", [b"", b"no video", b"\0" * 5000])
    def test_what_is_no_video_is_an_error_in_either_way(self, folder: Path, target: Path, content: bytes) -> None:
        source = target.parent.parent / "in" / "x.mp4"
        source.parent.mkdir()
        source.write_bytes(content)
        for on_error in ("fail", "fill"):
            one = films.anonymizer(folder, on_error=on_error)
            check_nothing_left(lambda: one.video(source, target), source, target, MediaError, "x.mp4")  # noqa: B023


class TestTarget:
    def test_one_that_exists_is_left_unless_it_may_be_replaced(
        self, anonymizer: Anonymizer, source: Path, target: Path
    ) -> None:
        target.write_bytes(b"mine")
        with pytest.raises(MediaError, match="exists"):
            anonymizer.video(source, target)
        assert target.read_bytes() == b"mine"
        anonymizer.video(source, target, overwrite=True)
        check_covered(target, films.walking, count=COUNT)

    @pytest.mark.parametrize("overwrite", [False, True])
    def test_the_source_is_never_replaced(self, anonymizer: Anonymizer, source: Path, *, overwrite: bool) -> None:
        before = state(source.parent)
        with pytest.raises(MediaError, match=r"the source itself|exists"):
            anonymizer.video(source, source, overwrite=overwrite)
        assert state(source.parent) == before

    def test_one_without_a_folder_is_an_error(self, anonymizer: Anonymizer, source: Path, target: Path) -> None:
        with pytest.raises(MediaError, match="does not exist"):
            anonymizer.video(source, target.parent / "none" / "a.mp4")
        with pytest.raises(ConfigError, match="suffix"):
            anonymizer.video(source, target.with_suffix(".txt"))
        assert list(target.parent.iterdir()) == []

    def test_what_appears_meanwhile_is_left(self, anonymizer: Anonymizer, source: Path, target: Path) -> None:
        with pytest.raises(MediaError, match="appeared meanwhile"):
            anonymizer.video(source, target, on_frames=lambda *_: None if target.exists() else target.touch())
        assert state(target.parent) == {"a.mp4": hashlib.sha256().hexdigest()}

    @pytest.mark.parametrize("when", ["add", "finish"])
    @pytest.mark.parametrize("on_error", ["fail", "fill"])
    def test_an_encoder_that_dies_leaves_nothing(
        self,
        folder: Path,
        source: Path,
        target: Path,
        monkeypatch: pytest.MonkeyPatch,
        *,
        when: str,
        on_error: str,
    ) -> None:
        real = Encoding.add

        def dying(encoding: Encoding, *frame: Any) -> None:
            if not frame or encoding.count == 7:
                raise av.error.ExternalError(1, "the encoder is gone")
            real(encoding, *frame)

        monkeypatch.setattr(Encoding, when, dying)
        one = films.anonymizer(folder, on_error=on_error)
        check_nothing_left(lambda: one.video(source, target), source, target, MediaError, "cannot be written")

    @pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
    def test_an_end_in_the_middle_leaves_nothing(
        self, anonymizer: Anonymizer, source: Path, target: Path, error: type[BaseException]
    ) -> None:
        def stop(_: Path, done: int, __: int | None) -> None:
            assert films.leftovers(target.parent)
            if done == 9:
                raise error

        before = state(source.parent)
        with pytest.raises(error):
            anonymizer.video(source, target, on_frames=stop)
        assert list(target.parent.iterdir()) == []
        assert state(source.parent) == before


class TestSettings:
    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("look_ahead", -0.1),
            ("look_ahead", float("nan")),
            ("look_ahead", "1"),
            ("interval", 61),
            ("interval", float("inf")),
            ("interval", None),
            ("audio", "copy"),
            ("codec", "mpeg2"),
            ("codec", None),
            ("quality", "best"),
            ("quality", True),
            ("on_error", "skip"),
        ],
    )
    def test_a_value_without_meaning_is_refused_and_named(self, folder: Path, key: str, value: Any) -> None:
        with pytest.raises(ConfigError, match=key):
            VideoSettings(**{key: value})
        with pytest.raises(ConfigError, match=key):
            films.anonymizer(folder, **{key: value})

    def test_defaults_are_those_of_the_settings_file(self) -> None:
        assert VideoSettings() == VideoSettings(
            look_ahead=LOOK_AHEAD, interval=INTERVAL, audio="drop", codec="auto", on_error="fail"
        )

    @pytest.mark.parametrize(("key", "value"), [("quality", 99), ("preset", "swift")])
    def test_what_the_encoder_does_not_know_is_refused_before_anything_is_written(
        self, folder: Path, source: Path, target: Path, key: str, value: Any
    ) -> None:
        one = films.anonymizer(folder, **{key: value})
        check_nothing_left(lambda: one.video(source, target), source, target, ConfigError, key)

    @pytest.mark.parametrize("codec", ["h264", "hevc", "vp9", "av1", "mjpeg"])
    def test_the_codec_is_the_one_that_is_named(self, folder: Path, tmp_path: Path, codec: str) -> None:
        path = films.save(tmp_path / "a.mp4", films.film(6))
        films.anonymizer(folder, codec=codec).video(path, tmp_path / "b.mkv")
        with VideoReader(tmp_path / "b.mkv") as video:
            assert video.codec == codec

    def test_less_quality_is_a_smaller_file(self, folder: Path, source: Path, target: Path) -> None:
        films.anonymizer(folder, quality=10).video(source, target)
        films.anonymizer(folder, quality=40).video(source, target.with_name("b.mp4"))
        assert target.with_name("b.mp4").stat().st_size < target.stat().st_size


def test_an_address_is_shown_without_its_secrets() -> None:
    shown = str(shown_name("rtsp://jane:secret@camera:554/live?token=abc"))
    assert "camera" in shown
    assert not any(word in shown for word in ("jane", "secret", "abc"))


def test_objects_are_counted_once_in_memory_that_does_not_grow() -> None:
    objects = _Objects()
    for start in range(5000):
        names = np.array([start + 2, start, start + 5, start], np.int64)  # an older one again, and one too early
        objects.add(rows(names))
    assert objects.counts == {0: 5005}
    assert len(objects._above) < 10


def rows(names: NDArray[np.int64]) -> Tracks:
    count = len(names)
    boxes = np.zeros((count, 4), np.float32)
    return Tracks(
        boxes, boxes[:, 0], np.zeros(count, np.uint8), names, np.zeros(count, np.int32), np.zeros(count, np.bool_)
    )


@pytest.mark.slow
def test_memory_does_not_grow_with_the_length(folder: Path, tmp_path: Path) -> None:
    """In a process of its own, and the real encoder."""
    pictures = films.film(50, at=films.walking)
    for name, times in (("few", 2), ("many", 20)):
        films.save(tmp_path / f"{name}.mp4", pictures * times)
    code = (
        "from pathlib import Path\nfrom tests import films\n"
        f"found = films.anonymizer(Path({str(folder)!r}))\n"
        "def resident(name):\n"
        f"    found.video(f'{tmp_path}/{{name}}.mp4', f'{tmp_path}/{{name}}-out.mp4', overwrite=True)\n"
        "    return int(open('/proc/self/statm').read().split()[1])\n"
        "resident('few')\n"
        "few, many = resident('few'), resident('many')\n"
        "assert many < few * 1.1, (few, many)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_mask_is_drawn_where_asked(folder: Path, source: Path, target: Path) -> None:
    films.anonymizer(folder, masker=Masker(Fill((0, 0, 255)))).video(source, target)
    for index, image in enumerate(films.decoded(target)):
        x, y = films.walking(index)
        middle = image[y : y + 8, x : x + 8].mean(axis=(0, 1))
        assert middle[2] > 180
        assert max(middle[:2]) < 80
