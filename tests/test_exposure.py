"""The benchmark of exposure: what it compares, and the clips that it makes."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edgeanon import Frame, Kind

pytestmark = pytest.mark.slow  # makes clips

ROOT = Path(__file__).parent.parent
WIDTH, HEIGHT = 200, 100
SMALL = (320, 180)


@pytest.fixture(scope="module")
def bench() -> Iterator[SimpleNamespace]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        names = ("exposure", "clips", "measuring")
        yield SimpleNamespace(**{name: importlib.import_module(f"examples.benchmarks.{name}") for name in names})


@pytest.fixture
def exposure(bench: SimpleNamespace) -> ModuleType:
    module: ModuleType = bench.exposure
    return module


def test_a_remembering_detector_looks_once(exposure: ModuleType, street: NDArray[np.uint8]) -> None:
    detector = exposure.Remembering(profile="fast")
    part = np.ascontiguousarray(street[400:800, 300:900])
    first = detector.detect(part)
    assert len(first) > 0
    assert detector.detect(part.copy()) is first
    assert [found for _, found in detector.detect_many([part, part])] == [first, first]


def test_all_ways_are_measured_on_the_same_clip(
    bench: SimpleNamespace, exposure: ModuleType, street: NDArray[np.uint8], labels: dict[Kind, NDArray[np.float32]]
) -> None:
    """In one frame the head is painted over: nothing is found there, and only a tracker covers it."""
    part = np.ascontiguousarray(street[300:660, 60:700])
    (face,) = (box for box in labels[Kind.FACE].tolist() if box[2] - box[0] > 140)
    box = (face[0] - 60, face[1] - 300, face[2] - 60, face[3] - 300)
    seen = {frame: bench.clips.Seen(box, 1.0) for frame in range(6)}

    bare = part.copy()
    bare[: round(box[3]) + 30, max(round(box[0]) - 40, 0) : round(box[2]) + 40] = 120

    def shown() -> Iterator[Frame]:
        for index in range(6):
            yield Frame(bare if index == 3 else part, index, Fraction(index, 25))

    made = bench.clips.Clip("made", 640, 360, 6, Fraction(25), [bench.clips.Followed("face", Kind.FACE, seen)], shown)
    ways = exposure.measure([made], 1.0, 0.0, "fast", 1)
    assert {name: way.histories[0].exposed[3] for name, way in ways.items()} == {
        "frame by frame": True,
        "tracked, no look-ahead": False,
        "look-ahead of 1 s": False,
    }
    assert all(sum(way.histories[0].exposed.values()) <= 1 for way in ways.values())
    assert "look-ahead of 1 s, every frame searched" in exposure.measure([], 1.0, 0.12, "fast", 0)


@pytest.fixture(scope="module")
def pictures(bench: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """Pictures with one white rectangle each, which is their label; half of them are plates."""
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(4)
    made = []
    for number in range(12):
        kind, source = ((Kind.FACE, "facemask853"), (Kind.PLATE, "romanian"))[number % 2]
        x, y = int(random.integers(300, 500)), int(random.integers(150, 300))
        box = (x, y, x + 120, y + (150 if kind == Kind.FACE else 50))
        image = np.full((600, 900, 3), 60, np.uint8)
        cv2.rectangle(image, box[:2], (box[2] - 1, box[3] - 1), (255, 255, 255), -1)
        cv2.imwrite(str(folder / f"{number}.png"), image)
        boxes, kinds, ignored = np.array([box], np.float32), np.array([kind], np.uint8), np.zeros(1, np.bool_)
        made.append(bench.measuring.Labelled(folder / f"{number}.png", 900, 600, source, boxes, kinds, ignored))
    return made


def test_labels_of_a_made_clip_lie_on_what_it_shows(bench: SimpleNamespace, pictures: list[Any]) -> None:
    (made,) = bench.clips.make(pictures, count=1, sizes=[SMALL])
    brighter = 0
    count = 0
    for frame in made.frames():
        assert frame.pixels.shape == (made.height, made.width, 3)
        assert frame.index == count
        count += 1
        for one in made.objects:
            seen = one.seen.get(frame.index)
            if seen and seen.visible > 0.95:
                left, top, right, bottom = (round(side) for side in seen.box)
                inner = frame.pixels[top + 4 : bottom - 4, left + 6 : right - 6].mean()
                brighter += bool(inner > frame.pixels[:, : max(left - 10, 1)].mean() * 1.8)
    assert count == made.length
    assert brighter > 0.8 * sum(seen.visible > 0.95 for one in made.objects for seen in one.seen.values()) > 60
    assert all(0 <= seen.visible <= 1.001 for one in made.objects for seen in one.seen.values())


def test_the_same_seed_makes_the_same_clips(bench: SimpleNamespace, pictures: list[Any]) -> None:
    first, again, other = (next(bench.clips.make(pictures, count=1, seed=seed, sizes=[SMALL])) for seed in (1, 1, 2))
    assert first.objects == again.objects
    assert first.objects != other.objects
    assert np.array_equal(next(first.frames()).pixels, next(again.frames()).pixels)


def test_too_few_pictures_are_said(bench: SimpleNamespace, pictures: list[Any]) -> None:
    with pytest.raises(SystemExit, match="ask for fewer clips"):
        list(bench.clips.make(pictures, count=9, sizes=[SMALL]))


@pytest.mark.parametrize("shape", ["post", "board", "ball"])
def test_an_occluder_passes_from_edge_to_edge(bench: SimpleNamespace, shape: str) -> None:
    passing = bench.clips.Occluder(shape, 0.2, (0, 0, 0), 5, 25, 0.4, backward=False)
    covers = [passing.cover(frame, (WIDTH, HEIGHT)) for frame in range(30)]
    assert all(cover is None for cover in (*covers[:5], *covers[25:]))
    shares = [float(cover.mean()) for cover in covers[5:25]]
    assert shares[0] < 0.01
    assert shares[-1] < 0.01
    assert max(shares) > 0.05
    middles = [float((cover.max(axis=0) * np.arange(WIDTH)).argmax()) for cover in covers[7:23]]
    assert middles == sorted(middles)


@pytest.mark.parametrize("what", ["blur", "motion", "noise", "dark", "jpeg"])
def test_a_degradation_comes_and_goes_and_changes_the_picture(bench: SimpleNamespace, what: str) -> None:
    episode = bench.clips.Episode(what, 0.8, 10, 30)
    amounts = [episode.amount(frame) for frame in range(40)]
    assert max(amounts) == pytest.approx(0.8)
    assert amounts[9] == amounts[30] == 0
    assert 0 < amounts[10] < amounts[12] < amounts[15]
    image = np.random.default_rng(1).integers(0, 255, (60, 80, 3)).astype(np.float32)
    random = np.random.default_rng(2)
    assert np.array_equal(bench.clips.degraded(image, what, 0.0, random), image)
    assert np.abs(bench.clips.degraded(image, what, 0.8, random) - image).mean() > 10


def test_the_demonstration_clip_is_read_with_its_labels(bench: SimpleNamespace) -> None:
    made = bench.clips.demonstration(ROOT / "examples" / "demo")
    assert (made.width, made.height, made.length, made.rate) == (1280, 720, 205, 25)
    assert {one.kind for one in made.objects} == {Kind.FACE, Kind.PLATE}
    first = next(made.frames())
    assert first.pixels.shape == (720, 1280, 3)
    for one in made.objects:
        for left, top, right, bottom in (seen.box for seen in one.seen.values()):
            assert 0 <= left < right <= 1280.2
            assert 0 <= top < bottom <= 720.2


def test_the_script_says_what_it_needs() -> None:
    command = [sys.executable, "-m", "examples.benchmarks.exposure"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--data FOLDER" in done.stderr
