from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeanon.motion import Motion, Scene, expected, measured, sizes, spread

Picture = NDArray[np.uint8]
STEPS = st.lists(st.floats(0, 5), min_size=1, max_size=12)


def box(x: float, y: float, width: float = 40, height: float = 60) -> NDArray[np.float32]:
    return np.array([[x, y, x + width, y + height]], np.float32)


def test_a_box_seen_once_is_expected_where_it_was() -> None:
    motion = Motion()
    state = motion.advance(motion.begin(box(100, 50)), 0.04)
    assert expected(state)[0].tolist() == pytest.approx(box(100, 50)[0].tolist(), abs=0.01)


@pytest.mark.parametrize("interval", [1 / 50, 1 / 25, 0.2])
def test_a_steady_movement_is_learned_in_seconds_whatever_the_frame_rate(interval: float) -> None:
    """100 px a second to the right and 50 up while it grows: half a second after the last sight it is where it must."""
    motion = Motion(fading=(1e6, 1e6))
    place = np.array([100.0, 400.0, 140.0, 460.0])
    speed = np.array([100.0, -50.0, 110.0, -40.0])
    state = motion.begin(place[None].astype(np.float32))
    for number in range(1, int(3 / interval)):
        state = motion.correct(
            motion.advance(state, interval), (place + speed * number * interval)[None].astype(np.float32)
        )
    last = place + speed * (int(3 / interval) - 1) * interval
    found = expected(motion.advance(state, 0.5))[0]
    assert found.tolist() == pytest.approx((last + speed * 0.5).tolist(), abs=3)


def test_irregular_times_are_followed_as_well_as_regular_ones() -> None:
    random = np.random.default_rng(3)
    times = np.cumsum(random.choice([0.01, 0.04, 0.12], 60))
    motion = Motion()
    state = motion.begin(box(200 * times[0], 0))
    for before, now in pairwise(times):
        state = motion.correct(motion.advance(state, now - before), box(200 * now, 0))
    found = expected(motion.advance(state, 0.2))[0]
    assert found[0] == pytest.approx(200 * (times[-1] + 0.2), abs=5)


def test_a_speed_fades_while_nothing_is_seen() -> None:
    motion = Motion(fading=(0.5, 0.5))
    state = motion.begin(box(0, 0))
    for number in range(1, 20):
        state = motion.correct(motion.advance(state, 0.04), box(number * 4, 0))
    here = expected(state)[0, 0]
    way = [float(expected(motion.advance(state, seconds))[0, 0] - here) for seconds in (0.05, 0.5, 20)]
    assert 0.7 * 5 < way[0] < 5
    assert way[1] / way[2] == pytest.approx(1 - np.exp(-1), rel=0.02)
    assert way[2] < 50  # half a second at 100 px a second, and never more


@given(STEPS)
def test_doubt_grows_with_the_time_unseen_and_falls_when_seen(steps: list[float]) -> None:
    motion = Motion()
    state = motion.begin(box(100, 100))
    for step in steps:
        later = motion.advance(state, step)
        assert (spread(later) >= spread(state) * (1 - 1e-6)).all()
        state = later
    seen = motion.correct(state, box(100, 100))
    assert (spread(seen) <= spread(state) + 1e-6).all()
    assert (spread(seen) <= 0.05 * 50 + 1e-3).all()


@given(STEPS, st.floats(-(2.0**100), 2.0**100, width=32), st.floats(0, 2.0**100, width=32))
def test_no_box_and_no_time_breaks_the_arithmetic(steps: list[float], at: float, side: float) -> None:
    motion = Motion()
    state = motion.begin(box(at, -at, side, side))
    for step in steps:
        state = motion.correct(motion.advance(state, step), box(-at, at, side / 2, 0))
        assert np.isfinite(state).all()
        assert np.isfinite(expected(motion.advance(state, step))).all()
        assert (state[:, [2, 4]] >= 0).all()


def test_one_step_is_as_good_as_two_of_half_the_time() -> None:
    motion = Motion()
    state = motion.correct(motion.advance(motion.begin(box(0, 0)), 0.04), box(8, 0))
    once = motion.advance(state, 0.2)
    twice = motion.advance(motion.advance(state, 0.1), 0.1)
    np.testing.assert_allclose(expected(once), expected(twice), atol=0.05)
    np.testing.assert_allclose(spread(once), spread(twice), rtol=0.1)


def test_the_inputs_are_left_alone() -> None:
    motion = Motion()
    given_box = box(0, 0)
    state = motion.begin(given_box)
    before = state.copy()
    motion.correct(motion.advance(state, 0.1), given_box)
    assert (state == before).all()
    assert (given_box == box(0, 0)).all()


def test_many_boxes_are_followed_as_each_alone() -> None:
    motion = Motion()
    boxes = np.concatenate([box(0, 0), box(300, 20, 200, 100), box(50, 50, 1, 1)])
    later = boxes + np.array([3, 1, 3, 1], np.float32)
    together = motion.correct(motion.advance(motion.begin(boxes), 0.04), later)
    for row in range(3):
        alone = motion.correct(motion.advance(motion.begin(boxes[row : row + 1]), 0.04), later[row : row + 1])
        np.testing.assert_allclose(together[row : row + 1], alone)


def test_centre_and_sides_of_an_inverted_box_are_those_of_the_right_one() -> None:
    assert measured(np.array([[10, 30, 0, 0]], np.float32)).tolist() == [[5, 15, 10, 30]]
    assert sizes(np.array([[0, 0, 10, 30], [0, 0, 0, 0.5]])).tolist() == [[20], [1]]


def picture(seed: int, width: int = 480, height: int = 270) -> Picture:
    """A picture with structure of all sizes."""
    random = np.random.default_rng(seed)
    image = np.zeros((height, width, 3), np.float32)
    for cells in (4, 9, 20, 60):
        noise = random.random((cells, cells * 2, 3)).astype(np.float32)
        image += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC) * 60
    return np.clip(image, 0, 255).astype(np.uint8)


def cuts(*pictures: Picture) -> list[bool]:
    scene = Scene()
    return [scene.began(image) for image in pictures]


def test_every_change_to_another_picture_is_a_cut() -> None:
    film = [picture(number // 8) for number in range(120)]
    assert cuts(*film) == [number > 0 and number % 8 == 0 for number in range(120)]


def test_noise_is_no_cut() -> None:
    random = np.random.default_rng(1)
    base = picture(1).astype(np.float32)
    noisy = [np.clip(base + random.normal(0, 20, base.shape), 0, 255).astype(np.uint8) for _ in range(8)]
    assert not any(cuts(*noisy))


def test_a_pan_is_no_cut() -> None:
    wide = picture(2, 2400, 540)
    assert not any(cuts(*(wide[80:350, x : x + 480] for x in range(0, 1800, 60))))


def test_a_zoom_is_no_cut() -> None:
    base = picture(3, 960, 540)
    shots = [
        cv2.resize(base[y : 540 - y, y * 16 // 9 : 960 - y * 16 // 9], (480, 270)).astype(np.uint8)
        for y in range(0, 180, 12)
    ]
    assert not any(cuts(*shots))


@pytest.mark.parametrize(("gain", "offset"), [(0.5, 0), (1, 60), (1.6, 20), (3, 0), (0, 255), (0, 0)])
def test_a_flash_is_no_cut_and_neither_is_its_end(gain: float, offset: float) -> None:
    base = picture(4)
    flash = np.clip(base.astype(np.float32) * gain + offset, 0, 255).astype(np.uint8)
    assert not any(cuts(base, base, flash, base, flash, flash, base))


def test_a_fade_through_black_is_a_cut_where_the_next_scene_shows() -> None:
    black = np.zeros((270, 480, 3), np.uint8)
    assert cuts(picture(5), black, black, picture(6), picture(6)) == [False, False, False, True, False]


def test_a_large_object_that_walks_through_is_no_cut() -> None:
    scenes = []
    for x in range(-200, 500, 25):
        image = picture(7)
        image[40:, max(x, 0) : max(x + 200, 0)] = (20, 40, 200)
        scenes.append(image)
    assert not any(cuts(*scenes))


def test_a_picture_of_another_size_begins_a_scene() -> None:
    one = picture(8)
    assert cuts(one, one[:, :300], one[:, :300], one) == [False, True, False, True]


def test_where_no_picture_resembles_the_last_one_not_every_one_is_a_cut() -> None:
    """As in a timelapse, whose tracks would end at each picture."""
    random = np.random.default_rng(9)
    base = picture(9).astype(np.float32)
    weather = random.normal(0, 90, (100, 9, 16, 3)).repeat(30, 1).repeat(30, 2)
    found = cuts(*(np.clip(base + each, 0, 255).astype(np.uint8) for each in weather))
    assert sum(found[:20]) > sum(found[50:]) < 10


@pytest.mark.parametrize("shape", [(1, 1), (1, 200), (300, 2), (36, 64)])
def test_small_and_narrow_pictures_are_no_trouble(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (4, *shape, 3), np.uint8)
    assert cuts(*images)[0] is False


def test_a_picture_that_is_not_packed_in_memory_is_the_same_picture() -> None:
    images = [picture(seed) for seed in (1, 1, 2, 2)]
    turned = [np.asfortranarray(image) for image in images]
    assert cuts(*images) == cuts(*turned) == [False, False, True, False]
