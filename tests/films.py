"""Films for the tests: a small white object that `tiny.bright` finds, on a grey ground that it does not."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from edgeanon import Anonymizer, Detector, Fill, Frame, Masker
from edgeanon.decoders import Candidates, center_point
from edgeanon.errors import ModelError
from tests import tiny

Image = NDArray[np.uint8]
Place = tuple[int, int]

WIDTH, HEIGHT = 160, 96
SIDE = 8
"""Of the object, in pixels. Found, it is covered by a box of about four times that."""
WHITE, DIM = 255, 225
"""The object as it is found, and as it is not although anybody sees it."""
RATE = 25
STEP = Fraction(1, RATE)


def resting(_: int) -> Place:
    return (72, 40)


def walking(index: int) -> Place:
    """Two pixels a frame to the right, 50 a second."""
    return (16 + 2 * index, 40)


def ground(seed: int = 0) -> Image:
    """A texture of medium greys; another seed is another scene."""
    random = np.random.default_rng(seed)
    coarse = random.integers(40, 150, (HEIGHT // 8, WIDTH // 8), np.uint8)
    grey = np.kron(coarse, np.ones((8, 8), np.uint8))
    return np.repeat(grey[:, :, None], 3, axis=2)


def film(
    count: int,
    *,
    at: Callable[[int], Place | None] = resting,
    dim: Iterable[int] = (),
    scene: Callable[[int], int] = lambda _: 0,
) -> list[Image]:
    """Pictures with the object: where ``at`` says, or nowhere; dim where the detector is to miss it."""
    unseen = frozenset(dim)
    pictures = []
    for index in range(count):
        image = ground(scene(index))
        place = at(index)
        if place is not None:
            x, y = place
            image[y : y + SIDE, x : x + SIDE] = DIM if index in unseen else WHITE
        pictures.append(image)
    return pictures


def frames(pictures: Iterable[Image]) -> Iterator[Frame]:
    for index, image in enumerate(pictures):
        yield Frame(image, index, index * STEP)


def save(path: Path, pictures: Iterable[Image], *, codec: str = "libx264", exact: bool = False, angle: int = 0) -> Path:
    """A video of these pictures, shown turned by an angle; greys are kept exactly where asked."""
    path.parent.mkdir(parents=True, exist_ok=True)
    quality = {"qp": "0"} if exact else {"crf": "8"}
    options = {"preset": "ultrafast", "g": "10", **quality} if codec == "libx264" else {}
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=RATE, options=options)
        stream.width, stream.height = WIDTH, HEIGHT
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        if angle:
            stream.set_display_rotation(angle)
        stream.codec_context.thread_count = 1
        for index, image in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(image, "bgr24").reformat(format=stream.pix_fmt)
            frame.pts, frame.time_base = index, STEP
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def decoded(path: Path) -> list[Image]:
    """What a player shows, ``(h, w, 3)`` BGR."""
    with av.open(str(path)) as container:
        return [np.asarray(frame.to_ndarray(format="bgr24"), np.uint8) for frame in container.decode(video=0)]


def shows(image: Image, place: Place | None) -> bool:
    """Whether a pixel of the object can be seen where it is."""
    if place is None:
        return False
    x, y = place
    return bool((image[y : y + SIDE, x : x + SIDE].min(axis=2) > 180).any())


def is_grey(image: Image) -> bool:
    return bool((np.abs(image.astype(int) - 128) < 8).all())


class Failing:
    """A decoder that raises ModelError at some of its calls, counted from 0."""

    def __init__(self, *calls: int) -> None:
        self.calls = frozenset(calls)
        self.count = 0

    def __call__(self, outputs: Any, *, width: int, height: int, threshold: float) -> Candidates:
        self.count += 1
        if self.count - 1 in self.calls:
            raise ModelError("the network says so")
        return center_point(outputs, width=width, height=height, threshold=threshold)


def detector(folder: Path, decode: Any = None) -> Detector:
    """Finds the object in a box around it; pictures this small are enlarged three times for it."""
    path = folder / "model.xml"
    if not path.exists():
        tiny.save(tiny.bright(side=12.0 * SIDE), folder, **tiny.FACES)
    return Detector.from_file(path, profile="fast", decode=decode, device="CPU")


def anonymizer(folder: Path, decode: Any = None, **options: Any) -> Anonymizer:
    """Draws black over the object, unless it is told otherwise."""
    settings = {"masker": Masker(Fill((0, 0, 0)), shape="rectangle")} | options
    return Anonymizer(detectors=[detector(folder, decode)], **settings)


def leftovers(folder: Path) -> list[str]:
    """Names in a folder that begin with a dot: temporaries."""
    found: list[str] = []
    with suppress(FileNotFoundError):
        found = [path.name for path in folder.iterdir() if path.name.startswith(".")]
    return found
