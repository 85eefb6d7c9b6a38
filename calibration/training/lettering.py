"""Characters, words and fonts: text as a mask of grey levels."""

import tomllib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".local/share/fonts")
FACE_HEIGHT = 64
"""Size in which a font is drawn before its text is scaled to its place, in pixels."""

_READ = tomllib.loads(Path(__file__).with_name("characters.toml").read_text(encoding="utf-8"))
CHARACTERS: dict[str, str] = _READ["characters"]
WORDS: dict[str, list[str]] = {name: text.split() for name, text in _READ["words"].items()}
SCRIPTS = (
    ((0x0400, 0x0530), "cyrillic"),
    ((0x0600, 0x0700), "arabic"),
    ((0x0900, 0x0980), "devanagari"),
    ((0x0E00, 0x0E80), "thai"),
    ((0x3040, 0x3100), "japanese"),
    ((0x4E00, 0xA000), "chinese"),
    ((0xAC00, 0xD7B0), "korean"),
)


def written(pattern: str, generator: np.random.Generator) -> str:
    """A text by a pattern of ``formats.toml``."""
    if pattern.startswith("="):
        return pattern[1:]
    text = ""
    for character in pattern:
        if character in CHARACTERS:
            text += CHARACTERS[character][generator.integers(len(CHARACTERS[character]))]
        elif character in WORDS:
            text += WORDS[character][generator.integers(len(WORDS[character]))]
        else:
            text += character
    return text


def script_of(text: str) -> str:
    """Which fonts can write a text."""
    for character in text:
        for (first, end), name in SCRIPTS:
            if first <= ord(character) < end:
                japanese = name == "chinese" and any(place in text for place in WORDS["J"])
                return "japanese" if japanese else name
    return "latin"


@lru_cache
def installed() -> dict[str, tuple[Path, ...]]:
    """The fonts of ``fonts.toml`` that this machine has, by script."""
    found = {path.name: path for folder in FOLDERS for path in sorted(folder.rglob("*.[to]t[fc]"))}
    wanted = tomllib.loads(Path(__file__).with_name("fonts.toml").read_text(encoding="utf-8"))
    return {script: tuple(found[name] for name in names if name in found) for script, names in wanted.items()}


@lru_cache(maxsize=256)
def _face(path: Path | None) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.truetype(str(path), FACE_HEIGHT) if path else ImageFont.load_default(FACE_HEIGHT)


@lru_cache
def _writes_latin(path: Path) -> bool:
    """Whether a font has Latin capitals and digits; a glyph that is missing looks like any other that is."""
    face = _face(path)
    missing = bytes(face.getmask("\U0010ffff"))
    return all(bytes(face.getmask(character)) != missing for character in "A0")


def mask(text: str, generator: np.random.Generator, *, script: str = "", spacing: float = 0) -> NDArray[np.uint8]:
    """A text in one of its fonts, cut to its ink: ``(h, w)`` uint8, 255 where there is ink.

    Args:
        text: what is written.
        generator: chooses the font.
        script: of the font; by default what the text asks for.
        spacing: added between characters, as a share of their own width; joined scripts take none.
    """
    script = script or script_of(text)
    faces = installed().get(script, ())
    if script != "latin" and any("0" <= character <= "Z" for character in text):
        faces = tuple(path for path in faces if _writes_latin(path)) or installed().get("latin", ())
    face = _face(faces[generator.integers(len(faces))] if faces else None)
    joined = script in {"arabic", "thai", "devanagari"} or not spacing
    pieces = [text] if joined else list(text)
    room = round(sum(face.getlength(piece) * (1 + spacing) for piece in pieces)) + FACE_HEIGHT
    image = Image.new("L", (room, FACE_HEIGHT * 2))
    draw, x = ImageDraw.Draw(image), FACE_HEIGHT / 2
    for piece in pieces:
        draw.text((x, FACE_HEIGHT / 2), piece, fill=255, font=face)
        x += face.getlength(piece) * (1 + spacing)
    box = image.getbbox()
    return np.asarray(image.crop(box) if box else Image.new("L", (4, 4)), np.uint8)


def fitted(ink: NDArray[np.uint8], width: int, height: int, most: float = 1.35) -> NDArray[np.uint8]:
    """A mask scaled to a rectangle and centred in it; made narrower as need be, and wider up to ``most`` times."""
    natural = ink.shape[1] * height / ink.shape[0]
    across = max(1, min(width, round(natural * most)))
    scaled = cv2.resize(ink, (across, max(1, height)), interpolation=cv2.INTER_AREA)
    placed = np.zeros((max(1, height), max(width, across)), np.uint8)
    left = (placed.shape[1] - across) // 2
    placed[:, left : left + across] = scaled
    return placed


def words(count: int, generator: np.random.Generator, letters: Sequence[str] = "aeiounrstlmdkpbcgh") -> str:
    """Words that mean nothing, in small letters or capitals, for signs and pages."""
    chosen = []
    for length in generator.integers(2, 10, count):
        word = "".join(letters[place] for place in generator.integers(0, len(letters), length))
        chosen.append((word.upper(), word.title(), word)[generator.integers(3)])
    return " ".join(chosen)
