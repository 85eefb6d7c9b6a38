from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeanon import Detector
from edgeanon.preprocess import PROFILES, Pass, View, plan
from tests import tiny

SIZES = st.tuples(st.integers(1, 6000), st.integers(1, 6000))


def covered(views: list[View], width: int, height: int) -> bool:
    """Whether the views reach every pixel, looked at on the grid of their edges."""
    xs = {0, width - 1} | {view.left for view in views} | {view.right - 1 for view in views}
    ys = {0, height - 1} | {view.top for view in views} | {view.bottom - 1 for view in views}
    xs |= {x + 1 for x in xs if x + 1 < width}
    ys |= {y + 1 for y in ys if y + 1 < height}
    points = [(x, y) for x in xs for y in ys]
    return all(any(v.left <= x < v.right and v.top <= y < v.bottom for v in views) for x, y in points)


@pytest.mark.parametrize("look", {look for profile in PROFILES.values() for look in profile}, ids=repr)
@given(size=SIZES)
@settings(max_examples=60, deadline=None)
def test_every_pass_sees_the_whole_picture(look: Pass, size: tuple[int, int]) -> None:
    views = plan(*size, (look,))
    assert covered(views, *size)
    for view in views:
        assert 0 <= view.left < view.right <= size[0]
        assert 0 <= view.top < view.bottom <= size[1]


@pytest.mark.parametrize("profile", PROFILES)
@given(size=SIZES)
@settings(max_examples=60, deadline=None)
def test_a_view_is_bounded_and_fits_the_network(profile: str, size: tuple[int, int]) -> None:
    for view in plan(*size, PROFILES[profile], zoom=2):
        assert view.width <= view.input_width <= 2048
        assert view.height <= view.input_height <= 2048
        assert view.input_width % 32 == 0
        assert view.input_height % 32 == 0


@given(size=SIZES, fixed=st.tuples(st.integers(64, 640), st.integers(64, 640)))
@settings(max_examples=60, deadline=None)
def test_a_network_of_one_size_gets_that_size_and_the_whole_picture_once(
    size: tuple[int, int], fixed: tuple[int, int]
) -> None:
    views = plan(*size, PROFILES["balanced"], fixed_size=fixed)
    assert {(view.input_width, view.input_height) for view in views} == {fixed}
    assert any((v.left, v.top, v.right, v.bottom) == (0, 0, *size) for v in views)


@given(size=SIZES, box=st.tuples(*[st.floats(0, 1)] * 4))
@settings(max_examples=60, deadline=None)
def test_a_box_goes_to_the_network_and_comes_back(
    size: tuple[int, int], box: tuple[float, float, float, float]
) -> None:
    for view in plan(*size, PROFILES["balanced"]):
        inside = np.array([box], np.float32) * np.array([view.width, view.height] * 2, np.float32)
        back = view.to_picture(inside)
        assert back[0, 0] == pytest.approx(view.left + box[0] * (view.right - view.left), abs=0.02)
        assert back[0, 3] == pytest.approx(view.top + box[3] * (view.bottom - view.top), abs=0.02)


def test_a_strip_keeps_the_size_of_its_objects() -> None:
    views = plan(30_000, 200, PROFILES["balanced"])
    assert max(view.height for view in views) >= 200
    assert max(view.right for view in views) == 30_000


def test_small_pictures_are_enlarged_and_4k_keeps_its_pixels() -> None:
    assert max(view.width for view in plan(400, 300, PROFILES["balanced"])) == 1200
    sharpest = max(view.width / (view.right - view.left) for view in plan(3840, 2160, PROFILES["balanced"]))
    assert sharpest == pytest.approx(1.0, abs=0.01)


def test_a_frame_filling_object_becomes_small_enough_in_some_view() -> None:
    assert min(view.width for view in plan(3840, 2160, PROFILES["balanced"])) <= 480


def test_rendering_keeps_the_place_of_things() -> None:
    image = np.zeros((600, 1000, 3), np.uint8)
    image[300:400, 500:700] = 255
    for view in plan(1000, 600, PROFILES["thorough"]):
        rendered = view.render(image)
        assert rendered.shape == (view.input_height, view.input_width, 3)
        assert rendered.flags.c_contiguous
        rows, columns = np.nonzero(rendered[: view.height, : view.width, 0] > 127)
        if len(rows) and not any(view.seams):
            box = np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], np.float32)
            np.testing.assert_allclose(view.to_picture(box), [[500, 300, 700, 400]], atol=3)


def test_only_a_box_at_a_seam_is_cut() -> None:
    left, *_ = [view for view in plan(5000, 600, PROFILES["thorough"]) if view.seams == (False, False, True, False)]
    at_seam = [left.width - 50, 10, left.width - 1, 60]
    at_border = [0, 10, 50, 60]
    assert left.cut(np.array([at_seam, at_border], np.float32)).tolist() == [True, False]


@pytest.mark.parametrize("size", [(1280, 960), (1271, 953), (640, 480), (5000, 600)], ids=str)
def test_what_is_rendered_shares_no_memory_with_the_picture(size: tuple[int, int]) -> None:
    """The device reads it later, and the caller may use its buffer again at once."""
    image = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    for profile in PROFILES.values():
        for view in plan(*size, profile):
            rendered = view.render(image)
            assert not np.shares_memory(rendered, image)
            assert rendered.flags.writeable


@pytest.mark.parametrize("size", [(1280, 960), (1271, 953), (640, 480)], ids=str)
def test_any_view_of_memory_is_rendered_as_its_packed_copy(size: tuple[int, int]) -> None:
    memory = np.random.default_rng(0).integers(0, 256, (size[1] * 2, size[0] * 2, 4), np.uint8)
    memory.flags.writeable = False
    before = memory.copy()
    turned = memory.transpose(1, 0, 2)[: size[1], : size[0]]
    for image in (memory[::2, ::-2, 2::-1], memory[: size[1], : size[0], 1:], turned[:, :, :3]):
        assert not image.flags.c_contiguous
        assert not image.flags.writeable
        packed = np.ascontiguousarray(image)
        for view in plan(image.shape[1], image.shape[0], PROFILES["balanced"]):
            rendered = view.render(image)
            assert rendered.flags.c_contiguous
            np.testing.assert_array_equal(rendered, view.render(packed))
    np.testing.assert_array_equal(memory, before)


def test_one_buffer_serves_for_every_picture_of_many(tmp_path: Path) -> None:
    """A camera's loop: the buffer is written to again as soon as the next picture is asked for."""
    detector = Detector.from_file(tiny.save(tiny.bright(), tmp_path, **tiny.FACES), profile="fast")
    places = [(40 + 80 * (index % 10), 40 + 60 * (index // 4)) for index in range(30)]
    buffer = np.zeros((640, 960, 3), np.uint8)

    def pictures() -> Iterator[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
        for x, y in places:
            buffer[:] = 0
            buffer[y : y + 40, x : x + 40] = 255
            yield buffer
            buffer[:] = 255

    for (x, y), (_, found) in zip(places, detector.detect_many(pictures()), strict=True):
        centers = (found.boxes[:, :2] + found.boxes[:, 2:]) / 2
        assert len(found)
        assert (np.abs(centers - (x + 20, y + 20)) <= 24).all()
