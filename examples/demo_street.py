"""The street of the demonstration scene, seen by a pinhole camera: sky, houses, road, trees, and where things stand."""

from itertools import pairwise

import cv2
import numpy as np

from examples.demo_drawing import Pixels, Points, blank, colour, ellipse, paint, rectangle, rounded

WIDTH, HEIGHT = 1920, 1080
FOCAL, VANISHING, EYES = 1400.0, (985.0, 470.0), 1.6  # the camera: pixels, pixels, metres above the road
HAZE = "#f3e2c8"
KERB, WALL = 3.0, 6.0  # metres from the middle of the road


def seen(x: float, y: float, z: float) -> tuple[float, float]:
    """Where a point shows: metres right of the road's middle, above the road, and ahead."""
    return VANISHING[0] + FOCAL * x / z, VANISHING[1] + FOCAL * (EYES - y) / z


def quad(x: tuple[float, float], y: tuple[float, float], z: tuple[float, float]) -> Points:
    """The outline of a flat piece that is upright along the street, or lies on the ground, or faces the viewer."""
    if x[0] == x[1]:
        return [seen(x[0], y[1], z[0]), seen(x[0], y[1], z[1]), seen(x[0], y[0], z[1]), seen(x[0], y[0], z[0])]
    return [seen(x[0], y[1], z[1]), seen(x[1], y[1], z[1]), seen(x[1], y[0], z[0]), seen(x[0], y[0], z[0])]


def misty(code: str, z: float, shade: float = 1.0) -> str:
    """A colour as it looks from afar, in the light (1) or in the shade (below 1)."""
    share = 1 - np.exp(-max(z - 6, 0) / 75)
    own = colour(code)[:3] * (np.array([1.06, 1.0, 0.95]) if shade < 1 else 1) * shade
    blue, green, red = np.clip((own * (1 - share) + colour(HAZE)[:3] * share) * 255, 0, 255).astype(int)
    return f"#{red:02x}{green:02x}{blue:02x}"


def sky(canvas: Pixels) -> None:
    paint(canvas, rectangle(0, 0, WIDTH, 520), "#86b9e0", "#fbe6c4")
    for x, y, size in ((760, 120, 1.0), (1130, 60, 0.8), (1010, 215, 0.6), (620, 40, 0.7), (1420, 130, 0.8)):
        for dx, dy, radius in ((-90, 12, 46), (-30, -10, 62), (40, -4, 54), (100, 14, 40), (0, 22, 80)):
            middle = x + dx * size, y + dy * size
            paint(canvas, ellipse(*middle, radius * 1.5 * size, radius * 0.55 * size), "#ffffff", opacity=0.4, blur=14)
    for size in (1.5, 1.25, 1.0, 0.75, 0.5):
        paint(canvas, ellipse(1000, 440, 420 * size, 220 * size), "#fff0cf", opacity=0.14, blur=16)


def far_end(canvas: Pixels) -> None:
    hill = [(400, 480), (560, 420), (760, 392), (930, 404), (1090, 380), (1290, 410), (1500, 480)]
    paint(canvas, rounded(hill), "#b8c3bb", "#dccfb5")
    paint(canvas, [(1012, 470), (1012, 352), (1026, 286), (1040, 352), (1040, 470)], "#b39f91", "#d3bda2")
    paint(canvas, rectangle(1006, 398, 110, 72), "#c9b29c", "#dcc8ac")
    paint(canvas, [(1000, 400), (1020, 372), (1104, 372), (1122, 400)], "#b5806b", "#c79a7f")
    random = np.random.default_rng(3)
    for x in np.linspace(840, 1150, 26):
        size = float(random.uniform(13, 24))
        paint(canvas, ellipse(float(x), 458 - size * 0.3, size, size), "#8fa582", "#a9b18d", blur=1.5)


def ground(canvas: Pixels) -> None:
    paint(canvas, rectangle(0, VANISHING[1], WIDTH, HEIGHT), "#d9c9b0", "#a99a88")
    paint(canvas, quad((-KERB, KERB), (0, 0), (1.5, 400)), "#a39b93", "#4d4c52")
    for z, nearer in pairwise((60, 46, 36, 28, 22.5, 18.5, 15.2, 12.6, 10.4, 8.6, 7.0, 5.6, 4.4, 3.3, 2.4)):
        for side in (-1, 1):
            joint = (side * (KERB + 0.15), side * WALL)
            paint(canvas, quad(joint, (0.1, 0.1), (nearer, nearer + 0.03)), "#6f6558", opacity=min(0.5, 6 / z))
            if z < 40:
                paint(canvas, quad((side * 4.7, side * 4.72), (0.1, 0.1), (nearer, z)), "#6f6558", opacity=0.3)
    for side in (-1, 1):
        paint(canvas, quad((side * KERB, side * (KERB + 0.16)), (0, 0), (1.5, 200)), "#efe3cf", "#d2cabd")
        paint(canvas, quad((side * (KERB - 0.22), side * KERB), (0, 0), (1.5, 200)), "#5a5654", "#3f3e43", opacity=0.6)
    for z in np.arange(9.6, 70, 3.4):
        paint(canvas, quad((-0.07, 0.07), (0, 0), (float(z), float(z) + 1.6)), "#efe8da", opacity=0.9)
    for x in np.arange(-3.0, 3.0, 0.92):
        paint(canvas, quad((float(x), float(x) + 0.5), (0, 0), (4.9, 7.2)), "#e6dfd2", "#f4eee3", opacity=0.92)
    shadow = [seen(1.0, 0, 1.6), seen(1.0, 0, 90), seen(WALL, 0, 90), seen(WALL, 0, 1.6)]
    paint(canvas, shadow, "#3b4365", "#252a48", opacity=0.34, blur=3)


def window(canvas: Pixels, x: float, y: tuple[float, float], z: tuple[float, float], light: float) -> None:
    far = z[0]
    paint(canvas, quad((x, x), (y[0] - 0.1, y[1] + 0.14), (z[0] - 0.1, z[1] + 0.1)), misty("#f4eadb", far, light))
    paint(canvas, quad((x, x), y, z), misty("#6f93ac", far, light), misty("#33475a", far, light))
    glint = [
        seen(x, y[1], z[0] + 0.1),
        seen(x, y[1], z[0] + 0.5),
        seen(x, y[0], z[1] - 0.2),
        seen(x, y[0], z[0] + 0.35),
    ]
    paint(canvas, glint, misty("#d9e8ee", far, light), opacity=0.35)
    middle = (z[0] + z[1]) / 2
    paint(canvas, quad((x, x), y, (middle - 0.035, middle + 0.035)), misty("#f4eadb", far, light))
    paint(canvas, quad((x, x), (y[0] - 0.2, y[0] - 0.08), (z[0] - 0.18, z[1] + 0.18)), misty("#fff6e6", far, light))


def shop(canvas: Pixels, x: float, z: tuple[float, float], awning: str, light: float) -> None:
    paint(canvas, quad((x, x), (0, 3.35), z), misty("#5b4a40", z[0], light), misty("#3f342e", z[0], light))
    random = np.random.default_rng(round(z[0] * 10))
    panes = max(round((z[1] - z[0]) / 2.2), 1)
    step = (z[1] - z[0] - 0.4) / panes
    for at in range(panes):
        pane = (z[0] + 0.35 + at * step, z[0] + 0.2 + (at + 1) * step)
        paint(canvas, quad((x, x), (0.55, 2.75), pane), misty("#ffd79a", z[0], light), misty("#9c6238", z[0], light))
        goods = np.linspace(pane[1], pane[0], 9)
        for shelf in (0.55, 1.25):
            paint(canvas, quad((x, x), (shelf, shelf + 0.06), pane), misty("#4a3225", z[0], light))
            for back, front in pairwise(float(edge) for edge in goods):
                high = shelf + 0.06 + float(random.uniform(0.12, 0.48))
                code = misty(
                    ("#8c5a3a", "#5d7d78", "#b8623f", "#d9b06a", "#6f6a86")[int(random.integers(5))], z[0], light
                )
                paint(canvas, quad((x, x), (shelf + 0.06, high), (front + 0.03, back)), code, opacity=0.8)
        shine = [
            seen(x, 2.75, pane[0] + 0.2),
            seen(x, 2.75, pane[0] + 0.8),
            seen(x, 0.55, pane[0] + 1.3),
            seen(x, 0.55, pane[0] + 0.7),
        ]
        paint(canvas, shine, "#fff4dd", opacity=0.22, blur=2)
    inward = 1.15 if x < 0 else -1.15
    edges = np.linspace(z[1], z[0], max(round((z[1] - z[0]) / 0.55), 2) + 1)
    for at, (back, front) in enumerate(pairwise(float(edge) for edge in edges)):
        code = misty(awning if at % 2 else "#f7efe2", back, light)
        slope = [seen(x, 3.25, front), seen(x, 3.25, back), seen(x + inward, 2.6, back), seen(x + inward, 2.6, front)]
        paint(canvas, slope, code)
        paint(canvas, quad((x + inward,) * 2, (2.38, 2.6), (front, back)), misty(awning, back, light * 0.85))


def house(canvas: Pixels, side: int, z: tuple[float, float], height: float, *, wall: str, awning: str) -> None:
    """One house of the row, far edge first; the sun stands on the right, so the left row is lit."""
    light = 1.0 if side < 0 else 0.66
    x = side * WALL
    gable = [seen(x, height, z[0]), seen(x * 2.2, height, z[0]), seen(x * 2.2, 0, z[0]), seen(x, 0, z[0])]
    paint(canvas, gable, misty(wall, z[0], 0.72 * light), misty(wall, z[0], 0.8 * light))
    paint(canvas, quad((x, x), (0, height), z), misty(wall, z[0], light), misty(wall, z[0], light * 0.92))
    across = max(round((z[1] - z[0]) / 2.3), 1)
    step = (z[1] - z[0]) / across
    for floor in np.arange(4.3, height - 1.8, 2.9):
        for at in reversed(range(across)):
            middle = z[0] + (at + 0.5) * step
            window(canvas, x, (float(floor), float(floor) + 1.75), (middle - 0.55, middle + 0.55), light)
    inward = 0.28 if side < 0 else -0.28
    for level, code in ((3.45, "#efe4d2"), (height - 0.3, "#f6ecdc")):
        paint(canvas, quad((x + inward / 2,) * 2, (level - 0.5, level - 0.12), z), "#2a2430", opacity=0.16, blur=1)
        paint(canvas, quad((x + inward,) * 2, (level, level + 0.3), z), misty(code, z[0], light))
    shop(canvas, x, z, awning, light)


def tree(canvas: Pixels, x: float, z: float, seed: int) -> None:
    foot, crown = seen(x, 0, z), seen(x, 4.6, z)
    metre = FOCAL / z
    light = 1.0 if x < 0 else 0.8
    paint(
        canvas,
        ellipse(foot[0] - metre * 0.7, foot[1], metre * 1.3, metre * 0.12),
        "#2b2a3c",
        opacity=0.4,
        blur=metre / 12,
    )
    trunk = [(-0.09, 0), (-0.05, 3.6), (0.05, 3.6), (0.1, 0)]
    paint(canvas, [(foot[0] + dx * metre, foot[1] - dy * metre) for dx, dy in trunk], misty("#6b5140", z, light))
    random = np.random.default_rng(seed)
    shades = ("#3f5f3c", "#557a45", "#6f9350", "#8fae5e", "#b5c873")
    for shade, code in enumerate(shades):
        for _ in range(34):
            angle, far = random.uniform(0, 2 * np.pi), np.sqrt(random.uniform(0, 1))
            dx = float(np.cos(angle) * far * 1.05) + 0.12 * shade
            dy = float(np.sin(angle) * far * 1.2) - 0.16 * shade
            size = float(random.uniform(0.2, 0.36)) * (1 - 0.13 * shade)
            leaf = ellipse(crown[0] + dx * metre, crown[1] + dy * metre, size * metre, size * metre * 0.85)
            paint(canvas, leaf, misty(code, z, light), opacity=0.85)


def planter(canvas: Pixels, x: tuple[float, float], z: float, seed: int) -> None:
    """A flower box across the pavement; whoever stands behind it needs no legs."""
    metre = FOCAL / z
    left, right = seen(x[0], 0.1, z), seen(x[1], 0.1, z)
    paint(
        canvas,
        ellipse((left[0] + right[0]) / 2 - metre * 0.1, left[1], (right[0] - left[0]) * 0.58, metre * 0.09),
        "#24222c",
        opacity=0.55,
        blur=metre / 14,
    )
    random = np.random.default_rng(seed)
    top = seen(0, 0.72, z)[1]
    for code, leaves in (("#2f4a2c", 130), ("#41623a", 130), ("#5a8044", 90), ("#86a85a", 60)):
        for _ in range(leaves):
            at, up = random.uniform(left[0], right[0]), random.uniform(-0.04, 0.32) * metre
            paint(canvas, ellipse(float(at), top - float(up), 0.06 * metre, 0.035 * metre), misty(code, z), opacity=0.9)
    for _ in range(30):
        at, up = random.uniform(left[0], right[0]), random.uniform(0.05, 0.38) * metre
        code = ("#e2574c", "#f3b63f", "#f4e9ee")[int(random.integers(3))]
        paint(canvas, ellipse(float(at), top - float(up), 0.034 * metre, 0.03 * metre), misty(code, z))
    paint(canvas, [(left[0], top), (right[0], top), right, left], misty("#7d6f63", z), misty("#564b45", z))
    paint(canvas, rectangle(left[0], top, right[0] - left[0], 0.06 * metre), misty("#a39484", z))


def lamp(canvas: Pixels, x: float, z: float) -> None:
    metre, foot = FOCAL / z, seen(x, 0.1, z)
    parts = ((-0.05, 0.0, 0.1, 3.9), (-0.1, 0.0, 0.2, 0.5), (-0.2, 3.85, 0.4, 0.06))
    for left, low, wide, high in parts:
        at = rectangle(foot[0] + left * metre, foot[1] - (low + high) * metre, wide * metre, high * metre)
        paint(canvas, at, misty("#39424a", z), misty("#262d33", z))
    glass = [(-0.13, 3.91), (-0.2, 4.4), (0.2, 4.4), (0.13, 3.91)]
    paint(canvas, [(foot[0] + dx * metre, foot[1] - dy * metre) for dx, dy in glass], "#fff3cf", "#ffd98c")
    cap = [(-0.26, 4.4), (0, 4.62), (0.26, 4.4)]
    paint(canvas, [(foot[0] + dx * metre, foot[1] - dy * metre) for dx, dy in cap], misty("#39424a", z))


def bunting(canvas: Pixels, z: float, height: float, sag: float) -> None:
    codes = ("#e4824a", "#f4ead6", "#3f7f99", "#f3b63f", "#c9583b")
    knots = [(float(x), height - sag * (1 - (float(x) / WALL) ** 2)) for x in np.linspace(-WALL, WALL, 27)]
    for at, (here, there) in enumerate(pairwise(knots)):
        (x0, y0), (x1, y1) = seen(*here, z), seen(*there, z)
        wide = x1 - x0
        paint(canvas, [(x0, y0 - 0.8), (x1, y1 - 0.8), (x1, y1 + 0.8), (x0, y0 + 0.8)], "#5a5350")
        flag = [(x0 + wide * 0.08, y0), (x1 - wide * 0.08, y1), ((x0 + x1) / 2, (y0 + y1) / 2 + wide * 1.05)]
        paint(canvas, flag, misty(codes[at % 5], z), misty(codes[at % 5], z, 0.88))


def backdrop() -> Pixels:
    """The street without people, cars and posters."""
    canvas = blank(WIDTH, HEIGHT)
    sky(canvas)
    far_end(canvas)
    ground(canvas)
    left = ((46, 60, 9, "#d8b48c"), (35, 46, 12, "#c98a6b"), (26, 35, 9.5, "#e8d3a8"), (17.5, 26, 13, "#a9b89a"))
    right = ((48, 60, 10, "#c9a08c"), (38, 48, 8.5, "#e3cfae"), (28, 38, 12, "#b0705c"), (19, 28, 9.5, "#d9b98f"))
    rows = ((-1, (*left, (8, 17.5, 12, "#dc9f78"))), (1, (*right, (7, 19, 13, "#8fa3ad"))))
    for side, row in rows:
        for (near, far, height, wall), awning in zip(
            row, ("#c9583b", "#3f7f99", "#587d45", "#c9583b", "#3f7f99"), strict=True
        ):
            house(canvas, side, (near, far), height, wall=wall, awning=awning)
    for z, seed in ((44, 1), (33, 2), (24, 3), (17, 4)):
        tree(canvas, -4.6, z, seed)
        tree(canvas, 4.7, z + 2, seed + 10)
    bunting(canvas, 30, 6.6, 1.0)
    bunting(canvas, 19, 6.6, 1.1)
    lamp(canvas, -3.9, 28)
    lamp(canvas, 3.9, 26)
    blurred = cv2.GaussianBlur(canvas, (0, 0), 1.1)
    return blurred.astype(np.float32)
