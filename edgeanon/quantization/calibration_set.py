"""Which pictures a model is calibrated on, and what its network sees of them."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeanon.detector import Detector
from edgeanon.errors import ConfigError, MediaError
from edgeanon.images import is_picture, open_picture
from edgeanon.preprocess import View
from edgeanon.quantization.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Candidate:
    """A picture that could be taken.

    Attributes:
        path: of the file.
        sha256: of the file.
        source: its folder, within the folder that was named.
        width: upright, in pixels; so is ``height``.
        brightness: mean of all channels, 0..255.
    """

    path: Path
    sha256: str
    source: str
    width: int
    height: int
    brightness: float

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.width * self.height


def candidates(calibration: str | Path | Iterable[str | Path]) -> list[Candidate]:
    """The pictures of a folder and its subfolders, or of a list of files, each once however often it is there.

    Raises:
        MediaError: the folder is none, or a listed file cannot be read.
    """
    if isinstance(calibration, str | Path):
        folder = Path(calibration)
        if not folder.is_dir():
            raise MediaError(f"{folder} is no folder: name the folder that holds the calibration pictures")
        every = sorted(path for path in folder.rglob("*") if path.is_file() and is_picture(path))
    else:
        folder, every = Path(), [Path(path) for path in calibration]
    by_hash: dict[str, Candidate] = {}
    for path in every:
        image = read(path)
        source = path.parent.relative_to(folder) if path.is_relative_to(folder) else path.parent
        one = Candidate(path, file_hash(path), str(source), image.shape[1], image.shape[0], float(image.mean()))
        by_hash.setdefault(one.sha256, one)
    return list(by_hash.values())


def choose(found: Sequence[Candidate], count: int, seed: int) -> list[Candidate]:
    """So many of them, spread over sources, sizes and brightness; the same for the same seed and files, whatever the
    files are called and in whatever order they come. In the order of their hashes.

    Sources take turns; within a source so do its three thirds by size, and each of their thirds by brightness.

    Raises:
        ConfigError: there are fewer.
    """
    if len(found) < count:
        raise ConfigError(
            f"{count} different calibration pictures are asked for and {len(found)} are there: add pictures, or set "
            f"pictures = {len(found)} in the recipe"
        )
    by_source: dict[str, list[Candidate]] = defaultdict(list)
    for one in sorted(found, key=lambda one: hashlib.sha256(f"{seed} {one.sha256}".encode()).digest()):
        by_source[one.source].append(one)
    turns = [
        _in_turn([_in_turn(_thirds(size, _brightness)) for size in _thirds(of, _pixels)]) for of in by_source.values()
    ]
    return sorted(_in_turn(turns)[:count], key=lambda one: one.sha256)


def _pixels(one: Candidate) -> float:
    return one.pixels


def _brightness(one: Candidate) -> float:
    return one.brightness


def _thirds(group: Sequence[Candidate], measure: Callable[[Candidate], float]) -> list[list[Candidate]]:
    """The lower, middle and upper third by a measure, each in the order given."""
    places = sorted(range(len(group)), key=lambda place: (measure(group[place]), place))
    third = {place: 3 * rank // len(group) for rank, place in enumerate(places)}
    return [[one for place, one in enumerate(group) if third[place] == which] for which in range(3)]


def _in_turn(groups: Iterable[Sequence[Candidate]]) -> list[Candidate]:
    """One of each group, then the next of each."""
    return [one for row in zip_longest(*groups) for one in row if one is not None]


@dataclass(frozen=True, slots=True)
class Look:
    """One view of one picture."""

    picture: Candidate
    view: View

    def render(self) -> NDArray[np.uint8]:
        """The network's input, as inference gets it."""
        return self.view.render(read(self.picture.path))


def looks(detector: Detector, pictures: Sequence[Candidate], recipe: Recipe) -> list[Look]:
    """The views that calibration takes of each picture: of those that the detector takes, one of each scale by turns,
    tiles at random; some pictures as frames of a video.
    """
    return [look for one in pictures for look in _of_one(detector, one, recipe)]


def _of_one(detector: Detector, one: Candidate, recipe: Recipe) -> Iterator[Look]:
    random = np.random.default_rng([recipe.seed, int(one.sha256[:15], 16)])
    views = detector.views(one.width, one.height, moving=bool(random.random() < recipe.moving))
    by_scale: dict[float, list[View]] = defaultdict(list)
    for index in random.permutation(len(views)):
        view = views[index]
        by_scale[round(view.width / (view.right - view.left), 2)].append(view)
    ordered = [view for row in zip_longest(*(by_scale[scale] for scale in sorted(by_scale))) for view in row if view]
    yield from (Look(one, view) for view in ordered[: recipe.views])


def read(path: Path) -> NDArray[np.uint8]:
    """The first page of a picture, upright, ``(h, w, 3)`` uint8 BGR."""
    with open_picture(path) as picture:
        return next(picture.pages()).bgr()


def file_hash(path: Path) -> str:
    """SHA-256 of a file.

    Raises:
        MediaError: it cannot be read.
    """
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise MediaError(f"{path} cannot be read ({error.strerror})") from error
