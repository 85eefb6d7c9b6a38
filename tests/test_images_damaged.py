"""Rules for files that are damaged, mislabelled or not pictures at all."""

import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tifffile import TiffWriter, imwrite

from edgeanon.errors import MediaError
from edgeanon.images import is_picture, open_picture
from tests.pictures import COLOUR, DEEP, GREY, animation, picture_file, read, write_pixels


def test_the_content_and_not_the_name_says_the_format(tmp_path: Path) -> None:
    path = picture_file(tmp_path / "a.png").rename(tmp_path / "a.jpg")
    with open_picture(path) as picture:
        assert picture.format == "PNG"
    text = tmp_path / "text.jpg"
    text.write_text("BMW is a word, and this is no picture of any kind" * 4)
    assert not is_picture(text)
    with pytest.raises(MediaError, match="no picture"):
        open_picture(text)


def test_missing_empty_folder_and_pipe_are_refused(tmp_path: Path) -> None:
    empty, pipe = tmp_path / "empty.jpg", tmp_path / "pipe.jpg"
    empty.touch()
    os.mkfifo(pipe)
    for path, words in [(tmp_path / "no.jpg", "No such file"), (empty, "empty"), (tmp_path, "folder"), (pipe, "file")]:
        assert not is_picture(path)
        with pytest.raises(MediaError, match=words):
            open_picture(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_rights_is_refused(tmp_path: Path) -> None:
    path = picture_file(tmp_path / "a.png")
    path.chmod(0)
    assert not is_picture(path)
    with pytest.raises(MediaError, match="rights"):
        open_picture(path)


@pytest.mark.parametrize(
    "name", ["a.jpg", "a.png", "deep.png", "a.tif", "deep.tif", "a.gif", "a.webp", "a.avif", "a.bmp"]
)
def test_a_truncated_file_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    noise = np.random.default_rng(1).integers(0, 256, (60, 80, 3))
    write_pixels(path, (noise * 257).astype(np.uint16)) if "deep" in name else Image.fromarray(
        noise.astype(np.uint8)
    ).save(path)
    whole = path.read_bytes()
    for share in (0.3, 0.6, 0.9):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(MediaError):
            read(path)


def test_a_decompression_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    header = b"IHDR" + struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"\0")
    chunks = [header, data, b"IEND"]
    path = tmp_path / "bomb.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in chunks)
    )
    with pytest.raises(MediaError, match="max_pixels"):
        open_picture(path)


def test_each_page_is_held_to_the_limit_before_it_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "pages.tif"
    with TiffWriter(path) as writer:
        writer.write(GREY)
        writer.write(np.zeros((100, 100), np.uint8))
    with open_picture(path, max_pixels=24 * 40) as picture:
        pages = picture.pages()
        next(pages)
        with pytest.raises(MediaError, match="page 2"):
            next(pages)


def test_one_pixel_and_a_wide_panorama_are_pictures(tmp_path: Path) -> None:
    for width in (1, 30_000):
        for suffix in (".png", ".jpg", ".tif"):
            path = write_pixels(tmp_path / f"wide{suffix}", np.full((1, width, 3), 90, np.uint8))
            assert read(path)[0].pixels.shape == (1, width, 3)


def test_floating_samples_are_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="8 or 16 bit"):
        read(picture_file(tmp_path / "float.tif", "F"))


def test_colour_of_16_bit_stored_plane_by_plane_is_refused_and_not_misread(tmp_path: Path) -> None:
    path = tmp_path / "planes.tif"
    imwrite(path, DEEP.transpose(2, 0, 1), photometric="rgb", planarconfig="separate")
    with pytest.raises(MediaError, match="layout"):
        read(path)


def test_a_raw_file_of_a_camera_is_not_taken_for_its_thumbnail(tmp_path: Path) -> None:
    path = tmp_path / "raw.dng"
    imwrite(path, COLOUR, photometric="rgb", extratags=[(50706, 1, 4, (1, 4, 0, 0), True)])
    with pytest.raises(MediaError, match="raw"):
        open_picture(path)


@pytest.fixture(scope="module")
def small_files(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("small")
    paths = [picture_file(folder / f"a{suffix}") for suffix in (".jpg", ".png", ".tif", ".webp", ".bmp", ".avif")]
    paths += [animation(folder / f"b{suffix}") for suffix in (".gif", ".png", ".webp")]
    paths += [write_pixels(folder / f"c{suffix}", DEEP) for suffix in (".png", ".tif")]
    return [path.read_bytes() for path in paths]


@st.composite
def damages(draw: st.DrawFn) -> tuple[int, float, list[tuple[float, int]], bool]:
    """Which file, the share of it that is kept, bytes that are overwritten, and whether these are in its first 128."""
    flips = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=8)
    return draw(st.integers(0, 10)), draw(st.floats(0, 1) | st.just(1.0)), draw(flips), draw(st.booleans())


@settings(max_examples=250, deadline=None)
@given(damage=damages())
def test_a_damaged_file_is_read_or_refused_and_raises_nothing_else(
    small_files: list[bytes],
    tmp_path_factory: pytest.TempPathFactory,
    damage: tuple[int, float, list[tuple[float, int]], bool],
) -> None:
    which, keep, flips, early = damage
    data = bytearray(small_files[which])
    for place, value in flips:
        data[int(place * (min(len(data), 128) if early else len(data)))] = value
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(data[: int(len(data) * keep)])
    try:
        with open_picture(path, max_pixels=2**20) as picture:
            for page in picture.pages():
                assert page.pixels.dtype in {np.dtype(np.uint8), np.dtype(np.uint16)}
    except MediaError:
        pass
