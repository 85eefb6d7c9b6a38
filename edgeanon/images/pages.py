"""One page of a picture, and what can be made of its pixels."""

from dataclasses import dataclass, replace
from io import BytesIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from edgeanon.errors import ConfigError

Samples = NDArray[np.uint8 | np.uint16]

# Pages of 16 bit whose brightest sample is below this look black: sensors of 12 bit are stored so.
_DARK = 1 << 14


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """One decoded page or frame.

    Attributes:
        pixels: contiguous, upright, uint8 or uint16: ``(h, w)`` grey, ``(h, w, 3)`` BGR, ``(h, w, 4)`` BGRA with alpha
            as it is stored (not multiplied into the colours), or CMYK.
        cmyk: the four channels are ``max - yellow, max - magenta, max - cyan, max - black``: light, as BGR is, so that
            a fill and a smooth interpolation over all four channels do what they do in BGR.
        profile: the ICC colour profile that the pixels are in, or None.
        duration: milliseconds that a frame of an animation is shown; None for a page.
    """

    pixels: Samples
    cmyk: bool = False
    profile: bytes | None = None
    duration: float | None = None

    @property
    def has_alpha(self) -> bool:
        """The fourth channel is transparency."""
        return self.pixels.ndim == 3 and self.pixels.shape[2] == 4 and not self.cmyk

    def replace(self, pixels: Samples) -> "Page":
        """The same page with other pixels.

        Raises:
            ConfigError: the shape or the type of the samples is another.
        """
        if pixels.shape != self.pixels.shape or pixels.dtype != self.pixels.dtype:
            raise ConfigError(
                f"a page of {self.pixels.shape} {self.pixels.dtype} cannot take pixels of {pixels.shape} "
                f"{pixels.dtype}: give back what pixels had"
            )
        return replace(self, pixels=np.ascontiguousarray(pixels))

    def bgr(self) -> NDArray[np.uint8]:
        """What is visible, ``(h, w, 3)`` uint8 BGR: transparency lies over white, CMYK is multiplied out."""
        pixels = to_8_bit(self.pixels)
        if pixels.ndim == 2:
            return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR), np.uint8)
        if pixels.shape[2] == 3:
            return pixels
        fourth = cv2.merge([pixels[:, :, 3]] * 3)
        colour = cv2.multiply(np.ascontiguousarray(pixels[:, :, :3]), fourth, scale=1 / 255)
        if self.has_alpha:
            colour = cv2.add(colour, cv2.bitwise_not(fourth))
        return np.asarray(colour, np.uint8)

    def views(self) -> list[NDArray[np.uint8]]:
        """All that somebody could get to see in the page, each ``(h, w, 3)`` uint8 BGR; mostly ``bgr()`` alone.

        Where anything is transparent, the colours that lie below come first, then the page over white and over black:
        what is drawn in transparency alone shows on one of them. Samples of 16 bit of which nearly all lie in the
        lowest quarter of the range come a second time, stretched to the whole of it.
        """
        seen = [self.bgr()]
        if self.has_alpha and int(self.pixels[:, :, 3].min()) < np.iinfo(self.pixels.dtype).max:
            colours = np.ascontiguousarray(to_8_bit(self.pixels)[:, :, :3])
            over_black = Page(to_8_bit(self.pixels), cmyk=True).bgr()  # the fourth channel multiplies, as ink does
            seen = [colours, *seen, over_black]
        if self.pixels.dtype == np.uint16:
            colours_16 = self.pixels[:, :, :3] if self.has_alpha else self.pixels
            bright = float(np.percentile(colours_16[::4, ::4], 99.9))  # a few hot pixels do not count
            if 0 < bright < _DARK:
                stretched = cv2.convertScaleAbs(np.ascontiguousarray(colours_16), alpha=255 / bright)
                seen.append(Page(np.asarray(stretched, np.uint8), cmyk=self.cmyk).bgr())
        return seen


def to_8_bit(pixels: Samples) -> NDArray[np.uint8]:
    """Samples of any depth as uint8, rounded; 8 bit comes back as it is."""
    if pixels.dtype == np.uint8:
        return pixels.astype(np.uint8, copy=False)
    scaled = cv2.convertScaleAbs(pixels, alpha=1 / 257)  # 65535 = 257 * 255
    return np.asarray(scaled, np.uint8)


def fit(page: Page, *, alpha: bool, cmyk: bool, deep: bool) -> Page:
    """The page as a format can hold it: which of transparency, CMYK and 16 bit it can.

    Transparency is flattened over white. CMYK goes to sRGB through its profile, or is multiplied out where it has none.
    """
    if page.pixels.dtype != np.uint8 and not deep:
        page = replace(page, pixels=to_8_bit(page.pixels))
    if page.cmyk and not cmyk:
        page = replace(page, pixels=_without_ink(page), cmyk=False, profile=None)
    if page.has_alpha and not alpha:
        page = replace(page, pixels=page.bgr())
    return replace(page, profile=_fitting_profile(page))


def to_pillow(page: Page) -> Image.Image:
    """A page of 8 bit as a fresh Pillow image without any ``info``: L, RGB, RGBA or CMYK."""
    pixels = page.pixels
    if pixels.ndim == 2:
        return Image.fromarray(pixels)
    if pixels.shape[2] == 3:
        return Image.fromarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))
    swapped = cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGBA)
    if page.cmyk:
        height, width = pixels.shape[:2]
        return Image.frombytes("CMYK", (width, height), cv2.bitwise_not(swapped).tobytes())
    return Image.fromarray(swapped)


def _without_ink(page: Page) -> NDArray[np.uint8]:
    """``(h, w, 3)`` BGR in sRGB of a CMYK page of 8 bit."""
    if page.profile is not None:
        try:
            profile = ImageCms.ImageCmsProfile(BytesIO(page.profile))
            srgb = ImageCms.createProfile("sRGB")
            image = ImageCms.profileToProfile(to_pillow(page), profile, srgb, outputMode="RGB")
            return np.asarray(cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2BGR), np.uint8)
        except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
            pass  # a profile that says nothing usable: as if there were none
    return page.bgr()


def _fitting_profile(page: Page) -> bytes | None:
    """The page's profile when it is one, and one for channels as the page has them."""
    profile = page.profile
    if profile is None or len(profile) < 132 or profile[36:40] != b"acsp":  # ICC.1:2022, 7.2: the header
        return None
    length = int.from_bytes(profile[:4], "big")
    space = b"CMYK" if page.cmyk else b"GRAY" if page.pixels.ndim == 2 else b"RGB "
    return profile[:length] if 132 <= length <= len(profile) and profile[16:20] == space else None
