"""From a Pillow image that is opened on a page to the page's samples."""

from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from edgeanon.errors import MediaError
from edgeanon.images.pages import Page, Samples

# Opened by class and not by Image.open: a file is then exactly what its first bytes say, an MPO is its first JPEG, and
# Pillow's own limit on pixels, which is one for the whole process, does not stand in for ours.
_PLUGINS: dict[str, Any] = {
    "AVIF": AvifImagePlugin.AvifImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
}
_UNKNOWN_LAYOUT = "colour of 16 bit in a layout that is not known here; store it as 16 bit RGB"
_COLOUR = {"RGB", "RGBX", "YCbCr", "P"}
_ALPHA = {"RGBA", "RGBa", "LA", "La", "PA"}


def open_with_pillow(file: BinaryIO, name: str, path: Path) -> ImageFile.ImageFile:
    """The file as a Pillow image: its header is read, and nothing decoded.

    Raises:
        MediaError: it is HEIC, and the extra for it is not installed.
    """
    file.seek(0)
    if name == "HEIF":
        try:
            import pi_heif  # noqa: PLC0415  an optional extra
        except ImportError as error:
            raise MediaError(f'{path} is HEIC, which needs an extra: pip install "edgeanon[heif]"') from error
        plugin: Any = pi_heif.HeifImageFile
    else:
        plugin = _PLUGINS[name]
    image: ImageFile.ImageFile = plugin(file)
    return image


def decode(image: ImageFile.ImageFile, file: BinaryIO, index: int, orientation: int) -> Page:
    """The page on which the image is, decoded to its end.

    Args:
        image: opened by ``open_with_pillow`` on ``file``.
        file: for samples of 16 bit in colour, which Pillow would cut to 8.
        index: of the page, from 0.
        orientation: EXIF, 1 to 8, still to be applied.

    Raises:
        ValueError: samples of a kind that has no place in a picture for people.
    """
    deep = _is_deep_colour(image)
    turned = image.format == "TIFF"  # Pillow turns a TIFF while it decodes it
    white_is_zero = image.format == "TIFF" and _tag(image, 262) == 0
    premultiplied = image.format == "TIFF" and 1 in _tags(image, 338)
    image.load()  # to the end also where OpenCV reads: it gives half a picture for half a file
    if deep:
        pixels = _deep_colour(file, image, index, premultiplied=premultiplied)
    else:
        pixels = _samples(image, white_is_zero=white_is_zero)
    return Page(
        pixels=upright(pixels, 1 if turned else orientation),
        cmyk=image.mode == "CMYK",
        profile=image.info.get("icc_profile") or None,
        duration=image.info.get("duration") if getattr(image, "is_animated", False) else None,
    )


def upright(pixels: Samples, orientation: int) -> Samples:
    """Pixels turned as EXIF's orientation (1 to 8) says, contiguous."""
    if orientation in {5, 6, 7, 8}:
        pixels = pixels.swapaxes(0, 1)
    if orientation in {3, 4, 7, 8}:
        pixels = pixels[::-1]
    if orientation in {2, 3, 6, 7}:
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def _tag(image: Image.Image, number: int) -> Any:
    return image.tag_v2.get(number) if isinstance(image, TiffImagePlugin.TiffImageFile) else None


def _tags(image: Image.Image, number: int) -> tuple[Any, ...]:
    value = _tag(image, number)
    return value if isinstance(value, tuple) else () if value is None else (value,)


def _is_deep_colour(image: ImageFile.ImageFile) -> bool:
    """Colour or transparency of 16 bit, before it is decoded."""
    if image.mode not in {"RGB", "RGBA"}:
        return False
    if image.format == "TIFF":
        return set(_tags(image, 258)) == {16}
    return image.format == "PNG" and bool(image.tile) and str(image.tile[0][3]).endswith(";16B")


def _deep_colour(file: BinaryIO, image: Image.Image, index: int, *, premultiplied: bool) -> Samples:
    """Samples of 16 bit by OpenCV: BGR or BGRA."""
    file.seek(0)
    encoded = np.frombuffer(file.read(), np.uint8)
    if image.format == "TIFF":
        _, found = cv2.imdecodemulti(encoded, cv2.IMREAD_UNCHANGED, range=(index, index + 1))
        pixels = found[0] if found else None
    else:
        pixels = cv2.imdecode(encoded, cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16 or pixels.ndim != 3 or pixels.shape[1::-1] != image.size:
        raise ValueError(_UNKNOWN_LAYOUT)
    if not premultiplied and not _same_picture(pixels, image):
        raise ValueError(_UNKNOWN_LAYOUT)  # OpenCV takes colours stored plane by plane for something else, silently
    if premultiplied and pixels.shape[2] == 4:
        alpha = np.maximum(pixels[:, :, 3:], 1).astype(np.uint32)
        pixels[:, :, :3] = np.minimum((pixels[:, :, :3] * np.uint32(65535) + alpha // 2) // alpha, 65535)
    return np.asarray(pixels)


def _same_picture(pixels: NDArray[Any], image: Image.Image) -> bool:
    """Whether the upper halves of BGR samples of 16 bit are what Pillow made of the same file."""
    upper = (pixels[:, :, 2::-1] >> 8).astype(np.uint8)
    return bool(cv2.absdiff(upper, np.ascontiguousarray(np.asarray(image)[:, :, :3])).max() <= 1)


def _samples(image: Image.Image, *, white_is_zero: bool) -> Samples:
    """All else by Pillow."""
    mode = image.mode
    if mode.startswith("I;16"):
        grey = np.asarray(image).astype(np.uint16)
        if white_is_zero:
            grey = np.uint16(65535) - grey
        clear = image.info.get("transparency")
        if clear is None:
            return grey
        alpha = np.where(grey == clear, 0, 65535).astype(np.uint16)
        return np.asarray(cv2.merge([grey, grey, grey, alpha]), np.uint16)
    if mode == "CMYK":
        light = cv2.bitwise_not(np.asarray(image))
        return np.asarray(cv2.cvtColor(light, cv2.COLOR_RGBA2BGRA), np.uint8)
    if mode in _ALPHA or (mode in _COLOUR | {"1", "L"} and image.has_transparency_data):
        # Pillow knows no way from premultiplied grey to RGBA in one step.
        straight = image.convert("LA") if mode == "La" else image
        return np.asarray(cv2.cvtColor(np.asarray(straight.convert("RGBA")), cv2.COLOR_RGBA2BGRA), np.uint8)
    if mode in {"1", "L"}:
        return np.array(image.convert("L"))
    if mode in _COLOUR:
        return np.asarray(cv2.cvtColor(np.asarray(image.convert("RGB")), cv2.COLOR_RGB2BGR), np.uint8)
    raise ValueError(f"its samples are {mode}, floating, of 32 bit or signed; convert it to 8 or 16 bit")
