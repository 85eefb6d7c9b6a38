"""The movable parts of the demonstration scene: astronauts, posters, cars and licence plates, each with known boxes."""

from functools import cache
from pathlib import Path

import cv2
import numpy as np

from examples.demo_drawing import (
    Labelled,
    Pixels,
    Points,
    Sprite,
    blank,
    ellipse,
    lay,
    paint,
    place,
    rectangle,
    rounded,
    write,
)

PORTRAIT = Path(__file__).parent / "demo" / "astronaut.jpg"
FACE_IN_PORTRAIT = (179.0, 66.0, 94.0, 117.0)  # hairline to chin, cheek to cheek
OUTLINE_IN_PORTRAIT = (  # hair, right shoulder, helmet, left arm, collar ring
    *((160, 105), (153, 82), (158, 58), (170, 38), (194, 20), (230, 14), (264, 23), (286, 38), (299, 58), (302, 82)),
    *((297, 106), (284, 127), (273, 134), (268, 152), (257, 176), (285, 195), (300, 214), (306, 238), (336, 257)),
    *((350, 290), (359, 322), (363, 348), (382, 345), (405, 343), (440, 351), (470, 374), (489, 408), (497, 450)),
    *((505, 463), (506, 511), (26, 511), (20, 450), (23, 395), (26, 340), (36, 300), (46, 266), (62, 245), (96, 219)),
    *((116, 206), (111, 190), (122, 174), (140, 157), (160, 150), (182, 149), (181, 134), (172, 122)),
)


@cache
def cut_out() -> tuple[Pixels, Pixels]:
    """The portrait (512, 512, 3) in 0..1, and the astronaut's share of each pixel (512, 512)."""
    portrait = cv2.imread(str(PORTRAIT))
    if portrait is None:
        raise FileNotFoundError(PORTRAIT)
    outline = np.zeros(portrait.shape[:2], np.uint8)
    cv2.fillPoly(outline, [np.asarray(OUTLINE_IN_PORTRAIT, np.int32)], 255)
    ring = np.ones((11, 11), np.uint8)
    trimap = np.where(outline > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    trimap[cv2.erode(outline, ring, borderValue=255) > 0] = cv2.GC_FGD
    trimap[cv2.dilate(outline, ring) == 0] = cv2.GC_BGD
    cv2.setRNGSeed(1)
    scratch = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(portrait, trimap, (0, 0, 1, 1), *scratch, 4, cv2.GC_INIT_WITH_MASK)
    person = np.isin(trimap, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    opened = cv2.morphologyEx(person, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    inside = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    soft = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 1.3)
    share = np.clip((soft - 0.45) / 0.5, 0, 1)  # a little inside the edge, or the studio shines through the hair
    return (portrait / 255).astype(np.float32), share.astype(np.float32)


@cache
def astronaut(*, suit_hue: float | None = None, tone: float = 1.0, mirrored: bool = False) -> Sprite:
    """An astronaut down to the hips, 512 by 512: `suit_hue` is OpenCV's, 0..180; `tone` above 1 darkens the head."""
    person, share = cut_out()
    portrait = person.astype(np.float64)
    head = cv2.fillPoly(np.zeros((512, 512), np.uint8), [np.asarray(ellipse(226, 95, 86, 100), np.int32)], 255)
    on_head = cv2.GaussianBlur(head.astype(np.float32) / 255, (0, 0), 4) * (np.arange(512) < 197)[:, None]
    if suit_hue is not None:
        hue, light, colourful = cv2.split(cv2.cvtColor(person, cv2.COLOR_BGR2HLS))
        orange = ((hue < 40) | (hue > 340)) & (colourful > 0.35) & (light > 0.06)
        orange_share = cv2.GaussianBlur(orange.astype(np.float32), (0, 0), 0.8) * (1 - on_head)
        turned = cv2.merge([np.full_like(hue, 2 * suit_hue), light, colourful * 0.5])
        dyed = cv2.cvtColor(turned, cv2.COLOR_HLS2BGR)
        portrait = portrait + (dyed - portrait) * orange_share[..., None]
    darker = np.power(portrait, tone) * np.array([0.9, 0.95, 1.0]) if tone != 1 else portrait
    portrait = portrait + (darker - portrait) * on_head[..., None]
    pixels = np.dstack([portrait * share[..., None], share]).astype(np.float32)
    x, y, width, height = FACE_IN_PORTRAIT
    if mirrored:
        pixels, x = np.ascontiguousarray(pixels[:, ::-1]), 512 - x - width
    return Sprite(pixels, (Labelled("face", (x, y, width, height)),))


def photograph() -> Sprite:
    """The whole portrait, background and all."""
    portrait, share = cut_out()
    return Sprite(np.dstack([portrait, np.ones_like(share)]), (Labelled("face", FACE_IN_PORTRAIT),))


def plate(words: str, *, style: str) -> Sprite:
    """A licence plate of no real state, filling its sprite: "european", "yellow" (380, 112), "american" (408, 204)."""
    width, height = (408, 204) if style == "american" else (380, 112)
    canvas = blank(width, height)
    sheet = {"european": ("#fbfbf6", "#dcdcd4"), "yellow": ("#f7cf3a", "#dba81f"), "american": ("#cfe3f3", "#f5f3ea")}
    ink = {"european": "#15161a", "yellow": "#17150f", "american": "#1b2f63"}[style]
    paint(canvas, rectangle(0, 0, width, height, 12), "#22242a")
    paint(canvas, rectangle(4, 4, width - 8, height - 8, 9), *sheet[style])
    if style == "american":
        write(canvas, "LAUNCH COAST", (110, 16, 188, 22), "#b3372f", weight=0.02)
        write(canvas, words, (30, 62, 348, 92), ink, weight=0.035)
        write(canvas, "see you in orbit", (134, 170, 140, 20), "#4b5d86")
        screws = [(60, 26), (348, 26), (60, 182), (348, 182)]
    else:
        band = 40 if style == "european" else 4
        if style == "european":
            paint(canvas, rectangle(5, 5, 36, height - 10), "#2b58b8", "#1d3f8f")
            paint(canvas, ellipse(23, 56, 12, 12), "#e8c34a")
            paint(canvas, ellipse(23, 56, 8, 8), "#244ba3")
        write(canvas, words, (band + 14, 20, width - band - 30, height - 40), ink, weight=0.03)
        screws = [(band + 9, height // 2), (width - 10, height // 2)]
    for x, y in screws:
        paint(canvas, ellipse(x, y, 4, 4), "#8d8f92", "#5d5f63")
    shape = canvas[..., 3:].copy()
    paint(canvas, rectangle(0, height * 0.8, width, height * 0.25), "#6b5c46", opacity=0.25, blur=8)
    paint(
        canvas,
        [(width * 0.55, 0), (width * 0.8, 0), (width * 0.6, height), (width * 0.35, height)],
        "#ffffff",
        opacity=0.18,
        blur=6,
    )
    return Sprite(canvas * shape, (Labelled("plate", (0, 0, width, height)),))


def mirror(canvas: Pixels, points: Points, *shades: str, opacity: float = 1.0, blur: float = 0.0) -> None:
    """Paint an outline and its mirror image about the middle of the canvas."""
    width = canvas.shape[1]
    paint(canvas, points, *shades, opacity=opacity, blur=blur)
    paint(canvas, [(width - x, y) for x, y in points], *shades, opacity=opacity, blur=blur)


def both_sides(half: Points) -> Points:
    """The outline of a whole car part from its right half, top to bottom."""
    return [*half, *((1000 - x, y) for x, y in reversed(half))]


def car_body(light: str, middle: str, dark: str) -> Pixels:
    """What the front and the rear of a car share, 1000 by 840: shadow, tyres, hull, roof."""
    canvas = blank(1000, 840)
    paint(canvas, ellipse(480, 800, 470, 26), "#14131a", opacity=0.75, blur=10)
    mirror(canvas, rounded([(85, 600), (245, 600), (245, 815), (105, 815), (85, 760)], 2), "#17181b", "#26272b")
    mirror(canvas, rounded([(8, 352), (70, 340), (112, 352), (108, 400), (40, 412), (10, 396)], 2), middle, dark)
    roof = [(500, 40), (690, 42), (770, 66), (810, 120), (880, 300), (905, 390), (905, 440), (500, 440)]
    paint(canvas, rounded(both_sides(roof), 2), light, middle)
    half = [(500, 352), (860, 352), (915, 378), (950, 430), (962, 520), (955, 640), (930, 735), (880, 765), (500, 770)]
    paint(canvas, rounded(both_sides(half), 2), middle, dark)
    paint(
        canvas,
        rounded([(110, 392), (500, 372), (890, 392), (880, 408), (500, 390), (120, 408)], 2),
        "#ffffff",
        opacity=0.5,
        blur=5,
    )
    paint(
        canvas,
        rounded([(245, 64), (500, 52), (755, 64), (740, 74), (500, 62), (260, 74)], 2),
        "#ffffff",
        opacity=0.5,
        blur=4,
    )
    return canvas


def glass(
    canvas: Pixels,
    half: Points,
    inside: Sprite | None = None,
    at: tuple[float, float, float] = (0, 0, 1),
) -> tuple[Labelled, ...]:
    """A window from its right half, with seats and a passenger (left, top, scale) behind its reflections."""
    outline = rounded(both_sides(half), 2)
    paint(canvas, [(500 + (x - 500) * 1.02, 225 + (y - 225) * 1.05) for x, y in outline], "#101216")
    pane = blank(canvas.shape[1], canvas.shape[0])
    paint(pane, outline, "#3b4a57", "#1b2229")
    for x in (330, 670):
        paint(pane, rounded([(x - 60, 190), (x + 60, 190), (x + 85, 420), (x - 85, 420)], 2), "#2b3239", "#15191d")
        paint(pane, rectangle(x - 38, 135, 76, 62, 22), "#333b43", "#1e2429")
    found = place(pane, inside, *at[:2], scale=at[2]) if inside else ()
    shine = 0.10 if inside else 0.3
    paint(pane, [(180, 60), (420, 60), (250, 420), (60, 420)], "#eaf4fb", "#9fc0d6", opacity=shine, blur=8)
    paint(pane, [(470, 60), (520, 60), (350, 420), (300, 420)], "#eaf4fb", "#9fc0d6", opacity=shine, blur=8)
    stencil = blank(canvas.shape[1], canvas.shape[0])
    paint(stencil, outline, "#ffffff")
    lay(canvas, pane * stencil[..., 3:], 0, 0)
    return found


def car_rear(number: Sprite, *, light: str, middle: str, dark: str) -> Sprite:
    """A hatchback from behind, 1000 by 840, with its plate."""
    canvas = car_body(light, middle, dark)
    glass(canvas, [(500, 92), (735, 96), (765, 118), (835, 330), (820, 346), (500, 350)])
    paint(canvas, rectangle(420, 78, 160, 9), "#7c1216", "#4d0a0d")
    mirror(
        canvas,
        rounded([(58, 415), (110, 404), (262, 424), (270, 462), (250, 520), (90, 540), (56, 500)], 2),
        "#d4252b",
        "#8e1119",
    )
    mirror(
        canvas, rounded([(75, 428), (240, 442), (236, 462), (80, 456)], 2), "#ff7d73", "#e2454a", opacity=0.9, blur=2
    )
    mirror(
        canvas, rounded([(82, 490), (160, 488), (158, 512), (88, 518)], 2), "#fbe6d2", "#e9b48a", opacity=0.9, blur=1
    )
    paint(
        canvas,
        rounded([(285, 452), (715, 452), (730, 480), (690, 590), (310, 590), (270, 480)], 2),
        dark,
        middle,
        opacity=0.85,
        blur=2,
    )
    paint(canvas, rectangle(400, 444, 200, 18, 9), "#dfe3e6", "#7f868c")
    paint(canvas, rectangle(70, 606, 860, 4), "#0d0e10", opacity=0.55, blur=1)
    paint(canvas, rectangle(90, 611, 820, 7), "#ffffff", opacity=0.3, blur=3)
    paint(
        canvas,
        rounded([(120, 668), (880, 668), (905, 700), (860, 768), (140, 768), (95, 700)], 2),
        "#2c2e33",
        "#17181b",
    )
    mirror(canvas, rectangle(130, 684, 120, 18, 9), "#c8282c", "#85141a")
    return Sprite(canvas, mount(canvas, number, middle=(500, 525)))


def car_front(number: Sprite, driver: Sprite, *, light: str, middle: str, dark: str) -> Sprite:
    """A hatchback from the front, 1000 by 840, with its plate and its driver."""
    canvas = car_body(light, middle, dark)
    pane = [(500.0, 88.0), (735.0, 92.0), (768.0, 118.0), (850.0, 350.0), (830.0, 362.0), (500.0, 368.0)]
    found = glass(canvas, pane, driver, (500.0, 96.0, 0.95))
    paint(canvas, rounded([(120, 372), (880, 372), (905, 430), (800, 470), (200, 470), (95, 430)], 2), light, middle)
    mirror(canvas, [(300, 385), (320, 385), (270, 470), (245, 470)], dark, opacity=0.35, blur=4)
    mirror(
        canvas, rounded([(66, 440), (130, 428), (270, 470), (285, 505), (220, 530), (90, 510), (64, 480)], 2), "#23272d"
    )
    mirror(
        canvas, rounded([(76, 446), (130, 438), (258, 476), (262, 500), (212, 518), (96, 502)], 2), "#f6fbff", "#a9bccb"
    )
    mirror(canvas, ellipse(150, 478, 26, 24), "#ffffff", "#d8e6f0")
    paint(canvas, rounded([(310, 480), (690, 480), (670, 560), (330, 560)], 2), "#1a1c20", "#2c2f35")
    for y in (498, 516, 534):
        paint(canvas, rectangle(330, y, 340, 5), "#7d848b", "#43484e")
    paint(
        canvas,
        rounded([(180, 660), (820, 660), (850, 690), (800, 755), (200, 755), (150, 690)], 2),
        "#1d1f23",
        "#2b2e33",
    )
    mirror(canvas, ellipse(170, 672, 34, 24), "#2a2d32", "#15171a")
    return Sprite(canvas, (*found, *mount(canvas, number, middle=(500, 615))))


def mount(canvas: Pixels, number: Sprite, *, middle: tuple[float, float]) -> tuple[Labelled, ...]:
    """Screw a plate on a car, a little larger than life: the car is 1.75 m wide, a plate 30 to 52 cm."""
    scale = 0.54 if number.pixels.shape[0] > 150 else 0.74
    width, height = number.pixels.shape[1] * scale, number.pixels.shape[0] * scale
    left, top = middle[0] - width / 2, middle[1] - height / 2
    paint(canvas, rectangle(left - 5, top - 4, width + 10, height + 10), "#0d0e11", opacity=0.7, blur=3)
    return place(canvas, number, left, top, scale=scale)


def billboard(title: str, second: str, dates: str) -> Sprite:
    """A wide poster, 960 by 560: an astronaut under the stars."""
    canvas = blank(960, 560)
    paint(canvas, rectangle(0, 0, 960, 560), "#e9e6df", "#c9c5bc")
    paint(canvas, rectangle(14, 14, 932, 532), "#0f1b3d", "#31528f")
    random = np.random.default_rng(5)
    for x, y, size in zip(
        random.uniform(30, 930, 90), random.uniform(30, 480, 90), random.uniform(0.7, 2.2, 90), strict=True
    ):
        if not (x < 430 and 90 < y < 310):  # the words' place
            paint(canvas, ellipse(float(x), float(y), float(size), float(size)), "#fff6df", opacity=0.8)
    inner = canvas[14:546, 14:946]
    paint(inner, ellipse(660, 860, 760, 500), "#f2b05e", "#c9583b")
    paint(inner, ellipse(660, 872, 760, 500), "#e4824a", "#7d2f33")
    found = place(inner, astronaut(), 270, 18, scale=1.7)
    write(inner, title, (50, 96, 300, 36), "#fdf3dc", weight=0.014)
    write(inner, second, (52, 170, 236, 36), "#f7c56b", weight=0.014)
    write(inner, dates, (52, 246, 160, 25), "#dfe7f5", weight=0.012)
    return Sprite(canvas, tuple(Labelled(o.label, (o.bbox[0] + 14, o.bbox[1] + 14, *o.bbox[2:])) for o in found))


def street_poster() -> Sprite:
    """A lit poster case on two feet, 560 by 980, with the whole photograph in it."""
    canvas = blank(560, 980)
    paint(canvas, ellipse(270, 962, 250, 12), "#14131a", opacity=0.6, blur=5)
    for x in (70, 460):
        paint(canvas, rectangle(x, 780, 30, 184), "#3a4148", "#23282d")
    paint(canvas, rectangle(8, 8, 544, 800, 10), "#4a525a", "#2b3137")
    paint(canvas, rectangle(28, 28, 504, 760), "#fbf8f0", "#ece6d8")
    found = place(canvas, photograph(), 44, 44, scale=472 / 512)
    write(canvas, "MEET THE CREW", (60, 560, 440, 54), "#1f2f5c", weight=0.03)
    write(canvas, "free entry, every day at noon", (60, 640, 440, 36), "#5a5f6b")
    paint(canvas, rectangle(60, 706, 170, 50, 25), "#e4824a", "#c9583b")
    write(canvas, "city hall", (84, 718, 122, 28), "#fff8ea", weight=0.015)
    paint(canvas, [(300, 8), (420, 8), (180, 808), (60, 808)], "#ffffff", opacity=0.10, blur=3)
    return Sprite(canvas, found)
