"""The comparison of trackers, on sequences made here; the rivals it is for are not needed."""

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.slow  # runs scripts

ROOT = Path(__file__).parent.parent
RATE, LENGTH = 25, 40
# A program that speaks as the worker does, and gives every box back as track 3.
ECHO = """
import json, sys
print(json.dumps({"trackers": {"echo": "1"}}), flush=True)
for line in sys.stdin:
    frames = json.loads(line)["frames"]
    print(json.dumps({"seconds": 1, "frames": [[[*row[:4], 3, 1] for row in rows] for rows in frames]}), flush=True)
"""


@pytest.fixture(scope="module")
def bench() -> Iterator[SimpleNamespace]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        names = ("tracking", "tracking_scores", "tracking_worker", "peer")
        yield SimpleNamespace(**{name: importlib.import_module(f"examples.benchmarks.{name}") for name in names})


def sequence(folder: Path, name: str, missed: range, *, logits: bool = False) -> None:
    """One object that walks to the right, labelled in every frame and not detected in those missed."""
    (folder / name / "det").mkdir(parents=True)
    (folder / name / "gt").mkdir()
    about = f"[Sequence]\nname={name}\nframeRate={RATE}\nseqLength={LENGTH}\nimWidth=640\nimHeight=480\n"
    (folder / name / "seqinfo.ini").write_text(about, encoding="utf-8")
    labels = [f"{n},7,{100 + 4 * n},100,40,50,1,1,1\n" for n in range(1, LENGTH + 1)]
    ignored = f"1,8,{300},100,40,50,0,1,1\n"
    (folder / name / "gt" / "gt.txt").write_text("".join(labels) + ignored, encoding="utf-8")
    score = 3.0 if logits else 0.95
    rows = [f"{n},-1,{100 + 4 * n},100,40,50,{score},-1,-1,-1\n" for n in range(1, LENGTH + 1) if n not in missed]
    (folder / name / "det" / "det.txt").write_text("".join(rows), encoding="utf-8")


def rows(bench: SimpleNamespace, *boxes: tuple[float, ...]) -> Any:
    return bench.tracking_scores.Rows.of(boxes)


def test_sequences_are_read_with_their_frames_counted_from_one(bench: SimpleNamespace, tmp_path: Path) -> None:
    sequence(tmp_path, "a", range(10, 15), logits=True)
    (read,) = bench.tracking_scores.load(tmp_path)
    assert (read.name, read.rate, read.width, read.height) == ("a", RATE, 640, 480)
    assert len(read.labels) == len(read.detections) == LENGTH
    assert read.labels[0].boxes.tolist() == [[104, 100, 144, 150]]
    assert read.labels[0].ids.tolist() == [7]
    assert read.detections[0].values[0] == pytest.approx(1 / (1 + np.exp(-3)))
    assert [len(found.boxes) for found in read.detections[8:15]] == [1, 0, 0, 0, 0, 0, 1]


def test_a_folder_without_sequences_is_told(bench: SimpleNamespace, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"seqinfo\.ini"):
        bench.tracking_scores.load(tmp_path)


def test_identities_are_paired_for_the_whole_sequence(bench: SimpleNamespace) -> None:
    """A track of ten frames that is 1 for six and 2 for four is right in six; another, wholly 2, in ten."""
    near, far = (0, 0, 10, 10), (100, 0, 110, 10)
    labels = [rows(bench, (*near, 1, 1), (*far, 2, 1)) for _ in range(10)]
    answers = [rows(bench, (*near, 5 if n < 6 else 6, 1), (*far, 9, 1)) for n in range(10)]
    assert bench.tracking_scores.right_identities(labels, answers) == 16
    swapped = [rows(bench, (*near, 5 if n < 6 else 6, 1), (*far, 6 if n < 6 else 5, 1)) for n in range(10)]
    assert bench.tracking_scores.right_identities(labels, swapped) == 12
    nameless = [rows(bench, (*near, -1, 1)) for _ in range(10)]
    assert bench.tracking_scores.right_identities(labels, nameless) == 0


def test_gaps_ghosts_and_lost_boxes_are_counted(bench: SimpleNamespace) -> None:
    box, other = (0, 0, 10, 10), (50, 50, 60, 60)
    scores = bench.tracking_scores
    labels = [rows(bench, (*box, 1, 1)) for _ in range(5)]
    found = [rows(bench, (*box, -1, 0.9)) if n in {1, 3} else rows(bench) for n in range(5)]
    made = scores.Labelled("made", 25, 100, 100, found, labels)
    assert [gap.tolist() for gap in scores.in_gaps(made)] == [[False], [False], [True], [False], [False]]
    # A box four times as large covers the gap and does not match it, one shows nothing, a detection is lost.
    answers = [
        rows(bench), rows(bench, (*box, 1, 1)), rows(bench, (0, 0, 20, 20, 1, 0)), rows(bench, (*other, 1, 0)),
        rows(bench),
    ]  # fmt: skip
    tally = scores.judge(made, answers, 0.5)
    assert (tally.gaps, tally.gaps_covered, tally.gaps_matched) == (1, 1, 0)
    assert (tally.made_up, tally.ghosts, tally.void) == (2, 2, 1)
    assert (tally.detections, tally.lost, tally.labels, tally.identified, tally.right) == (2, 1, 5, 3, 1)
    assert tally.figures()["idf1"] == pytest.approx(2 / 8)
    assert (tally + tally).gaps == 2


def test_a_box_without_area_shows_nothing_and_is_not_lost(bench: SimpleNamespace) -> None:
    empty = rows(bench, (5, 0, 5, 10, -1, 0.9))
    made = bench.tracking_scores.Labelled("made", 25, 100, 100, [empty], [rows(bench)])
    assert bench.tracking_scores.judge(made, [rows(bench)]).lost == 0


def test_the_script_compares_on_both_halves(
    bench: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole script, with a rival that knows no gaps: ours covers them and keeps its id."""
    data = tmp_path / "data"
    sequence(data, "KITTI-0000-Made", range(20, 26))
    sequence(data, "other", range(20, 26))
    monkeypatch.setattr(bench.tracking, "worker", lambda *_: bench.peer.Peer([sys.executable, "-c", ECHO]))
    figures = tmp_path / "figures.json"
    arguments = ["--data", str(data), "--norfair", sys.executable, "--markdown", "--json", str(figures)]
    monkeypatch.setattr(sys, "argv", ["tracking", *arguments])
    bench.tracking.main()
    written = json.loads(figures.read_text())
    for half in ("tuned on", "held out"):
        ours, echo = (written["results"][name][half] for name in ("edgeanon", "echo 1"))
        assert (ours["lost"], ours["gaps"], echo["gaps"], echo["gaps_covered"]) == (0, 6, 6, 0)
        assert ours["gaps_covered"] == 6
        assert echo["idf1"] == pytest.approx(2 * 34 / (40 + 34))
        assert ours["idf1"] == pytest.approx(2 * 32 / (40 + 32))  # the first two frames are not confirmed
    assert "| edgeanon | 0.889 | 0 of 34 | 1.000 |" in capsys.readouterr().out


def test_a_count_that_the_reference_contradicts_stops_the_script(bench: SimpleNamespace, tmp_path: Path) -> None:
    sequence(tmp_path, "a", range(0))
    (read,) = bench.tracking_scores.load(tmp_path)
    answers, _ = bench.tracking.ours(read)
    tally = bench.tracking_scores.judge(read, answers)
    agrees = SimpleNamespace(ask=lambda **asked: {"idtp": sum(map(len, asked["answers"]))})
    bench.tracking.check(agrees, read, answers, tally)
    with pytest.raises(SystemExit, match="by the reference"):
        bench.tracking.check(SimpleNamespace(ask=lambda **_: {"idtp": 1.0}), read, answers, tally)


def test_every_combination_of_a_grid_comes_once(bench: SimpleNamespace) -> None:
    found = list(bench.tracking.combinations({"a": (1, 2), "b": (3, 4, 5)}))
    assert len(found) == 6
    assert {(each["a"], each["b"]) for each in found} == {(a, b) for a in (1, 2) for b in (3, 4, 5)}


@pytest.mark.parametrize("script", ["tracking", "tracking_worker", "tracking_reference"])
def test_every_script_says_how_it_is_used(script: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", f"examples.benchmarks.{script}", "--help"], cwd=ROOT, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert run.stdout.startswith("usage:")


def test_a_worker_without_a_rival_offers_none(bench: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise bench.tracking_worker.PackageNotFoundError(name)

    monkeypatch.setattr(bench.tracking_worker, "version", missing)
    assert bench.tracking_worker.available() == {}
