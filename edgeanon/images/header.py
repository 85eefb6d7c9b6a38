"""What a header says beside size and pages: which way is up, how it was encoded, what else is in the file."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from PIL import ExifTags, Image, ImageFile, JpegImagePlugin

from edgeanon.errors import MediaError
from edgeanon.images import chunks

_DNG_VERSION, _SUB_FILES, _SUBFILE_TYPE = 50706, 330, 254


@dataclass(frozen=True, slots=True)
class Encoding:
    """How the source was encoded, for a target of the same format.

    Attributes:
        tables: a JPEG's quantisation tables for lightness and colour, in Pillow's order.
        subsampling: a JPEG's, as Pillow counts: 0 is 4:4:4, 1 is 4:2:2, 2 is 4:2:0.
        progressive: the JPEG comes in several scans.
        lossless: the WebP is.
        loop: how often an animation is played, 0 for ever, None for once.
        default_image: the first page of a PNG is not part of its animation.
        colour: PNG's chunks that say how samples become colours.
    """

    tables: tuple[tuple[int, ...], ...] = ()
    subsampling: int = 0
    progressive: bool = False
    lossless: bool = False
    loop: int | None = None
    default_image: bool = False
    colour: tuple[tuple[bytes, bytes], ...] = ()


def orientation(image: ImageFile.ImageFile, file: BinaryIO) -> int:
    """EXIF's orientation, 1 to 8; 1 where there is none or it makes no sense."""
    if image.format == "PNG" and "exif" not in image.info:
        for name, place, length in chunks.png_chunks(file):
            if name == b"eXIf" and length < 1 << 20:  # behind the samples, where Pillow finds it after decoding alone
                file.seek(place)
                image.info["exif"] = b"Exif\0\0" + file.read(length)
    with suppress(Exception):  # damaged metadata are no reason to refuse the picture
        value = Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1)
        return int(value) if value in range(1, 9) else 1
    return 1


def dropped(image: ImageFile.ImageFile, file: BinaryIO, path: Path) -> Iterator[str]:
    """What stays behind, beside metadata.

    Raises:
        MediaError: a PNG or a GIF without its end; a camera's raw file, which reads as a TIFF of its thumbnail.
    """
    trailing = 0
    if image.format == "JPEG":
        if "mp" in image.info:
            yield "further pictures (MPO)"
        file.seek(0)
        trailing = chunks.jpeg_trailer(file.read())
    elif image.format == "PNG":
        ends = [place + length + 4 for name, place, length in chunks.png_chunks(file) if name == b"IEND"]
        if not ends:  # Pillow is content with the samples, and OpenCV makes room for whatever a length claims
            raise MediaError(f"{path} is cut short: fetch it again from where it came from")
        trailing = file.seek(0, os.SEEK_END) - ends[0]
    elif image.format == "GIF":
        file.seek(0)
        data = file.read()
        end = chunks.gif_end(data)
        if end is None:  # Pillow takes what is there for all the frames
            raise MediaError(f"{path} is cut short: fetch it again from where it came from")
        trailing = len(data) - end
    elif image.format == "TIFF":
        tags: Any = getattr(image, "tag_v2", {})
        if _DNG_VERSION in tags or (_SUB_FILES in tags and tags.get(_SUBFILE_TYPE, 0) & 1):
            raise MediaError(f"{path} is a camera's raw file: develop it to JPEG or TIFF first")
        if _SUB_FILES in tags:
            yield "pictures below the pages (TIFF SubIFDs)"
    elif image.format == "HEIF":
        if int(getattr(image, "n_frames", 1)) > 1:
            yield f"{int(getattr(image, 'n_frames', 1)) - 1} further pictures (HEIC)"
        if image.info.get("depth_images") or image.info.get("aux"):
            yield "depth and auxiliary pictures (HEIC)"
    if trailing > 0:
        yield f"{trailing} bytes behind the picture"


def encoding(image: ImageFile.ImageFile, file: BinaryIO) -> Encoding:
    """How the file is encoded."""
    loop = image.info.get("loop")
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        tables = [tuple(image.quantization.get(layer[3], ())) for layer in image.layer[:2]]
        sampling = JpegImagePlugin.get_sampling(image)
        return Encoding(
            tables=tuple(tables) if all(len(table) == 64 for table in tables) else (),
            subsampling=sampling if sampling in {0, 1, 2} else 2 if len(image.layer) == 3 else 0,
            progressive=bool(image.info.get("progressive")),
        )
    if image.format == "WEBP":
        file.seek(0)
        return Encoding(loop=loop, lossless=chunks.webp_is_lossless(file.read()))
    if image.format == "PNG":
        colour = []
        for name, place, length in chunks.png_chunks(file):
            if chunks.PNG_COLOUR.get(name) == length:
                file.seek(place)
                colour.append((name, file.read(length)))
        return Encoding(loop=loop, default_image=bool(image.info.get("default_image")), colour=tuple(colour))
    return Encoding(loop=loop)
