"""The pictures that training may use, named by hash in ``pictures.json``, and their labels."""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from edgeanon.boxes import Boxes, as_boxes
from edgeanon.errors import ConfigError

LIST = Path(__file__).with_name("pictures.json")
LONGEST = 1280
"""Longer side in pixels up to which pictures are kept in memory."""


class Source(BaseModel):
    """Where pictures come from.

    Attributes:
        origin: who made the collection.
        licence: as the source states it.
        use: ``train`` for labelled plates, ``negative`` for pictures without any, ``measure`` for what only judges.
        pictures: SHA-256 of each file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    origin: str
    licence: str
    use: str
    pictures: tuple[str, ...]


class PictureList(BaseModel):
    """All sources by name, as ``pictures.json`` has them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sources: dict[str, Source]

    @property
    def sha256(self) -> str:
        """One hash over all that it says."""
        return hashlib.sha256(json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True, eq=False)
class Photograph:
    """A picture at halving sizes, ``(h, w, 3)`` BGR, and the labelled plates on the first of them."""

    source: str
    sha256: str
    levels: tuple[NDArray[np.uint8], ...]
    plates: Boxes

    @property
    def learned(self) -> bool:
        """Whether this picture is trained on; see ``learned``."""
        return learned(self.sha256, plates=bool(len(self.plates)))


def learned(sha256: str, *, plates: bool) -> bool:
    """Whether a listed picture is trained on, by its hash: nine in ten of those with plates, one in two of the others.

    The rest judges the training and its result.
    """
    number = int(sha256[:8], 16)
    return number % 10 != 0 if plates else number % 2 == 1


def listed(path: Path = LIST) -> PictureList:
    """Read the list of pictures."""
    return PictureList.model_validate_json(path.read_bytes())


def load(folder: Path, sources: Collection[str], listing: PictureList) -> list[Photograph]:
    """The listed pictures of some sources out of a folder with an ``annotations.json``.

    Raises:
        ConfigError: a listed picture is not in the folder, or a labelled file is no picture; the message counts them.
    """
    wanted = {sha256: name for name in sources for sha256 in listing.sources[name].pictures}
    found = []
    for entry in json.loads((folder / "annotations.json").read_text(encoding="utf-8")):
        if entry["source"] not in sources:
            continue
        content = (folder / entry["image"]).read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        if wanted.pop(sha256, None) is None:
            continue
        plates = [item["bbox"] for item in entry["objects"] if item["label"] == "plate"]
        found.append(photograph(content, plates, source=entry["source"], sha256=sha256))
    if wanted:
        raise ConfigError(f"{folder} lacks {len(wanted)} of the listed pictures of {', '.join(sorted(sources))}")
    return found


def photograph(content: bytes, plates: Sequence[Sequence[float]], *, source: str, sha256: str) -> Photograph:
    """A picture file with its plates, ``x, y, width, height`` each in its pixels as they are stored."""
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None:
        raise ConfigError(f"the file with the SHA-256 {sha256} cannot be read as a picture")
    scale = min(1.0, LONGEST / max(image.shape[:2]))
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    levels = [np.asarray(image, np.uint8)]
    while min(levels[-1].shape[:2]) > 128 and len(levels) < 4:
        half = cv2.resize(levels[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        levels.append(np.asarray(half, np.uint8))
    edges = as_boxes([[x, y, x + w, y + h] for x, y, w, h in plates]) * np.float32(scale)
    limit = np.array([image.shape[1], image.shape[0]] * 2, np.float32)
    edges = np.clip(edges, 0, limit)
    whole = (edges[:, 2] > edges[:, 0]) & (edges[:, 3] > edges[:, 1])
    return Photograph(source, sha256, tuple(levels), edges[whole])
