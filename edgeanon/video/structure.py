"""Whether a file is whole by its own structure.

FFmpeg reads a file that was cut off to where it ends and calls that its end, and in Matroska it passes over what it
cannot make out to where it finds its feet again. The containers say better: each begins its parts with their length.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

_MASTER_HEADER: Final = b"\x1a\x45\xdf\xa3"  # EBML, the first four bytes of Matroska and WebM
_SEGMENT: Final = b"\x18\x53\x80\x67"
_CLUSTER: Final = b"\x1f\x43\xb6\x75"
_SIMPLE_BLOCK: Final = b"\xa3"


def promised_size(path: Path, format_name: str) -> int | None:
    """How many bytes the container says that it has; None when it does not say, or is of another kind.

    Args:
        path: a file.
        format_name: FFmpeg's name of its format, several names with commas.
    """
    measures: dict[str, Callable[[BinaryIO, int], int | None]] = {"mov": _mov, "matroska": _matroska, "avi": _avi}
    measure = next((measures[name] for name in format_name.split(",") if name in measures), None)
    if measure is None:
        return None
    with path.open("rb") as file:
        return measure(file, os.fstat(file.fileno()).st_size)


def _mov(file: BinaryIO, size: int) -> int | None:
    """ISO 14496-12: a row of boxes, each with its length in front."""
    at = 0
    while at + 8 <= size:
        file.seek(at)
        head = file.read(16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length < 8 or not head[4:8].isascii():
            return None  # to the end of the file, or no box: nothing is promised
        at += length
    return at


def has_holes(path: Path, format_name: str) -> bool:
    """Whether a Matroska or WebM file has places where no element begins that should; False for other kinds."""
    if "matroska" not in format_name.split(","):
        return False
    with path.open("rb") as file:
        length = _matroska(file, 0)
        end = os.fstat(file.fileno()).st_size
        return not _elements_fit(file, end if length is None else min(end, length))


def _elements_fit(file: BinaryIO, end: int) -> bool:
    """Whether the elements from here to the end of a segment or cluster each begin where the one before ends."""
    while file.tell() < end:
        identity = file.read(1)
        if not identity or identity[0] < 0x10:  # an identity has at most four bytes
            return False
        identity += file.read(8 - identity[0].bit_length())
        length = _number(file)
        if length is None:
            return True  # of no known length: what follows may be its child or not
        after = file.tell() + length
        if identity == _CLUSTER:
            if after <= end and not _elements_fit(file, after):
                return False
        elif after > end or (identity == _SIMPLE_BLOCK and file.read(1) == b"\0"):
            return False  # a block begins with the number of its track, which is not 0
        file.seek(after)
    return True


def _matroska(file: BinaryIO, _: int) -> int | None:
    """RFC 8794: after the header comes one element with all the rest in it. Leaves off where that begins."""
    if file.read(4) != _MASTER_HEADER:
        return None
    header = _number(file)
    if header is None:
        return None
    file.seek(header, os.SEEK_CUR)
    if file.read(4) != _SEGMENT:
        return None
    length = _number(file)
    return None if length is None else file.tell() + length


def _number(file: BinaryIO) -> int | None:
    """An EBML length: as many bytes as the first has leading zeros, and one; all ones stand for "not known"."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    width = 9 - first[0].bit_length()
    value = int.from_bytes(first + file.read(width - 1), "big") & ((1 << 7 * width) - 1)
    return None if value == (1 << 7 * width) - 1 else value


def _avi(file: BinaryIO, size: int) -> int | None:
    """One or more RIFF chunks, each with its length after its name."""
    at = 0
    while at + 8 <= size:
        file.seek(at)
        head = file.read(8)
        length = int.from_bytes(head[4:], "little")
        if head[:4] != b"RIFF" or not length:
            break
        at += 8 + length + length % 2
    return at or None
