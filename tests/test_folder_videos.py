"""Folders that hold videos beside pictures."""

import shutil
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage

from edgeanon import Anonymizer, FileResult, Masker, Verdict
from edgeanon.errors import MediaError
from edgeanon.pipeline.journal import NAME as JOURNAL
from tests import films, media

COUNT = 10


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tiny")


@pytest.fixture(scope="module")
def anonymizer(model: Path) -> Anonymizer:
    return films.anonymizer(model)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that each test gets a copy of."""
    folder = tmp_path_factory.mktemp("kept")
    pictures = films.film(COUNT, at=films.walking, dim=[4, 5])
    films.save(folder / "a.mp4", pictures)
    films.save(folder / "deep" / "b.ts", pictures)
    films.save(folder / "deep" / "c.mpg", pictures)
    films.save(folder / "deep" / "d.MKV", pictures)
    PillowImage.fromarray(pictures[0]).save(folder / "e.png")
    (folder / "notes.txt").write_text("neither")
    return folder


@pytest.fixture
def source(kept: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(kept, tmp_path / "in"))


def run(anonymizer: Anonymizer, source: Path, target: Path, **options: Any) -> dict[str, FileResult]:
    results: list[FileResult] = []
    anonymizer.folder(source, target, on_file=results.append, **options)
    return {str(result.source.relative_to(source)): result for result in results}


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def shows(path: Path) -> bool:
    """Whether the object can be seen somewhere in a picture or video."""
    if path.suffix == ".png":
        with PillowImage.open(path) as image:
            return films.shows(np.asarray(image, np.uint8), films.walking(0))
    with_places = enumerate(films.decoded(path))
    return any(films.shows(image, films.walking(index)) for index, image in with_places)


WHOLE = {"a.mp4", "deep/b.ts.mp4", "deep/c.mpg.mp4", "deep/d.MKV", "e.png"}


def test_pictures_and_videos_are_masked_under_their_names(anonymizer: Anonymizer, source: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in source.rglob("*") if path.is_file()}
    assert all(shows(path) for path in before if path.suffix != ".txt")
    results = run(anonymizer, source, tmp_path / "out")
    assert {name: result.verdict for name, result in results.items()} == {
        **dict.fromkeys(["a.mp4", "deep/b.ts", "deep/c.mpg", "deep/d.MKV", "e.png"], Verdict.MASKED),
        "notes.txt": Verdict.SKIPPED,
    }
    assert tree(tmp_path / "out") == WHOLE
    assert not any(shows(tmp_path / "out" / name) for name in WHOLE)
    assert {path: path.read_bytes() for path in before} == before
    for name, result in results.items():
        assert result.frames == (0 if name in {"e.png", "notes.txt"} else COUNT)
        assert result.pages == (name == "e.png")
        assert result.withheld == 0
    report = anonymizer.folder(source, tmp_path / "again")
    assert (report.files.masked, report.frames, report.pages) == (5, 4 * COUNT, 1)
    assert report.objects["face"] >= 5


def test_what_was_left_behind_is_noted(anonymizer: Anonymizer, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    media.make(tmp_path / "in" / "a.mkv", others=media.sound("aac"))
    media.captioned(tmp_path / "in" / "b.ts")
    results = run(anonymizer, tmp_path / "in", tmp_path / "out")
    assert "audio (aac)" in results["a.mkv"].notes
    assert "closed captions" in results["b.ts"].notes
    assert media.CAPTION not in (tmp_path / "out" / "b.ts.mp4").read_bytes()


def test_videos_that_fail_leave_the_others_unharmed(anonymizer: Anonymizer, source: Path, tmp_path: Path) -> None:
    whole = (source / "a.mp4").read_bytes()
    (source / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    (source / "empty.mov").touch()
    (source / "text.mp4").write_text("no video")
    results = run(anonymizer, source, tmp_path / "out")
    failed = {name for name, result in results.items() if result.verdict is Verdict.FAILED}
    assert failed == {"cut.mp4", "empty.mov", "text.mp4"}
    assert all(name in results[name].notes[0] for name in failed)
    assert all(results[name].target is None for name in failed)
    assert tree(tmp_path / "out") == WHOLE | {JOURNAL}


def test_a_search_that_fails_is_one_videos_own_matter(model: Path, source: Path, tmp_path: Path) -> None:
    (source / "e.png").unlink()
    failing = films.anonymizer(model, films.Failing(2))
    results = run(failing, source, tmp_path / "out")
    assert sum(result.verdict is Verdict.FAILED for result in results.values()) == 1
    assert len(tree(tmp_path / "out")) == 4  # three, and the journal
    filling = films.anonymizer(model, films.Failing(2), on_error="fill")
    report = filling.folder(source, tmp_path / "filled")
    assert report.withheld > 0
    assert report.failed == 0
    assert not any(shows(tmp_path / "filled" / name) for name in tree(tmp_path / "filled"))


def test_names_that_must_change_do_not_collide(anonymizer: Anonymizer, source: Path, tmp_path: Path) -> None:
    shutil.copy(source / "a.mp4", source / "deep" / "b.ts.mp4")
    results = run(anonymizer, source, tmp_path / "out")
    assert results["deep/b.ts.mp4"].target == tmp_path / "out" / "deep" / "b.ts.mp4"
    assert len({result.target for result in results.values()}) == len(results)
    assert len(tree(tmp_path / "out")) == 6
    assert not any(shows(tmp_path / "out" / name) for name in tree(tmp_path / "out"))


def test_frames_are_told_of_each_video(anonymizer: Anonymizer, source: Path, tmp_path: Path) -> None:
    told: dict[Path, list[int]] = {}
    wholes: dict[str, int | None] = {}
    lock = threading.Lock()

    def on_frames(path: Path, done: int, of: int | None) -> None:
        with lock:
            told.setdefault(path, []).append(done)
        wholes[path.name] = of

    anonymizer.folder(source, tmp_path / "out", on_frames=on_frames)
    assert {path.name for path in told} == {"a.mp4", "b.ts", "c.mpg", "d.MKV"}
    assert all(counts == list(range(1, COUNT + 1)) for counts in told.values())
    assert wholes["a.mp4"] == wholes["d.MKV"] == COUNT  # others may not say, or only nearly


class TestResume:
    def broken_off(self, anonymizer: Anonymizer, source: Path, target: Path) -> None:
        def interrupt(_: FileResult) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            anonymizer.folder(source, target, on_file=interrupt)

    def test_the_rest_is_done_and_ends_with_the_same(
        self, anonymizer: Anonymizer, source: Path, tmp_path: Path
    ) -> None:
        anonymizer.folder(source, tmp_path / "whole")
        self.broken_off(anonymizer, source, tmp_path / "out")
        assert JOURNAL in tree(tmp_path / "out")
        assert not films.leftovers(tmp_path / "out") or films.leftovers(tmp_path / "out") == [JOURNAL]
        with pytest.raises(MediaError, match="resume"):
            anonymizer.folder(source, tmp_path / "out")
        results = run(anonymizer, source, tmp_path / "out", resume=True)
        assert Verdict.RESUMED in {result.verdict for result in results.values()}
        assert tree(tmp_path / "out") == WHOLE
        for name in WHOLE:
            assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()

    def test_other_settings_of_videos_do_not_mix(self, anonymizer: Anonymizer, source: Path, tmp_path: Path) -> None:
        self.broken_off(anonymizer, source, tmp_path / "out")
        others: list[dict[str, Any]] = [{"look_ahead": 0.25}, {"audio": "keep"}, {"on_error": "fill"}, {"quality": 30}]
        for other in others:
            one = Anonymizer(detectors=anonymizer.detectors, masker=anonymizer.masker, **other)
            with pytest.raises(MediaError, match="other settings"):
                one.folder(source, tmp_path / "out", resume=True)

    def test_a_run_that_is_stopped_does_not_finish_a_long_video_first(
        self, anonymizer: Anonymizer, tmp_path: Path
    ) -> None:
        pictures = films.film(200)
        PillowImage.fromarray(pictures[0]).save(films.save(tmp_path / "in" / "b.mp4", pictures).with_name("a.png"))
        painted: list[int] = []
        stopped = False

        def slow(_: object) -> Any:
            painted.append(1)
            time.sleep(0 if stopped else 0.02)
            return (0, 0, 0)

        one = Anonymizer(detectors=anonymizer.detectors, masker=Masker(slow))
        begun = threading.Event()

        def interrupt(_: FileResult) -> None:
            assert begun.wait(20)
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            one.folder(tmp_path / "in", tmp_path / "out", on_file=interrupt, on_frames=lambda *_: begun.set())
        assert len(painted) < 100
        stopped = True
        assert tree(tmp_path / "out") == {"a.png", JOURNAL}
        one.folder(tmp_path / "in", tmp_path / "out", resume=True)
        assert tree(tmp_path / "out") == {"a.png", "b.mp4"}


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_videos(anonymizer: Anonymizer, tmp_path: Path) -> None:
    path = films.save(tmp_path / "in" / "0.mp4", films.film(30))
    for index in range(1, 60):
        shutil.copy(path, path.with_name(f"{index}.mp4"))
    sizes: list[int] = []
    anonymizer.folder(tmp_path / "in", tmp_path / "out", on_file=lambda _: sizes.append(resident()))
    assert max(sizes[-10:]) < 1.1 * max(sizes[10:20])


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1])
