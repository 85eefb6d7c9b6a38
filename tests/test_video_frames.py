"""What is handed to an encoder: the decoded samples, but for those in the regions."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeanon.errors import ConfigError
from edgeanon.video import Picture, VideoReader
from edgeanon.video.colour import Colours, samples
from edgeanon.video.frames import Scaler
from edgeanon.video.layout import Layout
from edgeanon.video.orientation import Orientation
from tests import media

FORMATS = {
    "yuv420p": ("h264", "mp4", 0),
    "yuv422p": ("h264", "mkv", 90),
    "yuv444p": ("h264", "mov", 180),
    "yuv420p10le": ("hevc", "mp4", -90),
    "gray": ("hevc", "mkv", 0),
    "yuvj420p": ("mjpeg", "avi", 0),
    "gbrp": ("vp9", "webm", 90),
}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Picture]:
    """The first picture of a video in each format, odd in size where the codec can be."""
    folder = tmp_path_factory.mktemp("formats")
    found = {}
    for pixel_format, (codec, suffix, angle) in FORMATS.items():

        def prepare(stream: Any, angle: int = angle) -> None:
            if angle:
                stream.set_display_rotation(angle)

        size = (61, 47) if pixel_format in {"yuvj420p", "yuv444p", "gray", "gbrp"} else (62, 48)
        path = media.make(
            folder / f"{pixel_format}.{suffix}",
            codec,
            pixel_format=pixel_format.replace("yuvj", "yuv"),
            frames=3,
            size=size,
            prepare=prepare,
        )
        with VideoReader(path) as video:
            found[pixel_format] = next(video.pictures())
    return found


def invert(image: NDArray[Any]) -> None:
    np.subtract(np.iinfo(image.dtype).max, image, out=image)


regions = st.lists(st.tuples(*[st.integers(-9, 70)] * 4), max_size=5)


@settings(max_examples=60, deadline=None)
@given(pixel_format=st.sampled_from(sorted(FORMATS)), boxes=regions)
def test_only_samples_in_the_regions_change(
    pictures: dict[str, Picture], pixel_format: str, boxes: list[tuple[int, int, int, int]]
) -> None:
    picture = pictures[pixel_format]
    height, width = picture.bgr().shape[:2]
    frame = picture.masked(np.array(boxes, np.int64).reshape(-1, 4), invert)
    layout = Layout.of(frame.format.name)
    assert layout is not None
    across, down = layout.grid
    allowed = np.zeros((height, width), bool)
    for x1, y1, x2, y2 in boxes:
        if x1 < x2 and y1 < y2:
            allowed[max(0, y1) : max(0, y2), max(0, x1) : max(0, x2)] = True
    stored = picture._properties.orientation.stored(allowed.astype(np.uint8))
    grown = np.zeros_like(stored)
    for y, x in zip(*np.nonzero(stored), strict=True):
        grown[y // down * down : (y // down + 1) * down, x // across * across : (x // across + 1) * across] = 1
    before, after = media.planes(picture.untouched()), media.planes(frame)
    for number, (old, new) in enumerate(zip(before, after, strict=True)):
        chroma = number and layout.model == "yuv"
        may = grown[::down, ::across] if chroma else grown
        np.testing.assert_array_equal(old[may == 0], new[may == 0])
    if allowed.sum() > 30:  # and what is in them did change
        assert (before[0][stored == 1] != after[0][stored == 1]).mean() > 0.8


@pytest.mark.parametrize("pixel_format", sorted(FORMATS))
def test_what_is_painted_comes_out(pictures: dict[str, Picture], pixel_format: str) -> None:
    picture = pictures[pixel_format]
    shown: dict[str, NDArray[Any]] = {}

    def paint(image: NDArray[Any]) -> NDArray[Any]:
        painted = image.copy()
        whole = np.iinfo(image.dtype).max
        painted[8:24, 8:24] = np.array([200, 90, 40]) * (whole // 255)
        shown["image"] = image
        return painted

    frame = picture.masked([[8, 8, 24, 24]], paint)
    assert shown["image"].dtype == (np.uint16 if "10" in pixel_format else np.uint8)
    again = Picture(frame, picture._properties, Scaler(), index=0, tick=0, duration=0).bgr()
    seen = again[12:20, 12:20].reshape(-1, 3).mean(axis=0)
    wanted = np.array([200, 90, 40]) if pixel_format != "gray" else np.full(3, 0.114 * 200 + 0.587 * 90 + 0.299 * 40)
    np.testing.assert_allclose(seen, wanted, atol=4)


def test_frames_are_new_and_carry_nothing(tmp_path: Path) -> None:
    path = media.captioned(tmp_path / "said.ts")
    assert "A53_CC" in media.riding(media.decoded(path)[0])
    with VideoReader(path) as video:
        assert "closed captions" in video.dropped
        for picture in video.pictures():
            for frame in (picture.untouched(), picture.filled(), picture.masked([[0, 0, 9, 9]], invert)):
                assert len(frame.side_data) == 0
                assert frame is not picture._frame
                assert frame.pts == picture.tick


def test_the_image_that_is_there_is_painted_on(pictures: dict[str, Picture]) -> None:
    picture = pictures["yuv420p"]
    image = picture.bgr()
    given: list[NDArray[Any]] = []
    one = picture.masked([[0, 0, 8, 8]], given.append, image=image)
    assert given[0] is image
    other = picture.masked([[0, 0, 8, 8]], lambda _: None)
    for mine, theirs in zip(media.planes(one), media.planes(other), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_paint_is_called_only_for_regions_and_must_keep_the_form(pictures: dict[str, Picture]) -> None:
    picture = pictures["yuv420p"]
    picture.masked([], lambda _: pytest.fail("nothing to paint"))
    with pytest.raises(ConfigError, match="paint returned"):
        picture.masked([[0, 0, 8, 8]], lambda image: image[:4])
    with pytest.raises(ConfigError, match="regions"):
        picture.masked([[0.5, 0, 8, 8]], invert)


@pytest.mark.parametrize("matrix", [1, 2, 4, 5, 6, 7, 9])
@pytest.mark.parametrize("span", [1, 2])
@pytest.mark.parametrize("name", ["yuv420p", "yuv444p10le", "yuv411p"])
def test_colours_there_and_back(matrix: int, span: int, name: str) -> None:
    layout = Layout.of(name)
    assert layout is not None
    colours = Colours(matrix=matrix, range=span)
    for colour in ((0, 0, 0), (255, 255, 255), (30, 60, 200), (200, 20, 90), (10, 220, 40)):
        frame = av.VideoFrame(32, 16, name)
        bgr = np.full((16, 32, 3), colour, np.uint8)
        for plane, part in zip(frame.planes, samples(bgr, layout, colours), strict=True):
            assert part.shape == (plane.height, plane.width)
            media.samples(plane, deep=layout.depth > 8)[...] = part
        np.testing.assert_allclose(Scaler().bgr(frame, colours)[8, 16].astype(int), colour, atol=3)


@given(
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.tuples(*[st.integers(0, 12)] * 2),
    st.tuples(*[st.integers(0, 9)] * 2),
)
def test_boxes_turn_as_pictures_do(
    transposed: bool, mirrored: bool, flipped: bool, columns: tuple[int, int], rows: tuple[int, int]
) -> None:
    orientation = Orientation(transposed, mirrored, flipped)
    (x1, x2), (y1, y2) = sorted(columns), sorted(rows)
    upright = np.zeros((9, 12), np.uint8)
    upright[y1:y2, x1:x2] = 1
    stored = orientation.stored(upright)
    np.testing.assert_array_equal(orientation.upright(stored), upright)
    ((a, b, c, d),) = orientation.stored_boxes(np.array([[x1, y1, x2, y2]]), 12, 9)
    expected = np.zeros_like(stored)
    expected[b:d, a:c] = 1
    np.testing.assert_array_equal(stored, expected)
