"""The command on videos: what it prints, what it writes, its exit codes, and what is left when it is stopped."""

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from edgeanon import VideoReader
from edgeanon.pipeline.journal import NAME as JOURNAL
from tests import films, media, tiny

COUNT = 20
LONG = 500
Inside = Callable[..., tuple[str, str]]


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    """A tiny face model, and no plates: quick to start."""
    path = tiny.save(tiny.bright(side=12.0 * films.SIDE), tmp_path_factory.mktemp("m"), **tiny.FACES)
    return ["--face-model", path, "--no-plates", "--profile", "fast", "--device", "CPU", "--style", "fill:#000000"]


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    """A model whose outputs are no numbers."""
    path = tiny.save(tiny.bright(faulty=True), tmp_path_factory.mktemp("m"), **tiny.FACES)
    return ["--face-model", path, "--no-plates", "--profile", "fast", "--device", "CPU"]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return films.save(tmp_path / "in" / "a.mp4", films.film(COUNT, at=films.walking, dim=[0, 8, 9, 10]))


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Takes some seconds."""
    return films.save(tmp_path_factory.mktemp("long") / "in" / "a.mp4", films.film(LONG))


@pytest.fixture
def masking(inside: Inside) -> Inside:
    """The verb that masks, in this process."""
    return partial(inside, "anonymize")


def started(*arguments: object, **options: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "edgeanon", "anonymize", *map(str, arguments)]
    environment = os.environ | {"NO_COLOR": "1", "COLUMNS": "200"}
    settings: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": environment} | options
    return subprocess.Popen(command, text=True, **settings)


def check_covered(path: Path, count: int = COUNT) -> None:
    pictures = films.decoded(path)
    assert len(pictures) == count
    assert not any(films.shows(image, films.walking(index)) for index, image in enumerate(pictures))


def test_a_video_is_masked_and_summed_up(tmp_path: Path, masking: Inside, source: Path, options: list[object]) -> None:
    said, errors = masking(source, tmp_path / "out.mp4", *options)
    check_covered(tmp_path / "out.mp4")
    assert "1 masked" in said
    assert "1 face" in said
    assert f"{COUNT} frames" in said
    assert not errors


def test_json_tells_frames(tmp_path: Path, masking: Inside, source: Path, options: list[object]) -> None:
    row, report = map(json.loads, masking(source, tmp_path / "out.mp4", "--json", *options)[0].splitlines())
    assert (row["verdict"], row["frames"], row["withheld"], row["pages"]) == ("masked", COUNT, 0, 0)
    assert (report["frames"], report["withheld"], report["pages"]) == (COUNT, 0, 0)


def test_what_is_left_behind_is_said(tmp_path: Path, masking: Inside, options: list[object]) -> None:
    path = media.make(tmp_path / "a.mkv", others=media.sound("aac"))
    said, _ = masking(path, tmp_path / "b.mkv", *options)
    assert "audio (aac)" in said


def test_sound_is_kept_where_asked(tmp_path: Path, masking: Inside, options: list[object]) -> None:
    path = media.make(tmp_path / "a.mkv", others=media.sound("aac"))
    masking(path, tmp_path / "b.mkv", "--audio", "keep", *options)
    with VideoReader(tmp_path / "b.mkv") as video:
        assert video.has_audio


def test_codec_quality_and_preset(tmp_path: Path, masking: Inside, source: Path, options: list[object]) -> None:
    masking(source, tmp_path / "b.mkv", "--codec", "vp9", "--quality", 50, "--preset", "8", *options)
    masking(source, tmp_path / "c.mkv", "--codec", "vp9", "--quality", 5, "--preset", "8", *options)
    with VideoReader(tmp_path / "b.mkv") as video:
        assert video.codec == "vp9"
    assert (tmp_path / "b.mkv").stat().st_size < (tmp_path / "c.mkv").stat().st_size


def test_look_ahead_and_interval(tmp_path: Path, masking: Inside, options: list[object]) -> None:
    path = films.save(tmp_path / "a.mp4", films.film(COUNT, dim=range(5)))
    masking(path, tmp_path / "b.mp4", "--look-ahead", 0.5, "--interval", 0.1, *options)
    masking(path, tmp_path / "c.mp4", "--look-ahead", 0, "--interval", 0, *options)
    shown = [films.shows(image, films.resting(0)) for image in films.decoded(tmp_path / "b.mp4")]
    assert not any(shown)
    shown = [films.shows(image, films.resting(0)) for image in films.decoded(tmp_path / "c.mp4")]
    assert shown == [index < 5 for index in range(COUNT)]
    (tmp_path / "s.toml").write_text("look_ahead = 0\ninterval = 0\n")
    masking(path, tmp_path / "d.mp4", "--config", tmp_path / "s.toml", *options)
    assert (tmp_path / "d.mp4").read_bytes() == (tmp_path / "c.mp4").read_bytes()


def test_a_search_that_fails_is_exit_code_1_and_filled_where_asked(
    tmp_path: Path, masking: Inside, source: Path, faulty: list[object]
) -> None:
    said, errors = masking(source, tmp_path / "b.mp4", "--json", *faulty, expect=1)
    assert "NaN" in errors or "finite" in errors
    assert json.loads(said)["verdict"] == "failed"
    assert not (tmp_path / "b.mp4").exists()
    said, _ = masking(source, tmp_path / "b.mp4", "--on-error", "fill", "--json", *faulty, expect=1)
    row, report = map(json.loads, said.splitlines())
    assert (row["withheld"], report["withheld"], report["files"]["failed"]) == (COUNT, COUNT, 0)
    assert all(films.is_grey(image) for image in films.decoded(tmp_path / "b.mp4"))
    said, _ = masking(source, tmp_path / "c.mp4", "--on-error", "fill", *faulty, expect=1)
    assert f"{COUNT} of {COUNT} frames" in said


def test_a_damaged_video(tmp_path: Path, masking: Inside, source: Path, options: list[object]) -> None:
    position, size = media.data_packets(source)[13]
    data = bytearray(source.read_bytes())
    data[position : position + size] = bytes(size)
    source.write_bytes(data)
    _, errors = masking(source, tmp_path / "b.mp4", *options, expect=1)
    assert "a.mp4" in errors
    assert not (tmp_path / "b.mp4").exists()
    said, _ = masking(source, tmp_path / "b.mp4", "--on-error", "fill", *options, expect=1)
    assert "damaged" in said
    check_covered(tmp_path / "b.mp4")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--codec", "mpeg2"],
        ["--codec", "vp9", "--preset", "veryfast"],
        ["--quality", "99"],
        ["--audio", "both"],
        ["--look-ahead", "-1"],
        ["--look-ahead", "nan"],
        ["--interval", "61"],
        ["--on-error", "skip"],
        ["--resume"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_code_2(
    tmp_path: Path, masking: Inside, source: Path, options: list[object], arguments: list[str]
) -> None:
    masking(source, tmp_path / "b.mp4", *arguments, *options, expect=2)
    assert not (tmp_path / "b.mp4").exists()
    assert not films.leftovers(tmp_path)


@pytest.mark.parametrize("name", ["b.txt", "b", "b.ts", "b.jpg"])
def test_a_target_that_is_no_video_that_can_be_written_is_exit_code_2(
    tmp_path: Path, masking: Inside, source: Path, options: list[object], name: str
) -> None:
    _, errors = masking(source, tmp_path / name, *options, expect=2)
    assert ".mp4" in errors
    assert not (tmp_path / name).exists()


@pytest.mark.parametrize("content", [b"this is text", b""])
def test_what_is_named_like_a_video_and_is_none_is_exit_code_1(
    tmp_path: Path, masking: Inside, options: list[object], content: bytes
) -> None:
    (tmp_path / "x.mp4").write_bytes(content)
    _, errors = masking(tmp_path / "x.mp4", tmp_path / "b.mp4", *options, expect=1)
    assert "x.mp4" in errors
    masking(tmp_path / "none.mp4", tmp_path / "b.mp4", *options, expect=1)
    assert not (tmp_path / "b.mp4").exists()


def test_a_target_that_exists_and_the_source_are_left(
    tmp_path: Path, masking: Inside, source: Path, options: list[object]
) -> None:
    before = source.read_bytes()
    (tmp_path / "b.mp4").write_bytes(b"mine")
    masking(source, tmp_path / "b.mp4", *options, expect=1)
    assert (tmp_path / "b.mp4").read_bytes() == b"mine"
    masking(source, source, "--overwrite", *options, expect=1)
    assert source.read_bytes() == before
    masking(source, tmp_path / "b.mp4", "--overwrite", *options)
    check_covered(tmp_path / "b.mp4")


def test_secrets_in_an_address_are_not_said_again(tmp_path: Path, masking: Inside, options: list[object]) -> None:
    address = "rtsp://jane:secret@127.0.0.1:9/live?token=abc"  # nobody listens there
    said, errors = masking(address, tmp_path / "b.mp4", "--json", *options, expect=1)
    assert "127.0.0.1" in json.loads(said)["file"]
    assert "127.0.0.1" in errors
    for word in ("jane", "secret", "abc"):
        assert word not in said + errors


def test_a_folder_of_both(tmp_path: Path, masking: Inside, source: Path, options: list[object]) -> None:
    shutil.copy(source, source.with_name("b.ts"))
    (source.parent / "c.mp4").write_text("no video")
    said, _ = masking(source.parent, tmp_path / "out", "--json", *options, expect=1)
    *rows, report = map(json.loads, said.splitlines())
    verdicts = {Path(row["file"]).name: (row["verdict"], row["frames"]) for row in rows}
    assert verdicts == {"a.mp4": ("masked", COUNT), "b.ts": ("masked", COUNT), "c.mp4": ("failed", 0)}
    assert (report["files"]["masked"], report["frames"]) == (2, 2 * COUNT)
    check_covered(tmp_path / "out" / "a.mp4")
    check_covered(tmp_path / "out" / "b.ts.mp4")


@pytest.mark.slow
class TestWatched:
    @staticmethod
    def shown(*arguments: object) -> tuple[str, str, int]:
        """What a person sees on the terminal, what goes to stdout, and the exit code."""
        master, slave = pty.openpty()
        environment = os.environ | {"COLUMNS": "120", "TERM": "xterm"}
        with started(*arguments, stderr=slave, env=environment) as process:
            os.close(slave)
            shown = b""
            with suppress(OSError):  # the end of a terminal
                while block := os.read(master, 4096):
                    shown += block
            assert process.stdout
            said = process.stdout.read()
        os.close(master)
        return shown.decode(), said, process.returncode

    @pytest.mark.parametrize("folder", [False, pytest.param(True, marks=pytest.mark.slow)])
    def test_frames_and_the_time_left_are_shown_and_taken_away(
        self, tmp_path: Path, options: list[object], folder: bool
    ) -> None:
        path = films.save(tmp_path / "in" / "[red]a.mp4", films.film(200))
        arguments = (path.parent, tmp_path / "out") if folder else (path, tmp_path / "out.mp4")
        shown, said, code = self.shown(*arguments, *options, "--preset", "slower")
        assert code == 0
        assert "[red]a.mp4" in shown
        counts = [int(number) for number in re.findall(r"(\d+)/200", shown)]
        assert counts == sorted(counts)
        assert len(set(counts)) > 1
        assert re.search(r"\d:\d\d:\d\d", shown)
        if folder:
            assert re.search(r"files.*0/1", shown)
        assert shown.rstrip().endswith(("\x1b[2K", "\x1b[?25h"))  # the line is cleared, the cursor is back
        assert "200 frames" in said
        assert "Traceback" not in shown + said

    def test_an_error_ends_it_cleanly(self, tmp_path: Path, source: Path, faulty: list[object]) -> None:
        shown, said, code = self.shown(source, tmp_path / "b.mp4", *faulty)
        assert code == 1
        assert "error" in shown
        assert "Traceback" not in shown
        assert not said


@pytest.mark.slow
class TestStopped:
    @staticmethod
    def wait_for_temporary(folder: Path, least: int) -> None:
        """Until a target is under way, and so many bytes of it were written."""
        for _ in range(3000):
            with suppress(FileNotFoundError):
                if any(path.stat().st_size >= least for path in folder.glob(".*.part")):
                    return
            time.sleep(0.01)
        raise AssertionError("nothing was written")

    @pytest.mark.parametrize(
        ("how", "least"),
        [
            pytest.param(signal.SIGINT, 0, id="early", marks=pytest.mark.slow),
            pytest.param(signal.SIGINT, 1, id="late"),
            pytest.param(signal.SIGTERM, 1, id="TERM", marks=pytest.mark.slow),
        ],
    )
    def test_it_ends_with_a_word_and_nothing_of_the_target(
        self, tmp_path: Path, long: Path, options: list[object], how: signal.Signals, least: int
    ) -> None:
        process = started(long, tmp_path / "b.mp4", "--preset", "slow", *options)
        self.wait_for_temporary(tmp_path, least)
        process.send_signal(how)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 1
        assert "stopped" in said
        assert "Traceback" not in said
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.slow
    def test_a_folder_ends_soon_and_is_resumed(self, tmp_path: Path, long: Path, options: list[object]) -> None:
        process = started(long.parent, tmp_path / "out", "--preset", "slow", *options)
        self.wait_for_temporary(tmp_path / "out", 1)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
        assert process.returncode == 1
        assert "--resume" in said
        assert films.leftovers(tmp_path / "out") == [JOURNAL]

    def test_after_a_kill_there_is_a_temporary_that_resuming_removes(
        self, tmp_path: Path, masking: Inside, long: Path, options: list[object]
    ) -> None:
        options = ["--preset", "slow", *options]
        process = started(long.parent, tmp_path / "out", *options)
        self.wait_for_temporary(tmp_path / "out", 1)
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        left = {path.name for path in (tmp_path / "out").iterdir()}
        assert all(name.startswith(".") for name in left)
        assert len(left) == 2
        part = next(path for path in (tmp_path / "out").iterdir() if path.name != JOURNAL)
        assert part.name.endswith(".part")
        assert part.stat().st_mode & 0o077 == 0
        masking(long.parent, tmp_path / "out", *options, expect=1)  # without --resume
        masking(long.parent, tmp_path / "out", "--resume", *options)
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.mp4"]
        pictures = films.decoded(tmp_path / "out" / "a.mp4")
        assert len(pictures) == LONG
        assert not any(films.shows(image, films.resting(0)) for image in pictures)

    @pytest.mark.slow
    @pytest.mark.parametrize("after", np.linspace(0, 3, 10).round(2).tolist())
    @pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=lambda how: how.name)
    def test_at_no_moment_is_anything_shown(
        self, tmp_path: Path, long: Path, options: list[object], how: signal.Signals, after: float
    ) -> None:
        process = started(long, tmp_path / "b.mp4", "--preset", "slower", *options)
        time.sleep(after)
        process.send_signal(how)
        process.communicate(timeout=30)
        whole = tmp_path / "b.mp4"
        if whole.exists():
            assert len(films.decoded(whole)) == LONG
        for path in tmp_path.glob(".*.part"):
            assert how is signal.SIGKILL
            with suppress(av.FFmpegError):
                assert not any(films.shows(image, films.resting(0)) for image in films.decoded(path))
