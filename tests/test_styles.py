"""What each style draws, and what it must not look at."""

from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeanon.errors import ConfigError
from edgeanon.styles import Blur, Fill, Patch, Pixelate, Replace, Soft, Style, named

Box = tuple[int, int, int, int]


def patch(image: NDArray[Any], box: Box, *others: Box) -> Patch:
    return Patch(image, box, np.array([box, *others], np.int64))


def drawn(style: Style, image: NDArray[Any], box: Box, *others: Box) -> NDArray[Any]:
    return np.asarray(style(patch(image, box, *others)))


def noise(height: int, width: int, channels: tuple[int, ...] = (3,), dtype: Any = np.uint8) -> NDArray[Any]:
    random = np.random.default_rng(5)
    return random.integers(0, np.iinfo(dtype).max, (height, width, *channels), dtype, endpoint=True)


@pytest.mark.parametrize(
    ("channels", "dtype", "expected"),
    [
        ((3,), np.uint8, [255, 0, 100]),
        ((4,), np.uint8, [255, 0, 100, 255]),
        ((), np.uint8, 59),
        ((3,), np.uint16, [65535, 0, 25700]),
        ((4,), np.uint16, [65535, 0, 25700, 65535]),
        ((), np.uint16, 59 * 257),
    ],
)
def test_a_fill_is_its_colour_in_the_depth_and_channels_of_the_picture(
    channels: Any, dtype: Any, expected: Any
) -> None:
    colour = drawn(Fill((255, 0, 100)), np.zeros((8, 8, *channels), dtype), (0, 0, 4, 4))
    assert colour.dtype == dtype
    assert colour.tolist() == expected


masks = st.tuples(st.integers(0, 55), st.integers(0, 45), st.integers(1, 60), st.integers(1, 50)).map(
    lambda box: (box[0], box[1], min(60, box[0] + box[2]), min(50, box[1] + box[3]))
)


@given(
    st.lists(masks, min_size=1, max_size=30), st.sampled_from([(), (3,), (4,)]), st.sampled_from([np.uint8, np.uint16])
)
@settings(max_examples=150, deadline=None)
def test_a_soft_fill_reads_nothing_under_any_mask(boxes: list[Box], channels: Any, dtype: Any) -> None:
    image = noise(50, 60, channels, dtype)
    other = image.copy()
    for x1, y1, x2, y2 in boxes:
        other[y1:y2, x1:x2] = np.iinfo(dtype).max - image[y1:y2, x1:x2]
    result = drawn(Soft(), image, *boxes)
    x1, y1, x2, y2 = boxes[0]
    assert result.shape == (y2 - y1, x2 - x1, *channels)
    assert result.dtype == dtype
    assert np.array_equal(result, drawn(Soft(), other, *boxes))


def test_a_soft_fill_reads_nothing_under_many_small_masks_around_it() -> None:
    random = np.random.default_rng(2)
    image = noise(160, 160)
    for _ in range(30):
        corners = random.integers(0, 150, (40, 2))
        boxes: list[Box] = [(x, y, x + 3, y + 4) for x, y in corners.tolist()]
        other = image.copy()
        for x1, y1, x2, y2 in boxes:
            other[y1:y2, x1:x2] = 255 - image[y1:y2, x1:x2]
        mask: Box = (50, 50, 110, 120)
        other[50:120, 50:110] = 0
        assert np.array_equal(drawn(Soft(), image, mask, *boxes), drawn(Soft(), other, mask, *boxes))


def test_a_soft_fill_depends_on_what_is_around_it() -> None:
    image = np.zeros((100, 100), np.uint8)
    image[:, 50:] = 200
    fill = drawn(Soft(grain=0), image, (30, 30, 70, 70)).astype(int)
    assert fill[:, 0].mean() < 60
    assert fill[:, -1].mean() > 150
    assert (np.diff(fill.mean(axis=0)) >= 0).all()


def test_a_soft_fill_has_no_steps() -> None:
    image = noise(300, 300)
    for box in ((100, 100, 164, 180), (40, 120, 240, 170), (40, 30, 250, 280)):
        fill = drawn(Soft(grain=0), image, box).astype(int)
        assert max(np.abs(np.diff(fill, axis=axis)).max() for axis in (0, 1)) <= 4


def test_a_lamp_beside_the_mask_makes_no_streak() -> None:
    image = np.full((200, 200), 60, np.uint8)
    dark = drawn(Soft(grain=0), image, (60, 60, 140, 140)).astype(int)
    image[100, 59] = 255
    lit = drawn(Soft(grain=0), image, (60, 60, 140, 140)).astype(int)
    assert 0 <= (lit - dark).max() <= 12
    assert (lit - dark)[:, 40:].max() <= 2


def test_where_little_is_visible_a_soft_fill_looks_further() -> None:
    image = np.full((400, 400), 255, np.uint8)
    image[:, :30] = 100
    everything_but_a_stripe: Box = (30, 0, 400, 400)
    assert (drawn(Soft(grain=0), image, (200, 200, 220, 220), everything_but_a_stripe) == 100).all()
    image[:, :] = 255
    image[0, 0] = 90
    corners: tuple[Box, ...] = ((1, 0, 400, 400), (0, 1, 400, 400))
    assert (drawn(Soft(grain=0), image, (200, 200, 220, 220), *corners) == 90).all()


def test_a_soft_fill_is_mid_grey_and_opaque_where_nothing_is_visible() -> None:
    assert (drawn(Soft(grain=0), noise(40, 40), (0, 0, 40, 40)) == 128).all()
    assert (drawn(Soft(), noise(40, 40, (4,)), (0, 0, 40, 40))[..., 3] == 255).all()
    assert (drawn(Soft(grain=0), noise(40, 40, (), np.uint16), (5, 5, 9, 9), (0, 0, 40, 40)) == 32768).all()


@pytest.mark.parametrize(("dtype", "level"), [(np.uint8, 1), (np.uint16, 257)])
def test_the_grain_is_fixed_grey_noise_of_the_given_strength_and_spares_a_fourth_channel(
    dtype: Any, level: int
) -> None:
    image = np.full((700, 700, 4), 100 * level, dtype)
    fill = drawn(Soft(grain=2), image, (100, 100, 600, 500)).astype(float) / level - 100
    assert np.array_equal(fill[..., 0], fill[..., 1])
    assert np.array_equal(fill[..., 0], fill[..., 2])
    assert fill[..., 0].std() == pytest.approx(2, rel=0.05)
    assert fill[..., 0].mean() == pytest.approx(0, abs=0.05)
    assert np.abs(fill[..., 3]).max() == 0
    assert np.array_equal(fill, drawn(Soft(grain=2), image, (100, 100, 600, 500)).astype(float) / level - 100)


@pytest.mark.parametrize(("side", "other"), [(80, 40), (40, 80), (5, 3), (1, 1)])
def test_a_mosaic_has_as_many_cells_as_asked_along_its_longer_side_and_few_levels(side: int, other: int) -> None:
    mosaic = drawn(Pixelate(cells=4, bits=3), noise(100, 100), (10, 10, 10 + side, 10 + other))
    assert mosaic.shape == (other, side, 3)
    for axis, length in ((1, side), (0, other)):
        changes = np.abs(np.diff(mosaic.astype(int), axis=axis)).max(axis=(1 - axis, 2)) > 0
        assert changes.sum() <= min(max(1, round(4 * length / max(side, other))), max(1, length // 2)) - 1
    assert len(np.unique(mosaic)) <= 8


def test_a_mosaic_of_sixteen_bits_keeps_its_brightness() -> None:
    image = np.full((40, 40), 40000, np.uint16)
    assert drawn(Pixelate(), image, (0, 0, 40, 40)) == pytest.approx(40000, abs=2048)


def test_a_blur_flattens_more_the_larger_its_sigma_and_takes_nothing_from_beyond_its_region() -> None:
    image = noise(120, 160)
    box = (20, 20, 100, 80)
    spreads = [drawn(Blur(sigma), image, box).std() for sigma in (0.01, 0.05, 0.2, 1.0)]
    assert spreads == sorted(spreads, reverse=True)
    assert spreads[-1] < 8
    other = np.zeros_like(image)
    other[20:80, 20:100] = image[20:80, 20:100]
    assert np.array_equal(drawn(Blur(), image, box), drawn(Blur(), other, box))


@pytest.mark.parametrize(
    ("channels", "dtype"), [((), np.uint8), ((3,), np.uint16), ((4,), np.uint8), ((4,), np.uint16)]
)
def test_a_replacement_is_stretched_to_the_region_and_fits_the_picture(channels: Any, dtype: Any) -> None:
    result = drawn(Replace(np.full((9, 5, 3), (10, 20, 30), np.uint8)), noise(50, 50, channels, dtype), (5, 5, 25, 45))
    scale = np.iinfo(dtype).max // 255
    assert result.shape == (40, 20, *channels)
    assert result.dtype == dtype
    expected = np.array((10, 20, 30, 255)[: channels[0]] if channels else 22) * scale
    assert (result == expected).all()


def test_a_transparent_replacement_shows_its_background_and_never_the_original() -> None:
    sticker = np.zeros((4, 4, 4), np.uint8)
    sticker[..., :3] = 200
    sticker[..., 3] = 51
    image = noise(20, 20)
    assert (drawn(Replace(sticker, background=(100, 0, 50)), image, (0, 0, 9, 9)) == (120, 40, 80)).all()
    sticker[..., 3] = 0
    assert (drawn(Replace(sticker), image, (0, 0, 9, 9)) == 0).all()


def test_a_replacement_keeps_a_copy_of_its_picture() -> None:
    sticker = np.full((4, 4, 3), 5, np.uint8)
    style = Replace(sticker)
    sticker[:] = 9
    assert (drawn(style, noise(9, 9), (0, 0, 4, 4)) == 5).all()
    assert not style.image.flags.writeable


def test_styles_say_whether_they_can_be_reversed() -> None:
    assert all(style.irreversible for style in (Fill, Soft, Replace))
    assert not any(style.irreversible for style in (Pixelate, Blur))


def test_styles_are_values() -> None:
    assert Fill((1, 2, 3)) == Fill((1, 2, 3))
    assert len({Soft(), Soft(), Soft(grain=0)}) == 2
    assert repr(Pixelate(6)) == "Pixelate(cells=6, bits=5)"
    assert "array" not in repr(Replace(np.zeros((4, 4, 3), np.uint8)))
    with pytest.raises(FrozenInstanceError):
        Blur().sigma = 2  # type: ignore[misc]


@pytest.mark.parametrize(
    ("words", "style"),
    [
        ("soft", Soft()),
        (" fill ", Fill()),
        ("fill:#20406A", Fill((0x6A, 0x40, 0x20))),
        ("pixelate", Pixelate()),
        ("pixelate:6", Pixelate(6)),
        ("blur", Blur()),
        ("blur:0.8", Blur(0.8)),
    ],
)
def test_a_style_is_named_by_words(words: str, style: Style) -> None:
    assert named(words) == style


@pytest.mark.parametrize(
    "words", ["", "Soft", "soft:1", "fill:", "fill:red", "fill:#12345", "pixelate:", "pixelate:2.5", "blur:x", "mosaic"]
)
def test_words_that_name_no_style_are_answered_with_those_that_do(words: str) -> None:
    with pytest.raises(ConfigError, match="soft, fill, fill:#RRGGBB, pixelate, pixelate:CELLS, blur, blur:SIGMA"):
        named(words)


@pytest.mark.parametrize("words", ["pixelate:0", "pixelate:1000", "blur:0", "blur:nan", "blur:-1"])
def test_words_with_a_number_out_of_range_are_answered_with_the_range(words: str) -> None:
    with pytest.raises(ConfigError, match=r"give a (whole )?number from"):
        named(words)


def wrong(style: Any, *arguments: Any, **settings: Any) -> Any:
    return pytest.param(style, arguments, settings, id=f"{style.__name__}{arguments}{settings}"[:60])


@pytest.mark.parametrize(
    ("style", "arguments", "keywords"),
    [
        wrong(Fill, (0, 0)),
        wrong(Fill, (0, 0, 256)),
        wrong(Fill, (0, 0, -1)),
        wrong(Fill, (0.5, 0, 0)),
        wrong(Fill, "#000000"),
        wrong(Fill, 0),
        wrong(Soft, -1),
        wrong(Soft, float("nan")),
        wrong(Soft, "much"),
        wrong(Pixelate, 2.5),
        wrong(Pixelate, True),
        wrong(Pixelate, bits=9),
        wrong(Blur, 0),
        wrong(Blur, float("inf")),
        wrong(Replace, "picture.png"),
        wrong(Replace, np.zeros((4, 4, 3))),
        wrong(Replace, np.zeros((4, 4), np.uint8)),
        wrong(Replace, np.zeros((4, 0, 3), np.uint8)),
        wrong(Replace, np.zeros((4, 4, 3), np.uint8), background=(1, 2)),
    ],
)
def test_a_style_refuses_a_setting_that_makes_no_sense(style: Any, arguments: Any, keywords: Any) -> None:
    with pytest.raises(ConfigError, match=style.__name__):
        style(*arguments, **keywords)
