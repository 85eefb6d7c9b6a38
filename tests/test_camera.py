"""What the camera did between two frames: how far it turned, and whether another picture begins."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edgeanon.motion import Camera

Picture = NDArray[np.uint8]


def scenery(seed: int = 0, width: int = 1600, height: int = 900) -> Picture:
    """Structure of all sizes."""
    random = np.random.default_rng(seed)
    picture = np.zeros((height, width, 3), np.float32)
    for cells in (6, 14, 40, 120):
        noise = random.random((cells, cells * 2, 3)).astype(np.float32)
        picture += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    return (picture * 60).clip(0, 255).astype(np.uint8)


def window(wide: Picture, x: float, y: float, size: tuple[int, int] = (640, 360)) -> Picture:
    """What a camera sees that looks at this place."""
    return np.asarray(cv2.getRectSubPix(wide, size, (x + size[0] / 2, y + size[1] / 2)), np.uint8)


def shifts(pictures: list[Picture]) -> list[tuple[float, float]]:
    camera = Camera()
    looks = [camera.look(image) for image in pictures]
    assert not any(look.cut for look in looks)
    assert looks[0].shift == (0, 0)
    return [look.shift for look in looks[1:]]


@pytest.mark.parametrize(
    "step", [(8, 0), (-8, 0), (0, 6), (5, -7), (20, 10), (2.5, 1.5)], ids=lambda step: f"{step[0]},{step[1]}"
)
def test_a_pan_is_found_to_within_a_pixel(step: tuple[float, float]) -> None:
    wide = scenery()
    pictures = [window(wide, 400 + index * step[0], 250 + index * step[1]) for index in range(8)]
    for x, y in shifts(pictures):
        # What stands still moves through the picture the other way.
        assert x == pytest.approx(-step[0], abs=1)
        assert y == pytest.approx(-step[1], abs=1)


def test_what_adds_up_over_a_pan_stays_near() -> None:
    wide = scenery(3)
    found = shifts([window(wide, 200 + 12 * index, 200) for index in range(50)])
    assert sum(x for x, _ in found) == pytest.approx(-12 * 49, rel=0.03)
    assert sum(y for _, y in found) == pytest.approx(0, abs=5)


@pytest.mark.parametrize("size", [(320, 180), (960, 540), (360, 640)], ids=str)
def test_it_is_told_in_pixels_of_the_frame_whatever_its_size(size: tuple[int, int]) -> None:
    wide = scenery(1)
    for x, y in shifts([window(wide, 100 + 6 * index, 100, size) for index in range(5)]):
        assert x == pytest.approx(-6, abs=1)
        assert y == pytest.approx(0, abs=1)


def test_one_object_that_moves_through_a_picture_is_not_the_camera() -> None:
    still, car = window(scenery(2), 0, 0), window(scenery(9), 0, 0)
    pictures = []
    for index in range(15):
        image = still.copy()
        x = 30 + 20 * index
        image[140:300, x : x + 220] = car[140:300, 100:320]
        pictures.append(image)
    assert all(abs(across) < 1 and abs(down) < 1 for across, down in shifts(pictures))


def test_noise_and_light_are_not_the_camera() -> None:
    random = np.random.default_rng(5)
    still = window(scenery(4), 0, 0).astype(np.float32)
    for gain in (1.0, 0.97):
        pictures = [
            np.clip(still * gain**index + random.normal(0, 4, still.shape), 0, 255).astype(np.uint8)
            for index in range(8)
        ]
        assert all(abs(x) < 1 and abs(y) < 1 for x, y in shifts(pictures))


def test_a_pan_is_found_although_something_moves_in_it() -> None:
    wide, car = scenery(6), window(scenery(9), 0, 0)
    pictures = []
    for index in range(10):
        image = window(wide, 100 + 8 * index, 100)
        left = 30 + 15 * index
        image[200:280, left : left + 100] = car[200:280, 100:200]
        pictures.append(image)
    for x, y in shifts(pictures):
        assert x == pytest.approx(-8, abs=1)
        assert y == pytest.approx(0, abs=1)


def test_a_cut_is_told_once_and_has_no_shift() -> None:
    camera = Camera()
    looks = [camera.look(window(scenery(index // 5), 0, 0)) for index in range(15)]
    assert [look.cut for look in looks] == [index in {5, 10} for index in range(15)]
    assert all(look.shift == (0, 0) for look in looks)


def test_where_there_is_nothing_to_see_nothing_moved() -> None:
    for value in (0, 128, 255):
        assert shifts([np.full((360, 640, 3), value, np.uint8)] * 3) == [(0, 0)] * 2


def test_a_size_that_changes_is_a_cut() -> None:
    wide, camera = scenery(), Camera()
    pictures = [window(wide, 0, 0, size) for size in ((640, 360), (640, 360), (320, 180), (320, 180), (640, 360))]
    looks = [camera.look(image) for image in pictures]
    assert [look.cut for look in looks] == [False, False, True, False, True]
    assert all(look.shift == (0, 0) for look in looks)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 2), (40, 40), (15, 900)])
def test_small_and_narrow_pictures_are_no_trouble(shape: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    camera = Camera()
    for _ in range(4):
        look = camera.look(random.integers(0, 256, (*shape, 3), np.uint8))
        assert np.isfinite(look.shift).all()
        assert max(map(abs, look.shift)) <= max(shape) / 10


def test_the_picture_is_left_as_it_is_and_need_not_be_packed() -> None:
    wide = scenery()
    wide.flags.writeable = False
    for turned in (wide[::2, ::-2], wide.transpose(1, 0, 2), wide[:, :, ::-1]):
        camera = Camera()
        for before, now in pairwise([turned, turned, np.ascontiguousarray(turned)]):
            camera.look(before)
            assert camera.look(now).shift == pytest.approx((0, 0), abs=0.1)
