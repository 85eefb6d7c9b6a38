"""What passes through the demonstration clip: a parade float with a rocket, a balloon, a hedge, a lamp post."""

import numpy as np

from examples.demo_drawing import Pixels, Sprite, blank, ellipse, paint, rectangle, rounded


def flowers(canvas: Pixels, box: tuple[float, float, float, float], seed: int) -> None:
    """Leaves and blossoms all over a box left, top, right, bottom."""
    left, top, right, bottom = box
    y, high = (top + bottom) / 2, bottom - top
    random = np.random.default_rng(seed)
    area = (right - left) * high
    for code, share in (("#2f4a2c", 900), ("#41623a", 900), ("#5a8044", 1300), ("#86a85a", 2200)):
        for _ in range(round(area / share)):
            x, up = float(random.uniform(left, right)), float(random.uniform(-0.5, 0.5)) * high
            paint(canvas, ellipse(x, y + up, 24, 15), code, opacity=0.9)
    for _ in range(round(area / 2400)):
        x, up = float(random.uniform(left, right)), float(random.uniform(-0.5, 0.5)) * high
        paint(canvas, ellipse(x, y + up, 13, 12), ("#e2574c", "#f3b63f", "#f4e9ee")[int(random.integers(3))])


def float_body() -> Sprite:
    """The decorated wagon that riders stand in, 1300 by 400: 3.25 m by 1 m. Hides them from the waist down."""
    canvas = blank(1300, 400)
    paint(canvas, ellipse(650, 378, 630, 20), "#14131a", opacity=0.6, blur=8)
    for x in (230, 1070):
        paint(canvas, ellipse(x, 330, 58, 58), "#1d1f24")
        paint(canvas, ellipse(x, 330, 30, 30), "#c9ccd0", "#7d838a")
    body = [(20, 60), (1280, 60), (1255, 345), (45, 345)]
    paint(canvas, body, "#35558f", "#1b2c57")
    # No words, flags or stars on it: the detector takes a board with such a pattern for a licence plate.
    paint(canvas, rectangle(10, 40, 1280, 34, 16), "#f7d58a", "#c58d3a")
    paint(canvas, rectangle(30, 44, 1240, 8, 4), "#fff8e2", opacity=0.7, blur=2)
    paint(canvas, rectangle(45, 322, 1210, 16, 8), "#f3b63f", "#b97a2a")
    flowers(canvas, (50, 65, 1250, 155), 3)
    return Sprite(canvas)


def rocket() -> Sprite:
    """A rocket of papier mache, 300 by 900: 0.75 m by 2.25 m."""
    canvas = blank(300, 900)
    for side in (-1, 1):
        fin = [(150 + side * 60, 560), (150 + side * 140, 740), (150 + side * 140, 880), (150 + side * 60, 800)]
        paint(canvas, rounded(fin, 2), "#e0654a", "#8e2f2b")
    hull = [(150, -10), (215, 150), (236, 340), (232, 620), (210, 860), (90, 860), (68, 620), (64, 340), (85, 150)]
    paint(canvas, rounded(hull), "#fbf7ee", "#c9c3b6")
    paint(canvas, rounded([(150, -10), (186, 60), (206, 150), (94, 150), (114, 60)], 2), "#e0654a", "#b8402f")
    paint(
        canvas, [(186, 120), (222, 330), (218, 620), (200, 840), (176, 840), (190, 400)], "#6c6a72", opacity=0.3, blur=9
    )
    paint(canvas, [(112, 170), (98, 340), (98, 700), (118, 700), (120, 340)], "#ffffff", opacity=0.8, blur=6)
    for y in (285, 430):
        paint(canvas, ellipse(150, y, 44, 44), "#b5483a", "#7d2f33")
        paint(canvas, ellipse(150, y, 33, 33), "#7fb4cf", "#2f5572")
        paint(canvas, ellipse(140, y - 11, 11, 8), "#f2fbff", opacity=0.8, blur=2)
    paint(canvas, rectangle(70, 560, 162, 26), "#3f7f99", "#2b5c74")
    return Sprite(canvas)


def balloon() -> Sprite:
    """A planet with a ring, filled with gas and held by two cords, 1000 by 1900; its middle is at 500, 420."""
    canvas = blank(1000, 1900)
    for x in (430, 570):
        end = 500 + (x - 500) * 0.2
        paint(canvas, [(x - 3, 700), (x + 3, 700), (end + 3, 1900), (end - 3, 1900)], "#efe6d2")
    turn = np.linspace(0, np.pi, 60)
    lean = 0.13

    def ring(outer: float, inner: float, half: int) -> list[tuple[float, float]]:
        """The half of a flat ring behind the planet (-1) or before it (1)."""
        points = [(outer * np.cos(a), half * 0.2 * outer * np.sin(a)) for a in turn]
        points += [(inner * np.cos(a), half * 0.2 * inner * np.sin(a)) for a in turn[::-1]]
        return [(float(500 + x), float(420 + y - x * lean)) for x, y in points]

    paint(canvas, ring(485, 330, -1), "#b8893f", "#8e6530")
    paint(canvas, ellipse(500, 420, 310, 310), "#f4c477", "#b5643c")
    for y, high, code in ((270, 44, "#e8a45c"), (390, 60, "#fbe0a8"), (520, 52, "#cf7f4a"), (610, 34, "#a85a38")):
        half = float(np.sqrt(310**2 - (y - 420) ** 2)) * 0.985
        band = [(500 - half, y - high / 2), (500, y - high / 2 + 26), (500 + half, y - high / 2)]
        band += [(500 + half * 0.99, y + high / 2), (500, y + high / 2 + 26), (500 - half * 0.99, y + high / 2)]
        shape = blank(1000, 1900)
        paint(shape, rounded(band, 3), code, opacity=0.75, blur=5)
        disc = blank(1000, 1900)
        paint(disc, ellipse(500, 420, 306, 306), "#ffffff")
        shape *= disc[..., 3:]
        canvas *= 1 - shape[..., 3:]
        canvas += shape
    paint(canvas, ellipse(400, 290, 90, 60), "#fff8e6", opacity=0.55, blur=30)
    paint(canvas, ring(485, 330, 1), "#f3d9a0", "#c08f4c")
    paint(canvas, ring(440, 425, 1), "#8e6530", opacity=0.6)
    return Sprite(canvas)


def hedge() -> Sprite:
    """A hedge in long troughs, 2000 by 460: 5 m by 1.15 m."""
    canvas = blank(2000, 460)
    paint(canvas, ellipse(1000, 446, 985, 12), "#14131a", opacity=0.5, blur=5)
    for x in np.arange(0, 2000, 400):
        paint(canvas, rectangle(float(x) + 6, 250, 388, 194, 8), "#8d7f72", "#564b45")
        paint(canvas, rectangle(float(x) + 2, 244, 396, 22, 8), "#a39484")
    flowers(canvas, (24, 45, 1976, 255), 5)
    return Sprite(canvas)


def post() -> Sprite:
    """A lamp post close to the camera and out of its focus, 200 by 1400."""
    canvas = blank(200, 1400)
    paint(canvas, rectangle(62, -40, 76, 1480), "#3d474e", "#272e34", blur=7)
    paint(canvas, rectangle(78, -40, 14, 1480), "#7f8b92", opacity=0.7, blur=6)
    return Sprite(canvas)
