"""Every example runs as it stands, and leaves masked pictures behind."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeanon import Scores, VideoReader

ROOT = Path(__file__).parent.parent
MADE = {
    "one_picture": ["street-anon.jpg"],
    "whole_folder": ["photos-anon/monday/street.jpg"],
    "only_the_masker": ["soft.jpg", "mixed.jpg"],
    "arrays_from_elsewhere": ["masked.jpg"],
    "own_model": ["both.jpg"],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MADE)
def test_an_example_runs_and_masks(name: str, tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "error", str(ROOT / "examples" / f"{name}.py")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    street = cv2.imread(str(ROOT / "examples" / "demo" / "street.jpg"))
    assert street is not None
    for file in MADE[name]:
        masked = cv2.imread(str(tmp_path / file))
        assert masked is not None
        assert masked.shape == street.shape
        plate = masked[890:930, 1420:1580].astype(int) - street[890:930, 1420:1580]
        assert abs(plate).mean() > 5, f"{file} shows the plate"


@pytest.mark.slow
def test_the_loop_over_a_video_masks_every_frame(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", str(ROOT / "examples" / "own_loop.py")]
    subprocess.run(command, cwd=tmp_path, check=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
    with (
        VideoReader(ROOT / "examples" / "demo" / "street.mp4") as before,
        VideoReader(tmp_path / "clip-anon.mp4") as after,
    ):
        changed = [float(np.abs(a.pixels.astype(int) - b.pixels).max()) for a, b in zip(before, after, strict=True)]
    assert len(changed) == 205
    assert min(changed) > 50


@pytest.mark.slow
def test_footage_of_ones_own_is_measured(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", str(ROOT / "examples" / "own_footage.py")]
    done = subprocess.run(
        command, cwd=tmp_path, check=True, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    assert "plates: 2 of 3 found" in done.stdout
    scores = Scores.model_validate_json((tmp_path / "scores.json").read_text())
    assert scores.kinds["face"].all.recall.total == 7


@pytest.mark.slow
def test_the_readme_pictures_can_be_made_again(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "examples.before_after", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True)
    for name in ("before-after.jpg", "styles.jpg"):
        made, kept = cv2.imread(str(tmp_path / name)), cv2.imread(str(ROOT / "examples" / "demo" / name))
        assert made is not None
        assert kept is not None
        assert made.shape == kept.shape
        assert cv2.absdiff(made, kept).mean() < 3


def test_every_example_is_among_them() -> None:
    known = {*MADE, "own_footage", "own_loop", "before_after", "contact_sheet"}
    assert {path.stem for path in (ROOT / "examples").glob("*.py") if not path.stem.startswith("demo_")} == known
