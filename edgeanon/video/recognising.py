"""Which files are videos, and what their masked copies are called."""

import os
from pathlib import Path
from typing import Final

from edgeanon import images
from edgeanon.video.encoders import SUFFIXES

NAMES: Final = frozenset(
    {*SUFFIXES, ".qt", ".3gp", ".3g2", ".mpg", ".mpeg", ".m2v", ".ts", ".m2ts", ".mts", ".flv", ".wmv", ".asf", ".ogv"}
)
"""Suffixes of videos. A file of such a name that is none inside is a failure and not just something else."""

_START = 400
_ISO_BOXES = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"}  # ISO 14496-12 and QuickTime, bytes 4 to 7
_BEGINNINGS = (
    b"\x1a\x45\xdf\xa3",  # Matroska and WebM (EBML)
    b"FLV\x01",
    b"\x00\x00\x01\xba",  # MPEG program stream
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",  # ASF
    b"OggS",
)
_TS_PACKET = 188


def is_video(path: str | os.PathLike[str]) -> bool:
    """Whether a file is no picture, and begins as a video does or is named like one; it may still be damaged."""
    path = Path(path)
    if images.is_picture(path):
        return False
    if path.suffix.lower() in NAMES:
        return True
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            start, size = file.read(_START), os.fstat(file.fileno()).st_size
    except (OSError, ValueError):
        return False
    avi = start[:4] == b"RIFF" and start[8:12] == b"AVI "
    transport = len(start) > 2 * _TS_PACKET and start[0] == start[_TS_PACKET] == start[2 * _TS_PACKET] == 0x47
    # A length of 0 means to the end, of 1 that it follows; a text with such a word there says one past its end.
    box = start[4:8] in _ISO_BOXES and int.from_bytes(start[:4], "big") <= max(size, 1)
    return box or start.startswith(_BEGINNINGS) or avi or transport


def output_name(path: str | os.PathLike[str]) -> str:
    """The name of a masked copy: the same, with ``.mp4`` added where its container cannot be written."""
    name = Path(path).name
    return name if Path(name).suffix.lower() in SUFFIXES else f"{name}.mp4"
