"""What a run leaves to be checked, and the verb that checks it: lines, exit codes, and what it refuses."""

import json
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeanon.audit import ReportFile, read_tracks
from tests import films, tiny
from tests.pictures import write_pixels
from tests.test_audit import keys

Inside = Callable[..., tuple[str, str]]


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    """A tiny face model, and no plates: quick to start."""
    path = tiny.save(tiny.bright(side=12.0 * films.SIDE), tmp_path_factory.mktemp("m"), **tiny.FACES)
    return ["--face-model", path, "--no-plates", "--profile", "fast", "--device", "CPU"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, options: list[object]) -> Path:
    """A folder ``in`` masked into ``out``, with ``run.json`` signed by ``key.pem``, ``salt`` and ``tracks.jsonl``."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "in" / "sub").mkdir(parents=True)
    write_pixels(folder / "in" / "Jane Doe.png", films.film(1)[0])
    films.save(folder / "in" / "sub" / "walk.mp4", films.film(6, at=films.walking))
    keys(folder)
    keys(folder, "other")
    proof = ["--report", "run.json", "--sign", "key.pem", "--salt", "salt", "--export-tracks", "tracks.jsonl"]
    command = [sys.executable, "-m", "edgeanon", "anonymize", "in", "out", *proof, *map(str, options)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "salt is new: keep it apart" in done.stderr
    return folder


@pytest.fixture
def run(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, which is the current folder."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


ALL = ("verify", "--report", "run.json", "--public-key", "key.pub")


def test_what_was_made_is_private_and_the_report_names_nobody(run: Path) -> None:
    for name in ("run.json", "salt", "tracks.jsonl"):
        assert stat.S_IMODE((run / name).stat().st_mode) == 0o600
    assert "Jane" not in (run / "run.json").read_text()
    assert "Jane Doe.png" in (run / "tracks.jsonl").read_text()
    assert sum(line.line == "ended" for line in read_tracks(run / "tracks.jsonl")) == 2


def test_all_checks(run: Path, inside: Inside) -> None:
    (run / "out" / "Jane Doe.png").rename(run / "out" / "renamed.png")
    said, _ = inside(*ALL, "--salt", "salt", "out", "in/sub/walk.mp4")
    assert "valid  statement, by the key" in said
    assert "output  out/renamed.png" in said
    assert "input  in/sub/walk.mp4" in said
    assert "2 outputs; 1 input" in said


def test_a_file_that_is_not_of_the_run_is_exit_code_1(run: Path, inside: Inside) -> None:
    with (run / "out" / "Jane Doe.png").open("ab") as file:
        file.write(b"\0")
    said, _ = inside(*ALL, "out", expect=1)
    assert "unknown  out/Jane Doe.png" in said
    assert "1 that the report does not list" in said
    assert "1 of the report are not among these" in said


@pytest.mark.usefixtures("run")
def test_inputs_are_unknown_without_the_salt(inside: Inside) -> None:
    said, _ = inside(*ALL, "in", expect=1)
    assert said.count("unknown  ") == 2


def test_a_changed_report_is_exit_code_1(run: Path, inside: Inside) -> None:
    text = (run / "run.json").read_text()
    (run / "run.json").write_text(text.replace('"masked": 2', '"masked": 3'))
    said, _ = inside(*ALL, expect=1)
    assert "invalid  statement" in said


@pytest.mark.usefixtures("run")
def test_a_signature_by_somebody_else_is_exit_code_1(inside: Inside) -> None:
    said, _ = inside("verify", "--report", "run.json", "--public-key", "other.pub", expect=1)
    assert "absent  there is no signature by the key" in said


@pytest.mark.usefixtures("run")
def test_without_a_key_the_signature_is_said_to_be_unchecked(inside: Inside) -> None:
    said, _ = inside("verify", "--report", "run.json", "out")
    assert "unchecked  statement" in said
    assert "anybody can have made it" in said


@pytest.mark.usefixtures("run")
def test_json_is_a_line_for_each_file_and_the_result(inside: Inside) -> None:
    *files, result = map(json.loads, inside(*ALL, "out", "--json")[0].splitlines())
    assert files == [{"file": f"out/{name}", "is": "output"} for name in ("Jane Doe.png", "sub/walk.mp4")]
    assert (result["checks"], result["files"], result["missing"]) == (True, {"output": 2}, 0)
    assert [one["is"] for one in result["signatures"]] == ["valid"]


def test_a_person_signs_off_what_checks_with_a_key_of_their_own(run: Path, inside: Inside) -> None:
    signing = ["--sign-off", "Jane Roe, data protection officer", "--sign", "other.pem"]
    inside(*ALL, "out", *signing)
    report = ReportFile.read(run / "run.json")
    assert (report.sign_off.name, report.sign_off.role) == ("Jane Roe", "data protection officer")
    said, _ = inside(*ALL, "--public-key", "other.pub")
    assert said.count("  valid  ") == 2
    assert "Jane Roe, data protection officer" in said
    assert "under no signature" not in said
    _, error = inside(*ALL, *signing, expect=2)
    assert "already" in error


def test_what_does_not_check_is_not_signed_off(run: Path, inside: Inside) -> None:
    before = (run / "run.json").read_bytes()
    inside(*ALL, "key.pub", "--sign-off", "Jane Roe, officer", expect=1)
    assert (run / "run.json").read_bytes() == before


def test_a_sign_off_by_hand_leaves_the_signature_of_the_run_valid_and_is_told_from_a_signed_one(
    run: Path, inside: Inside
) -> None:
    content = json.loads((run / "run.json").read_text())
    content["sign_off"] |= {"name": "Jane Roe", "role": "officer"}
    (run / "run.json").write_text(json.dumps(content))
    said, _ = inside(*ALL)
    assert "valid  statement" in said
    assert "under no signature that was checked" in said


def test_a_report_among_the_files_and_linked_folders_are_left_out_and_a_broken_link_is_an_error(
    run: Path, inside: Inside
) -> None:
    shutil.move(run / "run.json", run / "out" / "run.json")
    (run / "out" / "linked").symlink_to(run / "in", target_is_directory=True)
    check = ["verify", "--report", "out/run.json", "out"]
    assert "2 outputs" in inside(*check)[0]
    (run / "out" / "broken").symlink_to("nowhere")
    assert "broken cannot be read" in inside(*check, expect=1)[1]


def test_a_day_that_has_passed_is_said(run: Path, inside: Inside) -> None:
    content = json.loads((run / "run.json").read_text())
    content["statement"]["reassess_by"] = "2020-01-01"
    (run / "run.json").write_text(json.dumps(content))
    assert "due since 2020-01-01" in inside("verify", "--report", "run.json")[0]


@pytest.mark.parametrize(
    ("arguments", "code", "fact"),
    [
        (["out"], 2, "--report"),
        (["--report", "none.json"], 1, "cannot be read"),
        (["--report", "key.pub"], 1, "is no report"),
        (["--report", "run.json", "none"], 1, "cannot be read"),
        (["--report", "run.json", "--public-key", "run.json"], 2, "openssl"),
        (["--report", "run.json", "--salt", "run.json"], 2, "holds no salt"),
        (["--report", "run.json", "--sign", "key.pem"], 2, "--sign-off"),
        (["--report", "run.json", "--sign-off", "Jane"], 2, "in which role"),
    ],
)
@pytest.mark.usefixtures("run")
def test_what_cannot_be_checked_is_an_error(inside: Inside, arguments: list[str], code: int, fact: str) -> None:
    assert fact in inside("verify", *arguments, expect=code)[1]


@pytest.mark.parametrize(
    ("arguments", "code", "fact"),
    [
        (["--sign", "key.pem"], 2, "--report"),
        (["--salt", "s"], 2, "--report"),
        (["--reassess-by", "2027-01-01"], 2, "--report"),
        (["--report", "r.json", "--reassess-by", "soon"], 2, "soon"),
        (["--report", "r.json", "--sign", "none.pem"], 2, "cannot be read"),
        (["--report", "r.json", "--sign", "key.pub"], 2, "no private Ed25519 key"),
        (["--report", "r.json", "--salt", "key.pub"], 2, "holds no salt"),
        (["--report", "r.json", "--salt", "new/s"], 2, "handed on"),
        (["--export-tracks", "new/t.jsonl"], 2, "handed on"),
        (["--export-tracks", "in/t.jsonl"], 2, "among those of IN"),
        (["--export-tracks", "tracks.jsonl"], 1, "exists"),
        (["--export-tracks", "t", "--report", "t"], 2, "one file"),
    ],
)
def test_what_must_go_wrong_goes_wrong_before_anything_is_done(
    run: Path, inside: Inside, options: list[object], *, arguments: list[str], code: int, fact: str
) -> None:
    before = sorted(run.iterdir())
    assert fact in inside("anonymize", "in", "new", *arguments, *options, expect=code)[1]
    assert sorted(run.iterdir()) == before


def test_checking_loads_no_openvino(run: Path) -> None:
    code = (
        "import sys\nfrom edgeanon.cli import app\nfrom typer.testing import CliRunner\n"
        "done = CliRunner().invoke(app, ['verify', '--report', 'run.json', '--public-key', 'key.pub', 'out'])\n"
        "assert done.exit_code == 0, done.output\nassert not {'openvino', 'av'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=run, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
