"""Faces that fill the frame, and faces a dozen pixels high in a 4K frame, made from labelled photographs.

Faces of 90 px and more are cut out with what surrounds them. Enlarged, one of them makes a frame of 1080p or 4K in
which the face is half as high as the frame, three quarters, or as high. Reduced to 12, 16, 24 and 32 px they are put
into a photograph enlarged to 4K, 16 a frame, every fourth of them across a seam of the tiles that a profile cuts.

    python -m examples.benchmarks.sizes --data FOLDER --json sizes.json
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeanon import Detections, Detector, Kind, Masker
from edgeanon.boxes import Boxes, as_boxes, grow, iou, to_pixels
from edgeanon.preprocess import PROFILES, plan
from examples.benchmarks import measuring
from examples.benchmarks.measuring import Labelled, Picture

FRAMES = {"1080p": (1920, 1080), "4K": (3840, 2160)}
SHARES = (0.5, 0.75, 1.0)
SMALL = (12, 16, 24, 32)
PLACES_A_FRAME = 16
LEAST_HEIGHT = 90
AROUND = 0.6
"""Surroundings that a small face brings along, as a share of its sides."""
LOOSE = 0.4
"""Overlap from which a face of a dozen pixels counts as found as well: one pixel of error is a tenth of it."""
AGAIN = 0.3
"""A second detection that overlaps a label so far says that it was found twice."""
COVERED = 0.9


@dataclass(frozen=True, slots=True)
class Face:
    """A labelled face, in pixels of its picture."""

    picture: Labelled
    box: tuple[float, float, float, float]

    @property
    def height(self) -> float:
        return self.box[3] - self.box[1]


def chosen(pictures: Sequence[Labelled], count: int) -> list[Face]:
    """So many faces of at least ``LEAST_HEIGHT`` px, spread evenly over the data; one of a picture, its largest."""
    faces = []
    for picture in pictures:
        boxes = picture.of(Kind.FACE)
        if len(boxes):
            x1, y1, x2, y2 = boxes[(boxes[:, 3] - boxes[:, 1]).argmax()].tolist()
            faces.append(Face(picture, (x1, y1, x2, y2)))
    faces = [face for face in faces if face.height >= LEAST_HEIGHT]
    if not faces:
        raise SystemExit(f"no face of the data is {LEAST_HEIGHT} px high")
    return [faces[index] for index in np.linspace(0, len(faces) - 1, min(count, len(faces))).round().astype(int)]


def filling(face: Face, width: int, height: int, share: float) -> tuple[Picture, Boxes]:
    """A frame that the face fills to this share of its height, and the face's box in it ``(1, 4)``.

    The frame lies inside the picture where the picture reaches; where it does not, the picture's border goes on.
    """
    scale = share * height / face.height
    x1, y1, x2, y2 = (value * scale for value in face.box)
    left = _window(x1, x2, width, face.picture.width * scale)
    top = _window(y1, y2, height, face.picture.height * scale)
    # Half a pixel: OpenCV's coordinates are those of pixels' centres.
    shift = (scale - 1) / 2
    move = np.array([[scale, 0, shift - left], [0, scale, shift - top]], np.float64)
    frame = cv2.warpAffine(
        face.picture.read(), move, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(frame, np.uint8), as_boxes([[x1 - left, y1 - top, x2 - left, y2 - top]])


def _window(low: float, high: float, length: float, whole: float) -> float:
    """Where a window of a length begins: the object in its middle, but inside the whole where that is larger."""
    begin = (low + high - length) / 2
    inside = min(max(begin, 0.0), whole - length) if whole >= length else begin
    return min(max(inside, high - length), low)  # an object as long as the window stays whole


def seams(width: int, height: int) -> tuple[list[int], list[int]]:
    """Where the tiles of all profiles end inside a frame of this size: columns and rows."""
    columns, rows = set(), set()
    for profile in PROFILES.values():
        for view in plan(width, height, profile):
            columns |= {edge for edge, seam in zip((view.left, view.right), view.seams[::2], strict=True) if seam}
            rows |= {edge for edge, seam in zip((view.top, view.bottom), view.seams[1::2], strict=True) if seam}
    return sorted(columns), sorted(rows)


def places(width: int, height: int, generator: np.random.Generator) -> Iterator[tuple[float, float, bool]]:
    """Middles of the faces of one frame, and whether a seam runs through; none nearer than 200 px to another."""
    columns, rows = seams(width, height)
    taken: list[tuple[float, float]] = []
    while len(taken) < PLACES_A_FRAME:
        on_seam = len(taken) % 4 == 0
        x, y = generator.uniform(100, width - 100), generator.uniform(100, height - 100)
        if on_seam and len(taken) % 8 == 0:
            x = float(generator.choice(columns))
        elif on_seam:
            y = float(generator.choice(rows))
        if all(abs(x - other_x) > 200 or abs(y - other_y) > 200 for other_x, other_y in taken):
            taken.append((x, y))
            yield x, y, on_seam


def background(picture: Labelled, width: int, height: int) -> Picture:
    """A photograph enlarged to fill the frame, its middle."""
    scale = max(width / picture.width, height / picture.height)
    whole = (max(width, round(picture.width * scale)), max(height, round(picture.height * scale)))
    large = cv2.resize(picture.read(), whole, interpolation=cv2.INTER_CUBIC)
    top, left = (large.shape[0] - height) // 2, (large.shape[1] - width) // 2
    return np.array(large[top : top + height, left : left + width], np.uint8)


def put(frame: Picture, face: Face, size: int, x: float, y: float) -> list[float]:
    """Draw a face ``size`` px high around a point, with its surroundings; its box in the frame."""
    corners = to_pixels(grow(as_boxes([face.box]), (AROUND, AROUND)), face.picture.width, face.picture.height)
    left, top, right, bottom = corners[0].tolist()
    part = face.picture.read()[top:bottom, left:right]
    scale = size / face.height
    width, height = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
    small = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)
    scale_x, scale_y = width / (right - left), height / (bottom - top)
    x1, x2 = ((edge - left) * scale_x for edge in face.box[::2])
    y1, y2 = ((edge - top) * scale_y for edge in face.box[1::2])
    to_x, to_y = round(x - (x1 + x2) / 2), round(y - (y1 + y2) / 2)
    frame[to_y : to_y + height, to_x : to_x + width] = small
    return [to_x + x1, to_y + y1, to_x + x2, to_y + y2]


def crowded(
    faces: Sequence[Face], behind: Sequence[Labelled], size: int, generator: np.random.Generator
) -> Iterator[tuple[Picture, Boxes, NDArray[np.bool_]]]:
    """4K frames with all the faces at one size, their boxes, and which of them a seam runs through."""
    width, height = FRAMES["4K"]
    for number, start in enumerate(range(0, len(faces), PLACES_A_FRAME)):
        frame = background(behind[number * len(behind) // (1 + len(faces) // PLACES_A_FRAME)], width, height)
        boxes, on_seam = [], []
        spots = places(width, height, generator)
        for face, (x, y, seam) in zip(faces[start : start + PLACES_A_FRAME], spots, strict=False):
            boxes.append(put(frame, face, size, x, y))
            on_seam.append(seam)
        yield frame, as_boxes(boxes), np.array(on_seam, np.bool_)


class Tally:
    """What became of the labels of one case."""

    def __init__(self) -> None:
        self.found: list[bool] = []
        self.loosely: list[bool] = []
        self.covered: list[bool] = []
        self.twice: list[bool] = []

    def add(self, labels: Boxes, found: Detections, hidden: NDArray[np.bool_], only: NDArray[np.bool_]) -> None:
        """Count the labels that ``only`` selects; all of them take part in the matching."""
        exactly, _ = measuring.match(found.boxes, found.scores, labels)
        loosely, _ = measuring.match(found.boxes, found.scores, labels, LOOSE)
        self.found += (exactly >= 0)[only].tolist()
        self.loosely += (loosely >= 0)[only].tolist()
        self.covered += (measuring.coverage(hidden, labels) >= COVERED)[only].tolist()
        self.twice += (np.count_nonzero(iou(labels, found.boxes) >= AGAIN, axis=1) > 1)[only].tolist()

    def figures(self) -> dict[str, int]:
        return {
            "faces": len(self.found),
            "found": sum(self.found),
            "found_at_0.4": sum(self.loosely),
            "covered": sum(self.covered),
            "found_twice": sum(self.twice),
        }


def cases(
    faces: Sequence[Face], behind: Sequence[Labelled], seed: int
) -> Iterator[tuple[str, Picture, Boxes, NDArray[np.bool_]]]:
    """Every frame with the name of its case, its labels, and which of them lie across a seam."""
    for size in SMALL:
        generator = np.random.default_rng(seed)  # the same places at each size
        for frame, boxes, on_seam in crowded(faces, behind, size, generator):
            yield f"4K, {size} px", frame, boxes, on_seam
    for name, (width, height) in FRAMES.items():
        for share in SHARES:
            for face in faces:
                frame, box = filling(face, width, height, share)
                yield f"{name}, {share:g} of the height", frame, box, np.zeros(1, np.bool_)


def measure(detector: Detector, faces: Sequence[Face], behind: Sequence[Labelled], seed: int) -> dict[str, Any]:
    """Figures of each case for one detector; faces across seams once more on their own."""
    masker = Masker()
    tallies: defaultdict[str, Tally] = defaultdict(Tally)
    frames = len(SMALL) * -(-len(faces) // PLACES_A_FRAME) + len(FRAMES) * len(SHARES) * len(faces)
    for name, frame, labels, on_seam in measuring.watched(cases(faces, behind, seed), detector.profile, frames):
        found = detector.detect(frame)
        hidden = masker.hidden((frame.shape[0], frame.shape[1]), found.boxes, found.kinds)
        tallies[name].add(labels, found, hidden, np.ones(len(labels), np.bool_))
        if on_seam.any():
            tallies[f"{name}, across seams"].add(labels, found, hidden, on_seam)
    return {name: tally.figures() for name, tally in tallies.items()}


def main() -> None:
    parser = measuring.parser(__doc__, data=True)
    parser.add_argument("--faces", type=int, default=40, help="how many faces are taken; default 40")
    parser.add_argument("--profiles", nargs="+", choices=list(PROFILES), default=["balanced", "thorough"])
    parser.add_argument("--seed", type=int, default=7, help="of the places of small faces; default 7")
    options = parser.parse_args()
    pictures = measuring.load(options.data)
    faces = chosen(pictures, options.faces)
    behind = [picture for picture in pictures if not len(picture.of(Kind.FACE))]
    if not behind:
        raise SystemExit("no picture of the data is without faces: there is nothing to put small ones into")
    results = {}
    for profile in options.profiles:
        results[profile] = measure(Detector("face", profile=profile), faces, behind, options.seed)
        rows = [
            [
                case,
                str(each["faces"]),
                measuring.share(each["found"], each["faces"]),
                measuring.share(each["found_at_0.4"], each["faces"]),
                measuring.share(each["covered"], each["faces"]),
                str(each["found_twice"]),
            ]
            for case, each in results[profile].items()
        ]
        heads = ["", "faces", "found (IoU 0.5)", "found (IoU 0.4)", f"covered to {COVERED:.0%}", "found twice"]
        measuring.show(f"Faces of all sizes, profile {profile}", heads, rows, markdown=options.markdown)
    measuring.write(options.json, {"faces": len(faces), "seed": options.seed, "profiles": results})


if __name__ == "__main__":
    main()
