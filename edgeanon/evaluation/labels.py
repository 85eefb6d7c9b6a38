"""Labelled pictures: what stands where in them, and what of it counts."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, overload

import numpy as np
from numpy.typing import NDArray

from edgeanon.boxes import Boxes
from edgeanon.detections import Kind
from edgeanon.errors import ConfigError, MediaError
from edgeanon.images import open_picture

HEIGHTS: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {"under 16 px": (0, 16), "16-32 px": (16, 32), "32-64 px": (32, 64), "64 px and more": (64, np.inf)}
)
"""Size bins by the height of an object in pixels of its picture; the lower end belongs to a bin, the upper does not."""


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """A picture file with its labels, as parallel arrays of length n.

    Attributes:
        path: of the picture.
        width: of the upright picture in pixels; so is ``height``.
        source: where it comes from, for figures by source; may be empty.
        boxes: ``(n, 4)`` float32, ``x1 y1 x2 y2`` in pixel edges of the upright picture, inside it.
        kinds: ``(n,)`` uint8, values of ``Kind``.
        ignored: ``(n,)`` bool; what is found there is neither right nor wrong, and it need not be found.
        judged: the kinds that were labelled in this picture. Detections of others say nothing here.
    """

    path: Path
    width: int
    height: int
    source: str
    boxes: Boxes
    kinds: NDArray[np.uint8]
    ignored: NDArray[np.bool_]
    judged: frozenset[Kind] = frozenset({Kind.FACE, Kind.PLATE})

    def of(self, kind: Kind) -> Boxes:
        """The boxes ``(n, 4)`` of a kind that count, in the order of the labels."""
        return np.asarray(self.boxes[(self.kinds == kind) & ~self.ignored], np.float32)

    def ignored_of(self, kind: Kind) -> Boxes:
        """The boxes ``(n, 4)`` of a kind in which nothing counts."""
        return np.asarray(self.boxes[(self.kinds == kind) & self.ignored], np.float32)

    def read(self) -> NDArray[np.uint8]:
        """Its pixels, upright, ``(h, w, 3)`` uint8 BGR.

        Raises:
            MediaError: it cannot be read to its end.
            ConfigError: it does not have the size that its labels say.
        """
        with open_picture(self.path) as picture:
            pixels = next(picture.pages()).bgr()
        check_size(self.path, (pixels.shape[1], pixels.shape[0]), (self.width, self.height))
        return pixels


@dataclass(frozen=True, slots=True, eq=False)
class LabelledSet(Sequence[Labelled]):
    """Labelled pictures in a fixed order; read by ``read_labels``.

    Attributes:
        pictures: in the order of the labels.
        notes: what was changed or left out in reading them, a sentence each.
    """

    pictures: tuple[Labelled, ...]
    notes: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.pictures)

    def __iter__(self) -> Iterator[Labelled]:
        return iter(self.pictures)

    @overload
    def __getitem__(self, index: int) -> Labelled: ...
    @overload
    def __getitem__(self, index: slice) -> "LabelledSet": ...
    def __getitem__(self, index: int | slice) -> "Labelled | LabelledSet":
        return replace(self, pictures=self.pictures[index]) if isinstance(index, slice) else self.pictures[index]

    def total(self, kind: Kind) -> int:
        """How many objects of a kind count."""
        return sum(len(picture.of(kind)) for picture in self.pictures)

    @property
    def kinds(self) -> list[Kind]:
        """The kinds of which there is an object that counts."""
        return [kind for kind in Kind if self.total(kind)]

    def only(self, *kinds: Kind) -> "LabelledSet":
        """The pictures in which one of these kinds was labelled, with or without an object of it."""
        kept = tuple(picture for picture in self.pictures if picture.judged & set(kinds))
        return replace(self, pictures=kept)

    def sample(self, count: int, *, seed: int = 0) -> "LabelledSet":
        """So many pictures, spread over the sources as the set is; the same for the same seed, in the set's order."""
        if count >= len(self):
            return self
        random = np.random.default_rng(seed)
        sizes = Counter(picture.source for picture in self.pictures)
        drawn: dict[str, list[float]] = {}
        for source, size in sorted(sizes.items()):
            drawn[source] = ((random.permutation(size) + random.random()) / size).tolist()
        # Evenly spaced numbers for each source, so that the smallest of all are a share of each.
        rank = [drawn[picture.source].pop() for picture in self.pictures]
        chosen = sorted(np.argsort(rank, kind="stable")[:count].tolist())
        return replace(self, pictures=tuple(self.pictures[index] for index in chosen))

    def sha256(self) -> str:
        """One hash over the bytes of every picture and all that its labels say, in order; names do not count."""
        whole = hashlib.sha256()
        for picture in self.pictures:
            try:
                whole.update(hashlib.sha256(picture.path.read_bytes()).digest())
            except OSError as error:
                raise MediaError(f"{picture.path} cannot be read ({error.strerror})") from error
            for column in (picture.boxes.astype("<f4"), picture.kinds, picture.ignored):
                whole.update(len(column).to_bytes(8, "little") + np.ascontiguousarray(column).tobytes())
            whole.update(bytes(sorted(int(kind) for kind in picture.judged)))
        return whole.hexdigest()


def check_size(path: Path, found: tuple[int, int], said: tuple[int, int]) -> None:
    """Raise a ConfigError unless an upright picture has the width and height that its labels say."""
    if found == said:
        return
    turned = " (turned by its EXIF orientation: labels belong on the upright picture)" if found == said[::-1] else ""
    raise ConfigError(
        f"{path} is {found[0]} x {found[1]} pixels and its labels say {said[0]} x {said[1]}{turned}: the boxes would "
        "be in wrong places; name the folder with the pictures that were labelled"
    )


def height_bin(height: float) -> str:
    """Which of ``HEIGHTS`` an object of this height falls into."""
    return next(name for name, (low, high) in HEIGHTS.items() if low <= height < high)


Meaning = Kind | Literal["ignore", "skip"]
"""What a label stands for: a kind, a region in which nothing counts, or nothing at all."""
