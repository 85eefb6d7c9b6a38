"""How files are laid out, as far as Pillow and OpenCV do not say: what a file is, what trails it, PNG's chunks."""

import re
import struct
from collections.abc import Iterator
from typing import BinaryIO

# Chunks that say how samples become colours, and how long each is; PNG 3rd edition, 11.3.2.
PNG_COLOUR = {b"cHRM": 32, b"gAMA": 4, b"sRGB": 1, b"cICP": 4}

PNG_HEADER = 33  # bytes before the first chunk that may be put in: signature 8, IHDR 4 + 4 + 13 + 4

_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"})
_BMP_HEADERS = frozenset({12, 16, 40, 52, 56, 64, 108, 124})  # sizes of the header in all versions
_JPEG_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")  # no stuffed byte, no restart


def sniff(start: bytes) -> str | None:
    """The format of a file by its first 64 bytes, named as Pillow names it, or None."""
    if start.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if start.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "WEBP"
    if start[:4] in {b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"}:
        return "TIFF"
    if start[:6] in {b"GIF87a", b"GIF89a"}:
        return "GIF"
    if start[:2] == b"BM" and len(start) >= 18 and int.from_bytes(start[14:18], "little") in _BMP_HEADERS:
        return "BMP"
    if start[4:8] == b"ftyp":
        length = int.from_bytes(start[:4], "big")
        brands = {start[at : at + 4] for at in (8, *range(16, min(length, len(start)), 4))}
        if brands & {b"avif", b"avis"}:
            return "AVIF"
        if brands & _HEIF_BRANDS:
            return "HEIF"
    return None


def png_chunks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and length of the data of each chunk, to IEND or to where the file stops making sense."""
    file.seek(0, 2)
    size = file.tell()
    place = 8
    while place + 12 <= size:
        file.seek(place)
        length, name = struct.unpack(">I4s", file.read(8))
        yield name, place + 8, length
        if name == b"IEND":
            return
        place += 12 + length


def jpeg_trailer(data: bytes) -> int:
    """How many bytes come after the end of the first picture of a JPEG; 0 where there is no end."""
    place = 2
    while place + 4 <= len(data):
        found = _JPEG_MARKER.search(data, place)
        if found is None:
            return 0
        marker, place = found[1][0], found.end()
        if marker == 0xD9:
            return len(data) - place
        if marker != 0x01 and place + 2 <= len(data):  # all others but TEM have a length
            place += int.from_bytes(data[place : place + 2], "big")
    return 0


def webp_is_lossless(start: bytes) -> bool:
    """Whether the first picture in a WebP is coded without loss, as far as the file's start tells."""
    place = 12
    while place + 8 <= len(start):
        name, length = start[place : place + 4], int.from_bytes(start[place + 4 : place + 8], "little")
        if name == b"ANMF":
            place += 8 + 16  # its own frame header, then chunks again
            continue
        if name in {b"VP8 ", b"VP8L"}:
            return name == b"VP8L"
        place += 8 + length + length % 2
    return False


def gif_end(data: bytes) -> int | None:
    """Where a GIF ends, behind its trailer; None where it is cut short. GIF89a, sections 17 to 27."""
    place = 13 + _colours(data, 10)
    while place < len(data):
        kind = data[place]
        if kind == 0x3B:
            return place + 1
        if kind == 0x2C:
            place += 10 + _colours(data, place + 9) + 1  # and the size of the codes
        else:  # an extension and its label, or bytes that readers pass over
            place += 2 if kind == 0x21 else 1
            if kind != 0x21:
                continue
        while place < len(data) and data[place]:
            place += 1 + data[place]
        place += 1
    return None


def _colours(data: bytes, place: int) -> int:
    """Bytes of the table of colours that the flags at a place announce."""
    flags = data[place] if place < len(data) else 0
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0
