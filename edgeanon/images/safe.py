"""The few metadata that say how a picture was taken, and not where, when, by whom or of whom."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2
from PIL.TiffTags import ASCII, RATIONAL, SHORT, SIGNED_RATIONAL

EXIF_DIRECTORY = 0x8769

# Tag, name and type; EXIF 2.32, tables 4 and 7. Left out on purpose: times, GPS, serial numbers, owner and artist,
# descriptions and comments, software, maker notes, unique identifiers, thumbnails.
_MAIN = {
    271: ("Make", ASCII),
    272: ("Model", ASCII),
    282: ("XResolution", RATIONAL),
    283: ("YResolution", RATIONAL),
    296: ("ResolutionUnit", SHORT),
}
_EXIF = {
    33434: ("ExposureTime", RATIONAL),
    33437: ("FNumber", RATIONAL),
    34850: ("ExposureProgram", SHORT),
    34855: ("PhotographicSensitivity", SHORT),
    37377: ("ShutterSpeedValue", SIGNED_RATIONAL),
    37378: ("ApertureValue", RATIONAL),
    37380: ("ExposureBiasValue", SIGNED_RATIONAL),
    37381: ("MaxApertureValue", RATIONAL),
    37383: ("MeteringMode", SHORT),
    37384: ("LightSource", SHORT),
    37385: ("Flash", SHORT),
    37386: ("FocalLength", RATIONAL),
    41986: ("ExposureMode", SHORT),
    41987: ("WhiteBalance", SHORT),
    41988: ("DigitalZoomRatio", RATIONAL),
    41989: ("FocalLengthIn35mmFilm", SHORT),
    41990: ("SceneCaptureType", SHORT),
    42034: ("LensSpecification", RATIONAL),
    42035: ("LensMake", ASCII),
    42036: ("LensModel", ASCII),
}
SAFE_TAGS: tuple[str, ...] = tuple(name for name, _ in [*_MAIN.values(), *_EXIF.values()])
"""Names of the EXIF fields that ``metadata="safe"`` keeps, where the target format has EXIF."""

_LONGEST_TEXT = 64  # characters: a name of a camera or a lens, and no more

Value = str | int | tuple[Fraction, ...]


@dataclass(frozen=True, slots=True)
class SafeFields:
    """What is kept by tag, for the first directory and for the one of EXIF."""

    main: Mapping[int, Value] = field(default_factory=dict)
    exif: Mapping[int, Value] = field(default_factory=dict)

    def block(self) -> bytes:
        """As the EXIF block of PNG, WebP and AVIF; JPEG has a prefix in front. Empty when there is nothing."""
        if not self.main and not self.exif:
            return b""
        # Not by Image.Exif, which chooses types by values: a ShutterSpeedValue or ExposureBiasValue that is not
        # negative would become unsigned.
        first = _directory(self.main, _MAIN)
        start = 8  # behind the header
        first[EXIF_DIRECTORY] = start
        first[EXIF_DIRECTORY] = second = start + len(first.tobytes(start))
        return b"II*\0\x08\0\0\0" + first.tobytes(start) + self.exif_directory(second)

    def exif_directory(self, offset: int) -> bytes:
        """The second directory, little-endian, for the even offset at which it will be in its file."""
        return _directory(self.exif, _EXIF).tobytes(offset)


def safe_fields(image: Image.Image) -> SafeFields:
    """The safe fields of an opened picture; values of another type than the standard's are left out."""
    found = Image.Image.getexif(image)  # not PngImageFile's own, which decodes the whole picture for it
    main = dict(found)
    resolution = image.info.get("dpi")
    if 282 not in main and isinstance(resolution, tuple) and len(resolution) == 2:
        main |= {282: resolution[0], 283: resolution[1], 296: 2}  # JFIF, PNG and BMP have it outside of EXIF
    return SafeFields(_chosen(main, _MAIN), _chosen(found.get_ifd(EXIF_DIRECTORY), _EXIF))


def _chosen(values: Mapping[int, Any], wanted: dict[int, tuple[str, int]]) -> dict[int, Value]:
    found = {tag: _value(kind, values[tag]) for tag, (_, kind) in wanted.items() if tag in values}
    return {tag: value for tag, value in found.items() if value is not None}


def _value(kind: int, value: Any) -> Value | None:
    """The value as its type wants it, or None where it is of another."""
    try:
        if kind == ASCII:
            return "".join(letter for letter in value if " " <= letter <= "~")[:_LONGEST_TEXT].strip() or None
        if kind == SHORT:
            return int(value[0] if isinstance(value, tuple) else value) & 0xFFFF
        several = value if isinstance(value, tuple) else (value,)
        return tuple(_fraction(part, signed=kind == SIGNED_RATIONAL) for part in several[:4])
    except (ArithmeticError, AttributeError, TypeError, ValueError):
        return None


def _fraction(value: Any, *, signed: bool) -> Fraction:
    """As a person would have written it, and coarser where its parts do not fit in 31 bit."""
    if isinstance(value, float):
        value = Fraction(value).limit_denominator(1_000_000)
    exact = Fraction(int(value.numerator), int(value.denominator))
    fitting = exact if max(abs(exact.numerator), exact.denominator) < 2**31 else exact.limit_denominator(1000)
    if abs(fitting.numerator) >= 2**31 or (fitting < 0 and not signed):
        raise OverflowError("a fraction does not fit")
    return fitting


def _directory(values: Mapping[int, Value], types: dict[int, tuple[str, int]]) -> ImageFileDirectory_v2:
    made = ImageFileDirectory_v2()  # little-endian
    for tag, value in values.items():
        made.tagtype[tag] = types[tag][1]
        made[tag] = value
    return made
