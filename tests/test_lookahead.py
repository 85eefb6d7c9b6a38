"""Looking ahead: what is known of an object later covers it before."""

from collections.abc import Iterable, Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeanon.boxes import intersections
from edgeanon.detections import Tracks
from edgeanon.pipeline.lookahead import (
    BLURRED,
    LARGE,
    LARGER,
    LEAST,
    SHORTEST_STEP,
    SURE,
    SURE_LARGE,
    LookAhead,
)

FRAME = 1 / 25
SIZE = (10**8, 10**8)
"""Of the frames, in pixels: so large that no object is a large part of it."""
Row = tuple[int, tuple[float, float, float, float], int, bool]  # id, box, frames unseen, confirmed


def tracks(rows: Iterable[Row] = ()) -> Tracks:
    ids, boxes, unseen, confirmed = zip(*rows, strict=True) if (rows := list(rows)) else ((), (), (), ())
    count = len(rows)
    return Tracks(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.full(count, 0.5, np.float32),
        np.zeros(count, np.uint8),
        np.array(ids, np.int64),
        np.array(unseen, np.int32),
        np.array(confirmed, np.bool_),
    )


def seen(box: tuple[float, float, float, float], name: int = 1, *, confirmed: bool = True) -> Tracks:
    return tracks([(name, box, 0, confirmed)])


def scored(score: float) -> Tracks:
    """One object of this score that no tracker has confirmed."""
    one = seen((50, 50, 90, 90), confirmed=False)
    return Tracks(one.boxes, np.array([score], np.float32), one.kinds, one.ids, one.unseen, one.confirmed)


def played(
    frames: list[Tracks],
    seconds: float = 1.0,
    *,
    cuts: Iterable[int] = (),
    shift: tuple[float, float] = (0.0, 0.0),
    size: tuple[int, int] = SIZE,
) -> list[Tracks]:
    """What comes out, frame by frame, at 25 frames a second."""

    def ready() -> Iterator[tuple[int, Tracks]]:
        window = LookAhead[int](seconds)
        for index, one in enumerate(frames):
            moved = shift if index else (0, 0)
            yield from window.push(index, one, time=index * FRAME, size=size, cut=index in cuts, shift=moved)
        yield from window.flush()

    out = list(ready())
    assert [index for index, _ in out] == list(range(len(frames)))
    return [one for _, one in out]


def covers(one: Tracks, box: tuple[float, float, float, float], name: int = 1) -> bool:
    inner = np.array([box], np.float32)
    outer = one.boxes[one.ids == name]
    return len(outer) == 1 and bool(intersections(outer, inner)[0, 0] >= np.prod(inner[0, 2:] - inner[0, :2]) - 1e-3)


def test_a_gap_between_two_sightings_is_filled_along_the_way() -> None:
    frames = [seen((0, 0, 40, 40)), *[tracks() for _ in range(9)], seen((100, 50, 140, 90))]
    for index, one in enumerate(played(frames)):
        assert covers(one, (index * 10, index * 5, index * 10 + 40, index * 5 + 40))


def test_an_object_is_covered_before_it_was_first_seen() -> None:
    frames = [tracks() for _ in range(10)] + [seen((200 + 5 * n, 50, 240 + 5 * n, 90)) for n in range(5)]
    for index, one in enumerate(played(frames)):
        assert covers(one, (150 + 5 * index, 50, 190 + 5 * index, 90))


@pytest.mark.parametrize("score", [SURE, SURE / 2, SURE / 4])
def test_the_less_sure_a_single_sighting_the_shorter_it_is_covered_before(score: float) -> None:
    covered = [len(one) == 1 for one in played([*[tracks() for _ in range(40)], scored(score)])]
    assert sum(covered) == 1 + int(score / SURE / FRAME + 1e-3)
    assert covered[-1]


def test_a_large_one_must_be_surer_for_the_same() -> None:
    frames = [*[tracks() for _ in range(40)], scored(SURE_LARGE / 2)]
    assert len(played(frames)[20]) == 1
    side = round((40 * 40 / LARGE) ** 0.5)
    assert [len(one) for one in played(frames, size=(side, side))].count(1) == 1 + int(0.5 / FRAME)


@pytest.mark.parametrize(("score", "seconds"), [(SURE, 1.0), (SURE / 2, 0.5), (SURE / 10, LEAST)])
def test_what_the_tracker_does_not_hold_is_covered_for_a_while_after(score: float, seconds: float) -> None:
    frames = [*[scored(score) for _ in range(5)], *[tracks() for _ in range(40)]]
    assert sum(len(one) == 1 for one in played(frames)) == 5 + int(seconds / FRAME + 1e-3)


def test_an_object_that_moves_is_covered_where_it_goes() -> None:
    frames = [*[seen((5 * n, 50, 40 + 5 * n, 90)) for n in range(5)], *[tracks() for _ in range(20)]]
    assert covers(played(frames)[7], (35, 50, 75, 90))


def test_what_was_seen_twice_is_covered_all_the_time_before() -> None:
    frames = [tracks() for _ in range(20)] + [seen((50, 50, 90, 90), confirmed=False)] * 2
    assert all(len(one) == 1 for one in played(frames))


def test_confirmed_later_is_confirmed_before() -> None:
    frames = [tracks(), seen((50, 50, 90, 90), confirmed=False), seen((50, 50, 90, 90), confirmed=True)]
    assert played(frames)[0].confirmed.tolist() == [True]


def test_the_further_from_a_sighting_the_larger_the_box() -> None:
    frames = [tracks() for _ in range(10)] + [seen((50, 50, 90, 90))]
    widths = [float(one.boxes[0, 2] - one.boxes[0, 0]) for one in played(frames)]
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] == pytest.approx(40 * (1 + 2 * BLURRED))


def test_the_faster_an_object_the_larger_its_box_between() -> None:
    def middle(way: float) -> NDArray[np.float32]:
        frames = [seen((0, 0, 40, 40)), tracks(), tracks(), tracks(), seen((way, 0, way + 40, 40))]
        box = played(frames)[2].boxes[0]
        return np.asarray(box[2:] - box[:2], np.float32)

    assert middle(80)[0] > middle(0)[0]
    assert middle(80)[1] == middle(0)[1]


def test_a_sighting_is_at_least_as_large_as_its_neighbours_in_time_make_likely() -> None:
    frames = [seen((0, 0, 40, 40)), seen((10, 10, 30, 30)), seen((0, 0, 40, 40))]
    assert covers(played(frames)[1], (0, 0, 40, 40))


def test_an_object_is_as_large_as_it_was_at_most_around_that_time() -> None:
    frames = [seen((100, 100, 130, 130)), seen((100, 100, 140, 140)), seen((100, 100, 130, 130))]
    assert covers(played(frames)[0], (95, 95, 135, 135))
    assert covers(played(frames)[2], (95, 95, 135, 135))


def test_one_sighting_much_larger_than_the_others_does_not_swell_them_without_end() -> None:
    frames = [seen((100, 100, 140, 140)), seen((0, 0, 400, 400)), seen((100, 100, 140, 140))]
    box = played(frames)[0].boxes[0]
    assert box[2] - box[0] == pytest.approx(40 * LARGER * (1 + 2 * BLURRED))


def test_what_comes_in_over_the_edge_is_covered_up_to_it() -> None:
    frames = [tracks(), seen((15, 150, 55, 190)), tracks(), tracks()]
    before, when_seen, *after = (one.boxes[0] for one in played(frames, size=(200, 200)))
    for box in (before, *after):
        assert box[0] <= 0
        assert box[3] >= 200
        assert box[2] < 200
    assert when_seen[0] > 0


def test_nothing_is_carried_over_a_cut() -> None:
    frames = [tracks(), tracks(), seen((50, 50, 90, 90), 2), seen((50, 50, 90, 90), 2)]
    assert [len(one) for one in played(frames, cuts=[1])] == [0, 1, 1, 1]
    assert [len(one) for one in played(frames, cuts=[2])] == [0, 0, 1, 1]


def test_a_pan_does_not_bend_the_way() -> None:
    still = [seen((100, 50, 140, 90)), *[tracks() for _ in range(9)], seen((200, 50, 240, 90))]
    for index, one in enumerate(played(still, shift=(10, 0))):
        assert covers(one, (100 + 10 * index, 50, 140 + 10 * index, 90))
    before = [tracks() for _ in range(5)] + [seen((150, 50, 190, 90))]
    assert covers(played(before, shift=(10, 0))[0], (100, 50, 140, 90))


def test_without_looking_ahead_every_frame_comes_out_at_once_as_the_tracker_has_it() -> None:
    window = LookAhead[str](0.0)
    held = tracks([(1, (0, 0, 10, 10), 3, True)])
    ((item, out),) = window.push("a", held, time=0, size=SIZE)
    assert item == "a"
    assert np.array_equal(out.boxes, held.boxes)


def test_a_held_row_gives_way_to_what_was_seen_later() -> None:
    frames = [seen((0, 0, 40, 40)), tracks([(1, (300, 300, 340, 340), 1, True)]), seen((20, 0, 60, 40))]
    out = played(frames)[1]
    assert covers(out, (10, 0, 50, 40))
    assert out.boxes[0, 0] < 20


@pytest.mark.parametrize("times", [[0.0] * 600, [1000 - n for n in range(600)], [n * 1e6 for n in range(600)]])
def test_the_window_is_bounded_whatever_the_times_say(times: list[float]) -> None:
    window = LookAhead[int](0.5)
    inside = out = 0
    for index, time in enumerate(times):
        ready = list(window.push(index, seen((0, 0, 9, 9)), time=time, size=SIZE))
        out += len(ready)
        inside = max(inside, index + 1 - out)
    assert inside <= 0.5 / SHORTEST_STEP + 1


@given(
    st.lists(
        st.lists(
            st.tuples(st.integers(0, 5), st.floats(-500, 500), st.floats(1, 300), st.integers(0, 2), st.booleans()),
            unique_by=lambda row: row[0],
            max_size=5,
        ),
        max_size=30,
    ),
    st.floats(0, 1),
    st.sets(st.integers(0, 30)),
)
def test_it_adds_and_never_removes(
    frames: list[list[tuple[int, float, float, int, bool]]], seconds: float, cuts: set[int]
) -> None:
    given_rows = [
        tracks([(name, (at, at, at + side, at + side), unseen, yes) for name, at, side, unseen, yes in rows])
        for rows in frames
    ]
    for before, after in zip(given_rows, played(given_rows, seconds, cuts=cuts), strict=True):
        assert np.isin(before.ids, after.ids).all()
        assert np.isfinite(after.boxes).all()
        assert len(np.unique(after.ids)) == len(after)
        for row in np.flatnonzero(before.unseen == 0):
            box, covering = before.boxes[row], after.boxes[after.ids == before.ids[row]][0]
            assert (covering[:2] <= box[:2]).all()
            assert (covering[2:] >= box[2:]).all()
