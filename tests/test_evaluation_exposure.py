"""How exposure is counted, on clips that can be counted by hand, and how labelled clips are read."""

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgeanon import ConfigError, Detections, Frame, Kind, Masker, MediaError
from edgeanon.evaluation.clips import Clip, Followed, Seen, large_enough, read_clip
from edgeanon.evaluation.exposure import Exposure, History, detected_in

WIDTH, HEIGHT = 200, 100
FACE, FAR = (40.0, 20.0, 70.0, 60.0), (150.0, 20.0, 180.0, 60.0)
PLATE = (20.0, 80.0, 70.0, 95.0)
DEMO = Path(__file__).parent.parent / "examples" / "demo"


def frames(count: int) -> Iterator[Frame]:
    for index in range(count):
        yield Frame(np.zeros((HEIGHT, WIDTH, 3), np.uint8), index, Fraction(index, 25))


def found(*rows: tuple[Kind, tuple[float, float, float, float]]) -> Detections:
    boxes = np.array([box for _, box in rows], np.float32).reshape(-1, 4)
    return Detections(boxes, np.ones(len(rows), np.float32), np.array([kind for kind, _ in rows], np.uint8))


def clip(count: int, *objects: tuple[str, Kind, dict[int, tuple[Any, float]]]) -> Clip:
    """A black clip of so many frames; an object is a name, a kind, and by frame its box and what of it shows."""
    followed = [
        Followed(name, kind, {frame: Seen(*seen) for frame, seen in where.items()}) for name, kind, where in objects
    ]
    return Clip("made", WIDTH, HEIGHT, count, Fraction(25), followed, lambda: frames(count))


def test_a_frame_in_which_the_mask_is_elsewhere_is_exposed() -> None:
    made = clip(10, ("face", Kind.FACE, dict.fromkeys(range(10), (FACE, 1.0))))
    way = Exposure(Masker())
    masked = ((frame, found((Kind.FACE, FAR if frame.index in {3, 4, 7} else FACE))) for frame in made.frames())
    way.add(made, masked, [{0, 1, 2, 5, 6, 8, 9}])
    tally = way.tallies(25)["all"]
    assert (tally.objects, tally.frames, tally.exposed, tally.longest, tally.touched) == (1, 10, 3, 2, 1)
    assert tally.figures()["exposed_per_1000"] == 300
    assert tally.open == 3
    (object_,) = way.figures(25)["exposed_objects"]
    bare = {"covered": 0.0, "visible": 1.0, "detected": False}
    assert object_["exposed_frames"] == [{"frame": frame, **bare} for frame in (3, 4, 7)]


def test_nine_tenths_covered_are_enough() -> None:
    """The mask without a margin hides exactly the box, of which the label is cut into ever smaller parts."""
    plain = Masker(margin=(0, 0), shape="rectangle")
    label = (0.0, 0.0, 100.0, 50.0)
    made = clip(2, ("face", Kind.FACE, {0: (label, 1.0), 1: (label, 1.0)}))
    way = Exposure(plain)
    masks = (found((Kind.FACE, (0.0, 0.0, 90.0, 50.0))), found((Kind.FACE, (0.0, 0.0, 89.0, 50.0))))
    way.add(made, zip(made.frames(), masks, strict=True), [set()])
    assert way.histories[0].exposed == {0: False, 1: True}
    assert way.tallies(25)["all"].open == 0


def test_each_kind_is_counted_for_itself() -> None:
    made = clip(1, ("face", Kind.FACE, {0: (FACE, 1.0)}), ("plate", Kind.PLATE, {0: (PLATE, 1.0)}))
    way = Exposure(Masker())
    way.add(made, ((frame, found((Kind.FACE, FACE))) for frame in made.frames()), [{0}, set()])
    tallies = way.tallies(25)
    assert (tallies["face"].exposed, tallies["plate"].exposed, tallies["all"].exposed) == (0, 1, 1)


def test_what_hardly_shows_or_is_too_small_is_not_counted() -> None:
    tiny = (40.0, 20.0, 52.0, 36.0)
    made = clip(3, ("face", Kind.FACE, {0: (FACE, 1.0), 1: (FACE, 0.4), 2: (tiny, 1.0)}))
    way = Exposure(Masker())
    way.add(made, ((frame, found()) for frame in made.frames()), [set()])
    assert way.histories[0].exposed == {0: True}


@pytest.mark.parametrize(
    ("detected", "gap", "group"),
    [
        pytest.param(range(100), 0, "gap within the window", id="always"),
        pytest.param([*range(10), *range(35, 100)], 25, "gap within the window", id="as long as the window"),
        pytest.param([*range(10), *range(36, 100)], 26, "longer gap", id="one frame longer"),
        pytest.param(range(30, 100), 30, "longer gap", id="late at first"),
        pytest.param(range(90), 10, "gap within the window", id="lost at last"),
        pytest.param([], None, "never detected", id="never"),
        pytest.param([200], None, "never detected", id="when it no longer counts"),
    ],
)
def test_objects_are_grouped_by_their_longest_gap(detected: Any, gap: int | None, group: str) -> None:
    history = History(Followed("face", Kind.FACE), dict.fromkeys(range(100), False), set(detected))
    assert history.longest_gap() == gap
    assert history.group(25) == group


def test_a_frame_that_does_not_count_ends_a_row_of_exposed_ones() -> None:
    bare = {0: True, 1: True, 2: False, 3: True, 5: True, 6: True, 7: True}
    assert History(Followed("face", Kind.FACE), bare).longest_exposed() == 3


def test_a_mask_where_nothing_is_counts_as_needless() -> None:
    plain = Masker(margin=(0, 0), shape="rectangle")
    made = clip(1, ("face", Kind.FACE, {0: (FACE, 0.1)}))
    way = Exposure(plain)
    way.add(made, ((frame, found((Kind.FACE, FACE), (Kind.FACE, FAR))) for frame in made.frames()), [set()])
    one = 30 * 40 / (WIDTH * HEIGHT)
    assert way.masked == [pytest.approx(2 * one)]
    assert way.needless == [pytest.approx(one)]


@pytest.mark.parametrize("order", [[0, 2], [0, 0], [1], [0, 1]], ids=["left out", "twice", "begins late", "too few"])
def test_frames_that_are_lost_are_noticed(order: list[int]) -> None:
    made = clip(3)
    every = list(made.frames())
    with pytest.raises(ValueError, match=r"frame|frames"):
        Exposure(Masker()).add(made, ((every[index], found()) for index in order), [])


def test_an_object_is_detected_by_a_box_of_its_kind_that_overlaps_by_half() -> None:
    made = clip(4, ("face", Kind.FACE, dict.fromkeys(range(3), (FACE, 1.0))))
    half, less = (40.0, 20.0, 70.0, 40.0), (40.0, 20.0, 70.0, 39.0)
    answers = [found((Kind.PLATE, FACE)), found((Kind.FACE, half)), found((Kind.FACE, less)), found((Kind.FACE, FACE))]
    told = iter(answers)
    detector: Any = SimpleNamespace(detect=lambda _: next(told))
    assert detected_in(made, detector) == [{1}]


def labels(folder: Path, **changes: object) -> Path:
    """A file of labels of one face, with an empty file as its video."""
    (folder / "a.mp4").touch()
    one = {"id": "1", "label": "face", "boxes": [[0, 1, 2, 30, 40, 1.0], [2, 1, 2, 30, 40, 0.5]]}
    whole = {"video": "a.mp4", "width": 64, "height": 48, "frame_rate": [25, 1], "frames": 3, "objects": [one]}
    path = folder / "clip.json"
    path.write_text(json.dumps(whole | changes))
    return path


def test_the_labels_of_a_clip_are_read_by_frame(tmp_path: Path) -> None:
    made = read_clip(labels(tmp_path))
    assert (made.name, made.width, made.height, made.length, float(made.rate)) == ("clip", 64, 48, 3, 25.0)
    assert made.objects == [Followed("1", Kind.FACE, {0: Seen((1, 2, 31, 42), 1.0), 2: Seen((1, 2, 31, 42), 0.5)})]


def test_the_demonstration_clip_has_a_frame_for_every_label() -> None:
    made = read_clip(DEMO / "street-clip.json")
    assert next(made.frames()).pixels.shape == (made.height, made.width, 3)
    assert large_enough(Kind.OTHER, (0, 0, 1, 1))


FACE_LABEL = {"id": "1", "label": "face", "boxes": [[0, 1, 2, 30, 40, 1.0]]}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"objects": [FACE_LABEL, FACE_LABEL]}, "an id of its own", id="an id twice"),
        pytest.param({"objects": [{**FACE_LABEL, "label": "dog"}]}, "'dog'", id="an unknown label"),
        pytest.param({"objects": [{**FACE_LABEL, "boxes": [[0, 1, 2, 3, 4, 1]] * 2}]}, "two boxes", id="a frame twice"),
        pytest.param({"objects": [{**FACE_LABEL, "boxes": [[3, 1, 2, 3, 4, 1]]}]}, "after the last", id="past the end"),
        pytest.param({"objects": [{**FACE_LABEL, "boxes": [[0, 1, 2, "nan", 4, 1]]}]}, "boxes", id="NaN"),
        pytest.param({"fps": 25}, "fps", id="an unknown key"),
    ],
)
def test_wrong_labels_of_a_clip_are_refused(tmp_path: Path, changes: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read_clip(labels(tmp_path, **changes))


def test_a_clip_without_its_video_or_labels_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="is missing"):
        read_clip(labels(tmp_path, video="b.mp4"))
    with pytest.raises(MediaError, match="cannot be read"):
        read_clip(tmp_path / "none.json")
