"""Encodes pages afresh; nothing of the source's bytes comes along."""

import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
from PIL import Image, PngImagePlugin
from tifffile import TiffWriter

from edgeanon.errors import ConfigError, MediaError
from edgeanon.images import chunks, tiff
from edgeanon.images.foreign import translated
from edgeanon.images.pages import Page, fit, to_pillow
from edgeanon.images.reading import Picture
from edgeanon.images.safe import SafeFields
from edgeanon.images.target import atomic_target

WRITABLE: dict[str, str] = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".png": "PNG",
    ".apng": "PNG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
    ".gif": "GIF",
    ".avif": "AVIF",
}
"""Suffixes that a target may have, in small letters, and the formats they stand for."""

_SEVERAL = frozenset({"PNG", "WEBP", "TIFF", "GIF", "AVIF"})
_ALPHA = frozenset({"PNG", "WEBP", "TIFF", "GIF", "AVIF"})
_PAGE_MILLISECONDS = 1000  # that a page of a document is shown when it becomes a frame
_REMEDY = "choose another format for the target (.png and .tif hold most), and check the room on the disk"


def write(
    picture: Picture,
    pages: Iterable[Page],
    target: str | os.PathLike[str],
    *,
    metadata: str = "none",
    overwrite: bool = False,
) -> None:
    """Write changed pages of a picture; the target appears whole or not at all.

    Args:
        picture: where the pages come from: it gives the encoding, the loop, the permission bits and the safe metadata.
        pages: one for each of the picture's, in order; an iterator is read page by page. A TIFF is written likewise,
            the frames of an animation are held until the last one.
        target: its suffix says the format, see ``WRITABLE``.
        metadata: "none", or "safe" for what ``SAFE_TAGS`` names. The colour profile is kept with both.
        overwrite: whether an existing target may be replaced. The source never is.

    Raises:
        ConfigError: ``metadata`` is none of these, or the pages are more or fewer than the picture's.
        MediaError: the suffix is of no writable format, the format cannot hold several pages or such large ones, the
            target exists or cannot be written.
    """
    target = Path(target)
    if metadata not in {"none", "safe"}:
        raise ConfigError(f'metadata is {metadata!r}: "none" or "safe" can be asked for')
    if target.is_dir():
        raise MediaError(f"{target} is a folder: name a file in it")
    name = _format(target)
    if picture.page_count > 1 and name not in _SEVERAL:
        raise MediaError(
            f"{target} can hold one page and {picture.path} has {picture.page_count}: choose .tif, .gif, .webp or .png"
        )
    safe = picture.safe if metadata == "safe" else SafeFields()
    with atomic_target(target, overwrite=overwrite, source=picture.path) as temporary, temporary.open("w+b") as file:
        counted = _counted(pages, picture.page_count)
        if name == "TIFF":
            with TiffWriter(file, byteorder="<", ome=False, shaped=False) as writer:
                for page in counted:
                    with translated(target, "cannot be written", _REMEDY):
                        tiff.append(writer, fit(page, alpha=True, cmyk=True, deep=True), safe)
                    safe = SafeFields()  # the first page has them
        else:
            every = list(counted)
            with translated(target, "cannot be written", _REMEDY):
                _encode(name, picture, every, safe, file)


def output_name(path: str | os.PathLike[str]) -> str:
    """Name for what is made of a file: its own where that is writable, else with a suffix appended.

    The suffix is by the file's content: ``photo.heic`` and what has no suffix of its own become ``photo.heic.jpg``
    and the like.
    """
    path = Path(path)
    if path.suffix.lower() in WRITABLE:
        return path.name
    name = None
    try:
        if path.is_file():
            with path.open("rb") as file:
                name = chunks.sniff(file.read(64))
    except OSError:
        pass  # an unreadable file fails where it is opened, and not where it is named
    suffix = next((suffix for suffix, known in WRITABLE.items() if known == name), ".jpg")
    return path.name + suffix


def _format(target: Path) -> str:
    name = WRITABLE.get(target.suffix.lower())
    if name is None:
        raise MediaError(f"{target} does not say a format that can be written: end it with {', '.join(WRITABLE)}")
    return name


def _counted(pages: Iterable[Page], count: int) -> Iterator[Page]:
    """The pages, and an error if they are not as many as the picture's."""
    seen = 0
    for page in pages:
        seen += 1
        if seen > count:
            break
        yield page
    if seen != count:
        raise ConfigError(f"{'more' if seen > count else seen} pages were given for a picture of {count}")


def _encode(name: str, picture: Picture, pages: list[Page], safe: SafeFields, file: BinaryIO) -> None:
    """Write all pages in one of the formats that take them at once."""
    if name == "PNG" and len(pages) == 1 and pages[0].pixels.dtype != np.uint8:
        _write_deep_png(fit(pages[0], alpha=True, cmyk=False, deep=True), picture, safe, file)
        return
    fitted = [fit(page, alpha=name in _ALPHA, cmyk=name == "JPEG", deep=False) for page in pages]
    options: dict[str, Any] = {}
    if fitted[0].profile is not None and name not in {"GIF", "BMP"}:
        options["icc_profile"] = fitted[0].profile
    if (block := safe.block()) and name not in {"GIF", "BMP"}:
        options["exif"] = b"Exif\0\0" + block
    images = [_palette(page) if name == "GIF" else to_pillow(page) for page in fitted]
    options |= _options(name, picture, fitted[0])
    if len(images) > 1:
        images, more = _animation(name, picture, pages, images)
        options |= more
    images[0].save(file, format=name, **options)


def _options(name: str, picture: Picture, page: Page) -> dict[str, Any]:
    """What a format's encoder is told, beside profile and metadata."""
    same = picture.format == name
    encoding = picture.encoding
    if name == "JPEG":
        if not (same and encoding.tables):
            return {"quality": 95, "subsampling": 0}
        tables = [list(table) for table in encoding.tables[: 1 if page.pixels.ndim == 2 else 2]]
        return {"qtables": tables, "subsampling": encoding.subsampling, "progressive": encoding.progressive}
    if name == "WEBP":
        lossless = same and encoding.lossless
        return {"lossless": lossless, "quality": 75 if lossless else 90, "method": 4}  # quality is effort if lossless
    if name == "AVIF":
        return {"quality": 90, "subsampling": "4:0:0" if page.pixels.ndim == 2 else "4:4:4"}
    if name == "PNG":
        kept = PngImagePlugin.PngInfo()
        for chunk, data in _colour(picture, page):
            kept.add(chunk, data)
        return {"pnginfo": kept}
    return {}


def _colour(picture: Picture, page: Page) -> Iterator[tuple[bytes, bytes]]:
    """PNG's chunks of colour from the source, where the samples are still what they speak of."""
    for chunk, data in picture.encoding.colour:
        if not (chunk == b"sRGB" and page.profile is not None):
            yield chunk, data


def _animation(
    name: str, picture: Picture, pages: list[Page], images: list[Image.Image]
) -> tuple[list[Image.Image], dict[str, Any]]:
    """The frames in one mode, and what the encoders are told of their times."""
    encoding = picture.encoding
    durations = [_PAGE_MILLISECONDS if page.duration is None else page.duration for page in pages]
    options: dict[str, Any] = {"save_all": True}
    if name != "GIF":
        modes = {image.mode for image in images}
        mode = modes.pop() if len(modes) == 1 else "RGBA" if "RGBA" in modes else "RGB"
        images = [image if image.mode == mode else image.convert(mode) for image in images]
    if name == "PNG" and picture.format == "PNG" and encoding.default_image:
        options["default_image"] = True
        durations = durations[1:]
    if name == "GIF":
        options["disposal"] = 2  # each frame stands for itself, or the one before would show through
    options["duration"] = durations if name == "PNG" else [round(duration) for duration in durations]
    loop = 0 if encoding.loop is None and picture.format != "GIF" else encoding.loop or int(encoding.loop is None)
    if name in {"PNG", "WEBP"} or (name == "GIF" and loop != 1):  # a GIF that is played once says nothing of it
        options["loop"] = loop
    return images, options | {"append_images": images[1:]}


def _palette(page: Page) -> Image.Image:
    """A page with a palette of its own, exact up to 256 colours; what is less than half opaque is transparent."""
    pixels = page.pixels
    if not page.has_alpha:
        image = to_pillow(page)
        return image if image.mode == "L" else image.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    clear = pixels[:, :, 3] < 128
    colours = np.where(clear[:, :, None], 0, pixels[:, :, 2::-1]).astype(np.uint8)
    image = Image.fromarray(colours).quantize(255, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    palette = (image.getpalette() or [])[: 255 * 3]
    indices = np.array(image)
    indices[clear] = 255
    made = Image.fromarray(indices)
    made.putpalette(palette + [0] * (256 * 3 - len(palette)))
    if clear.any():
        made.info["transparency"] = 255
    return made


def _write_deep_png(page: Page, picture: Picture, safe: SafeFields, file: BinaryIO) -> None:
    """One page of 16 bit: OpenCV encodes it, the profile and the safe fields are put in behind."""
    done, encoded = cv2.imencode(".png", page.pixels)
    if not done:
        raise ValueError("OpenCV does not encode it")
    png = encoded.tobytes()
    file.write(png[: chunks.PNG_HEADER])
    for name, data in _colour(picture, page):
        PngImagePlugin.putchunk(file, name, data)
    if page.profile is not None:
        PngImagePlugin.putchunk(file, b"iCCP", b"icc\0\0" + zlib.compress(page.profile))
    if block := safe.block():
        PngImagePlugin.putchunk(file, b"eXIf", block)
    file.write(png[chunks.PNG_HEADER :])
