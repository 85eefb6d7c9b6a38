"""Live frames: what comes out masked, how late, and what becomes of it when something fails."""

import gc
import subprocess
import sys
import threading
import time
import tracemalloc
import weakref
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeanon import Anonymizer, Fill, Frame, Kind, Masker, VideoReader
from edgeanon.config import INTERVAL, LOOK_AHEAD
from edgeanon.errors import ConfigError, DeviceError, LeakError, ModelError
from edgeanon.runtime import Pending
from tests import films, media

AHEAD = 6
"""Frames that a detector may have in its hands beyond those that wait."""
AFTER = 5
"""Frames for which an object is covered after its last sighting at least: 0.2 s."""
SECONDS = 0.4
WITHIN = int(SECONDS * films.RATE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tiny")


@pytest.fixture(scope="module")
def anonymizer(folder: Path) -> Anonymizer:
    """Searches every frame."""
    return films.anonymizer(folder, interval=0, look_ahead=SECONDS)


class Feed:
    """Frames that count how many of them were taken."""

    def __init__(self, pictures: list[films.Image]) -> None:
        self.taken = 0
        self._frames = films.frames(pictures)

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._frames:
            self.taken += 1
            yield frame


def shown(anonymizer: Anonymizer, pictures: list[films.Image], at: Callable[[int], Any], **options: Any) -> list[int]:
    """Frames in which the object can be seen in what comes out."""
    out = list(anonymizer.stream(films.frames(pictures), **options))
    assert [frame.index for frame in out] == list(range(len(pictures)))
    assert [frame.time for frame in out] == [index * films.STEP for index in range(len(pictures))]
    return [frame.index for frame in out if films.shows(frame.pixels, at(frame.index))]


def until_it_fails(stream: Iterator[Frame]) -> tuple[list[Frame], Exception]:
    """What came out, and the error that ended it."""
    out = []
    try:
        for frame in stream:
            out.append(frame)  # noqa: PERF402  # those before the error
    except Exception as error:  # noqa: BLE001
        return out, error
    raise AssertionError("it ended well")


class TestCover:
    def test_what_is_found_is_covered_and_the_rest_stays(self, anonymizer: Anonymizer) -> None:
        pictures = films.film(12, at=films.walking)
        before = [image.copy() for image in pictures]
        out = list(anonymizer.stream(films.frames(pictures)))
        for index, frame in enumerate(out):
            assert films.shows(pictures[index], films.walking(index))
            assert not films.shows(frame.pixels, films.walking(index))
            x, _ = films.walking(index)
            np.testing.assert_array_equal(frame.pixels[:, x + 40 :], before[index][:, x + 40 :])
            np.testing.assert_array_equal(pictures[index], before[index])

    @pytest.mark.parametrize("at", [films.resting, films.walking], ids=["resting", "walking"])
    def test_a_gap_within_the_window_is_covered(self, anonymizer: Anonymizer, at: Callable[[int], films.Place]) -> None:
        pictures = films.film(30, at=at, dim=range(10, 10 + WITHIN))
        assert all(films.shows(image, at(index)) for index, image in enumerate(pictures))
        assert shown(anonymizer, pictures, at) == []

    def test_a_gap_is_covered_without_looking_ahead_for_as_long_as_the_tracker_holds(
        self, anonymizer: Anonymizer
    ) -> None:
        pictures = films.film(24, dim=range(12, 18))
        assert shown(anonymizer, pictures, films.resting, look_ahead=0) == []

    @pytest.mark.parametrize("at", [films.resting, films.walking], ids=["resting", "walking"])
    def test_it_is_covered_before_it_was_first_found(
        self, anonymizer: Anonymizer, at: Callable[[int], films.Place]
    ) -> None:
        pictures = films.film(24, at=at, dim=range(WITHIN))
        assert shown(anonymizer, pictures, at) == []

    def test_without_looking_ahead_it_is_not_covered_before(self, anonymizer: Anonymizer) -> None:
        pictures = films.film(20, dim=range(8))
        assert shown(anonymizer, pictures, films.resting, look_ahead=0) == list(range(8))

    def test_it_is_not_covered_longer_before_than_the_window_is(self, anonymizer: Anonymizer) -> None:
        pictures = films.film(40, dim=range(WITHIN + 10))
        assert shown(anonymizer, pictures, films.resting) == list(range(10))

    def test_it_is_covered_after_it_was_last_found(self, anonymizer: Anonymizer) -> None:
        for seen in (12, 2):  # established, and hardly
            pictures = films.film(seen + AFTER, dim=range(seen, 99))
            assert shown(anonymizer, pictures, films.resting) == []

    def test_frames_between_searches_are_covered(self, folder: Path) -> None:
        decode = films.Failing()
        sparse = films.anonymizer(folder, decode, interval=0.12)
        assert shown(sparse, films.film(40, at=films.walking), films.walking) == []
        assert decode.count < 20

    def test_what_comes_in_after_the_last_search_is_covered(self, folder: Path) -> None:
        """At the end of a video, and at that of a scene."""
        sparse = films.anonymizer(folder, interval=0.2)
        for late in range(1, 7):
            count = 20 + late

            def at(index: int, since: int = count - 1) -> films.Place | None:
                return films.resting(index) if index >= since else None

            assert shown(sparse, films.film(count, at=at), at) == []
            pictures = films.film(count, at=at) + films.film(8, at=lambda _: None, scene=lambda _: 1)
            assert films.shows(pictures[count - 1], films.resting(0))
            assert shown(sparse, pictures, lambda index: films.resting(0) if index == count - 1 else None) == []  # noqa: B023

    def test_the_defaults_cover_a_short_gap(self, folder: Path) -> None:
        """Whatever the interval and the look-ahead are."""
        usual = films.anonymizer(folder)
        gap = int((LOOK_AHEAD / 2 - INTERVAL) * films.RATE)
        assert gap > 2
        pictures = films.film(60, at=lambda index: (16 + index, 40), dim=range(30, 30 + gap))
        assert shown(usual, pictures, lambda index: (16 + index, 40)) == []

    def test_nothing_is_carried_over_a_cut(self, anonymizer: Anonymizer) -> None:
        def at(index: int) -> films.Place | None:
            return (20, 20) if index < 10 else (120, 60)

        dim = [*range(7, 10), *range(10, 13)]
        pictures = films.film(24, at=at, dim=dim, scene=lambda index: index // 10)
        for frame, tracks in anonymizer.tracks(films.frames(pictures)):
            left = tracks.boxes[:, 0] < 80
            assert left.any() == (frame.index < 10)
            assert (~left).any() == (frame.index >= 10)
        assert shown(anonymizer, pictures, at) == []

    def test_two_detectors_cover_what_either_finds(self, folder: Path) -> None:
        blind = films.detector(folder, films.Failing())
        blind._parts[0].own = blind._parts[0].shown = dict.fromkeys(Kind, 1.0)
        both = Anonymizer(detectors=[blind, films.detector(folder)], masker=Masker(Fill((0, 0, 0))), interval=0.1)
        assert shown(both, films.film(20, at=films.walking), films.walking) == []

    def test_times_that_make_no_sense_are_survived(self, anonymizer: Anonymizer) -> None:
        pictures = films.film(30)
        for times in ([0] * 30, list(range(30, 0, -1)), [index * 1000 for index in range(30)]):
            given = [Frame(image, 0, Fraction(when)) for image, when in zip(pictures, times, strict=True)]
            out = list(anonymizer.stream(given))
            assert [frame.time for frame in out] == times
            assert not any(films.shows(frame.pixels, films.resting(0)) for frame in out)

    def test_frames_that_change_their_size_are_survived(self, anonymizer: Anonymizer) -> None:
        pictures = films.film(20)
        pictures[10:] = [np.ascontiguousarray(image[:64, 8:]) for image in pictures[10:]]
        out = list(anonymizer.stream(films.frames(pictures)))
        assert [frame.pixels.shape for frame in out] == [image.shape for image in pictures]
        for index, frame in enumerate(out):
            assert not films.shows(frame.pixels, (72, 40) if index < 10 else (64, 40))

    def test_a_style_that_is_irreversible_carries_nothing_of_what_it_hides(self, folder: Path) -> None:
        soft = films.anonymizer(folder, masker=Masker())
        one, other = films.film(15), films.film(15)
        for image in other:
            image[32:40, 64:88] = 20  # around the object, and under its mask
        assert not all((a == b).all() for a, b in zip(one, other, strict=True))
        for a, b in zip(soft.stream(films.frames(one)), soft.stream(films.frames(other)), strict=True):
            np.testing.assert_array_equal(a.pixels, b.pixels)


class TestTracks:
    def test_they_come_with_the_frames_as_they_were(self, anonymizer: Anonymizer) -> None:
        pictures = films.film(12, at=films.walking)
        for index, (frame, tracks) in enumerate(anonymizer.tracks(films.frames(pictures))):
            assert np.array_equal(frame.pixels, pictures[index])
            assert np.unique(tracks.ids).tolist() == [0]
            assert tracks.confirmed.all() or index < 3
            x, y = films.walking(index)
            assert (tracks.boxes[:, :2] <= (x, y)).all()
            assert (tracks.boxes[:, 2:] >= (x + films.SIDE, y + films.SIDE)).all()

    def test_a_frame_that_could_not_be_searched_is_one_box(self, folder: Path) -> None:
        filling = films.anonymizer(folder, films.Failing(3), interval=0, look_ahead=0, on_error="fill")
        rows = [tracks for _, tracks in filling.tracks(films.frames(films.film(8)))]
        whole = [bool((one.boxes == [0, 0, films.WIDTH, films.HEIGHT]).all(axis=1).any()) for one in rows]
        assert whole == [index == 3 for index in range(8)]
        assert (rows[3].kinds == Kind.OTHER).any()


class TestDelay:
    def test_a_frame_is_late_by_the_look_ahead_and_little_more(self, anonymizer: Anonymizer) -> None:
        feed = Feed(films.film(60))
        held = [feed.taken - frame.index for frame in anonymizer.stream(feed)]
        assert WITHIN <= max(held) <= WITHIN + AHEAD

    def test_the_interval_makes_it_hardly_later(self, folder: Path) -> None:
        feed = Feed(films.film(90))
        held = [feed.taken - frame.index for frame in films.anonymizer(folder).stream(feed)]
        assert max(held) <= (LOOK_AHEAD + 3 * INTERVAL) * films.RATE + AHEAD

    @pytest.mark.parametrize("interval", [0, INTERVAL, 0.5])
    def test_without_looking_ahead_a_frame_comes_before_the_next_is_taken(self, folder: Path, interval: float) -> None:
        feed = Feed(films.film(30, at=films.walking))
        for index, frame in enumerate(films.anonymizer(folder, interval=interval).stream(feed, look_ahead=0)):
            assert frame.index == index
            assert feed.taken == index + 1
            assert not films.shows(frame.pixels, films.walking(index))

    def test_nothing_is_taken_before_it_is_asked_for(self, anonymizer: Anonymizer) -> None:
        feed = Feed(films.film(4))
        stream = anonymizer.stream(feed)
        assert feed.taken == 0
        next(stream)
        assert 0 < feed.taken <= 4

    def test_no_frames_are_no_trouble(self, anonymizer: Anonymizer) -> None:
        assert list(anonymizer.stream([])) == []
        assert list(anonymizer.stream([], look_ahead=0)) == []
        assert len(list(anonymizer.stream(films.frames(films.film(1))))) == 1


class TestFailure:
    @pytest.mark.parametrize("look_ahead", [0, SECONDS])
    def test_a_search_that_fails_ends_it_before_its_frame_is_shown(self, folder: Path, look_ahead: float) -> None:
        failing = films.anonymizer(folder, films.Failing(7), interval=0)
        stream = failing.stream(films.frames(films.film(20)), look_ahead=look_ahead)
        out, error = until_it_fails(stream)
        assert isinstance(error, ModelError)
        assert "the network says so" in str(error)
        assert [frame.index for frame in out] == ([] if look_ahead else list(range(7)))
        assert list(stream) == []

    @pytest.mark.parametrize("look_ahead", [0, SECONDS])
    def test_or_its_frame_is_grey_and_the_others_go_on(self, folder: Path, look_ahead: float) -> None:
        filling = films.anonymizer(folder, films.Failing(7), interval=0, on_error="fill")
        out = list(filling.stream(films.frames(films.film(40)), look_ahead=look_ahead))
        grey = [frame.index for frame in out if (frame.pixels == 128).all()]
        assert 7 in grey
        assert set(grey) <= set(range(7, 7 + AHEAD))
        assert not any(films.shows(frame.pixels, films.resting(0)) for frame in out)
        assert [frame.index for frame in out] == list(range(40))

    @pytest.mark.parametrize("look_ahead", [0, SECONDS])
    def test_frames_that_were_to_be_covered_by_a_search_that_failed_are_grey_too(
        self, folder: Path, look_ahead: float
    ) -> None:
        """All searches fail, and not one frame between them is shown."""
        filling = films.anonymizer(folder, films.Failing(*range(999)), interval=0.2, on_error="fill")
        out = list(filling.stream(films.frames(films.film(30)), look_ahead=look_ahead))
        assert len(out) == 30
        assert all((frame.pixels == 128).all() for frame in out)

    @pytest.mark.parametrize("failed", range(1, 6))
    def test_after_a_search_that_failed_the_next_frame_is_searched(self, folder: Path, failed: int) -> None:
        """An object comes in while searches fail."""
        since = failed * 5 - 3

        def at(index: int) -> films.Place | None:
            return films.resting(index) if index >= since else None

        filling = films.anonymizer(folder, films.Failing(failed), interval=0.2, on_error="fill", look_ahead=0.1)
        assert shown(filling, films.film(60, at=at), at) == []

    def test_without_any_device_everything_is_grey_and_it_ends_soon(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = []

        def hanging(pending: Pending) -> None:
            asked.append(pending)
            raise DeviceError("it hangs")

        filling = films.anonymizer(folder, interval=0, on_error="fill")
        list(filling.stream(films.frames(films.film(2))))
        monkeypatch.setattr(Pending, "_wait", hanging)
        out = list(filling.stream(films.frames(films.film(50))))
        assert len(out) == 50
        assert all((frame.pixels == 128).all() for frame in out)
        assert len(asked) < AHEAD  # each would take its time
        with pytest.raises(DeviceError):
            list(films.anonymizer(folder).stream(films.frames(films.film(50))))

    def test_a_style_that_fails_shows_nothing(self, folder: Path) -> None:
        def failing(_: object) -> Any:
            raise ValueError("no paint")

        for on_error in ("fail", "fill"):
            broken = films.anonymizer(folder, masker=Masker(failing), on_error=on_error)
            out, error = until_it_fails(broken.stream(films.frames(films.film(5))))
            assert isinstance(error, LeakError)
            assert out == []

    def test_a_source_that_fails_is_heard_of(self, anonymizer: Anonymizer) -> None:
        def frames() -> Iterator[Frame]:
            yield from films.frames(films.film(15))
            raise OSError("the camera is gone")

        out, error = until_it_fails(anonymizer.stream(frames()))
        assert isinstance(error, OSError)
        assert not any(films.shows(frame.pixels, films.resting(0)) for frame in out)

    def test_what_is_no_frame_is_refused(self, anonymizer: Anonymizer) -> None:
        with pytest.raises(ConfigError, match="a frame is a ndarray"):
            list(anonymizer.stream(films.film(2)))  # type: ignore[arg-type]
        with pytest.raises(ConfigError, match="float64"):
            list(anonymizer.stream([Frame(np.zeros((9, 9, 3)), 0, Fraction(0))]))  # type: ignore[arg-type]

    @pytest.mark.parametrize("look_ahead", [-1, 61, float("nan"), "1"])
    def test_a_look_ahead_without_meaning_is_refused(self, anonymizer: Anonymizer, look_ahead: Any) -> None:
        with pytest.raises(ConfigError, match="look_ahead"):
            list(anonymizer.stream([], look_ahead=look_ahead))


class TestConsumer:
    def test_one_who_stops_leaves_nothing_behind(self, anonymizer: Anonymizer, tmp_path: Path) -> None:
        path = media.make(tmp_path / "a.mp4", frames=60)
        threads = threading.active_count()
        with VideoReader(path) as video:
            stream = anonymizer.stream(video)
            first = next(stream)
            stream.close()  # type: ignore[attr-defined]
        assert first.index == 0
        assert not open_files(path)
        assert threading.active_count() == threads

    def test_frames_are_let_go_of(self, anonymizer: Anonymizer) -> None:
        class Kept(Frame):
            __slots__ = ("__weakref__",)

        alive: list[weakref.ref[Frame]] = []

        def frames() -> Iterator[Frame]:
            for frame in films.frames(films.film(40)):
                kept = Kept(frame.pixels, frame.index, frame.time)
                alive.append(weakref.ref(kept))
                yield kept

        stream = anonymizer.stream(frames())
        most = 0
        for _ in range(25):
            next(stream)
            most = max(most, sum(one() is not None for one in alive))
        assert most <= WITHIN + AHEAD
        stream.close()  # type: ignore[attr-defined]
        gc.collect()
        assert not any(one() for one in alive)

    def test_one_who_waits_long_gets_what_was_promised(self, anonymizer: Anonymizer) -> None:
        feed = Feed(films.film(30))
        for frame in anonymizer.stream(feed):
            if frame.index == 3:
                before = feed.taken
                time.sleep(0.1)
                assert feed.taken == before  # nothing goes on behind the back
            assert not films.shows(frame.pixels, films.resting(0))


def open_files(path: Path) -> list[str]:
    links = []
    for link in Path("/proc/self/fd").iterdir():
        try:
            links.append(str(link.readlink()))
        except OSError:  # the one that lists
            continue
    return [link for link in links if link == str(path)]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_frames(anonymizer: Anonymizer) -> None:
    def endless(count: int) -> Iterator[Frame]:
        random = np.random.default_rng(0)
        for index in range(count):
            image = films.ground()
            x, y = random.integers(0, films.WIDTH - 8), random.integers(0, films.HEIGHT - 8)
            image[y : y + 8, x : x + 8] = 255  # a new object in each
            yield Frame(image, index, index * films.STEP)

    sizes = []
    tracemalloc.start()
    try:
        for _ in anonymizer.stream(endless(900)):
            sizes += [tracemalloc.get_traced_memory()[0]]
    finally:
        tracemalloc.stop()
    assert np.mean(sizes[-200:]) < 1.1 * np.mean(sizes[100:300])


def test_an_inference_that_hangs_ends_in_an_error_and_so_does_the_process(folder: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom edgeanon.runtime import network\nfrom tests import films\n"
        "class Silent:\n"
        "    start_async = staticmethod(lambda *_, **__: None)\n"
        "    wait_for = staticmethod(lambda _: False)\n"
        "network.PATIENCE = 0.2\n"
        f"found = films.anonymizer(Path({str(folder)!r}))\n"
        "network._Compiled.take = lambda self: Silent()\n"
        "try:\n    list(found.stream(films.frames(films.film(20))))\n"
        "except RuntimeError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert "has not answered for 0.2 s" in done.stdout


class TestTimes:
    """Frames whose times say nothing are covered as well."""

    @pytest.mark.parametrize("step", [Fraction(0), Fraction(1, 12800), Fraction(1, 2000)])
    def test_times_that_hardly_move_stop_no_search(self, anonymizer: Anonymizer, step: Fraction) -> None:
        pictures = films.film(120, at=lambda index: films.resting(index) if index >= 3 else None)
        frames = (Frame(image, index, index * step) for index, image in enumerate(pictures))
        shown = [films.shows(frame.pixels, films.resting(0)) for frame in anonymizer.stream(frames)]
        assert not any(shown)

    def test_the_last_frame_before_a_long_pause_is_searched(self, anonymizer: Anonymizer) -> None:
        pictures = films.film(6, at=lambda index: films.resting(index) if index == 1 else None)
        times = [Fraction(0), films.STEP, *(10 + index * films.STEP for index in range(4))]
        frames = (Frame(image, index, times[index]) for index, image in enumerate(pictures))
        assert not any(films.shows(frame.pixels, films.resting(0)) for frame in anonymizer.stream(frames))

    @pytest.mark.parametrize("time", [None, "x", float("nan"), Fraction(10**400)])
    def test_what_is_no_time_is_refused(self, anonymizer: Anonymizer, time: Any) -> None:
        with pytest.raises(ConfigError, match="time"):
            list(anonymizer.stream([Frame(films.ground(), 0, time)]))


def test_memory_that_is_written_to_again_is_no_harm(anonymizer: Anonymizer) -> None:
    pictures = films.film(30, at=films.walking)
    buffer = np.empty_like(pictures[0])

    def camera() -> Iterator[Frame]:
        for index, image in enumerate(pictures):
            buffer[...] = image
            yield Frame(buffer, index, index * films.STEP)

    for index, frame in enumerate(anonymizer.stream(camera())):
        assert not films.shows(frame.pixels, films.walking(index))


def test_an_interval_past_the_look_ahead_leaves_nothing_bare(folder: Path) -> None:
    eager = films.anonymizer(folder, interval=5.0, look_ahead=0.4)
    pictures = films.film(40, at=lambda index: films.resting(index) if index >= 5 else None)
    assert not any(films.shows(frame.pixels, films.resting(0)) for frame in eager.stream(films.frames(pictures)))


@pytest.mark.parametrize("first", range(6))
def test_no_frame_is_lost_where_a_search_fails_at_a_cut(folder: Path, first: int) -> None:
    failing = films.anonymizer(folder, films.Failing(first, first + 1), on_error="fill")
    pictures = films.film(20, scene=lambda index: index // 7)
    came = [frame.index for frame in failing.stream(films.frames(pictures))]
    assert came == list(range(20))


def test_an_error_of_the_frames_is_not_filled_over(folder: Path) -> None:
    filling = films.anonymizer(folder, on_error="fill")

    def broken() -> Iterator[Frame]:
        yield from films.frames(films.film(10))
        raise ModelError("of the caller")

    with pytest.raises(ModelError, match="of the caller"):
        list(filling.stream(broken()))


def test_damaged_frames_of_a_reader_are_not_taken_for_pictures(folder: Path, tmp_path: Path) -> None:
    path = films.save(tmp_path / "a.mp4", films.film(30))
    data = bytearray(path.read_bytes())
    position, size = media.data_packets(path)[12]
    data[position : position + size] = bytes(size)
    path.write_bytes(data)
    filling = films.anonymizer(folder, on_error="fill")
    with VideoReader(path, on_error="fill") as video:
        masked = list(filling.stream(video))
        assert video.filled
    assert len(masked) == 30
    assert not any(films.shows(frame.pixels, films.resting(0)) for frame in masked)
