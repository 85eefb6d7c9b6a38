"""Rules for reading pictures."""

import base64
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tifffile import imwrite

from edgeanon.errors import ConfigError, MediaError
from edgeanon.images import Page, is_picture, open_picture
from tests.pictures import COLOUR, DEEP, GREY, animation, picture_file, read, write_pixels

# 64 x 48 pixels, four rectangles, orientation 6, a second picture; made with libheif for these tests.
HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAi1tZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAAFhpbG9j"
    "AAAAAERAAAQAAQAAAAACUQABAAAAAAAAAMUAAgAAAAADFgABAAAAAAAAAE4AAwAAAAADZAABAAAAAAAAAKAABAAAAAAEBAABAAAAAAAAAE4A"
    "AABiaWluZgAAAAAABAAAABVpbmZlAgAAAAABAABodmMxAAAAABVpbmZlAgAAAQACAABFeGlmAAAAABVpbmZlAgAAAAADAABodmMxAAAAABVp"
    "bmZlAgAAAQAEAABFeGlmAAAAAA5waXRtAAAAAAABAAABEGlwcnAAAADmaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEA"
    "GEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQAqQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFz"
    "wIkAAAATY29scm5jbHgAAQANAAaAAAAAFGlzcGUAAAAAAAAAQAAAAEAAAAAoY2xhcAAAAEAAAAABAAAAMAAAAAEAAAAAAAAAAv////AAAAAC"
    "AAAAEHBpeGkAAAAAAwgICAAAAAlpcm90AwAAACJpcG1hAAAAAAAAAAIAAQaBAgMFhIYAAwaBAgMFhIYAAAAoaXJlZgAAAAAAAAAOY2RzYwAC"
    "AAEAAQAAAA5jZHNjAAQAAQADAAACCW1kYXQAAADBKAGvCeAhOKn/8i3f/xMdl7mXJ5Wnv1j//E0vvMxv/h4bdH6Nrzf/CqO+7Pv+OBcTCyfF"
    "2mO66N5lp8Aimv7y6WNYOiSAxe1b/A4OUgOxcz3mIAReOxUUB2S70Iu9EDE+CGxlgIbqxvaYRqHA7xAtVq9xH0U/ScClM5dgmAAHlVWUkRk5"
    "NX4U695Z+YMeqjoK1xsrHQA67W6oj3/D8HMIxdW+Z3G3Gyv5u99x8X3UvgW92/mqbJ+zvZPVYIEH/mo3SQAAAAZFeGlmAABNTQAqAAAACAAD"
    "AQ8AAgAAAAYAAAAyARIAAwAAAAEABgAAATsAAgAAAAwAAAA4AAAAAE1ha2VyAFNFQ1JFVC1OQU1FAAAAAJwoAa8J4COxNt4+Te50YTMyF/+g"
    "Kf/3CP/55ZcsLsI9//a/oie2qB+prUgFXv3ByhZMMWd+NbcQlDRgy6rp5HvVsDa9OJ7ybIe3PSrF5/sZK9L3CcSkSYbNRdPugSCJhdJMTeKR"
    "/L8ckCYBGwYBmYw2hf9ClKFSkFNiwZN57wBTbrzr+7QHpg7VDXrR7B67ESQfNU4LmzfmA+d276AAAAAGRXhpZgAATU0AKgAAAAgAAwEPAAIA"
    "AAAGAAAAMgESAAMAAAABAAYAAAE7AAIAAAAMAAAAOAAAAABNYWtlcgBTRUNSRVQtTkFNRQA="
)


@pytest.mark.parametrize(
    ("name", "mode", "shape"),
    [
        ("a.jpg", "RGB", (24, 40, 3)),
        ("a.jpg", "L", (24, 40)),
        ("a.jpg", "CMYK", (24, 40, 4)),
        ("a.png", "RGB", (24, 40, 3)),
        ("a.png", "RGBA", (24, 40, 4)),
        ("a.png", "LA", (24, 40, 4)),
        ("a.png", "P", (24, 40, 3)),
        ("a.png", "1", (24, 40)),
        ("a.tif", "CMYK", (24, 40, 4)),
        ("a.tif", "1", (24, 40)),
        ("a.tif", "RGBA", (24, 40, 4)),
        ("a.webp", "RGBA", (24, 40, 4)),
        ("a.avif", "RGB", (24, 40, 3)),
        ("a.bmp", "RGB", (24, 40, 3)),
        ("a.gif", "RGB", (24, 40, 3)),
    ],
)
def test_each_format_and_mode_comes_as_contiguous_pixels(
    tmp_path: Path, name: str, mode: str, shape: tuple[int, ...]
) -> None:
    path = picture_file(tmp_path / name, mode)
    assert is_picture(path)
    with open_picture(path) as picture:
        (page,) = picture.pages()
        assert (picture.width, picture.height, picture.page_count) == (40, 24, 1)
    assert page.pixels.shape == shape
    assert page.pixels.flags.c_contiguous
    assert page.cmyk == (mode == "CMYK")
    if mode in {"RGB", "RGBA"} and name != "a.gif":
        difference = np.abs(page.pixels[:, :, :3].astype(int) - COLOUR)
        assert difference.mean() < 6  # blue and red are in their places, and chroma is coarse in JPEG


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_16_bit_stays_16_bit_to_the_last_sample(tmp_path: Path, suffix: str, channels: int) -> None:
    pixels = DEEP[:, :, 0] if channels == 1 else DEEP if channels == 3 else np.dstack([DEEP, DEEP[:, :, :1]])
    (page,) = read(write_pixels(tmp_path / f"deep{suffix}", pixels))
    np.testing.assert_array_equal(page.pixels, pixels)
    assert page.bgr().dtype == np.uint8


def test_transparency_named_by_a_colour_is_kept_in_16_bit_grey(tmp_path: Path) -> None:
    encoded = cv2.imencode(".png", DEEP[:, :, 0])[1].tobytes()
    data = b"tRNS" + struct.pack(">H", DEEP[0, 3, 0])
    path = tmp_path / "clear.png"
    path.write_bytes(encoded[:33] + struct.pack(">I", 2) + data + struct.pack(">I", zlib.crc32(data)) + encoded[33:])
    (page,) = read(path)
    assert page.has_alpha
    np.testing.assert_array_equal(page.pixels[:, :, 3] == 0, DEEP[:, :, 0] == DEEP[0, 3, 0])


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".avif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_to_the_pixels(tmp_path: Path, suffix: str, orientation: int) -> None:
    upright = np.full((32, 64, 3), 255, np.uint8)
    upright[:16, :16] = (0, 0, 255)  # red at the top left, BGR
    upright[16:, 48:] = 0
    undo = {6: 8, 8: 6}.get(orientation, orientation)
    stored = turned(upright, undo)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"turned{suffix}"
    Image.fromarray(np.ascontiguousarray(stored[:, :, ::-1])).save(path, exif=exif.tobytes(), quality=100)
    with open_picture(path) as picture:
        (page,) = picture.pages()
        assert (picture.width, picture.height) == (64, 32)
    assert np.abs(page.pixels.astype(int) - upright).mean() < 3


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_tiff_orientation_is_applied_once_in_each_depth(
    tmp_path: Path, depth: type[np.uint8 | np.uint16], orientation: int
) -> None:
    upright = DEEP.astype(depth)
    path = tmp_path / "turned.tif"
    stored = turned(upright, {6: 8, 8: 6}.get(orientation, orientation))
    imwrite(path, stored[:, :, ::-1], photometric="rgb", extratags=[(274, 3, 1, orientation, True)])
    with open_picture(path) as picture:
        (page,) = picture.pages()
        assert (picture.width, picture.height) == (40, 24)
    np.testing.assert_array_equal(page.pixels, upright)


def turned(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """By the words of EXIF, with numpy's rotations: 6 is to be rotated by 90 degrees clockwise, 5 is the transpose."""
    turns = {1: 0, 2: 0, 3: 2, 4: 2, 5: 3, 6: 3, 7: 1, 8: 1}[orientation]
    rotated = np.rot90(pixels, turns)
    return np.ascontiguousarray(rotated[:, ::-1] if orientation in {2, 4, 5, 7} else rotated)


@pytest.mark.parametrize(
    ("suffix", "options"), [(".gif", {}), (".webp", {"lossless": True}), (".png", {}), (".tif", {})]
)
def test_every_frame_is_yielded_whole(tmp_path: Path, suffix: str, options: dict[str, Any]) -> None:
    times = {} if suffix == ".tif" else {"duration": [100, 200, 300]}
    path = animation(tmp_path / f"moving{suffix}", **options, **times)
    pages = read(path)
    assert [page.duration for page in pages] == ([None] * 3 if suffix == ".tif" else [100, 200, 300])
    for index, page in enumerate(pages):
        bar = page.bgr()[index * 8 : index * 8 + 8]
        assert (bar == (255, 0, index * 100)).all()


def test_pages_can_be_read_twice_and_are_decoded_when_asked_for(tmp_path: Path) -> None:
    with open_picture(animation(tmp_path / "moving.tif")) as picture:
        first = next(picture.pages())
        again = list(picture.pages())
    np.testing.assert_array_equal(first.pixels, again[0].pixels)


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_transparency_has_three_views_and_opaque_pictures_one(
    tmp_path: Path, depth: type[np.uint8 | np.uint16]
) -> None:
    most = np.iinfo(depth).max
    pixels = np.zeros((4, 4, 4), depth)
    pixels[:, :, 2] = most
    hidden, on_white, on_black = Page(pixels).views()
    assert (hidden == (0, 0, 255)).all()
    assert (on_white == 255).all()
    assert (on_black == 0).all()
    pixels[:, :, 3] = most
    assert len(Page(pixels).views()) == 1
    assert len(read(picture_file(tmp_path / "a.png", "RGBA"))[0].views()) == 3


def test_what_is_drawn_in_transparency_alone_shows_over_white_or_black() -> None:
    shape = np.zeros((8, 8), np.uint8)
    shape[2:6, 2:6] = 255
    for colour, shown in ((255, 2), (0, 1)):  # white shows over black, and black over white
        pixels = np.dstack([np.full((8, 8, 3), colour, np.uint8), shape])
        views = Page(pixels).views()
        assert [int(np.ptp(view)) for view in views] == [255 if index == shown else 0 for index in range(3)]
        assert (views[shown][3, 3] == colour).all()


def test_half_transparency_is_mixed_with_what_lies_below() -> None:
    pixels = np.full((2, 2, 4), (200, 100, 0, 128), np.uint8)
    hidden, on_white, on_black = (view[0, 0].astype(int) for view in Page(pixels).views())
    assert hidden.tolist() == [200, 100, 0]
    assert np.abs(on_white - (227, 177, 127)).max() <= 1
    assert np.abs(on_black - (100, 50, 0)).max() <= 1


@pytest.mark.parametrize("channels", [1, 3])
def test_samples_of_12_bit_in_words_of_16_are_seen_stretched_as_well(channels: int) -> None:
    deep = DEEP if channels == 3 else np.ascontiguousarray(DEEP[:, :, 0])
    dark, bright = Page((deep // 16).astype(np.uint16)).views()
    assert dark.max() <= 16
    assert bright.max() == 255
    assert bright.shape == (24, 40, 3)
    assert np.corrcoef(bright.ravel(), Page(deep).bgr().ravel())[0, 1] > 0.99  # brighter, and not another picture
    assert len(Page(deep).views()) == 1


def test_a_few_hot_pixels_do_not_keep_a_dark_page_from_being_stretched() -> None:
    dark = np.tile((DEEP // 16).astype(np.uint16), (10, 10, 1))
    dark[0, 0] = dark[120, 200] = 65535
    assert Page(dark).views()[1].mean() > 50


def test_a_dark_page_with_transparency_is_seen_over_white_over_black_and_stretched() -> None:
    dark = (DEEP // 16).astype(np.uint16)
    page = Page(np.dstack([dark, np.zeros((24, 40), np.uint16)]))
    views = page.views()
    assert len(views) == 4
    assert views[3].max() == 255
    np.testing.assert_array_equal(views[3], Page(dark).views()[1])


def test_a_black_page_of_16_bit_has_one_view() -> None:
    (only,) = Page(np.zeros((8, 8), np.uint16)).views()
    assert not only.any()


def test_cmyk_is_light_where_there_is_no_ink(tmp_path: Path) -> None:
    for suffix in (".tif", ".jpg"):
        path = tmp_path / f"ink{suffix}"
        Image.new("CMYK", (16, 16), (255, 0, 0, 51)).save(path, quality=100)
        (page,) = read(path)
        assert np.abs(page.pixels.astype(int) - (255, 255, 0, 204)).max() <= 2
        assert np.abs(page.bgr().astype(int) - (204, 204, 0)).max() <= 2


def test_a_page_takes_back_only_pixels_of_its_own_shape_and_type() -> None:
    page = Page(COLOUR)
    assert page.replace(COLOUR // 2).pixels.max() < 128
    with pytest.raises(ConfigError):
        page.replace(GREY)
    with pytest.raises(ConfigError):
        page.replace(DEEP)


def test_further_pictures_and_trailing_bytes_are_named(tmp_path: Path) -> None:
    frames = [Image.fromarray(COLOUR), Image.fromarray(COLOUR[::-1].copy())]
    path = tmp_path / "phone.jpg"
    frames[0].save(path, format="MPO", save_all=True, append_images=frames[1:])
    with open_picture(path) as picture:
        assert (picture.format, picture.page_count) == ("JPEG", 1)
        assert any("MPO" in line for line in picture.dropped)
    plain = picture_file(tmp_path / "plain.png")
    plain.write_bytes(plain.read_bytes() + b"x" * 77)
    with open_picture(plain) as picture:
        assert picture.dropped == ("77 bytes behind the picture",)


def test_heic_gives_its_main_picture_upright(tmp_path: Path) -> None:
    pytest.importorskip("pi_heif")
    path = tmp_path / "photo.heic"
    path.write_bytes(HEIC)
    with open_picture(path) as picture:
        (page,) = picture.pages()
        assert (picture.format, picture.width, picture.height) == ("HEIC", 48, 64)
        assert picture.dropped == ("1 further pictures (HEIC)",)
    assert (
        page.pixels[5, 5, 0] > 150 > page.pixels[5, 5, 2]
    )  # blue was at the bottom left, and is turned to the top left


def test_heic_without_the_extra_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    path = tmp_path / "photo.heic"
    path.write_bytes(HEIC)
    assert is_picture(path)
    with pytest.raises(MediaError, match=r"edgeanon\[heif\]"):
        open_picture(path)
