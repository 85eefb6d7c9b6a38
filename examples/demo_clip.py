"""Makes the demonstration clip: a parade in the street of the demonstration picture, with labels that follow everyone.

Run from the repository's root: `python -m examples.demo_clip [FOLDER]` writes `street.mp4` and `street-clip.json`.

The camera pans and zooms; cars, people and a parade float move; a lamp post, a rocket and a balloon pass before them;
there is one cut. Twice the camera looks for its focus.
"""

import json
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from examples.demo_drawing import Pixels, Sprite, blank, paint
from examples.demo_motion import Actor, Place, Shot, Window, between
from examples.demo_parade import balloon, float_body, hedge, post, rocket
from examples.demo_parts import astronaut, billboard, car_front, car_rear, plate, street_poster
from examples.demo_street import FOCAL, HEIGHT, VANISHING, WIDTH, backdrop, planter, quad, seen

SIZE = (1280, 720)
RATE = 25
LENGTHS = (120, 85)

Path3 = Callable[[int], tuple[float, float, float]]


def stands(name: str, sprite: Sprite, width: float, at: Path3, *, mirrored: bool = False) -> Actor:
    """A sprite `width` metres wide, the middle of its lower edge at a point of the street (right, up, ahead)."""

    def path(frame: int) -> Place:
        x, y, z = at(frame)
        scale = width * FOCAL / z / sprite.pixels.shape[1]
        middle, bottom = seen(x, y, z)
        if mirrored:
            middle += WIDTH - 2 * VANISHING[0]
        height = sprite.pixels.shape[0] * scale
        return Place(middle - sprite.pixels.shape[1] * scale / 2, bottom - height, scale, z)

    return Actor(name, sprite, path)


def still(x: float, y: float, z: float) -> Path3:
    return lambda _: (x, y, z)


def bob(frame: int, metres: float, seconds: float, start: float = 0.0) -> float:
    """A sway up and down."""
    return metres * float(np.sin(2 * np.pi * (frame / RATE / seconds + start)))


def painted(draw: Callable[[Pixels], None], depth: float, name: str) -> Actor:
    """What is drawn at its place on the street, cut out."""
    canvas = blank(WIDTH, HEIGHT)
    draw(canvas)
    rows, columns = np.nonzero(canvas[..., 3] > 0)
    left, top = int(columns.min()), int(rows.min())
    sprite = Sprite(canvas[top : rows.max() + 1, left : columns.max() + 1].copy())
    return Actor(name, sprite, lambda _: Place(left, top, 1.0, depth))


@cache
def street() -> Pixels:
    """The street with a little texture: in smooth paint, once compressed, the detector sees tiny plates."""
    canvas = backdrop()
    grain = cv2.GaussianBlur(np.random.default_rng(7).normal(0, 1, (HEIGHT, WIDTH, 1)), (0, 0), 0.8)
    canvas[..., :3] += (0.022 / grain.std() * grain[..., None]).astype(np.float32)
    return np.clip(canvas, 0, 1)


def billboard_feet(canvas: Pixels) -> None:
    for x in (4.0, 6.2):
        paint(canvas, quad((x, x + 0.14), (0, 2.7), (11.6, 11.6)), "#5a636b", "#343b42")


def parade() -> Shot:
    """The float crosses the street; the camera goes with it, past a lamp post."""
    blue = {"light": "#8dbcc9", "middle": "#43829b", "dark": "#1d4557"}
    amber = {"light": "#f3c983", "middle": "#d99a42", "dark": "#8a5523"}
    red = {"light": "#d98a78", "middle": "#b14a3d", "dark": "#6b2520"}
    driver = astronaut(suit_hue=105, tone=1.3)

    def camera(frame: int) -> Window:
        width = between(frame, ((0, 1520), (50, 1380), (119, 1600)))
        return Window(
            between(frame, ((0, 775), (8, 775), (110, 1110))), between(frame, ((0, 560), (50, 560), (119, 525))), width
        )

    def carried(x: float, y: float, start: float) -> Path3:
        """Rides on the float, `x` metres right of its middle and `y` above the road."""
        return lambda frame: (-5.3 + 0.054 * frame + x, y + bob(frame, 0.025, 0.9, start), 6.0 - 0.01 * (y < 0.1))

    def post_path(frame: int) -> Place:
        """Close by, so that it moves through the picture faster than the street does."""
        window = camera(frame)
        return Place(860 - (window.x - 930) * 11, window.y - 700, 1.0, 1.0)

    def focus(frame: int) -> float:
        return between(frame, ((54, 0), (61, 2.6), (66, 2.2), (76, 0)))

    actors = (
        stands("green rider at the planter", astronaut(suit_hue=80), 0.95, still(-4.0, 0.7, 15)),
        painted(lambda canvas: planter(canvas, (-4.9, -3.7), 14.8, 1), 14.8, "planter"),
        stands(
            "red car",
            car_rear(plate("BLUR 63", style="yellow"), **red),
            1.75,
            lambda frame: (1.35, 0, between(frame, ((-60, 7.0), (150, 16.0)))),
        ),
        painted(billboard_feet, 11.6, "feet"),
        stands("billboard", billboard("S P A C E", "W E E K", "12 to 18 May"), 4.4, still(5.1, 2.6, 11.5)),
        stands(
            "walker",
            astronaut(suit_hue=165),
            0.95,
            lambda frame: (4.3 - 0.012 * frame, 0.6 + bob(frame, 0.015, 0.5), 11.2),
        ),
        stands(
            "amber car",
            car_front(plate("EDGE 26", style="american"), driver, **amber),
            1.75,
            lambda frame: (-1.2, 0, between(frame, ((-70, 26), (44, 7.8)))),
        ),
        stands("poster", street_poster(), 1.3, still(-3.28, 0.1, 8.4)),
        stands("first rider", astronaut(suit_hue=20), 0.95, carried(1.05, 0.62, 0.0)),
        stands("second rider", astronaut(suit_hue=150, mirrored=True, tone=1.15), 0.95, carried(-1.05, 0.62, 0.4)),
        stands("rocket", rocket(), 0.75, carried(0, 0.5, 0.7)),
        stands("float", float_body(), 3.25, carried(0, 0.05, 0.2)),
        stands(
            "gardener",
            astronaut(suit_hue=105, mirrored=True, tone=1.2),
            0.95,
            lambda frame: (3.75 + bob(frame, 0.05, 3.1), 0.75, 5.95),
        ),
        painted(lambda canvas: planter(canvas, (3.05, 4.6), 5.9, 2), 5.9, "near planter"),
        stands("blue car", car_rear(plate("ANON 470", style="european"), **blue), 1.75, still(1.42, 0, 3.3)),
        Actor(
            "passer-by",
            astronaut(),
            lambda frame: Place(-40 - 7.5 * frame, 282 + bob(frame, 7, 0.55), 1.6, 1.6),
        ),
        Actor("post", post(), post_path),
    )
    return Shot("parade", LENGTHS[0], SIZE, street(), actors, camera, focus)


def welcome() -> Shot:
    """The other side of the street: people behind a hedge, a balloon before them, a car that comes by."""
    green = {"light": "#b9cf9a", "middle": "#6f9a56", "dark": "#30502f"}
    driver = astronaut(suit_hue=20, tone=1.1)

    def camera(frame: int) -> Window:
        width = between(frame, ((-20, 900), (84, 1500)))
        return Window(between(frame, ((0, 560), (84, 800))), between(frame, ((0, 500), (84, 590))), width)

    def waiting(x: float, z: float, seconds: float, start: float) -> Path3:
        return lambda frame: (
            x + bob(frame, 0.06, seconds * 1.7, start),
            0.74 + bob(frame, 0.02, seconds, start),
            z,
        )

    def balloon_path(frame: int) -> Place:
        return Place(-560 + 19 * frame, 205 + bob(frame, 14, 2.2), 0.52, 3.0)

    def focus(frame: int) -> float:
        return between(frame, ((0, 2.4), (3, 2.4), (14, 0)))

    actors = (
        stands("first waiting", astronaut(suit_hue=150), 0.95, waiting(-3.75, 7.3, 1.1, 0.0), mirrored=True),
        stands(
            "second waiting", astronaut(mirrored=True, tone=1.15), 0.95, waiting(-2.95, 7.4, 0.9, 0.3), mirrored=True
        ),
        stands("third waiting", astronaut(suit_hue=90), 0.95, waiting(-2.2, 7.3, 1.3, 0.6), mirrored=True),
        stands("hedge", hedge(), 5.0, still(-4.1, 0.0, 7.0), mirrored=True),
        stands(
            "red car",
            car_rear(plate("MASK 815", style="yellow"), light="#d98a78", middle="#b14a3d", dark="#6b2520"),
            1.75,
            lambda frame: (1.6, 0, between(frame, ((-40, 6.0), (120, 13.0)))),
            mirrored=True,
        ),
        stands(
            "green car",
            car_front(plate("VEIL 302", style="european"), driver, **green),
            1.75,
            lambda frame: (-1.25, 0, 15.5 - 0.142 * frame),
            mirrored=True,
        ),
        Actor("balloon", balloon(), balloon_path),
    )
    return Shot("welcome", LENGTHS[1], SIZE, np.ascontiguousarray(street()[:, ::-1]), actors, camera, focus)


def shots() -> tuple[Shot, ...]:
    return parade(), welcome()


def pictures(every: tuple[Shot, ...]) -> Iterator[NDArray[np.uint8]]:
    """The frames of the clip, in order."""
    for shot in every:
        for frame in range(shot.length):
            yield shot.picture(frame)


def labels(every: tuple[Shot, ...]) -> dict[str, Any]:
    """What `street-clip.json` holds; see `SOURCES.md`."""
    objects: dict[str, dict[str, Any]] = {}
    first = 0
    for shot in every:
        for frame in range(shot.length):
            for label in shot.labels(frame):
                entry = objects.setdefault(label.id, {"id": label.id, "label": label.kind, "boxes": []})
                entry["boxes"].append([first + frame, *(round(side, 1) for side in label.box), round(label.visible, 2)])
        first += shot.length
    width, height = SIZE
    return {
        "video": "street.mp4",
        "width": width,
        "height": height,
        "frame_rate": [RATE, 1],
        "frames": first,
        "objects": list(objects.values()),
    }


def encode(frames: Iterator[NDArray[np.uint8]], file: Path) -> None:
    """H.264, 4:2:0, BT.709, one thread so that the same frames always make the same file."""
    with av.open(str(file), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "27", "preset": "veryslow", "threads": "1"})
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        for name in ("colorspace", "color_primaries", "color_trc", "color_range"):
            setattr(stream.codec_context, name, 1)  # BT.709, limited range
        for number, pixels in enumerate(frames):
            source = av.VideoFrame.from_ndarray(pixels, format="bgr24")
            frame = source.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG)
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def dumped(found: dict[str, Any]) -> str:
    """As JSON with one line a box."""
    boxes = [entry["boxes"] for entry in found["objects"]]
    outline = {**found, "objects": [{**entry, "boxes": f"@{at}"} for at, entry in enumerate(found["objects"])]}
    text = json.dumps(outline, indent=1)
    for at, rows in enumerate(boxes):
        lines = ",\n    ".join(json.dumps(row) for row in rows)
        text = text.replace(f'"@{at}"', f"[\n    {lines}\n   ]", 1)
    return text + "\n"


def main(folder: Path) -> None:
    every = shots()
    (folder / "street-clip.json").write_text(dumped(labels(every)), encoding="utf-8")
    encode(pictures(every), folder / "street.mp4")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "demo")
