"""Opens picture files and hands out their pages, one by one."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from PIL import ImageFile

from edgeanon.errors import MediaError
from edgeanon.images import chunks
from edgeanon.images.decoding import decode, open_with_pillow
from edgeanon.images.foreign import translated
from edgeanon.images.header import dropped, encoding, orientation
from edgeanon.images.pages import Page
from edgeanon.images.safe import SafeFields, safe_fields

MAX_PIXELS = 2**28
"""Pixels of a page that are decoded unless the caller says otherwise: 16384 x 16384, some 2.5 GB while decoding."""

MAX_PAGES = 10_000
"""Pages or frames of one file; more are refused."""

_START = 64  # bytes by which a format is told
_NAMES = {"HEIF": "HEIC"}
_DAMAGED = "fetch it again from where it came from, or open and save it in a picture editor"


class Picture:
    """One opened picture file; a context manager, to be used by one thread at a time.

    Attributes:
        path: where it is.
        format: what it is by its content: JPEG, PNG, WEBP, TIFF, BMP, GIF, AVIF or HEIC.
        width, height: pixels of the first page, upright.
        page_count: pages or frames that ``pages`` yields.
        dropped: what the file holds beside its pages and its metadata and what no target will hold, in words.
        encoding: how it was encoded.
        safe: the metadata that may be kept.
    """

    def __init__(self, path: Path, file: BinaryIO, *, max_pixels: int) -> None:
        with translated(path, "cannot be read", "check the medium it is on"):
            name = chunks.sniff(file.read(_START))
        if name is None:
            raise MediaError(f"{path} is no picture of a known kind: JPEG, PNG, WebP, TIFF, BMP, GIF, AVIF or HEIC")
        self.path = path
        self.format = _NAMES.get(name, name)
        self._name = name
        self._file = file
        self._max_pixels = max_pixels
        with translated(path, "cannot be read as a picture", _DAMAGED):
            image = open_with_pillow(file, name, path)
            self._check_size(image.size, 0)
            self._orientation = orientation(image, file)
            turned = self._orientation >= 5 and name != "TIFF"  # Pillow gives the upright size of a TIFF
            self.width, self.height = image.size[::-1] if turned else image.size
            self.page_count = self._count(image)
            self.dropped = tuple(dropped(image, file, path))
            self.encoding = encoding(image, file)
            self.safe = SafeFields()
            with suppress(Exception):  # damaged metadata are no reason to refuse the picture
                self.safe = safe_fields(image)

    def pages(self) -> Iterator[Page]:
        """Each page, decoded when it is asked for. Only one such iterator runs at a time.

        Raises:
            MediaError: a page is damaged, cut short, too large, or of samples that are no picture.
        """
        with translated(self.path, "cannot be read as a picture", _DAMAGED):
            image = open_with_pillow(self._file, self._name, self.path)
        for index in range(self.page_count):
            with translated(self.path, "cannot be read to its end", _DAMAGED):
                if self.page_count > 1:
                    image.seek(index)
                self._check_size(image.size, index)
                page = decode(image, self._file, index, self._orientation)
            yield page

    def close(self) -> None:
        """Close the file. A second time does nothing."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_size(self, size: tuple[int, int], index: int) -> None:
        width, height = size
        if width < 1 or height < 1:
            raise MediaError(f"{self.path} says it is {width} x {height} pixels: {_DAMAGED}")
        if width * height > self._max_pixels:
            raise MediaError(
                f"{self.path}, page {index + 1}, says it is {width} x {height} pixels and the limit is "
                f"{self._max_pixels} in all: raise max_pixels if you trust it and have the memory"
            )

    def _count(self, image: ImageFile.ImageFile) -> int:
        if self._name in {"JPEG", "HEIF"}:
            return 1
        count = int(getattr(image, "n_frames", 1))
        if count > MAX_PAGES:
            raise MediaError(f"{self.path} has {count} pages and the limit is {MAX_PAGES}: split it")
        return count


def open_picture(path: str | os.PathLike[str], *, max_pixels: int = MAX_PIXELS) -> Picture:
    """Open a picture and read its header; what it is is told by its content, never by its name.

    Args:
        path: a file.
        max_pixels: largest width times height of a page; checked before the page is decoded.

    Raises:
        MediaError: there is no such file, it may not be read, or is no picture; it is too large; it is HEIC and the
            extra for that is not installed; it is a camera's raw file.
    """
    path = Path(path)
    with translated(path, "cannot be opened", "check the name and the rights"):
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise MediaError(f"{path} is a folder: name a file in it")
        if not stat.S_ISREG(status.st_mode):
            raise MediaError(f"{path} is no ordinary file: copy the picture into one")
        if status.st_size == 0:
            raise MediaError(f"{path} is empty: fetch it again from where it came from")
        file = path.open("rb")
    try:
        return Picture(path, file, max_pixels=max_pixels)
    except BaseException:
        file.close()
        raise


def is_picture(path: str | os.PathLike[str]) -> bool:
    """Whether a file begins as a picture does; it may still be damaged. False for what cannot be read."""
    try:
        path = Path(path)
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return chunks.sniff(file.read(_START)) is not None
    except (OSError, ValueError):
        return False
