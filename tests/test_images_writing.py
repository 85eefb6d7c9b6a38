"""Rules for writing pictures: what comes along and what never does."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, PngImagePlugin, TiffImagePlugin
from PIL.TiffImagePlugin import IFDRational
from tifffile import TiffFile, TiffPage, TiffWriter

from edgeanon.errors import ConfigError, MediaError
from edgeanon.images import SAFE_TAGS, WRITABLE, Page, open_picture, write
from edgeanon.images.chunks import png_chunks
from edgeanon.images.safe import SafeFields
from edgeanon.images.tiff import append

PLANTED = "PLANTED-WORD"
ROWS, COLUMNS = np.mgrid[0:24, 0:40]
COLOUR = np.dstack([COLUMNS * 6, ROWS * 10, (ROWS + COLUMNS) * 3]).astype(np.uint8)
DEEP = np.dstack([COLUMNS * 1600, ROWS * 2700, (ROWS + COLUMNS) * 1000]).astype(np.uint16)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
EVERY = sorted(WRITABLE)


def copy(source: Path, target: Path, **options: Any) -> list[Page]:
    """Write the pages as they are, and read them back."""
    with open_picture(source) as picture:
        write(picture, picture.pages(), target, **options)
    with open_picture(target) as picture:
        return list(picture.pages())


def read(path: Path) -> list[Page]:
    with open_picture(path) as picture:
        return list(picture.pages())


def colour_file(path: Path, pixels: NDArray[Any] = COLOUR) -> Path:
    assert cv2.imwrite(str(path), pixels)
    return path


def planted(path: Path) -> Path:
    """A picture with a secret in each place that its format has for metadata, and with some that are safe."""
    exif = Image.Exif()
    exif[271], exif[272], exif[315], exif[305], exif[306] = "Maker", "Model 1", PLANTED, PLANTED, "2024:01:02 03:04:05"
    inner = exif.get_ifd(0x8769)
    inner[33434], inner[33437], inner[34855] = IFDRational(1, 250), IFDRational(28, 10), 400
    inner[42033] = inner[37510] = inner[42032] = inner[37500] = PLANTED
    exif.get_ifd(0x8825)[1], exif.get_ifd(0x8825)[29] = "N", PLANTED
    xmp = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a>{PLANTED}</a></x:xmpmeta>'.encode()
    image = Image.fromarray(COLOUR)
    options: dict[str, Any] = {}
    match path.suffix:
        case ".jpg":
            photoshop = b"Photoshop 3.0\0" + PLANTED.encode()
            extra = b"\xff\xed" + (len(photoshop) + 2).to_bytes(2, "big") + photoshop
            options = {"exif": exif, "xmp": xmp, "comment": PLANTED.encode(), "extra": extra, "dpi": (300, 300)}
        case ".png":
            text = PngImagePlugin.PngInfo()
            text.add_text("Author", PLANTED)
            text.add_itxt("XML:com.adobe.xmp", xmp.decode())
            text.add_text("Comment", PLANTED, zip=True)
            text.add(b"tIME", b"\x07\xe8\1\2\3\4\5")
            text.add(b"prVt", PLANTED.encode())
            options = {"pnginfo": text, "exif": exif, "dpi": (300, 300)}
        case ".tif":
            tags = TiffImagePlugin.ImageFileDirectory_v2()
            for tag in (269, 270, 285, 305, 315, 316, 33432):
                tags[tag] = PLANTED
            for tag in (700, 33723, 34377):
                tags.tagtype[tag], tags[tag] = 7, PLANTED.encode()
            tags[271], tags[282] = "Maker", IFDRational(300)
            options = {"tiffinfo": tags}
        case ".webp" | ".avif":
            options = {"exif": exif.tobytes(), "xmp": xmp}
        case ".gif":
            options = {"comment": PLANTED.encode()}
    image.save(path, icc_profile=PROFILE, **options)
    path.write_bytes(path.read_bytes() + b"\0" + PLANTED.encode())
    return path


@pytest.mark.parametrize("metadata", ["none", "safe"])
@pytest.mark.parametrize("source", [".jpg", ".png", ".tif", ".webp", ".avif", ".gif", ".bmp"])
def test_no_planted_secret_is_in_the_bytes_of_any_output(tmp_path: Path, source: str, metadata: str) -> None:
    path = planted(tmp_path / f"secret{source}")
    assert PLANTED.encode() in path.read_bytes()
    for suffix in (".jpg", ".png", ".tif", ".webp", ".avif", ".gif", ".bmp"):
        target = tmp_path / f"{metadata}{suffix}"
        copy(path, target, metadata=metadata)
        data = target.read_bytes()
        for forbidden in (PLANTED.encode(), PLANTED.encode("utf-16-le"), b"2024:01:02", b"xmpmeta", b"Photoshop"):
            assert forbidden not in data
        assert metadata == "safe" or b"Maker" not in data
        with Image.open(target) as image:
            exif = image.getexif()
            assert not {0x0112, 0x8825, 306, 315} & set(exif)
            assert "thumbnail" not in image.info


def test_a_png_has_only_the_chunks_that_are_needed(tmp_path: Path) -> None:
    for pixels in (COLOUR, DEEP):
        path = colour_file(tmp_path / "a.png", pixels)
        target = tmp_path / "b.png"
        copy(path, target, overwrite=True)
        with target.open("rb") as file:
            assert {name for name, _, _ in png_chunks(file)} == {b"IHDR", b"IDAT", b"IEND"}


def test_a_tiff_has_only_the_tags_that_are_needed(tmp_path: Path) -> None:
    needed = {256, 257, 258, 259, 262, 273, 277, 278, 279, 282, 283, 284, 296, 317}  # 282, 283, 296: 1 of no unit
    copy(colour_file(tmp_path / "a.png"), tmp_path / "b.tif")
    with TiffFile(tmp_path / "b.tif") as file:
        assert {tag.code for tag in file.pages.first.tags} == needed


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp", ".avif"])
def test_safe_keeps_what_it_says_and_nothing_else(tmp_path: Path, suffix: str) -> None:
    target = tmp_path / f"safe{suffix}"
    copy(planted(tmp_path / "secret.jpg"), target, metadata="safe")
    with Image.open(target) as image:
        exif = image.getexif()
        main = {tag: value for tag, value in exif.items() if tag in {271, 272, 282}}
        inner = dict(exif.get_ifd(0x8769))
    assert main == {271: "Maker", 272: "Model 1", 282: 300}
    assert inner == {33434: Fraction(1, 250), 33437: Fraction(14, 5), 34855: 400}
    names = {ExifTags.TAGS[tag] for tag in main | inner}
    assert names <= set(SAFE_TAGS) | {"ISOSpeedRatings"}


def test_safe_fields_have_the_types_of_the_standard_whatever_their_values(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769).update({33434: IFDRational(1, 250), 34855: 400, 37377: IFDRational(8), 37380: IFDRational(0)})
    Image.fromarray(COLOUR).save(tmp_path / "a.jpg", exif=exif)
    expected = {33434: 5, 34855: 3, 37377: 10, 37380: 10}  # RATIONAL, SHORT and twice SRATIONAL
    for suffix in (".jpg", ".png", ".tif", ".webp", ".avif"):
        copy(tmp_path / "a.jpg", tmp_path / f"b{suffix}", metadata="safe")
        with Image.open(tmp_path / f"b{suffix}") as image:
            block = image.getexif()
            directory = TiffImagePlugin.ImageFileDirectory_v2(block.head)
            block.fp.seek(block[0x8769] if 0x8769 in block else block._hidden_data[0x8769])
            directory.load(block.fp)
        assert directory.tagtype == expected


def test_safe_fields_are_on_the_first_page_of_a_document_and_the_others_are_whole(tmp_path: Path) -> None:
    safe = SafeFields({271: "Maker", 282: (Fraction(300),)}, {34855: 400})
    with (tmp_path / "a.tif").open("w+b") as file, TiffWriter(file, byteorder="<") as writer:
        for fields in (safe, SafeFields(), SafeFields()):
            append(writer, Page(DEEP), fields)
    for page in read(tmp_path / "a.tif"):
        np.testing.assert_array_equal(page.pixels, DEEP)
    with TiffFile(tmp_path / "a.tif") as document:
        pages = [page for page in document.pages if isinstance(page, TiffPage)]
        first, *others = [{tag.code: tag.value for tag in page.tags} for page in pages]
    assert (first[271], first[282], first[296], first[34665]) == ("Maker", (300, 1), 2, {"ISOSpeedRatings": 400})
    assert [set(first) - set(tags) for tags in others] == [{271, 34665}] * 2  # and no other
    assert max(first) == 34665


@pytest.mark.parametrize("fields", [{282: 300, 283: 300, 296: 7}, {282: 2.0**40}, {296: 2}])
def test_a_resolution_that_makes_no_sense_is_left_out_of_a_tiff(tmp_path: Path, fields: dict[int, Any]) -> None:
    exif = Image.Exif()
    exif.update(fields)
    Image.fromarray(COLOUR).save(tmp_path / "a.webp", exif=exif.tobytes())
    copy(tmp_path / "a.webp", tmp_path / "b.tif", metadata="safe")
    with TiffFile(tmp_path / "b.tif") as document:
        assert (document.pages.first.resolution, document.pages.first.resolutionunit) == ((1, 1), 1)


def test_safe_texts_are_short_and_printable(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[271], exif[272] = "A\x01\x07B" + "x" * 500, "\x02"
    Image.fromarray(COLOUR).save(tmp_path / "a.jpg", exif=exif)
    copy(tmp_path / "a.jpg", tmp_path / "b.png", metadata="safe")
    with Image.open(tmp_path / "b.png") as image:
        assert dict(image.getexif()).keys() - {0x8769, 282, 283, 296} == {271}
        assert image.getexif()[271] == "AB" + "x" * 62


def test_another_word_for_metadata_is_refused(tmp_path: Path) -> None:
    with open_picture(colour_file(tmp_path / "a.png")) as picture, pytest.raises(ConfigError, match="metadata"):
        write(picture, picture.pages(), tmp_path / "b.png", metadata="all")
    assert not (tmp_path / "b.png").exists()


@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg", ".webp", ".avif"])
@pytest.mark.parametrize("deep", [False, True])
def test_the_colour_profile_is_kept(tmp_path: Path, suffix: str, *, deep: bool) -> None:
    first, second = tmp_path / "a.tif", tmp_path / f"b{suffix}"
    with open_picture(colour_file(tmp_path / "a.png", DEEP if deep else COLOUR)) as picture:
        write(picture, [Page(page.pixels, profile=PROFILE) for page in picture.pages()], first)
    (page,) = copy(first, second)
    assert page.profile == PROFILE
    with Image.open(second) as image:
        assert image.info["icc_profile"] == PROFILE


def test_a_profile_for_other_channels_and_no_profile_at_all_are_left_out(tmp_path: Path) -> None:
    for profile in (PROFILE, PLANTED.encode() * 30):
        pixels = COLOUR[:, :, 0] if profile is PROFILE else COLOUR
        with open_picture(colour_file(tmp_path / "a.png", pixels)) as picture:
            write(picture, [Page(np.ascontiguousarray(pixels), profile=profile)], tmp_path / "b.png", overwrite=True)
        assert read(tmp_path / "b.png")[0].profile is None


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [0, 3, 4])
def test_lossless_formats_keep_every_sample(
    tmp_path: Path, suffix: str, dtype: type[np.uint8 | np.uint16], channels: int
) -> None:
    pixels = (np.random.default_rng(2).random((24, 40, 4)) * np.iinfo(dtype).max).astype(dtype)
    pixels = pixels[:, :, 0] if channels == 0 else pixels[:, :, :channels]
    path = colour_file(tmp_path / f"a{suffix}", np.ascontiguousarray(pixels))
    (page,) = copy(path, tmp_path / f"b{suffix}")
    np.testing.assert_array_equal(page.pixels, pixels)
    if suffix == ".tif" and (dtype, channels) != (np.uint8, 4):  # another reader; it multiplies alpha of 8 bit in
        np.testing.assert_array_equal(cv2.imread(str(tmp_path / "b.tif"), cv2.IMREAD_UNCHANGED), pixels)


@pytest.mark.parametrize("suffix", EVERY)
@pytest.mark.parametrize("kind", ["grey", "colour", "alpha", "deep", "deep alpha", "ink"])
def test_every_kind_of_page_goes_into_every_format(tmp_path: Path, suffix: str, kind: str) -> None:
    pixels = DEEP if "deep" in kind else COLOUR
    if "alpha" in kind or kind == "ink":
        fourth = np.full((24, 40, 1), np.iinfo(pixels.dtype).max, pixels.dtype)
        fourth[:, :20] = 0 if "alpha" in kind else 128
        pixels = np.dstack([pixels, fourth])
    page = Page(np.ascontiguousarray(pixels[:, :, 0] if kind == "grey" else pixels), cmyk=kind == "ink")
    with open_picture(colour_file(tmp_path / "a.png")) as picture:
        write(picture, [page], tmp_path / f"b{suffix}")
    (back,) = read(tmp_path / f"b{suffix}")
    difference = np.abs(back.bgr().astype(int) - page.bgr())
    assert difference.mean() < 6


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_ink_stays_ink(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"ink{suffix}"
    Image.new("CMYK", (16, 16), (200, 10, 60, 90)).save(path, quality=95)
    (page,) = copy(path, tmp_path / f"again{suffix}")
    assert page.cmyk
    assert np.abs(page.pixels[8, 8].astype(int) - (195, 245, 55, 165)).max() <= 1
    with Image.open(tmp_path / f"again{suffix}") as image:
        assert image.mode == "CMYK"
        assert np.abs(np.asarray(image)[8, 8].astype(int) - (200, 10, 60, 90)).max() <= 1


def test_a_jpeg_keeps_its_tables_subsampling_and_about_its_size(tmp_path: Path) -> None:
    noise = cv2.GaussianBlur(np.random.default_rng(3).integers(0, 256, (200, 300, 3)).astype(np.uint8), (5, 5), 0)
    for quality, subsampling in [(60, 2), (90, 0)]:
        path, target = tmp_path / f"{quality}.jpg", tmp_path / f"{quality}-again.jpg"
        Image.fromarray(noise).save(path, quality=quality, subsampling=subsampling)
        copy(path, target)
        with open_picture(path) as before, open_picture(target) as after:
            assert before.encoding == after.encoding
            assert after.encoding.subsampling == subsampling
        assert 0.9 < target.stat().st_size / path.stat().st_size < 1.1


def test_a_lossless_webp_stays_lossless(tmp_path: Path) -> None:
    Image.fromarray(COLOUR).save(tmp_path / "a.webp", lossless=True)
    (page,) = copy(tmp_path / "a.webp", tmp_path / "b.webp")
    np.testing.assert_array_equal(page.pixels, COLOUR[:, :, ::-1])


@pytest.mark.parametrize("clear", [False, True])
@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp", ".avif"])
def test_an_animation_keeps_frames_times_and_loop(tmp_path: Path, suffix: str, *, clear: bool) -> None:
    frames = []
    for index in range(4):
        pixels = np.zeros((32, 32, 4), np.uint8)
        pixels[:, :, 3] = 0 if clear else 255
        pixels[index * 8 : index * 8 + 8] = (255, index * 60, 0, 255)
        pixels[index * 8, 0, 3] = 0 if clear else 255  # or libwebp calls the bar, and so the picture, opaque
        frames.append(Image.fromarray(pixels))
    path = tmp_path / f"a{suffix}"
    options: dict[str, Any] = {} if suffix == ".avif" else {"loop": 3}
    quality: dict[str, dict[str, Any]] = {".webp": {"lossless": True}, ".avif": {"quality": 100}}
    options |= {"duration": [40, 200, 300, 1000], "disposal": 2 if suffix == ".gif" else 0} | quality.get(suffix, {})
    frames[0].save(path, save_all=True, append_images=frames[1:], **options)
    before, after = read(path), copy(path, tmp_path / f"b{suffix}")
    assert [page.duration for page in after] == [40, 200, 300, 1000]
    for first, second in zip(before, after, strict=True):
        assert first.has_alpha >= clear
        assert np.abs(first.bgr().astype(int) - second.bgr()).mean() < 3
    with open_picture(tmp_path / f"b{suffix}") as picture:
        assert picture.encoding.loop == options.get("loop")


def test_documents_of_several_sizes_and_kinds_stay_documents(tmp_path: Path) -> None:
    pages = [Page(COLOUR), Page(DEEP), Page(np.ascontiguousarray(COLOUR[:7, :9, 0])), Page(COLOUR, profile=PROFILE)]
    frames = [Image.new("L", (4, 4), index) for index in range(4)]
    frames[0].save(tmp_path / "a.tif", save_all=True, append_images=frames[1:])
    with open_picture(tmp_path / "a.tif") as picture:
        write(picture, iter(pages), tmp_path / "b.tif")
    for before, after in zip(pages, read(tmp_path / "b.tif"), strict=True):
        np.testing.assert_array_equal(before.pixels, after.pixels)
        assert before.profile == after.profile


def test_a_tiff_past_4_gib_is_refused_in_words(tmp_path: Path) -> None:
    with (tmp_path / "a.tif").open("w+b") as file, TiffWriter(file, byteorder="<") as writer:
        append(writer, Page(COLOUR), SafeFields())
        file.seek(2**32 - 100)  # a hole: it takes no room
        with pytest.raises(MediaError, match="4 GiB"):
            append(writer, Page(COLOUR), SafeFields())


def test_several_pages_for_a_format_of_one_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    frames = [Image.new("L", (4, 4), index) for index in range(2)]
    frames[0].save(tmp_path / "a.tif", save_all=True, append_images=frames[1:])
    for suffix in (".jpg", ".bmp"):
        with open_picture(tmp_path / "a.tif") as picture, pytest.raises(MediaError, match="one page"):
            write(picture, unreached(), tmp_path / f"b{suffix}")
    assert left(tmp_path) == {"a.tif"}


def unreached() -> Iterator[Page]:
    raise AssertionError("a page was asked for")
    yield Page(COLOUR)


@pytest.mark.parametrize("count", [0, 2])
def test_pages_more_or_fewer_than_the_picture_has_are_refused(tmp_path: Path, count: int) -> None:
    with open_picture(colour_file(tmp_path / "a.png")) as picture, pytest.raises(ConfigError, match="pages"):
        write(picture, [Page(COLOUR)] * count, tmp_path / "b.png")
    assert left(tmp_path) == {"a.png"}


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}
