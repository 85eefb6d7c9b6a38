"""Rules for targets: when one is refused, and what a failure leaves behind."""

import errno
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from edgeanon.errors import MediaError
from edgeanon.images import Page, atomic_target, open_picture, output_name, write

ROWS, COLUMNS = np.mgrid[0:24, 0:40]
COLOUR = np.dstack([COLUMNS * 6, ROWS * 10, (ROWS + COLUMNS) * 3]).astype(np.uint8)
DEEP = np.dstack([COLUMNS * 1600, ROWS * 2700, (ROWS + COLUMNS) * 1000]).astype(np.uint16)


def colour_file(path: Path, pixels: NDArray[Any] = COLOUR) -> Path:
    assert cv2.imwrite(str(path), pixels)
    return path


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("name", ["b", "b.txt", "b.heic"])
def test_a_target_of_no_writable_format_is_refused(tmp_path: Path, name: str) -> None:
    with open_picture(colour_file(tmp_path / "a.png")) as picture, pytest.raises(MediaError, match=r"\.png"):
        write(picture, picture.pages(), tmp_path / name)
    assert left(tmp_path) == {"a.png"}


def test_a_picture_too_large_for_a_format_leaves_nothing(tmp_path: Path) -> None:
    path = colour_file(tmp_path / "a.png", np.zeros((1, 70_000, 3), np.uint8))
    for suffix in (".jpg", ".webp", ".gif"):
        with open_picture(path) as picture, pytest.raises(MediaError, match="another format"):
            write(picture, picture.pages(), tmp_path / f"b{suffix}")
    assert left(tmp_path) == {"a.png"}


def test_names_of_outputs_are_the_sources_where_they_can_be_written(tmp_path: Path) -> None:
    assert output_name(tmp_path / "A.JPG") == "A.JPG"
    assert output_name(tmp_path / "photo.heic") == "photo.heic.jpg"
    Image.fromarray(COLOUR).save(tmp_path / "scan", format="PNG")
    assert output_name(tmp_path / "scan") == "scan.png"


def test_an_existing_target_is_replaced_only_when_asked(tmp_path: Path) -> None:
    path, target = colour_file(tmp_path / "a.png"), tmp_path / "b.png"
    target.write_text("mine")
    with open_picture(path) as picture, pytest.raises(MediaError, match="overwrite"):
        write(picture, picture.pages(), target)
    assert target.read_text() == "mine"
    with open_picture(path) as picture:
        write(picture, picture.pages(), target, overwrite=True)
    assert left(tmp_path) == {"a.png", "b.png"}


@pytest.mark.parametrize("links", [True, False])
def test_a_target_that_appears_meanwhile_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, links: bool
) -> None:
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    target = tmp_path / "b.txt"
    with pytest.raises(MediaError, match="meanwhile"), atomic_target(target):
        target.write_text("mine")
    assert target.read_text() == "mine"
    assert left(tmp_path) == {"b.txt"}


def no_links(*_: object) -> None:
    raise OSError(errno.EPERM, "Operation not permitted")


def test_where_there_are_no_hard_links_the_target_appears_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", no_links)
    with atomic_target(tmp_path / "b.txt") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "b.txt").read_text() == "new"
    assert left(tmp_path) == {"b.txt"}


@pytest.mark.parametrize("how", ["itself", "hard link", "symbolic link"])
def test_the_source_is_never_replaced(tmp_path: Path, how: str) -> None:
    path, target = colour_file(tmp_path / "a.png"), tmp_path / "b.png"
    before = path.read_bytes()
    if how == "itself":
        target = tmp_path / ".." / tmp_path.name / "a.png"
    elif how == "hard link":
        os.link(path, target)
    else:
        target.symlink_to(path)
    with open_picture(path) as picture, pytest.raises(MediaError, match="source itself"):
        write(picture, picture.pages(), target, overwrite=True)
    assert path.read_bytes() == before


def test_a_missing_folder_and_a_folder_as_target_are_refused(tmp_path: Path) -> None:
    path = colour_file(tmp_path / "a.png")
    (tmp_path / "c.png").mkdir()
    for target in (tmp_path / "no" / "b.png", tmp_path / "c.png"):
        with open_picture(path) as picture, pytest.raises(MediaError, match="folder"):
            write(picture, picture.pages(), target, overwrite=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_rights_is_refused(tmp_path: Path) -> None:
    path, folder = colour_file(tmp_path / "a.png"), tmp_path / "closed"
    folder.mkdir(mode=0o500)
    with open_picture(path) as picture, pytest.raises(MediaError, match="folder"):
        write(picture, picture.pages(), folder / "b.png")


def test_the_temporary_is_private_and_the_target_has_the_sources_rights(tmp_path: Path) -> None:
    source, target = tmp_path / "a.txt", tmp_path / ("ä" * 125 + ".txt")  # 254 bytes: no room for an ending
    source.touch()
    source.chmod(0o640)
    with atomic_target(target, source=source) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.name.startswith(".ä")
        assert temporary.name.endswith(".part")
        assert stat.S_IMODE(temporary.stat().st_mode) == 0o600
        assert not target.exists()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    with atomic_target(tmp_path / "own.txt"):
        pass
    assert stat.S_IMODE((tmp_path / "own.txt").stat().st_mode) == 0o600


@pytest.mark.parametrize("error", [KeyboardInterrupt, MediaError, ZeroDivisionError])
@pytest.mark.parametrize("suffix", [".tif", ".gif", ".png"])
def test_an_error_between_two_pages_leaves_no_file(tmp_path: Path, suffix: str, error: type[BaseException]) -> None:
    frames = [Image.fromarray(COLOUR), Image.fromarray(COLOUR[::-1].copy())]
    frames[0].save(tmp_path / "a.tif", save_all=True, append_images=frames[1:])

    def interrupted(pages: Iterator[Page]) -> Iterator[Page]:
        yield next(pages)
        raise error

    with open_picture(tmp_path / "a.tif") as picture, pytest.raises(error):
        write(picture, interrupted(picture.pages()), tmp_path / f"b{suffix}")
    assert left(tmp_path) == {"a.tif"}


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp", ".bmp", ".gif", ".avif"])
def test_a_full_disk_is_said_and_leaves_no_file(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(4).integers(0, 256, (300, 300, 3)).astype(np.uint8)
    path, target = colour_file(tmp_path / "a.png", noise), tmp_path / f"b{suffix}"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))  # Python ignores the signal: writes fail past it
    try:
        with open_picture(path) as picture, pytest.raises(MediaError, match="cannot be written"):
            write(picture, picture.pages(), target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert left(tmp_path) == {"a.png"}


def test_warnings_of_others_are_as_before_and_nothing_is_printed(tmp_path: Path) -> None:
    path = colour_file(tmp_path / "a.tif", DEEP)
    script = (
        "import sys, warnings\n"
        "from edgeanon.images import open_picture, write\n"
        "before = list(warnings.filters)\n"
        "with open_picture(sys.argv[1]) as picture:\n"
        "    write(picture, picture.pages(), sys.argv[2])\n"
        "assert warnings.filters == before\n"
    )
    command = [sys.executable, "-W", "error", "-c", script, str(path), str(tmp_path / "b.png")]
    done = subprocess.run(command, check=True, capture_output=True)
    assert (done.stdout, done.stderr) == (b"", b"")
