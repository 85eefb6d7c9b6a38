"""Which files are videos, and what their masked copies are called."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from edgeanon.video import SUFFIXES, is_video, output_name
from edgeanon.video.recognising import NAMES
from tests import media

KINDS = [
    ("mp4", "h264"),
    ("mov", "h264"),
    ("mkv", "h264"),
    ("webm", "vp9"),
    ("avi", "mjpeg"),
    ("ts", "h264"),
    ("mpg", "h264"),
    ("flv", "h264"),
    ("3gp", "h264"),
]


@pytest.mark.parametrize(("suffix", "codec"), KINDS)
def test_a_video_is_one_by_its_content_whatever_its_name(tmp_path: Path, suffix: str, codec: str) -> None:
    path = media.make(tmp_path / f"a.{suffix}", codec, frames=5)
    assert is_video(path)
    assert is_video(str(path))
    for name in ("a", "a.dat", "a.txt", "a.jpg"):
        assert is_video(path.rename(tmp_path / name))
        path = tmp_path / name


@pytest.mark.parametrize("suffix", sorted(NAMES))
def test_a_name_of_a_video_is_one_in_any_case_that_is_to_be_looked_into(tmp_path: Path, suffix: str) -> None:
    for name in (f"a{suffix}", f"b{suffix.upper()}"):
        (tmp_path / name).write_bytes(b"damaged")
        assert is_video(tmp_path / name)
    assert is_video(tmp_path / f"none{suffix}")


@pytest.mark.parametrize("suffix", ["jpg", "png", "gif", "webp", "tiff", "bmp"])
@pytest.mark.parametrize("name", ["a", "a.mp4"])
def test_a_picture_is_none_whatever_its_name(tmp_path: Path, suffix: str, name: str) -> None:
    PillowImage.fromarray(np.zeros((20, 30, 3), np.uint8)).save(tmp_path / f"x.{suffix}")
    (tmp_path / f"x.{suffix}").rename(tmp_path / name)
    assert not is_video(tmp_path / name)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a",
        b"plain text, " * 200,
        bytes(2000),
        b"RIFF\0\0\0\0WAVEfmt ",
        b"G" + b"x" * 600,
        b"%PDF-1.7",
        b"\x1a\x45",
    ],
    ids=["nothing", "a", "text", "zeros", "sound", "one G", "pdf", "half a beginning"],
)
def test_something_else_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.bin").write_bytes(content)
    assert not is_video(tmp_path / "a.bin")


def test_what_is_no_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    for name in ("folder", "loop", "none", "nu\0l"):
        assert not is_video(tmp_path / name)


def test_the_copy_keeps_its_name_where_its_container_can_be_written() -> None:
    for suffix in SUFFIXES:
        assert output_name(f"deep/a{suffix}") == f"a{suffix}"
        assert output_name(Path(f"A{suffix.upper()}")) == f"A{suffix.upper()}"
    for suffix in NAMES - set(SUFFIXES):
        assert output_name(f"a{suffix}") == f"a{suffix}.mp4"
    assert output_name("a") == "a.mp4"
    assert output_name("two.dots.ts") == "two.dots.ts.mp4"


def test_every_container_that_can_be_written_is_one_that_is_recognised() -> None:
    assert set(SUFFIXES) <= NAMES
