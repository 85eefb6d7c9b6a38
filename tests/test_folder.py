"""A folder in, a folder of the same shape out; each file on its own, whatever becomes of the others."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage

from edgeanon import Anonymizer, Detector, Fill, Masker
from edgeanon.errors import ConfigError, MediaError
from edgeanon.pipeline import FileResult, Verdict
from edgeanon.pipeline.journal import NAME as JOURNAL
from tests import tiny
from tests.test_images_reading import HEIC


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save(tiny.bright(), tmp_path_factory.mktemp("tiny"), **tiny.FACES)


@pytest.fixture(scope="module")
def anonymizer(model: Path) -> Anonymizer:
    """Masks white squares with red ones."""
    return Anonymizer(detectors=[Detector.from_file(model, profile="fast")], masker=Masker(Fill((0, 0, 255))))


def picture(path: Path, *, squares: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.full((120, 200, 3), 40, np.uint8)
    for index in range(squares):
        image[30:70, 20 + 60 * index : 60 + 60 * index] = 255
    PillowImage.fromarray(image).save(path)
    return path


def shows_white(path: Path) -> bool:
    with PillowImage.open(path) as image:
        return bool((np.asarray(image.convert("RGB")).min(axis=2) > 200).any())


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    picture(folder / "a.png")
    picture(folder / "b.jpg", squares=2)
    picture(folder / "deep" / "er" / "c.webp", squares=0)
    picture(folder / "deep" / "a.png")
    (folder / "notes.txt").write_text("no picture")
    return folder


def run(anonymizer: Anonymizer, source: Path, target: Path, **options: Any) -> dict[str, FileResult]:
    results: list[FileResult] = []
    anonymizer.folder(source, target, on_file=results.append, **options)
    return {str(result.source.relative_to(source)): result for result in results}


def test_the_tree_is_mirrored_and_every_file_has_a_verdict(
    anonymizer: Anonymizer, source: Path, tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in source.rglob("*") if path.is_file()}
    results = run(anonymizer, source, tmp_path / "out")
    assert tree(tmp_path / "out") == {"a.png", "b.jpg", "deep/er/c.webp", "deep/a.png"}
    assert {name: result.verdict.value for name, result in results.items()} == {
        "a.png": "masked",
        "b.jpg": "masked",
        "deep/er/c.webp": "clean",
        "deep/a.png": "masked",
        "notes.txt": "skipped",
    }
    assert not any(shows_white(tmp_path / "out" / name) for name in tree(tmp_path / "out"))
    assert {path: path.read_bytes() for path in before} == before


def test_files_that_fail_leave_the_others_unharmed(anonymizer: Anonymizer, source: Path, tmp_path: Path) -> None:
    (source / "empty.jpg").touch()
    (source / "text.png").write_text("this is no picture")
    whole = (source / "b.jpg").read_bytes()
    (source / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    report = anonymizer.folder(source, tmp_path / "out")
    assert (report.files.masked, report.files.clean, report.files.failed, report.files.skipped) == (3, 1, 3, 1)
    assert report.failed == 3
    assert tree(tmp_path / "out") == {"a.png", "b.jpg", "deep/er/c.webp", "deep/a.png", JOURNAL}


def test_nothing_is_overwritten_unless_asked(anonymizer: Anonymizer, source: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").write_bytes(b"mine")
    results = run(anonymizer, source, tmp_path / "out")
    assert results["a.png"].verdict is Verdict.FAILED
    assert (tmp_path / "out" / "a.png").read_bytes() == b"mine"
    results = run(anonymizer, source, tmp_path / "out", overwrite=True)
    assert results["a.png"].verdict is Verdict.MASKED
    assert tree(tmp_path / "out") == {"a.png", "b.jpg", "deep/er/c.webp", "deep/a.png"}


def test_a_target_inside_the_source_is_left_out_of_it(anonymizer: Anonymizer, source: Path) -> None:
    first = run(anonymizer, source, source / "masked")
    assert tree(source / "masked") == {"a.png", "b.jpg", "deep/er/c.webp", "deep/a.png"}
    again = run(anonymizer, source, source / "masked", overwrite=True)
    assert set(again) == set(first)


def test_no_target_lands_on_a_source(anonymizer: Anonymizer, source: Path) -> None:
    picture(source / "deep" / "deep" / "a.png")
    before = (source / "deep" / "a.png").read_bytes()
    results = run(anonymizer, source / "deep", source, overwrite=True)
    assert results["deep/a.png"].verdict is Verdict.FAILED
    assert (source / "deep" / "a.png").read_bytes() == before
    with pytest.raises(MediaError, match="itself"):
        anonymizer.folder(source, source)


def test_names_that_must_change_do_not_collide(anonymizer: Anonymizer, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    shutil.move(picture(folder / "x.jpg"), folder / "x")  # a JPEG without a suffix, to be written as x.jpg
    picture(folder / "x.jpg", squares=2)
    results = run(anonymizer, folder, tmp_path / "out")
    targets = {result.target for result in results.values()}
    assert len(targets) == 2
    assert all(target and target.exists() for target in targets)
    assert (tmp_path / "out" / "x.jpg") == results["x.jpg"].target


def test_a_linked_folder_is_not_followed_and_said_so(anonymizer: Anonymizer, source: Path, tmp_path: Path) -> None:
    (source / "loop").symlink_to(source, target_is_directory=True)
    results = run(anonymizer, source, tmp_path / "out")
    assert results["loop"].verdict is Verdict.SKIPPED
    assert len(tree(tmp_path / "out")) == 4


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_link_in_the_target_does_not_lead_out_of_it(
    anonymizer: Anonymizer, source: Path, tmp_path: Path, *, overwrite: bool
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out" / "deep").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    results = run(anonymizer, source, tmp_path / "out", overwrite=overwrite)
    assert results["deep/a.png"].verdict is Verdict.FAILED
    assert results["deep/er/c.webp"].verdict is Verdict.FAILED
    assert "link" in results["deep/a.png"].notes[0]
    assert results["a.png"].verdict is Verdict.MASKED
    assert not list((tmp_path / "elsewhere").iterdir())  # not even a folder was made there


def test_a_link_in_the_target_does_not_lead_into_the_source(
    anonymizer: Anonymizer, source: Path, tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in source.rglob("*") if path.is_file()}
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "deep").symlink_to(source / "deep", target_is_directory=True)
    results = run(anonymizer, source, tmp_path / "out", overwrite=True)
    assert results["deep/a.png"].verdict is Verdict.FAILED
    assert results["deep/er/c.webp"].verdict is Verdict.FAILED
    assert {path: path.read_bytes() for path in source.rglob("*") if path.is_file()} == before


def test_a_link_at_the_name_of_a_target_never_opens_what_it_leads_to(
    anonymizer: Anonymizer, source: Path, tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in source.rglob("*") if path.is_file()}
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").symlink_to(source / "a.png")
    (tmp_path / "out" / "b.jpg").symlink_to(source / "a.png")
    assert run(anonymizer, source, tmp_path / "out")["b.jpg"].verdict is Verdict.FAILED
    results = run(anonymizer, source, tmp_path / "out", overwrite=True)
    assert results["a.png"].verdict is Verdict.FAILED
    assert results["b.jpg"].verdict is Verdict.MASKED
    assert not (tmp_path / "out" / "b.jpg").is_symlink()
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
@pytest.mark.parametrize("mode", [0o000, 0o200, 0o400], ids=oct)
def test_a_folder_that_is_closed_is_a_failure_and_the_others_are_done(
    anonymizer: Anonymizer, source: Path, tmp_path: Path, mode: int
) -> None:
    (source / "deep").chmod(mode)
    try:
        results = run(anonymizer, source, tmp_path / "out")
    finally:
        (source / "deep").chmod(0o700)
    closed = [result for name, result in results.items() if name.startswith("deep")]
    assert closed
    assert {result.verdict for result in closed} == {Verdict.FAILED}
    assert results["a.png"].verdict is Verdict.MASKED


def test_a_heic_does_not_collide_with_a_jpeg_of_its_name(anonymizer: Anonymizer, tmp_path: Path) -> None:
    pytest.importorskip("pi_heif")
    folder = tmp_path / "in"
    picture(folder / "photo.heic.jpg", squares=2)
    (folder / "photo.heic").write_bytes(HEIC)
    results = run(anonymizer, folder, tmp_path / "out")
    assert {result.verdict for result in results.values()} <= {Verdict.MASKED, Verdict.CLEAN}
    assert results["photo.heic.jpg"].target == tmp_path / "out" / "photo.heic.jpg"
    assert len(tree(tmp_path / "out")) == 2
    sizes = {}
    for name, result in results.items():
        assert result.target
        with PillowImage.open(result.target) as image:
            sizes[name] = image.size
    assert sizes == {"photo.heic": (48, 64), "photo.heic.jpg": (200, 120)}


def test_what_appears_at_a_target_meanwhile_is_left_and_never_taken_for_the_runs_own(
    anonymizer: Anonymizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied, target = picture(tmp_path / "in" / "a.png"), tmp_path / "out" / "a.png"
    detect = anonymizer.detectors[0].detect

    def meanwhile(*arguments: Any, **options: Any) -> Any:
        shutil.copy(copied, target)  # somebody puts an unmasked copy there
        return detect(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(anonymizer.detectors[0], "detect", meanwhile)
        results = run(anonymizer, tmp_path / "in", tmp_path / "out")
    assert "appeared meanwhile" in results["a.png"].notes[0]
    results = run(anonymizer, tmp_path / "in", tmp_path / "out", resume=True)
    assert results["a.png"].verdict is Verdict.FAILED
    assert target.read_bytes() == copied.read_bytes()


def test_an_empty_folder_is_done_at_once(anonymizer: Anonymizer, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    report = anonymizer.folder(tmp_path / "in", tmp_path / "out")
    assert report.pages == 0
    assert tree(tmp_path / "out") == set()


def test_what_is_no_folder_is_refused(anonymizer: Anonymizer, tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    with pytest.raises(MediaError, match="no folder"):
        anonymizer.folder(tmp_path / "a.png", tmp_path / "out")
    with pytest.raises(MediaError, match="no folder"):
        anonymizer.folder(tmp_path / "none", tmp_path / "out")
    (tmp_path / "in").mkdir()
    with pytest.raises(MediaError):
        anonymizer.folder(tmp_path / "in", tmp_path / "a.png")


class TestResume:
    def broken_off(self, anonymizer: Anonymizer, source: Path, target: Path) -> None:
        """A run that Ctrl-C ends after its first file."""

        def interrupt(_: FileResult) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            anonymizer.folder(source, target, on_file=interrupt)

    def test_an_interrupted_run_leaves_whole_masked_files_and_a_private_journal(
        self, anonymizer: Anonymizer, source: Path, tmp_path: Path
    ) -> None:
        self.broken_off(anonymizer, source, tmp_path / "out")
        left = tree(tmp_path / "out")
        assert JOURNAL in left
        assert left - {JOURNAL} < {"a.png", "b.jpg", "deep/er/c.webp", "deep/a.png"}
        assert not any(shows_white(tmp_path / "out" / name) for name in left - {JOURNAL})
        journal = tmp_path / "out" / JOURNAL
        assert stat.S_IMODE(journal.stat().st_mode) == 0o600
        assert "a.png" not in journal.read_text()

    def test_resuming_does_the_rest_and_ends_with_the_same(
        self, anonymizer: Anonymizer, source: Path, tmp_path: Path
    ) -> None:
        anonymizer.folder(source, tmp_path / "whole")
        self.broken_off(anonymizer, source, tmp_path / "out")
        results = run(anonymizer, source, tmp_path / "out", resume=True)
        assert Verdict.RESUMED in {result.verdict for result in results.values()}
        assert tree(tmp_path / "out") == tree(tmp_path / "whole")
        for name in tree(tmp_path / "out"):
            assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()

    def test_a_broken_off_run_is_not_started_over_by_accident(
        self, anonymizer: Anonymizer, source: Path, tmp_path: Path
    ) -> None:
        self.broken_off(anonymizer, source, tmp_path / "out")
        with pytest.raises(MediaError, match="resume"):
            anonymizer.folder(source, tmp_path / "out")

    def test_a_source_that_changed_is_done_again(self, anonymizer: Anonymizer, source: Path, tmp_path: Path) -> None:
        (source / "zzz.jpg").touch()  # fails, so that the journal stays
        anonymizer.folder(source, tmp_path / "out")
        picture(source / "a.png", squares=3)
        results = run(anonymizer, source, tmp_path / "out", resume=True)
        assert results["a.png"].verdict is Verdict.MASKED
        assert results["b.jpg"].verdict is Verdict.RESUMED

    def test_other_settings_do_not_mix_with_a_run_begun_before(
        self, anonymizer: Anonymizer, source: Path, tmp_path: Path
    ) -> None:
        self.broken_off(anonymizer, source, tmp_path / "out")
        other = Anonymizer(detectors=anonymizer.detectors, masker=Masker(Fill((0, 255, 0))))
        with pytest.raises(MediaError, match="other settings"):
            other.folder(source, tmp_path / "out", resume=True)

    def test_a_target_that_the_run_did_not_write_is_not_taken_for_done(
        self, anonymizer: Anonymizer, source: Path, tmp_path: Path
    ) -> None:
        """An unmasked copy that lay there already must not pass as this run's work."""
        (tmp_path / "out").mkdir()
        shutil.copy(source / "b.jpg", tmp_path / "out" / "b.jpg")
        results = run(anonymizer, source, tmp_path / "out", resume=True)
        assert results["b.jpg"].verdict is Verdict.FAILED

    @pytest.mark.parametrize("copy", [shutil.copy, shutil.copy2])
    def test_an_unmasked_copy_in_the_place_of_what_was_done_is_masked_again(
        self, anonymizer: Anonymizer, source: Path, tmp_path: Path, copy: Callable[[Path, Path], object]
    ) -> None:
        (source / "zzz.jpg").touch()  # fails, so that the journal stays
        anonymizer.folder(source, tmp_path / "out")
        copy(source / "a.png", tmp_path / "out" / "a.png")
        assert shows_white(tmp_path / "out" / "a.png")
        results = run(anonymizer, source, tmp_path / "out", resume=True)
        assert results["a.png"].verdict is Verdict.MASKED
        assert not shows_white(tmp_path / "out" / "a.png")

    def test_an_unmasked_copy_in_the_place_of_what_was_begun_is_masked(
        self, anonymizer: Anonymizer, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupted(*_: Any, **__: Any) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(anonymizer.detectors[0], "detect", interrupted)
            with pytest.raises(KeyboardInterrupt):
                anonymizer.folder(source, tmp_path / "out")
        assert tree(tmp_path / "out") == {JOURNAL}
        shutil.copy(source / "a.png", tmp_path / "out" / "a.png")  # the first that was begun
        results = run(anonymizer, source, tmp_path / "out", resume=True)
        assert results["a.png"].verdict is Verdict.MASKED
        assert not any(shows_white(tmp_path / "out" / name) for name in tree(tmp_path / "out"))

    def test_another_source_does_not_mix_with_a_run_begun_before(
        self, anonymizer: Anonymizer, source: Path, tmp_path: Path
    ) -> None:
        self.broken_off(anonymizer, source, tmp_path / "out")
        shutil.copytree(source, tmp_path / "other")
        with pytest.raises(MediaError, match="another source"):
            anonymizer.folder(tmp_path / "other", tmp_path / "out", resume=True)
        (tmp_path / "link").symlink_to(source, target_is_directory=True)
        assert anonymizer.folder(tmp_path / "link", tmp_path / "out", resume=True).files.resumed

    def test_a_journal_that_is_a_link_is_refused_and_nothing_is_written(
        self, anonymizer: Anonymizer, source: Path, tmp_path: Path
    ) -> None:
        self.broken_off(anonymizer, source, tmp_path / "out")
        elsewhere = (tmp_path / "out" / JOURNAL).rename(tmp_path / "elsewhere")
        (tmp_path / "out" / JOURNAL).symlink_to(elsewhere)
        before = elsewhere.read_bytes(), tree(tmp_path / "out")
        with pytest.raises(MediaError, match="cannot be used"):
            anonymizer.folder(source, tmp_path / "out", resume=True)
        assert (elsewhere.read_bytes(), tree(tmp_path / "out")) == before

    def test_what_a_killed_run_left_half_written_is_removed_and_nothing_else(
        self, anonymizer: Anonymizer, source: Path, tmp_path: Path
    ) -> None:
        self.broken_off(anonymizer, source, tmp_path / "out")
        left = [".a.png.0123456789abcdef.part", "deep/.two\nlines.png.00112233445566ff.part"]
        others = [
            "film.part",
            ".a.png.part",
            ".a.png.0123456789abcdeg.part",
            "a.png.0123456789abcdef.part",
            ".a.png.0123456789abcdef.part.txt",
        ]
        (tmp_path / "out" / "deep").mkdir(exist_ok=True)
        for name in [*left, *others]:
            (tmp_path / "out" / name).write_bytes(b"x")
        (tmp_path / "out" / ".link.0123456789abcdef.part").symlink_to(tmp_path / "out" / "film.part")
        (tmp_path / "out" / ".folder.0123456789abcdef.part").mkdir()
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere" / left[0]).write_bytes(b"x")
        (tmp_path / "out" / "linked").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
        run(anonymizer, source, tmp_path / "out", resume=True)
        kept = {".link.0123456789abcdef.part", *others}
        assert tree(tmp_path / "out") == {"a.png", "b.jpg", "deep/er/c.webp", "deep/a.png"} | kept
        assert (tmp_path / "out" / ".folder.0123456789abcdef.part").is_dir()
        assert (tmp_path / "elsewhere" / left[0]).exists()

    @pytest.mark.parametrize("content", [b"", b"junk", b'{"key": "zz", "settings": "x"}'])
    def test_a_damaged_journal_is_an_error(
        self, anonymizer: Anonymizer, source: Path, tmp_path: Path, content: bytes
    ) -> None:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / JOURNAL).write_bytes(content)
        with pytest.raises(MediaError, match="cannot be read"):
            anonymizer.folder(source, tmp_path / "out", resume=True)

    def test_resuming_and_starting_over_exclude_each_other(
        self, anonymizer: Anonymizer, source: Path, tmp_path: Path
    ) -> None:
        with pytest.raises(ConfigError):
            anonymizer.folder(source, tmp_path / "out", overwrite=True, resume=True)

    @pytest.mark.slow
    @pytest.mark.parametrize("after", [0.0, 0.05, 0.15, 0.3, 0.5])
    def test_a_killed_run_leaves_nothing_unmasked_and_is_resumed(
        self, anonymizer: Anonymizer, model: Path, tmp_path: Path, after: float
    ) -> None:
        source, target = tmp_path / "in", tmp_path / "out"
        for index in range(60):
            picture(source / f"{index:03}.png")
        code = (
            "import sys\nfrom edgeanon import Anonymizer, Detector, Fill, Masker\n"
            f"detector = Detector.from_file({str(model)!r}, profile='fast')\n"
            "a = Anonymizer(detectors=[detector], masker=Masker(Fill((0, 0, 255))))\n"
            f"a.folder({str(source)!r}, {str(target)!r}, on_file=lambda _: print('.', flush=True))\n"
        )
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        assert process.stdout
        process.stdout.readline()
        time.sleep(after)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        for path in target.iterdir():
            if path.name != JOURNAL:
                assert path.stat().st_size == 0 or path.name.endswith(".part") or not shows_white(path)
        if target.joinpath(JOURNAL).exists():  # on a fast machine the run may have ended by itself
            anonymizer.folder(source, target, resume=True)
        done = {name for name in tree(target) if not name.endswith(".part")}
        assert done == {f"{index:03}.png" for index in range(60)}
        assert not any(shows_white(target / name) for name in done)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_files(model: Path, tmp_path: Path) -> None:
    """Five times as many files as before add next to nothing to the peak."""
    for index in range(120):
        picture(tmp_path / ("few" if index < 20 else "many") / f"{index:03}.png")
    code = (
        "import resource, sys\nfrom edgeanon import Anonymizer, Detector\n"
        f"anonymizer = Anonymizer(detectors=[Detector.from_file({str(model)!r})])\n"
        "def peak(folder):\n"
        f"    anonymizer.folder(f'{tmp_path}/{{folder}}', f'{tmp_path}/{{folder}}-out')\n"
        "    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "few, many = peak('few'), peak('many')\n"
        "assert many < few * 1.1, (few, many)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
