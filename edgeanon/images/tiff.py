"""Writes TIFF page by page, so that a document of any number of pages needs the memory of one.

By tifffile: Pillow writes no colour of 16 bit and takes tags along by itself, and OpenCV writes no colour profile.
Deflate with horizontal differencing is what every reader knows.
"""

import struct
from typing import Any

import cv2
import numpy as np
from PIL.TiffTags import ASCII, LONG
from tifffile import FileHandle, TiffFile, TiffWriter

from edgeanon.errors import MediaError
from edgeanon.images.pages import Page, Samples
from edgeanon.images.safe import EXIF_DIRECTORY, SafeFields

_LEVEL = 3  # of Deflate: slower levels gain 1 % of a photograph
_STAND_IN = EXIF_DIRECTORY - 1  # a tag of no meaning, which sorts as the one that it becomes


def append(writer: TiffWriter, page: Page, safe: SafeFields) -> None:
    """Write one page.

    Args:
        writer: little-endian, on a file that can be read as well.
        page: of any kind.
        safe: fields for this page; for the first one only.

    Raises:
        MediaError: the file grew past 4 GiB.
    """
    file = writer.filehandle
    names = [(tag, safe.main[tag]) for tag in (271, 272) if tag in safe.main]
    extra: list[tuple[int, int, int, Any, bool]] = [(tag, ASCII, 0, name, True) for tag, name in names]
    if safe.exif:
        place = file.tell()  # 8, behind the header
        file.write(safe.exif_directory(place))
        extra.append((_STAND_IN, LONG, 1, place, True))
    try:
        writer.write(
            _samples(page),
            photometric="separated" if page.cmyk else "minisblack" if page.pixels.ndim == 2 else "rgb",
            extrasamples=("unassalpha",) if page.has_alpha else None,
            compression="zlib",
            compressionargs={"level": _LEVEL},
            predictor=True,
            iccprofile=page.profile,
            software=False,
            metadata=None,
            extratags=extra,
            **_resolution(safe),
        )
    except struct.error as error:  # offsets are 32 bit: BigTIFF is unknown to too many readers
        raise MediaError("a TIFF holds 4 GiB and these pages are more: write them to several files") from error
    if safe.exif:
        _name_exif(file)


def _samples(page: Page) -> Samples:
    """The pixels in the order of TIFF, and as ink where they are CMYK."""
    if page.pixels.ndim == 2:
        return page.pixels
    order = cv2.COLOR_BGR2RGB if page.pixels.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
    samples = cv2.cvtColor(page.pixels, order)
    return np.asarray(cv2.bitwise_not(samples) if page.cmyk else samples)


def _resolution(safe: SafeFields) -> dict[str, Any]:
    """The fields 282, 283 and 296 as tifffile wants them."""
    across, unit = safe.main.get(282), safe.main.get(296, 2)
    down = safe.main.get(283, across)
    if not (isinstance(across, tuple) and isinstance(down, tuple) and unit in {1, 2, 3}):  # TIFF 6.0, section 8
        return {}
    pairs = tuple((value[0].numerator, value[0].denominator) for value in (across, down))
    return {"resolution": pairs, "resolutionunit": unit}


def _name_exif(file: FileHandle) -> None:
    """Give the first page's stand-in the tag of the EXIF directory, which tifffile does not write."""
    end = file.tell()
    with TiffFile(file) as written:
        entry = written.pages.first.tags[_STAND_IN].offset
    file.seek(entry)
    file.write(struct.pack("<H", EXIF_DIRECTORY))
    file.seek(end)
