import sys
import tracemalloc
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from edgeanon.detections import Detections, Kind, Tracks
from edgeanon.errors import ConfigError
from edgeanon.tracker import Tracker

INTERVAL = 1 / 25


def found(*rows: tuple[float, float, float, float], score: float = 0.9, kind: Kind = Kind.FACE) -> Detections:
    boxes = np.array(rows, np.float32).reshape(-1, 4)
    return Detections(boxes, np.full(len(boxes), score, np.float32), np.full(len(boxes), kind, np.uint8))


def face(x: float, y: float = 100, score: float = 0.9, kind: Kind = Kind.FACE) -> Detections:
    return found((x, y, x + 40, y + 50), score=score, kind=kind)


def run(tracker: Tracker, *frames: Detections, interval: float = INTERVAL, begin: float = 0) -> list[Tracks]:
    """What comes back for each frame."""
    return [tracker.update(each, begin + number * interval) for number, each in enumerate(frames)]


def covers(tracks: Tracks, box: NDArray[np.float32], share: float = 0.9) -> bool:
    """Whether so much of the box lies in one box that came back."""
    low, high = np.maximum(tracks.boxes[:, :2], box[:2]), np.minimum(tracks.boxes[:, 2:], box[2:])
    inside = np.maximum(high - low, 0).prod(1)
    return bool((inside >= share * (box[2:] - box[:2]).prod()).any())


# Few values, so that identical, touching and empty boxes come up; and any, so that tiny and huge ones do.
EDGES = st.one_of(st.sampled_from([0.0, 1.0, 10.0, 50.0, 51.0, 640.0]), st.floats(allow_nan=False, width=32))
SCORES = st.one_of(st.sampled_from([0.0, 0.3, 0.5, 0.9, 1.0]), st.floats(0, 1, width=32))
TIMES = st.one_of(
    st.none(), st.sampled_from([0, 0.04, 0.08, 1.0, 1e9, -5.0, Fraction(1, 30)]), st.floats(-1e300, 1e300)
)


@st.composite
def detections(draw: st.DrawFn) -> Detections:
    count = draw(st.integers(0, 8))
    boxes = draw(hnp.arrays(np.float32, (count, 4), elements=EDGES))
    scores = draw(hnp.arrays(np.float32, count, elements=SCORES))
    kinds = draw(hnp.arrays(np.uint8, count, elements=st.sampled_from([0, 1, 2])))
    return Detections(boxes, scores, kinds)


def check(given_ones: Detections, tracks: Tracks) -> None:
    """What holds for any input."""
    count = len(given_ones)
    # Invariant 1: each box comes back as it was, now.
    np.testing.assert_array_equal(tracks.boxes[:count], given_ones.boxes)
    np.testing.assert_array_equal(tracks.kinds[:count], given_ones.kinds)
    np.testing.assert_array_equal(tracks.scores[:count], given_ones.scores)
    assert (tracks.unseen[:count] == 0).all()
    assert (tracks.unseen[count:] > 0).all()
    assert np.isfinite(tracks.boxes[count:]).all()
    assert (tracks.boxes[count:, :2] <= tracks.boxes[count:, 2:]).all()
    assert len(set(tracks.ids.tolist())) == len(tracks)
    dtypes = (tracks.boxes, tracks.scores, tracks.kinds, tracks.ids, tracks.unseen, tracks.confirmed)
    assert [str(each.dtype) for each in dtypes] == ["float32", "float32", "uint8", "int64", "int32", "bool"]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(detections(), TIMES), max_size=8), st.sampled_from([None, (640, 480)]))
def test_whatever_was_given_comes_back_at_once(
    frames: list[tuple[Detections, Any]], size: tuple[int, int] | None
) -> None:
    tracker = Tracker(size=size)
    kinds: dict[int, int] = {}
    for given_ones, time in frames:
        tracks = tracker.update(given_ones, time)
        check(given_ones, tracks)
        for track, kind in zip(tracks.ids.tolist(), tracks.kinds.tolist(), strict=True):
            assert kinds.setdefault(track, kind) == kind  # kinds never mix


@pytest.mark.parametrize("same", [True, False], ids=["identical", "apart"])
def test_thousands_of_boxes_come_back(same: bool) -> None:
    random = np.random.default_rng(0)
    corners = np.zeros((2000, 2)) if same else random.random((2000, 2)) * 20000
    boxes = np.concatenate([corners, corners + 30], axis=1).astype(np.float32)
    many = Detections(boxes, np.full(2000, 0.9, np.float32), np.zeros(2000, np.uint8))
    tracker = Tracker()
    first = tracker.update(many, 0)
    second = tracker.update(many, 0.04)
    for tracks in (first, second):
        check(many, tracks)
    assert sorted(second.ids.tolist()) == sorted(first.ids.tolist())


def test_a_box_that_is_not_a_number_comes_back_and_is_not_followed() -> None:
    wrong = found((np.nan, 0, 10, 10), (0, 0, np.inf, 10), (5, 5, 10, 10))
    tracker = Tracker()
    for _ in range(10):
        tracks = tracker.update(wrong)
        np.testing.assert_array_equal(tracks.boxes, wrong.boxes)
    assert tracks.confirmed.tolist() == [False, False, True]
    assert tracker.update(Detections.empty()).ids.tolist() == [tracks.ids[2]]


def test_a_moving_object_keeps_its_id_and_is_confirmed_once_established() -> None:
    tracks = run(Tracker(), *(face(100 + 5 * number) for number in range(10)))
    assert {each.ids[0] for each in tracks} == {0}
    assert [bool(each.confirmed[0]) for each in tracks] == [False] * 3 + [True] * 7


def test_two_that_cross_keep_their_ids() -> None:
    frames = [
        found((100 + 12 * number, 100, 140 + 12 * number, 150), (400 - 12 * number, 125, 440 - 12 * number, 175))
        for number in range(25)
    ]
    tracks = run(Tracker(), *frames)
    assert all(each.ids.tolist() == [0, 1] for each in tracks)


def test_kinds_never_mix() -> None:
    tracks = run(Tracker(), *(face(100, kind=kind) for kind in [Kind.FACE] * 8 + [Kind.PLATE] * 3))
    assert tracks[8].ids.tolist() == [1, 0]
    assert tracks[8].kinds.tolist() == [Kind.PLATE, Kind.FACE]


@pytest.mark.parametrize("speed", [0, 100, -300])
def test_an_established_track_is_held_where_it_is_expected(speed: float) -> None:
    tracker = Tracker()
    run(tracker, *(face(800 + speed * number * INTERVAL) for number in range(20)))
    for number in range(20, 45):
        tracks = tracker.update(Detections.empty(), number * INTERVAL)
        assert tracks.ids.tolist() == [0]
        assert tracks.unseen.tolist() == [number - 19]
        assert tracks.confirmed.tolist() == [True]
        truth = face(800 + speed * number * INTERVAL).boxes[0]
        if number < 30:
            assert covers(tracks, truth, 0.99)
        assert covers(tracks, truth, 0.6)
    assert len(tracker.update(Detections.empty(), 45 * INTERVAL)) == 0


def test_a_held_box_grows_with_the_time_unseen_and_not_without_end() -> None:
    tracker = Tracker()
    run(tracker, *(face(100) for _ in range(20)))
    widths = []
    for number in range(20, 45):
        tracks = tracker.update(Detections.empty(), number * INTERVAL)
        widths.append(float(tracks.boxes[0, 2] - tracks.boxes[0, 0]))
    assert widths == sorted(widths)
    assert widths[0] > 40
    assert widths[0] < widths[5] < widths[8]
    assert widths[-1] <= 2 * 40 + 0.1


def test_a_track_found_again_has_its_id() -> None:
    frames = [face(100 + 4 * number) if not 12 <= number < 22 else Detections.empty() for number in range(30)]
    tracks = run(Tracker(), *frames)
    assert {int(each.ids[0]) for each in tracks} == {0}
    assert all(len(each) == 1 for each in tracks)


@pytest.mark.parametrize("interval", [1 / 60, 1 / 25, 0.2])
def test_the_hold_is_in_seconds_whatever_the_frame_rate(interval: float) -> None:
    tracker = Tracker(hold=0.8)
    run(tracker, *(face(100) for _ in range(10)), interval=interval)
    last = 9 * interval
    held = [len(tracker.update(Detections.empty(), last + k * interval)) for k in range(1, int(1.5 / interval))]
    assert sum(held) == int(0.8 / interval + 1e-6)
    assert held == sorted(held, reverse=True)


def test_a_single_false_detection_is_held_for_a_moment_only() -> None:
    tracker = Tracker()
    tracker.update(face(100, score=0.6), 0)
    held = [len(tracker.update(Detections.empty(), number * INTERVAL)) for number in range(1, 26)]
    assert sum(held) == 2
    tracker.update(face(100, score=1), 2)
    held = [len(tracker.update(Detections.empty(), 2 + number * INTERVAL)) for number in range(1, 26)]
    assert 3 <= sum(held) <= 6


def test_false_detections_now_and_then_do_not_add_up() -> None:
    tracker = Tracker()
    for number in range(100):
        tracks = tracker.update(face(100, score=0.9) if number % 5 == 0 else Detections.empty(), number * INTERVAL)
        assert not tracks.confirmed.any()


def test_a_low_score_continues_a_track() -> None:
    frames = [face(100 + 4 * number, score=0.9 if number < 6 else 0.2) for number in range(40)]
    tracks = run(Tracker(), *frames)
    assert {each.ids.tolist()[0] for each in tracks} == {0}
    assert all(len(each) == 1 for each in tracks)


def test_a_low_score_alone_comes_back_and_is_not_held() -> None:
    tracker = Tracker()
    assert len(tracker.update(face(100, score=0.3), 0)) == 1
    assert len(tracker.update(Detections.empty(), 0.02)) == 0


def test_many_low_scores_are_one_track_and_in_the_end_it_is_held() -> None:
    tracker = Tracker()
    tracks = run(tracker, *(face(100, score=0.4) for _ in range(60)))
    assert {each.ids[0] for each in tracks} == {0}
    assert not tracks[5].confirmed[0]
    assert tracks[-1].confirmed[0]
    assert len(tracker.update(Detections.empty(), 60 * INTERVAL)) == 1


def test_the_higher_score_takes_the_track() -> None:
    tracker = Tracker()
    run(tracker, *(face(100) for _ in range(6)))
    both = Detections.concatenate([face(101, score=0.2), face(103, score=0.9)])
    assert tracker.update(both, 6 * INTERVAL).ids.tolist()[1] == 0


@pytest.mark.parametrize("known_by", ["size", "image"])
def test_what_left_the_picture_is_not_held(known_by: str) -> None:
    image = None if known_by == "size" else np.full((480, 640, 3), 128, np.uint8)
    tracker = Tracker(size=(640, 480) if known_by == "size" else None)
    for number in range(20):
        tracker.update(face(410 + 10 * number), number * INTERVAL, image)
    held = [len(tracker.update(Detections.empty(), number * INTERVAL, image)) for number in range(20, 30)]
    assert held[:1] == [1]
    assert held[4:] == [0] * 6


def test_a_face_cut_off_by_the_edge_comes_back_all_the_same() -> None:
    tracker = Tracker(size=(640, 480))
    outside = found((-30, 10, 5, 60), (635, 10, 700, 60), (700, 500, 720, 520))
    for _ in range(5):
        check(outside, tracker.update(outside))


@pytest.mark.parametrize("times", [[None] * 30, [0.5] * 30, [Fraction(number, 25) for number in range(30)]])
def test_without_times_and_with_a_clock_that_stands_an_update_is_one_interval(times: list[Any]) -> None:
    tracker = Tracker()
    for time in times:
        tracker.update(face(100), time)
    stands = times[-1] if times[-1] is None or times[-1] == 0.5 else None
    held = [len(tracker.update(Detections.empty(), stands)) for _ in range(40)]
    assert sum(held) == 25


def test_a_clock_that_jumps_back_ends_nothing() -> None:
    tracker = Tracker()
    run(tracker, *(face(100) for _ in range(10)), begin=1000)
    tracks = run(tracker, *(face(100) for _ in range(10)), begin=0)
    assert {each.ids[0] for each in tracks} == {0}


def test_after_a_long_pause_nothing_is_the_same() -> None:
    tracker = Tracker()
    run(tracker, *(face(100) for _ in range(10)))
    assert tracker.update(face(100), 60).ids.tolist() == [1]
    assert len(tracker.update(Detections.empty(), 120)) == 0


def test_skipped_frames_are_bridged_by_their_times() -> None:
    """Ten frames at a time are skipped while the object goes more than its width."""
    tracker = Tracker()
    ids = [tracker.update(face(100 + 120 * time), time).ids[0] for time in np.arange(0, 0.4, 0.04)]
    ids += [tracker.update(face(100 + 120 * time), time).ids[0] for time in np.arange(0.76, 6, 0.4)]
    assert set(ids) == {0}


def scene(seed: int) -> NDArray[np.uint8]:
    random = np.random.default_rng(seed)
    noise = random.integers(0, 256, (18, 32, 3), np.uint8)
    return np.asarray(cv2.resize(noise, (640, 360), interpolation=cv2.INTER_CUBIC), np.uint8)


def test_a_cut_ends_all_tracks_and_says_so() -> None:
    tracker = Tracker()
    assert not tracker.cut
    for number in range(10):
        tracker.update(face(100), number * INTERVAL, scene(1))
        assert not tracker.cut
    tracks = tracker.update(face(100), 10 * INTERVAL, scene(2))
    assert tracker.cut
    assert tracks.ids.tolist() == [1]
    assert tracker.update(face(100), 11 * INTERVAL, scene(2)).ids.tolist() == [1]
    assert not tracker.cut
    assert len(tracker.update(Detections.empty(), 12 * INTERVAL, scene(3))) == 0
    assert tracker.cut
    tracker.update(Detections.empty(), 13 * INTERVAL)
    assert not tracker.cut


def test_a_reset_tracker_knows_nothing_and_gives_other_ids() -> None:
    tracker = Tracker()
    run(tracker, *(face(100) for _ in range(10)))
    tracker.update(Detections.empty(), 0.4, scene(1))
    tracker.reset()
    assert len(tracker.update(Detections.empty(), 0, scene(2))) == 0
    assert not tracker.cut
    assert tracker.update(face(100), 0.04).ids.tolist() == [1]


def test_ids_are_of_one_tracker_only() -> None:
    one, other = Tracker(), Tracker()
    run(one, *(face(300 * number) for number in range(5)))
    assert other.update(face(100)).ids.tolist() == [0]


def test_the_same_input_gives_the_same_tracks_and_is_left_alone() -> None:
    random = np.random.default_rng(5)
    corners = [(random.random((6, 2)) * 300).astype(np.float32) for _ in range(20)]
    frames = [found(*np.concatenate([corner, corner + 40], axis=1)) for corner in corners]
    before = [frame.boxes.copy() for frame in frames]
    first, second = run(Tracker(), *frames), run(Tracker(), *frames)
    for one, other, frame, box in zip(first, second, frames, before, strict=True):
        np.testing.assert_array_equal(one.boxes, other.boxes)
        np.testing.assert_array_equal(one.ids, other.ids)
        np.testing.assert_array_equal(frame.boxes, box)
        assert not np.shares_memory(one.boxes, frame.boxes)


def test_what_it_keeps_does_not_grow_with_the_number_of_frames() -> None:
    random = np.random.default_rng(1)
    tracker = Tracker(size=(640, 480))

    def go(frames: int) -> None:
        for _ in range(frames):
            corners = (random.random((5, 2)) * 600).astype(np.float32)
            tracker.update(found(*np.concatenate([corners, corners + 20], axis=1)), 1.0)  # the clock stands

    go(200)
    tracemalloc.start()
    before = tracemalloc.take_snapshot()
    go(600)
    growth = sum(each.size_diff for each in tracemalloc.take_snapshot().compare_to(before, "filename"))
    tracemalloc.stop()
    assert growth < 200_000
    assert len(tracker._rows) < 5 * 30


@pytest.mark.parametrize(
    "wrong",
    [
        {"start": -0.1}, {"start": 1.5}, {"start": "high"}, {"start": True}, {"confirm": float("nan")},
        {"hold": -1}, {"hold": float("inf")}, {"frame_interval": 0}, {"frame_interval": None}, {"size": (0, 10)},
        {"size": 640}, {"size": (640.0, 480.0)}, {"size": (640, 480, 3)},
    ],
    ids=str,
)  # fmt: skip
def test_a_setting_out_of_range_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Tracker(**wrong)


@pytest.mark.parametrize(
    ("arguments", "about"),
    [
        ((np.zeros((1, 4)),), "found"),
        ((face(1), float("nan")), "time"),
        ((face(1), float("inf")), "time"),
        ((face(1), "0:01"), "time"),
        ((face(1), True), "time"),
        ((face(1), Fraction(10**400)), "time"),
        ((face(1), 0, "image"), "image"),
        ((face(1), 0, np.zeros((4, 4), np.uint8)), "image"),
        ((face(1), 0, np.zeros((4, 4, 3), np.float32)), "image"),
        ((face(1), 0, np.zeros((0, 4, 3), np.uint8)), "image"),
    ],
    ids=str,
)
def test_a_wrong_argument_is_refused_and_changes_nothing(arguments: tuple[Any, ...], about: str) -> None:
    tracker, untouched = Tracker(), Tracker()
    for each in (tracker, untouched):
        run(each, *(face(100) for _ in range(6)))
    with pytest.raises(ConfigError, match=about):
        tracker.update(*arguments)
    one, other = (each.update(Detections.empty(), 6 * INTERVAL) for each in (tracker, untouched))
    np.testing.assert_array_equal(one.boxes, other.boxes)
    np.testing.assert_array_equal(one.ids, other.ids)


@pytest.mark.parametrize(
    ("settings_", "held"), [({"hold": 0}, 0), ({"confirm": 0}, 1), ({"start": 0}, 1), ({"start": 1}, 0)], ids=str
)
def test_the_ends_of_the_ranges_do_what_they_say(settings_: dict[str, Any], held: int) -> None:
    tracker = Tracker(**settings_)
    first = tracker.update(face(100, score=0.4), 0)
    assert first.confirmed.tolist() == ["confirm" in settings_]
    assert len(tracker.update(Detections.empty(), INTERVAL)) == held


def test_no_library_of_the_devices_is_loaded_for_it() -> None:
    import subprocess  # noqa: PLC0415

    code = "import sys, edgeanon.tracker; sys.exit(any(name in sys.modules for name in ('openvino', 'av', 'scipy')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
