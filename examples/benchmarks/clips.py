"""Labelled clips: the demonstration clip, and ones made by moving, covering and degrading labelled pictures.

A made clip shows three pictures one after the other. Each is seen through a window that pans, zooms and shakes;
something passes before it; blur, noise, darkness or JPEG artefacts come and go; and the whole went through H.264. The
labels follow the window, and know how much of an object shows. The same seed makes the same clips.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from edgeanon.detections import Frame, Kind
from edgeanon.evaluation.clips import LEAST, Clip, Followed, Seen, large_enough, read_clip
from examples.benchmarks.measuring import Labelled, Picture

__all__ = ["LEAST", "RATE", "Clip", "Followed", "Seen", "demonstration", "make"]

RATE = 25
SIZES = ((960, 540), (640, 360))
SOURCES = {  # those whose boxes are tight
    Kind.FACE: {"facemask853", "dlib_faces"},
    Kind.PLATE: {"romanian", "iwpod", "kaggle_cars433"},
}
HIDDEN = 0.05
"""An object of which less than this share shows has no label in that frame."""
DEGRADATIONS = ("blur", "motion", "noise", "dark", "jpeg")

Window = tuple[float, float, float]  # left, top and width in pixels of the picture
Random = np.random.Generator


def demonstration(folder: Path) -> Clip:
    """The clip of ``street-clip.json``, which a folder holds with its video."""
    return replace(read_clip(folder / "street-clip.json"), name="demonstration")


def make(
    pictures: Sequence[Labelled], *, count: int, seed: int = 1, sizes: Sequence[tuple[int, int]] = SIZES
) -> Iterator[Clip]:
    """Clips of labelled pictures; pictures are taken once each, in an order that the seed decides.

    The clips take the sizes, width and height, in turn.

    Raises:
        SystemExit: there are too few pictures with objects that are large enough.
    """
    random = np.random.default_rng(seed)
    pools = {}
    for kind, sources in SOURCES.items():
        pool = [one for one in pictures if one.source in sources and len(one.of(kind))]
        pools[kind] = [pool[at] for at in random.permutation(len(pool))]
    for number in range(count):
        yield _clip(f"clip {number + 1}", pools, np.random.default_rng([seed, number]), sizes[number % len(sizes)])


@dataclass(frozen=True, slots=True)
class Occluder:
    """A plain thing that passes by: a post, a board or a ball, as wide as a share of the frame."""

    shape: str
    width: float
    colour: tuple[int, int, int]
    first: int
    last: int
    height: float
    backward: bool

    def cover(self, frame: int, size: tuple[int, int]) -> NDArray[np.float32] | None:
        """Its share of each pixel ``(h, w)``, 0..1, or None while it is not there."""
        if not self.first <= frame < self.last:
            return None
        width, height = size
        half = self.width * width / 2
        share = (frame - self.first) / max(self.last - 1 - self.first, 1)
        x = -half + (width + 2 * half) * (1 - share if self.backward else share)
        rows, columns = np.mgrid[0:height, 0:width].astype(np.float32) + np.float32(0.5)
        if self.shape == "ball":
            within = half - np.hypot(columns - x, rows - self.height * height)
        else:
            within = half - np.abs(columns - x)
            if self.shape == "board":
                within = np.minimum(within, rows - self.height * height / 2)
        return np.asarray(np.clip(within / 2 + 0.5, 0, 1), np.float32)


@dataclass(frozen=True, slots=True)
class Episode:
    """A degradation that comes, stays and goes; ``strength`` is how bad it gets, 0..1."""

    what: str
    strength: float
    first: int
    last: int

    def amount(self, frame: int) -> float:
        """How bad it is in a frame: up and down over a quarter of its time each."""
        if not self.first <= frame < self.last:
            return 0.0
        share = (frame - self.first + 0.5) / (self.last - self.first)
        return self.strength * min(1.0, 4 * share, 4 * (1 - share))


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture of a clip: what it is seen through, what passes, what goes wrong."""

    picture: Labelled
    size: tuple[int, int]
    windows: list[Window]
    occluders: tuple[Occluder, ...]
    episodes: tuple[Episode, ...]
    seed: int

    def frames(self) -> Iterator[Picture]:
        image = self.picture.read()
        random = np.random.default_rng(self.seed)
        for frame, window in enumerate(self.windows):
            shown = seen_through(image, window, self.size).astype(np.float32)
            for occluder in self.occluders:
                cover = occluder.cover(frame, self.size)
                if cover is not None:
                    shown += cover[..., None] * (np.array(occluder.colour, np.float32) - shown)
            for episode in self.episodes:
                shown = degraded(shown, episode.what, episode.amount(frame), random)
            yield np.clip(shown + 0.5, 0, 255).astype(np.uint8)

    def label(self, first: int, name: str) -> list[Followed]:
        """Its objects, whose frames count from ``first``."""
        rows = [(kind, box) for kind in (Kind.FACE, Kind.PLATE) for box in self.picture.of(kind).tolist()]
        objects = [Followed(f"{name}, {kind.name.lower()} {at + 1}", kind) for at, (kind, _) in enumerate(rows)]
        width, height = self.size
        for frame, (left, top, across) in enumerate(self.windows):
            through = np.ones((height, width), np.float32)
            for occluder in self.occluders:
                cover = occluder.cover(frame, self.size)
                through *= 1 if cover is None else 1 - cover
            scale = width / across
            for one, (_, (x1, y1, x2, y2)) in zip(objects, rows, strict=True):
                whole = ((x1 - left) * scale, (y1 - top) * scale, (x2 - left) * scale, (y2 - top) * scale)
                box = (max(whole[0], 0.0), max(whole[1], 0.0), min(whole[2], width), min(whole[3], height))
                if box[2] <= box[0] or box[3] <= box[1]:
                    continue
                part = through[int(box[1]) : int(np.ceil(box[3])), int(box[0]) : int(np.ceil(box[2]))]
                inside = (box[2] - box[0]) * (box[3] - box[1]) / ((x2 - x1) * (y2 - y1) * scale * scale)
                visible = float(part.mean()) * inside
                if visible >= HIDDEN:
                    one.seen[first + frame] = Seen(box, visible)
        return [one for one in objects if one.seen]


def seen_through(image: Picture, window: Window, size: tuple[int, int]) -> Picture:
    """What a window shows, as large as a frame; past the picture's edge its last pixels go on."""
    left, top, across = window
    scale = size[0] / across
    matrix = np.array([[scale, 0, scale / 2 - 0.5 - left * scale], [0, scale, scale / 2 - 0.5 - top * scale]])
    if scale < 1:  # else fine detail would flicker
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), 0.5 / scale), np.uint8)
    edge = cv2.BORDER_REPLICATE
    return np.asarray(cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=edge), np.uint8)


def degraded(image: NDArray[np.float32], what: str, amount: float, random: Random) -> NDArray[np.float32]:
    """A picture 0..255 made worse by an amount of 0..1."""
    if amount <= 0:
        return image
    worse: Any
    if what == "blur":
        worse = cv2.GaussianBlur(image, (0, 0), 0.3 + 4 * amount)
    elif what == "motion":
        kernel = np.ones((1, 1 + 2 * round(10 * amount)), np.float32)
        worse = cv2.filter2D(image, -1, kernel / kernel.size)
    elif what == "noise":
        worse = image + random.normal(0, 45 * amount, image.shape)
    elif what == "dark":
        worse = image * (1 - 0.88 * amount) + random.normal(0, 5 * amount, image.shape)
    else:
        quality = [cv2.IMWRITE_JPEG_QUALITY, round(60 - 54 * amount)]
        packed = cv2.imencode(".jpg", np.clip(image, 0, 255).astype(np.uint8), quality)[1]
        worse = cv2.imdecode(packed, cv2.IMREAD_COLOR)
    return np.asarray(worse, np.float32)


def compressed(frames: Iterator[Picture], size: tuple[int, int], crf: int) -> Iterator[Frame]:
    """The frames after H.264 at this constant rate factor."""
    memory = io.BytesIO()
    with av.open(memory, "w", format="matroska") as container:
        options = {"crf": str(crf), "preset": "veryfast", "threads": "1"}
        stream = container.add_stream("libx264", rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for pixels in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="bgr24")))
        container.mux(stream.encode(None))
    memory.seek(0)
    with av.open(memory, "r") as container:
        for index, frame in enumerate(container.decode(video=0)):
            yield Frame(np.asarray(frame.to_ndarray(format="bgr24"), np.uint8), index, Fraction(index, RATE))


def _clip(name: str, pools: dict[Kind, list[Labelled]], random: Random, size: tuple[int, int]) -> Clip:
    scenes: list[Scene] = []
    objects: list[Followed] = []
    length = 0
    # Pictures of plates show one or two, those of faces show many.
    for at, kind in enumerate(random.permutation([Kind.FACE, Kind.PLATE, Kind.PLATE])):
        scene = _scene(pools[Kind(kind)], Kind(kind), random, size)
        found = scene.label(length, f"{name}, scene {at + 1}")
        scenes.append(scene)
        objects += found
        length += len(scene.windows)
    crf = int(random.integers(22, 36))

    def frames() -> Iterator[Frame]:
        return compressed((picture for scene in scenes for picture in scene.frames()), size, crf)

    return Clip(name, *size, length, Fraction(RATE), objects, frames)


def _scene(pool: list[Labelled], kind: Kind, random: Random, size: tuple[int, int]) -> Scene:
    while pool:
        picture = pool.pop()
        length = int(random.integers(34, 52))
        windows = _windows(picture, kind, random, size, length)
        if windows:
            break
    else:
        raise SystemExit("too few labelled pictures with objects that are large enough: ask for fewer clips")
    occluders = []
    if random.random() < 0.75:
        first = int(random.integers(3, length // 2))
        occluders.append(
            Occluder(
                ("post", "board", "ball")[int(random.integers(3))],
                float(random.uniform(0.05, 0.3)),
                (int(random.integers(20, 200)), int(random.integers(20, 200)), int(random.integers(20, 200))),
                first,
                min(first + int(random.integers(12, 36)), length),
                float(random.uniform(0.1, 0.6)),
                bool(random.random() < 0.5),
            )
        )
    episodes = []
    for what in random.choice(DEGRADATIONS, size=int(random.integers(1, 3)), replace=False):
        first = int(random.integers(0, length - 15))
        last = min(first + int(random.integers(8, 30)), length)
        episodes.append(Episode(str(what), float(random.uniform(0.4, 1.0)), first, last))
    return Scene(picture, size, windows, tuple(occluders), tuple(episodes), int(random.integers(2**31)))


def _windows(picture: Labelled, kind: Kind, random: Random, size: tuple[int, int], length: int) -> list[Window] | None:
    """A pan, a zoom and a shake that begin and end with an object of the kind, whole and large enough; or None."""
    widest = min(picture.width, picture.height * size[0] / size[1])
    ends: list[Window] = []
    boxes = picture.of(kind)
    for _ in range(60):
        box = boxes[int(random.integers(len(boxes)))]
        across = widest * float(random.uniform(0.5, 0.97))
        high = across * size[1] / size[0]
        middle = (box[:2] + box[2:]) / 2 + random.uniform(-0.3, 0.3, 2) * (across, high)
        left = float(np.clip(middle[0] - across / 2, 0, picture.width - across))
        top = float(np.clip(middle[1] - high / 2, 0, picture.height - high))
        shown = (box - (left, top, left, top)) * (size[0] / across)
        inside = min(shown[:2]) >= 0 and shown[2] <= size[0] and shown[3] <= size[1]
        # One that fills the frame would not be followed but be the frame.
        if inside and large_enough(kind, shown) and shown[3] - shown[1] < size[1] / 2:
            ends.append((left, top, across))
        if len(ends) == 2:
            break
    else:
        return None
    share = np.linspace(0, 1, length)
    eased = (share * share * (3 - 2 * share))[:, None]
    path = np.asarray(ends[0]) * (1 - eased) + np.asarray(ends[1]) * eased
    frames = np.arange(length)
    strength = float(random.uniform(0.0, 0.006)) * path[:, 2]
    for column in (0, 1):
        for period in (23.0, 9.0, 3.7):
            path[:, column] += strength * np.sin(2 * np.pi * (frames / period + random.random())) * period / 23
    return [(float(left), float(top), float(across)) for left, top, across in path]
