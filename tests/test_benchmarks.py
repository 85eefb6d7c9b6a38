"""The benchmarks: how they count, on tiny arrays that can be counted by hand, and that each script starts."""

import importlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edgeanon.detections import Detections

pytestmark = pytest.mark.slow  # runs scripts

ROOT = Path(__file__).parent.parent
SCRIPTS = ("faces", "plates", "sizes", "speed", "edgeanon_worker", "deface_worker", "tracking", "exposure", "footage")


@pytest.fixture(scope="module")
def bench() -> Iterator[SimpleNamespace]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        names = ("measuring", "faces", "plates", "sizes", "peer")
        yield SimpleNamespace(**{name: importlib.import_module(f"examples.benchmarks.{name}") for name in names})


@pytest.fixture
def measuring(bench: SimpleNamespace) -> ModuleType:
    module: ModuleType = bench.measuring
    return module


def boxes(*rows: tuple[float, float, float, float]) -> NDArray[np.float32]:
    return np.array(rows, np.float32).reshape(-1, 4)


def scores(*values: float) -> NDArray[np.float32]:
    return np.array(values, np.float32)


def folder(path: Path, objects: list[dict[str, object]], width: int = 40, height: int = 30) -> Path:
    """A labelled folder of one black picture."""
    cv2.imwrite(str(path / "a.png"), np.zeros((height, width, 3), np.uint8))
    entry = {"image": "a.png", "width": width, "height": height, "source": "made", "objects": objects}
    (path / "annotations.json").write_text(json.dumps([entry]), encoding="utf-8")
    return path


def test_a_table_is_printed_as_markdown(measuring: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    measuring.show("Title", ["", "a"], [["row", "1"]], markdown=True)
    assert capsys.readouterr().out.split("\n")[3:6] == ["|  | a |", "| --- | ---: |", "| row | 1 |"]


def test_figures_are_written_with_the_machine(measuring: ModuleType, tmp_path: Path) -> None:
    measuring.write(tmp_path / "new" / "a.json", {"recall": 0.5})
    written = json.loads((tmp_path / "new" / "a.json").read_text(encoding="utf-8"))
    assert written["recall"] == 0.5
    assert written["measured_on"]["processors"] >= 1


def test_deface_masks_the_ellipse_in_a_box_grown_by_three_tenths_a_side(bench: SimpleNamespace) -> None:
    """A box of 10 becomes one of 16, and the radii are 8 pixels, the ends left out."""
    hidden = bench.faces.deface_mask(boxes((20.9, 20.2, 30.5, 30)), 60, 60)
    rows, columns = np.nonzero(hidden)
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (18, 32, 18, 32)
    assert hidden.sum() == pytest.approx(np.pi * 64, rel=0.05)
    assert not hidden[18, 18]


def test_deface_masks_neither_the_last_row_nor_the_last_column(bench: SimpleNamespace) -> None:
    hidden = bench.faces.deface_mask(boxes((0, 0, 40, 30)), 40, 30)
    assert hidden[15, 20]
    assert not hidden[-1].any()
    assert not hidden[:, -1].any()
    assert not bench.faces.deface_mask(boxes((5, 5, 5, 5), (100, 100, 110, 110)), 40, 30).any()


def test_faces_are_tallied_by_height_and_judged_beside_deface(bench: SimpleNamespace) -> None:
    labels = boxes((0, 0, 10, 10), (20, 20, 60, 60))
    all_hidden, none_hidden = np.ones((80, 80), np.bool_), np.zeros((80, 80), np.bool_)
    ours, theirs = bench.faces.Tally(), bench.faces.Tally()
    ours.add(labels, boxes((20, 20, 60, 60)), scores(0.9), none_hidden)
    theirs.add(labels, boxes((0, 0, 10, 10), (70, 0, 80, 10)), scores(0.9, 0.8), all_hidden)
    assert list(ours.found.values()) == [0, 0, 1, 0]
    assert list(theirs.covered.values()) == [1, 0, 1, 0]
    assert theirs.figures()["unmatched_per_picture"] == 1
    ((name, held),) = bench.faces.conditions({"deface": theirs, "ours": ours})
    assert name == "ours"
    expected = {"recall_no_lower_in_any_bin": False, "coverage_no_lower_in_any_bin": False, "masked_area_ratio": 0}
    assert held == expected
    assert next(bench.faces.conditions({"deface": ours, "same": ours}), None) is None


def test_plates_found_are_told_from_plates_covered(bench: SimpleNamespace) -> None:
    hidden = np.zeros((40, 40), np.bool_)
    hidden[:, :20] = True
    tally = bench.plates.Tally()
    tally.add(boxes((0, 0, 10, 5), (15, 20, 25, 25)), boxes((15, 20, 25, 25), (0, 30, 5, 35)), scores(1, 1), hidden)
    figures = tally.figures()
    assert (figures["labels"], figures["found"], figures["found_and_covered"], figures["covered"]) == (2, 1, 0, 1)
    assert figures["mean_coverage_of_found"] == 0.5
    assert figures["unmatched_per_picture"] == 1


def test_plates_are_reported_by_source_and_pictures_without_any_apart(
    bench: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole script, on a picture with a plate, one with a face, and the real network."""
    folder(tmp_path, [{"label": "plate", "bbox": [5, 5, 20, 8]}])
    (entry,) = json.loads((tmp_path / "annotations.json").read_text())
    shutil.copy(tmp_path / "a.png", tmp_path / "b.png")
    faces = {**entry, "image": "b.png", "source": "people", "objects": [{"label": "face", "bbox": [5, 5, 20, 20]}]}
    (tmp_path / "annotations.json").write_text(json.dumps([entry, faces]))
    figures = tmp_path / "figures.json"
    monkeypatch.setattr(
        sys, "argv", ["plates", "--data", str(tmp_path), "--profile", "fast", "--markdown", "--json", str(figures)]
    )
    bench.plates.main()
    written = json.loads(figures.read_text())
    assert set(written["sources"]) == {"made", "all"}
    assert written["sources"]["made"]["labels"] == 1
    assert written["without_plates"]["pictures"] == 1
    assert "| made | 1 | 1 |" in capsys.readouterr().out


@pytest.mark.parametrize("share", [0.5, 0.75, 1.0])
def test_a_face_that_fills_a_frame_has_that_height_and_lies_inside(
    bench: SimpleNamespace, tmp_path: Path, share: float
) -> None:
    (picture,) = bench.measuring.load(folder(tmp_path, [{"label": "face", "bbox": [2, 4, 12, 16]}]))
    white = np.zeros((30, 40, 3), np.uint8)
    white[4:20, 2:14] = 255
    cv2.imwrite(str(picture.path), white)
    frame, box = bench.sizes.filling(bench.sizes.Face(picture, (2, 4, 14, 20)), 192, 108, share)
    x1, y1, x2, y2 = box[0].tolist()
    assert frame.shape == (108, 192, 3)
    assert y2 - y1 == pytest.approx(share * 108, abs=0.01)
    assert min(x1, y1) >= -0.01
    assert x2 <= 192.01
    assert y2 <= 108.01
    assert frame[round(y1 + 5) : round(y2 - 5), round(x1 + 5) : round(x2 - 5)].min() > 200
    assert frame[:, round(x2 + 8) :].max() < 50


def test_a_small_face_is_drawn_where_its_box_says(bench: SimpleNamespace, tmp_path: Path) -> None:
    (picture,) = bench.measuring.load(folder(tmp_path, [{"label": "face", "bbox": [10, 5, 16, 20]}]))
    white = np.zeros((30, 40, 3), np.uint8)
    white[5:25, 10:26] = 255
    cv2.imwrite(str(picture.path), white)
    frame = np.zeros((100, 100, 3), np.uint8)
    x1, y1, x2, y2 = bench.sizes.put(frame, bench.sizes.Face(picture, (10, 5, 26, 25)), 10, 50.4, 60.2)
    rows, columns = np.nonzero(frame[..., 0] > 127)
    assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == pytest.approx((x1, y1, x2, y2), abs=1)
    assert y2 - y1 == pytest.approx(10, abs=0.7)


def test_small_faces_stand_apart_and_every_fourth_on_a_seam(bench: SimpleNamespace) -> None:
    columns, rows = bench.sizes.seams(3840, 2160)
    assert columns
    assert rows
    spots = list(bench.sizes.places(3840, 2160, np.random.default_rng(1)))
    assert len(spots) == bench.sizes.PLACES_A_FRAME
    assert [on_seam for _, _, on_seam in spots] == [number % 4 == 0 for number in range(len(spots))]
    assert all(x in columns or y in rows for x, y, on_seam in spots if on_seam)
    for number, (x, y, _) in enumerate(spots):
        assert all(abs(x - a) > 200 or abs(y - b) > 200 for a, b, _ in spots[:number])


def test_a_face_found_by_two_boxes_counts_as_found_twice(bench: SimpleNamespace) -> None:
    tally = bench.sizes.Tally()
    two = boxes((0, 0, 10, 10), (0, 0, 10, 8))
    found = Detections(two, scores(0.9, 0.8), np.zeros(2, np.uint8))
    hidden = np.ones((40, 40), np.bool_)
    tally.add(boxes((0, 0, 10, 10), (20, 20, 30, 30)), found, hidden, np.ones(2, np.bool_))
    expected = {"faces": 2, "found": 1, "found_at_0.4": 1, "covered": 2, "found_twice": 1}
    assert tally.figures() == expected


def test_a_peer_answers_line_by_line_and_ends_with_its_block(bench: SimpleNamespace) -> None:
    code = 'import sys\nprint("{}", flush=True)\nfor line in sys.stdin: print(line, end="", flush=True)'
    with bench.peer.Peer([sys.executable, "-c", code]) as peer:
        assert peer.about == {}
        assert peer.ask(a=1) == {"a": 1}
    assert peer._process.returncode == 0


def test_a_peer_that_ends_is_an_error(bench: SimpleNamespace) -> None:
    with pytest.raises(SystemExit, match="ended with 3"):
        bench.peer.Peer([sys.executable, "-c", "raise SystemExit(3)"])


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_says_how_it_is_used(script: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", f"examples.benchmarks.{script}", "--help"], cwd=ROOT, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert run.stdout.startswith("usage:")
