"""What a masker promises about the pixels that it hides, and about those that it does not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeanon.boxes import as_boxes, complete, grow, to_pixels
from edgeanon.detections import Kind
from edgeanon.errors import ConfigError, LeakError
from edgeanon.masker import MARGINS, Masker, Shape
from edgeanon.masker.outline import Outline, cover
from edgeanon.styles import Blur, Fill, Patch, Pixelate, Replace, Soft, Style

SHAPES: tuple[Shape, ...] = ("rectangle", "rounded", "ellipse")
FORMS = [((), np.uint8), ((3,), np.uint8), ((4,), np.uint8), ((), np.uint16), ((3,), np.uint16), ((4,), np.uint16)]
REPLACEMENT = np.arange(5 * 7 * 4, dtype=np.uint8).reshape(5, 7, 4)
IRREVERSIBLE: list[Style] = [Fill((10, 200, 30)), Soft(), Replace(REPLACEMENT)]


def picture(
    height: int, width: int, channels: tuple[int, ...] = (3,), dtype: Any = np.uint8, seed: int = 0
) -> NDArray[Any]:
    random = np.random.default_rng(seed)
    return random.integers(0, np.iinfo(dtype).max, (height, width, *channels), dtype, endpoint=True)


def region(height: int, width: int, pixels: NDArray[np.int64]) -> NDArray[np.bool_]:
    result = np.zeros((height, width), np.bool_)
    for x1, y1, x2, y2 in pixels.tolist():
        result[y1:y2, x1:x2] = True
    return result


coordinates = st.one_of(
    st.floats(-30, 70, width=32),
    st.integers(-5, 50).map(float),
    st.sampled_from([np.nan, np.inf, -np.inf, 1e30, -1e30, 0.0, -0.0]),
)
usual = st.tuples(*[st.floats(-10, 45, width=32)] * 2, *[st.floats(0, 30, width=32)] * 2).map(
    lambda box: (box[0], box[1], box[0] + box[2], box[1] + box[3])
)
boxes_of_any_kind = st.lists(st.one_of(usual, usual, st.tuples(*[coordinates] * 4)), max_size=6).map(
    lambda rows: np.array(rows, np.float32).reshape(-1, 4)
)
margins = st.tuples(*[st.sampled_from([0.0, 0.05, 0.2, 0.25, 1.0])] * 2)


@st.composite
def scenes(draw: st.DrawFn) -> tuple[NDArray[Any], NDArray[np.float32], NDArray[np.int64]]:
    channels, dtype = draw(st.sampled_from(FORMS))
    image = picture(draw(st.integers(1, 48)), draw(st.integers(1, 48)), channels, dtype, draw(st.integers(0, 5)))
    boxes = draw(boxes_of_any_kind)
    kinds = draw(st.lists(st.integers(0, 4), min_size=len(boxes), max_size=len(boxes)))
    return image, boxes, np.array(kinds, np.int64)


@given(scenes(), margins, st.sampled_from(SHAPES), st.booleans())
@settings(max_examples=100, deadline=None)
def test_every_pixel_that_a_box_touches_is_hidden(scene: Any, margin: Any, shape: Shape, feather: bool) -> None:
    image, boxes, kinds = scene
    height, width = image.shape[:2]
    hidden = Masker(Soft() if feather else Fill(), margin=margin, shape=shape).hidden((height, width), boxes, kinds)
    assert hidden[region(height, width, to_pixels(complete(boxes, width, height), width, height))].all()


@given(scenes(), margins, st.sampled_from(SHAPES))
@settings(max_examples=80, deadline=None)
def test_a_hard_mask_replaces_what_is_hidden_and_nothing_else(scene: Any, margin: Any, shape: Shape) -> None:
    image, boxes, kinds = scene
    masker = Masker(Fill((7, 7, 7)), margin=margin, shape=shape)
    result = masker.mask(image, boxes, kinds)
    hidden = masker.hidden(image.shape[:2], boxes, kinds)
    scale = np.iinfo(image.dtype).max // 255
    assert (result[hidden][..., :3] == 7 * scale).all()
    assert np.array_equal(result[~hidden], image[~hidden])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("feather", [False, True])
def test_what_is_hidden_is_what_is_drawn_for_boxes_of_all_small_sizes(shape: Shape, feather: bool) -> None:
    """On a picture that is all 200, the fill of a hidden pixel is exact, and no other pixel is wholly the fill."""

    class Seven:
        irreversible = True

        def __init__(self) -> None:
            self.feather = feather

        def __call__(self, patch: Any) -> Any:
            return np.full((patch.box[3] - patch.box[1], patch.box[2] - patch.box[0], 3), 7, np.uint8)

    image = np.full((48, 48, 3), 200, np.uint8)
    masker = Masker(Seven(), margin=(0, 0), shape=shape)
    for side in range(1, 26):
        box = np.array([[0, 0, side, side]], np.float32)
        hidden = masker.hidden((48, 48), box)
        assert np.array_equal((masker.mask(image, box) == 7).all(axis=2), hidden)


@given(scenes(), margins, st.sampled_from(["rectangle", "rounded"]))
@settings(max_examples=80, deadline=None)
def test_nothing_outside_the_grown_boxes_changes(scene: Any, margin: Any, shape: Shape) -> None:
    image, boxes, kinds = scene
    height, width = image.shape[:2]
    result = Masker(Soft(), margin=margin, shape=shape).mask(image, boxes, kinds)
    known = complete(boxes, width, height).clip(-1e6, 1e6)
    touched = region(height, width, to_pixels(grow(known, margin), width, height))
    touched |= region(height, width, to_pixels(known, width, height))
    assert np.array_equal(result[~touched], image[~touched])


@given(scenes(), margins, st.sampled_from(SHAPES), st.sampled_from(IRREVERSIBLE), st.booleans())
@settings(max_examples=100, deadline=None)
def test_what_is_hidden_does_not_change_the_output_of_an_irreversible_style(
    scene: Any, margin: Any, shape: Shape, style: Style, in_place: bool
) -> None:
    image, boxes, kinds = scene
    masker = Masker(style, margin=margin, shape=shape)
    hidden = masker.hidden(image.shape[:2], boxes, kinds)
    other = image.copy()
    other[hidden] = np.iinfo(image.dtype).max - other[hidden]
    first = masker.mask(image, boxes, kinds)
    assert np.array_equal(first, masker.mask(other, boxes, kinds, out=other if in_place else None))


def test_the_same_holds_for_large_masks_a_crowd_and_a_mask_of_the_whole_frame() -> None:
    random = np.random.default_rng(3)
    corners = random.uniform(-50, 600, (60, 2))
    crowd = np.concatenate([corners, corners + random.uniform(5, 80, (60, 2))], axis=1)
    for boxes in (crowd, [[100, 80, 400, 420]], [[-10, 50, 330, 700], [200, 10, 640, 320]], [[0, 0, 640, 480]]):
        image = picture(480, 640)
        masker = Masker()
        hidden = masker.hidden((480, 640), boxes)
        other = image.copy()
        other[hidden] = 255 - other[hidden]
        assert np.array_equal(masker.mask(image, boxes), masker.mask(other, boxes))


@given(scenes(), st.randoms(use_true_random=False), st.sampled_from(SHAPES))
@settings(max_examples=60, deadline=None)
def test_the_order_of_the_boxes_does_not_matter(scene: Any, random: Any, shape: Shape) -> None:
    image, boxes, kinds = scene
    order = list(range(len(boxes)))
    random.shuffle(order)
    masker = Masker({Kind.FACE: Soft(), Kind.PLATE: Fill(), Kind.OTHER: Pixelate()}, shape=shape)
    ids = np.arange(len(boxes))
    shuffled = masker.mask(image, boxes[order], kinds[order], ids[order])
    assert np.array_equal(masker.mask(image, boxes, kinds, ids), shuffled)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_feathered_edge_fades_between_the_hidden_pixels_and_the_grown_box(shape: Shape) -> None:
    image = np.zeros((200, 200), np.uint8)

    def white(_: Patch) -> int:
        return 255

    white.feather = True  # type: ignore[attr-defined]
    masker = Masker(white, margin=(0.3, 0.3), shape=shape)
    box = [[60, 60, 140, 140]]
    result, hidden = masker.mask(image, box), masker.hidden((200, 200), box)
    assert (result[hidden] == 255).all()
    assert (result[~hidden] < 255).all()
    row = result[100].astype(int)
    assert (np.diff(row[:100]) >= 0).all()
    assert ((row > 0) & (row < 255)).sum() >= 8
    assert (row[hidden[100]] == 255).sum() >= 80 * (1 + 2 * 0.3 * 0.7)


def test_without_a_margin_nothing_fades() -> None:
    image = picture(60, 60)
    for shape in SHAPES[:2]:
        masker = Masker(Soft(), margin=(0, 0), shape=shape)
        hidden = masker.hidden((60, 60), [[10, 10, 30, 40]])
        assert np.array_equal(hidden, region(60, 60, np.array([[10, 10, 30, 40]])))
        assert np.array_equal(masker.mask(image, [[10, 10, 30, 40]])[~hidden], image[~hidden])


def test_a_rectangle_is_all_of_the_grown_box() -> None:
    hidden = Masker(Fill(), margin=(0.2, 0.1), shape="rectangle").hidden((100, 100), [[20, 30, 60, 80]])
    assert np.array_equal(hidden, region(100, 100, np.array([[12, 25, 68, 85]])))


@pytest.mark.parametrize("style", [Fill(), Soft()])
def test_a_rounded_mask_leaves_the_corners_of_the_grown_box_clear(style: Style) -> None:
    hidden = Masker(style, margin=(0.2, 0.2), shape="rounded").hidden((200, 200), [[50, 50, 150, 150]])
    assert not hidden[[30, 30, 169, 169], [30, 169, 30, 169]].any()
    assert np.array_equal(hidden, hidden[::-1])
    assert np.array_equal(hidden, hidden[:, ::-1])
    assert hidden[100].sum() == (140 if isinstance(style, Fill) else 130)


@given(st.tuples(*[st.integers(1, 60)] * 2), st.tuples(*[st.integers(0, 30)] * 2), st.booleans())
@settings(max_examples=150, deadline=None)
def test_a_rounded_form_holds_the_given_box_by_itself(box: Any, margin: Any, feather: bool) -> None:
    size = (box[0] + 2 * margin[0], box[1] + 2 * margin[1])
    for window in ((0, 0, *size), (0, 0, size[0] - margin[0], size[1])):
        form = cover(Outline("rounded", feather, size, window, (0, 0, 0, 0), margin))
        assert (form[margin[1] : margin[1] + box[1], margin[0] : margin[0] + box[0]] == 255).all()
        if window[2:] == size:
            whole = form
        else:
            assert np.array_equal(form, whole[:, : window[2]])


def test_an_ellipse_goes_around_the_box_and_grows_as_far_as_it_needs() -> None:
    for margin, sides in ((0.0, (142, 72)), (0.2, (142, 72)), (0.5, (200, 100))):
        hidden = Masker(Fill(), margin=(margin, margin), shape="ellipse").hidden((300, 300), [[100, 125, 200, 175]])
        assert (hidden.any(axis=0).sum(), hidden.any(axis=1).sum()) == pytest.approx(sides, abs=2)
        assert hidden.sum() == pytest.approx(np.pi / 4 * sides[0] * sides[1], rel=0.05)


@pytest.mark.parametrize("style", [*IRREVERSIBLE, Pixelate(), Blur(), lambda patch: 255 - patch.pixels])
@pytest.mark.parametrize(("channels", "dtype"), FORMS)
def test_every_style_takes_every_form_of_picture_down_to_one_pixel(style: Style, channels: Any, dtype: Any) -> None:
    masker = Masker(style)
    for height, width in ((1, 1), (1, 30), (30, 1), (2, 3), (40, 50)):
        image = picture(height, width, channels, dtype)
        before = image.copy()
        image.flags.writeable = False
        result = masker.mask(image, [[0, 0, 1, 1], [-5, -5, 20, 20], [30, 20, 90, 90], [3, 3, 3, 3]])
        assert result.shape == image.shape
        assert result.dtype == image.dtype
        assert np.array_equal(image, before)


LAYOUTS: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "upside down": lambda image: image[::-1],
    "mirrored": lambda image: image[:, ::-1],
    "RGB seen as BGR": lambda image: image[..., ::-1],
    "turned": lambda image: image.swapaxes(0, 1),
    "every second pixel": lambda image: image[::2, ::2],
    "a window": lambda image: image[3:-3, 2:-2],
    "Fortran order": np.asfortranarray,
    "three of four channels": lambda image: np.dstack([image, image[..., :1]])[..., :3],
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
@pytest.mark.parametrize("style", [Fill(), Soft(), Blur()])
def test_the_layout_in_memory_does_not_matter(layout: Callable[[NDArray[Any]], NDArray[Any]], style: Style) -> None:
    image = layout(picture(60, 70))
    boxes = [[5, 5, 20, 20], [15, 10, 80, 22]]
    masker = Masker(style)
    expected = masker.mask(np.ascontiguousarray(image), boxes)
    assert np.array_equal(masker.mask(image, boxes), expected)
    target = layout(np.zeros((60, 70, 3), np.uint8))
    assert masker.mask(image, boxes, out=target) is target
    assert np.array_equal(target, expected)
    assert masker.mask(image, boxes, out=image) is image
    assert np.array_equal(image, expected)


def test_a_view_of_the_image_itself_masks_in_place() -> None:
    image = picture(40, 40)
    expected = Masker().mask(image, [[5, 5, 20, 20]])
    Masker().mask(image, [[5, 5, 20, 20]], out=image[:])
    assert np.array_equal(image, expected)


def test_two_windows_side_by_side_in_one_array_are_not_taken_for_an_overlap() -> None:
    both = np.concatenate([picture(40, 40), np.zeros((40, 40, 3), np.uint8)], axis=1)
    Masker().mask(both[:, :40], [[5, 5, 20, 20]], out=both[:, 40:])
    assert both[:, 40:].any()


def fails(patch: Patch) -> Any:
    raise RuntimeError(f"no {patch.kind}")


BROKEN: dict[str, Callable[[Patch], Any]] = {
    "raises": fails,
    "nothing": lambda _: None,
    "too small": lambda patch: patch.pixels[1:],
    "transposed": lambda patch: patch.pixels.swapaxes(0, 1)[:, :2],
    "floats": lambda patch: patch.pixels.astype(np.float32),
    "too deep": lambda patch: patch.pixels.astype(np.uint16),
    "out of range": lambda _: (0, 0, 256),
    "negative": lambda _: -1,
    "two channels": lambda _: (0, 0),
    "ragged": lambda _: [[1, 2], [3]],
    "writes": lambda patch: patch.pixels.fill(0),
}


@pytest.mark.parametrize("style", BROKEN.values(), ids=BROKEN.keys())
@pytest.mark.parametrize("target", ["new", "other", "image", "mirrored image"])
def test_a_style_that_fails_withholds_the_whole_picture(style: Style, target: str) -> None:
    image = picture(50, 60) | 1
    before = image.copy()
    out = {"new": None, "other": np.full_like(image, 9), "image": image, "mirrored image": image[:, ::-1]}[target]
    source = out if out is not None and target != "other" else image
    with pytest.raises(LeakError, match="style") as caught:
        Masker({Kind.PLATE: style}).mask(source, [[1, 1, 20, 20], [30, 10, 50, 20]], [Kind.FACE, Kind.PLATE], out=out)
    assert isinstance(caught.value.__cause__, Exception)
    if out is not None:
        assert not out.any()
    if target in {"new", "other"}:
        assert np.array_equal(image, before)


def test_an_interrupt_leaves_nothing_either() -> None:
    def interrupt(_: Patch) -> Any:
        raise KeyboardInterrupt

    image = picture(20, 20)
    with pytest.raises(KeyboardInterrupt):
        Masker(interrupt).mask(image, [[2, 2, 9, 9]], out=image)
    assert not image.any()


def test_a_style_may_return_one_colour() -> None:
    image = picture(30, 30)
    box = [[5, 5, 9, 9]]
    assert (Masker(lambda _: (1, 2, 3)).mask(image, box)[5:9, 5:9] == (1, 2, 3)).all()
    assert (Masker(lambda _: 4).mask(image, box)[5:9, 5:9] == 4).all()
    large = picture(400, 400)
    assert (Masker(lambda _: (1, 2, 3)).mask(large, [[5, 5, 390, 390]])[5:390, 5:390] == (1, 2, 3)).all()


def test_a_style_is_told_the_kind_the_track_and_all_regions() -> None:
    seen: list[tuple[Kind, int, tuple[int, int, int, int], int]] = []

    def watch(patch: Patch) -> int:
        seen.append((patch.kind, patch.id, patch.box, len(patch.hidden)))
        assert patch.pixels.shape[:2] == (patch.box[3] - patch.box[1], patch.box[2] - patch.box[0])
        return 0

    boxes = [[0, 0, 20, 20], [30, 30, 40, 40], [500, 500, 600, 600], [40, 0, 43, 3]]
    Masker(watch, margin=(0.1, 0.1)).mask(picture(50, 50), boxes, kinds=[0, 1, 1, 200], ids=[5, 6, 7, 8])
    assert seen == [
        (Kind.FACE, 5, (0, 0, 22, 22), 3),
        (Kind.PLATE, 6, (29, 29, 41, 41), 3),
        (Kind.OTHER, 8, (39, 0, 44, 4), 3),
    ]
    seen.clear()
    Masker(watch).mask(picture(50, 50), boxes[:1])
    assert seen[0][:2] == (Kind.OTHER, -1)


def test_settings_may_differ_by_kind_and_what_is_left_out_keeps_its_default() -> None:
    masker = Masker({Kind.FACE: Fill()}, margin={Kind.PLATE: (0, 0.5)}, shape={Kind.OTHER: "ellipse"})
    assert masker.styles == {Kind.FACE: Fill(), Kind.PLATE: Soft(), Kind.OTHER: Soft()}
    assert masker.margins == {**MARGINS, Kind.PLATE: (0, 0.5)}
    assert masker.shapes == {Kind.FACE: "rounded", Kind.PLATE: "rounded", Kind.OTHER: "ellipse"}
    assert "Fill(color=(0, 0, 0))" in repr(masker)


def test_a_masker_is_irreversible_only_if_all_its_styles_are() -> None:
    assert Masker().irreversible
    assert Masker({Kind.FACE: Fill()}).irreversible
    assert not Masker({Kind.FACE: Blur()}).irreversible
    assert not Masker(lambda patch: 255 - patch.pixels).irreversible


def test_what_is_unknown_of_a_box_hides_more() -> None:
    masker = Masker(Fill(), margin=(0, 0), shape="rectangle")
    assert masker.hidden((20, 30), [[np.nan] * 4]).all()
    assert masker.hidden((20, 30), [[10, -np.inf, np.inf, np.nan]])[:, 10:].all()
    assert np.array_equal(masker.hidden((20, 30), [[9, 8, 3, 2]]), masker.hidden((20, 30), [[3, 2, 9, 8]]))
    assert masker.hidden((20, 30), [[29.5, 19.5, 29.5, 19.5]]).sum() == 1
    assert not masker.hidden((20, 30), [[30, 0, 40, 20], [-9, 0, 0, 20]]).any()


def test_no_boxes_leave_the_picture_as_it_is() -> None:
    image = picture(10, 10)
    nothing: list[Any] = [[], np.empty((0, 4)), np.empty(0)]
    for none in nothing:
        result = Masker().mask(image, none, kinds=[], ids=np.empty(0, np.int64))
        assert np.array_equal(result, image)
        assert result is not image


def test_a_soft_mask_in_constant_surroundings_is_of_their_colour() -> None:
    for side in (20, 90, 300):
        image = np.full((500, 600, 3), (200, 100, 50), np.uint8)
        image[40 : 40 + side, 40 : 40 + side] = 255
        result = Masker(Soft(grain=0)).mask(image, [[40, 40, 40 + side, 40 + side]])
        assert np.abs(result.astype(int) - (200, 100, 50)).max() <= 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"image": "a.jpg"}, "image is a str"),
        ({"image": np.zeros((4, 4, 2), np.uint8)}, r"image has the shape \(4, 4, 2\)"),
        ({"image": np.zeros((4, 4, 3))}, "image is float64"),
        ({"boxes": [1, 2, 3, 4]}, "boxes"),
        ({"kinds": [0]}, r"kinds is int64 of shape \(1,\) for 2 boxes"),
        ({"kinds": [0.0, 1.0]}, "kinds is float64"),
        ({"kinds": [[1], [1, 2]]}, "kinds"),
        ({"ids": ["a", "b"]}, "ids is"),
        ({"out": np.zeros((8, 9, 3), np.uint8)}, r"out is uint8 of shape \(8, 9, 3\)"),
        ({"out": np.zeros((8, 8, 3), np.uint16)}, "out is uint16"),
        ({"out": []}, "out is a list"),
        ({"out": np.broadcast_to(np.uint8(0), (8, 8, 3))}, "out is read-only"),
    ],
)
def test_a_wrong_argument_is_named(arguments: dict[str, Any], message: str) -> None:
    usual: dict[str, Any] = {"image": np.zeros((8, 8, 3), np.uint8), "boxes": [[1, 1, 2, 2], [3, 3, 4, 4]]}
    with pytest.raises(ConfigError, match=message):
        Masker().mask(**{**usual, **arguments})


def test_an_out_that_overlaps_the_image_is_refused_and_nothing_is_written() -> None:
    large = picture(20, 20)
    before = large.copy()
    for out in (large[1:11], large[9::-1], large[:10, ::-1]):
        with pytest.raises(ConfigError, match="out shares"):
            Masker().mask(large[:10], [[1, 1, 5, 5]], out=out)
    assert np.array_equal(large, before)


@pytest.mark.parametrize(
    "setting",
    [
        {"style": "soft"},
        {"style": Soft},
        {"style": {Kind.FACE: None}},
        {"style": {"face": Soft()}},
        {"margin": 0.2},
        {"margin": (0.2,)},
        {"margin": (0.2, -0.1)},
        {"margin": (np.nan, 0)},
        {"margin": (0, np.inf)},
        {"margin": {Kind.FACE: ("a", "b")}},
        {"margin": {9: (0, 0)}},
        {"shape": "circle"},
        {"shape": {Kind.PLATE: ["rounded"]}},
    ],
)
def test_a_wrong_setting_is_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(setting))):
        Masker(**setting)


def test_boxes_of_any_making_are_taken() -> None:
    image = picture(30, 30)
    expected = Masker().mask(image, as_boxes([[3, 4, 9, 10]]))
    for boxes in ([(3, 4, 9, 10)], np.array([[3, 4, 9, 10]], np.int16), np.asfortranarray([[3.0, 4.0, 9.0, 10.0]])):
        assert np.array_equal(Masker().mask(image, boxes), expected)
