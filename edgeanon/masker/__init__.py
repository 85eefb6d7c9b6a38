"""Masks: from boxes to a picture that does not show what lies in them."""

from collections.abc import Mapping
from math import isfinite
from types import MappingProxyType
from typing import Any, Final, TypeVar, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edgeanon.boxes import as_boxes, complete, grow
from edgeanon.detections import Kind
from edgeanon.errors import ConfigError, LeakError
from edgeanon.masker.outline import Outline, Shape, mix, place, replaced
from edgeanon.styles import Patch, Soft, Style

__all__ = ["MARGINS", "SHAPES", "Margin", "Masker", "Shape"]

Margin = tuple[float, float]
Setting = TypeVar("Setting")
# The region to draw, its outline, and what a style is told.
_Place = tuple[tuple[int, int, int, int], Outline, Kind, int]

# Shares of the box on each side. A feathered mask replaces the box and at least three quarters
# of this, and fades in the rest.
MARGINS: Final[Mapping[Kind, Margin]] = MappingProxyType(
    {Kind.FACE: (0.25, 0.3), Kind.PLATE: (0.55, 0.65), Kind.OTHER: (0.25, 0.3)}
)
SHAPES: Final[Mapping[Kind, Shape]] = MappingProxyType(dict.fromkeys(Kind, "rounded"))

_FAR = 1e6  # past any picture; coordinates and margins are held below, so that no arithmetic on them overflows
_KINDS = tuple(Kind)
_OTHER = int(Kind.OTHER)


class Masker:
    """Hides what lies in boxes.

    Args:
        style: what is drawn, one for all or by kind; `Soft` where a kind has none.
        margin: ``(x, y)`` by which a box grows on each side, as shares of its width and height, finite and at least
            0; one for all or by kind, that of ``MARGINS`` where a kind has none.
        shape: the outline, one for all or by kind, that of ``SHAPES`` where a kind has none. "rectangle" is the grown
            box; "rounded" cuts its corners as far as the given box stays covered; "ellipse" goes around the given
            box, and past the grown box where the margin is too small for that.

    A masker does not change once made: one may serve any number of threads.

    Raises:
        ConfigError: a setting is none of these.
    """

    def __init__(
        self,
        style: Style | Mapping[Kind, Style] | None = None,
        *,
        margin: Margin | Mapping[Kind, Margin] | None = None,
        shape: Shape | Mapping[Kind, Shape] | None = None,
    ) -> None:
        self.styles: Final = _by_kind("style", style, dict.fromkeys(Kind, Soft()))
        self.margins: Final = _by_kind("margin", margin, MARGINS)
        self.shapes: Final = _by_kind("shape", shape, SHAPES)
        for kind in Kind:
            _check_settings(self.styles[kind], self.margins[kind], self.shapes[kind])
        self._margin = np.array([self.margins[kind] for kind in Kind]).clip(0, _FAR).astype(np.float32)
        self._form = tuple((self.shapes[kind], bool(getattr(self.styles[kind], "feather", False))) for kind in Kind)

    def __repr__(self) -> str:
        parts = (
            f"{{{', '.join(f'{kind}: {value!r}' for kind, value in setting.items())}}}"
            for setting in (self.styles, self.margins, self.shapes)
        )
        return "Masker({}, margin={}, shape={})".format(*parts)

    @property
    def irreversible(self) -> bool:
        """Every style says that nothing can be recovered from what it draws."""
        return all(getattr(style, "irreversible", False) is True for style in self.styles.values())

    def mask(
        self,
        image: NDArray[Any],
        boxes: ArrayLike,
        kinds: ArrayLike | None = None,
        ids: ArrayLike | None = None,
        out: NDArray[Any] | None = None,
    ) -> NDArray[Any]:
        """The picture with all boxes hidden.

        Args:
            image: ``(h, w)``, ``(h, w, 3)`` BGR or ``(h, w, 4)``, uint8 or uint16. Not modified unless it is ``out``.
            boxes: ``(n, 4)``, ``x1 y1 x2 y2`` in pixel edges. One that is NaN, infinite or inverted hides more, never
                less; an empty one hides at least one pixel, one wholly outside the picture none.
            kinds: ``(n,)`` values of `Kind`; those that are none count as OTHER, and so do all without them.
            ids: ``(n,)`` tracks, handed to the styles; -1 without them.
            out: where the result goes, of the shape and dtype of the image: the image itself, or an array that shares
                no memory with it.

        Returns:
            ``out``, or a new array. The order of the boxes does not matter.

        Raises:
            ConfigError: an argument is not as above; nothing was written.
            LeakError: a style failed. ``out`` is all zeros then, be it the image itself.
        """
        _check_image("image", image)
        if out is not None:
            _check_out(image, out)
        places, regions = self._arrange(boxes, kinds, ids, image.shape[0], image.shape[1])
        result = np.empty(image.shape, image.dtype) if out is None else out
        # OpenCV writes into packed pixels only.
        work = result if _is_packed(result) else np.empty(image.shape, image.dtype)
        try:
            if work is not image:
                np.copyto(work, image)
            self._draw(np.asarray(work), places, regions)
            if work is not result:
                np.copyto(result, work)
        except BaseException:
            result[...] = 0
            raise
        return result

    def hidden(self, shape: tuple[int, int], boxes: ArrayLike, kinds: ArrayLike | None = None) -> NDArray[np.bool_]:
        """Pixels of a picture of ``shape`` ``(h, w)`` that `mask` replaces wholly, ``(h, w)``.

        The given boxes are in it, rounded outward. A feathered edge fades around it, inside the grown boxes.

        Raises:
            ConfigError: an argument is not as `mask` takes it.
        """
        result = np.zeros(shape, np.bool_)
        for (x1, y1, x2, y2), outline, _, _ in self._arrange(boxes, kinds, None, *shape)[0]:
            result[y1:y2, x1:x2] |= replaced(outline) == 255
        return result

    def regions(self, shape: tuple[int, int], boxes: ArrayLike, kinds: ArrayLike | None = None) -> NDArray[np.int64]:
        """Where `mask` changes a picture of ``shape`` ``(h, w)``: ``(m, 4)`` whole pixels, ``x1 y1 x2 y2``.

        There is one for each box that reaches into the picture, the largest first.

        Raises:
            ConfigError: an argument is not as `mask` takes it.
        """
        return self._arrange(boxes, kinds, None, *shape)[1]

    def _arrange(
        self, boxes: ArrayLike, kinds: ArrayLike | None, ids: ArrayLike | None, height: int, width: int
    ) -> tuple[list[_Place], NDArray[np.int64]]:
        """What to draw where, the largest first and never in the order given; and all regions, ``(n, 4)``."""
        known = complete(as_boxes(boxes), width, height).clip(-_FAR, _FAR)
        kind = _column("kinds", kinds, len(known), _OTHER)
        if kinds is not None:
            kind = [index if 0 <= index < len(_KINDS) else _OTHER for index in kind]
        track = _column("ids", ids, len(known), -1)
        grown = grow(known, self._margin[_OTHER if kinds is None else kind])
        both = np.concatenate((known, grown), axis=1).clip(-4 * _FAR, 4 * _FAR).reshape(-1, 2, 2, 2)
        # Of each pair of corners, the first is rounded down and the second up.
        np.floor(both[:, :, 0], out=both[:, :, 0])
        np.ceil(both[:, :, 1], out=both[:, :, 1])
        edges = both.astype(np.int64).reshape(-1, 8).tolist()

        rows = []
        # One by one: a frame has a few boxes, for which an array operation costs more than its arithmetic.
        for (x1, y1, x2, y2, *reach), index, track_id in zip(edges, kind, track, strict=True):
            left, top, right, bottom = reach
            shape, feather = self._form[index]
            placed = place((x1, y1, x2, y2), (left, top, right, bottom), shape, width, height, feather=feather)
            if placed:
                drawn, outline = placed
                area = (drawn[2] - drawn[0]) * (drawn[3] - drawn[1])
                rows.append((-area, drawn, outline, _KINDS[index], track_id))
        rows.sort()
        return [row[1:] for row in rows], np.array([row[1] for row in rows], np.int64).reshape(-1, 4)

    def _draw(self, image: NDArray[Any], places: list[_Place], regions: NDArray[np.int64]) -> None:
        seen = image.view()
        seen.flags.writeable = False
        channels = image.shape[2] if image.ndim == 3 else 1
        # One channel is what OpenCV is fastest on, and mixing needs no more.
        flat = image.reshape(image.shape[0], -1)
        for box, outline, kind, track in places:
            style = self.styles[kind]
            x1, y1, x2, y2 = box
            try:
                result = style(Patch(seen, box, regions, kind, track))
                fill = _as_fill(result, (y2 - y1, x2 - x1, *image.shape[2:]), image.dtype)
            except Exception as error:
                raise LeakError(f"the style {style!r} failed, so the picture was withheld: {error}") from error
            target = flat[y1:y2, x1 * channels : x2 * channels]
            mix(fill, target, outline, channels)


def _column(name: str, values: ArrayLike | None, count: int, without: int) -> list[int]:
    if values is None:
        return [without] * count
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ConfigError(f"{name} is no array; give {count} whole numbers, one a box") from error
    if array.shape != (count,) or (count and array.dtype.kind not in "iu"):
        raise ConfigError(
            f"{name} is {array.dtype} of shape {array.shape} for {count} boxes; give one whole number a box, or None"
        )
    column: list[int] = array.tolist()
    return column


def _as_fill(result: ArrayLike, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """What a style returned, as ``(h, w * channels)`` or a colour ``(channels,)``.

    Raises:
        ValueError: it is neither such a picture nor such a colour.
    """
    fill = np.asarray(result)
    if fill.dtype != dtype:
        # Plain numbers have no dtype of their own.
        plain = not isinstance(result, np.ndarray | np.generic) and fill.dtype.kind in "iu" and fill.size > 0
        if not plain or fill.min() < 0 or fill.max() > np.iinfo(dtype).max:
            raise ValueError(f"it returned {fill.dtype} of shape {fill.shape}, not {dtype} of shape {shape}")
        fill = fill.astype(dtype)
    if fill.shape == shape:
        return (fill if _is_packed(fill) else np.ascontiguousarray(fill)).reshape(shape[0], -1)
    if fill.shape == shape[2:]:
        return fill.reshape(-1)
    if fill.shape == ():
        return np.repeat(fill, shape[2])
    raise ValueError(f"it returned the shape {fill.shape}, not {shape}, and no colour")


def _is_packed(array: NDArray[Any]) -> bool:
    """Whether OpenCV can use the memory: the pixels of a row follow each other, and rows do not overlap."""
    pixel = array.itemsize * (array.shape[2] if array.ndim == 3 else 1)
    packed = array.strides[1] == pixel and array.strides[0] >= pixel * array.shape[1]
    return packed and (array.ndim == 2 or array.strides[2] == array.itemsize) and array.flags.aligned


def _check_image(name: str, image: object) -> None:
    if not isinstance(image, np.ndarray):
        raise ConfigError(f"{name} is a {type(image).__name__}; give a numpy array (h, w), (h, w, 3) or (h, w, 4)")
    if image.ndim != 2 and (image.ndim != 3 or image.shape[2] not in {3, 4}):
        raise ConfigError(f"{name} has the shape {image.shape}; give (h, w), (h, w, 3) or (h, w, 4)")
    if image.dtype not in {np.dtype(np.uint8), np.dtype(np.uint16)}:
        raise ConfigError(f"{name} is {image.dtype}; give uint8 of 0..255 or uint16 of 0..65535")


def _check_out(image: NDArray[Any], out: object) -> None:
    if not isinstance(out, np.ndarray) or out.shape != image.shape or out.dtype != image.dtype:
        form = f"{out.dtype} of shape {out.shape}" if isinstance(out, np.ndarray) else f"a {type(out).__name__}"
        raise ConfigError(f"out is {form}; give {image.dtype} of shape {image.shape}, as the image is")
    if not out.flags.writeable:
        raise ConfigError("out is read-only; give an array that can be written")
    if out is image or _place_in_memory(out) == _place_in_memory(image):
        return
    if np.shares_memory(image, out):
        raise ConfigError("out shares a part of its memory with the image; give the image itself or another array")


def _place_in_memory(array: NDArray[Any]) -> tuple[int, tuple[int, ...]]:
    return array.__array_interface__["data"][0], array.strides


def _by_kind(name: str, setting: Any, without: Mapping[Kind, Setting]) -> Mapping[Kind, Setting]:
    """A setting as one value a kind."""
    if setting is None:
        return MappingProxyType(dict(without))
    if not isinstance(setting, Mapping):
        return MappingProxyType(dict.fromkeys(Kind, setting))
    try:
        given = {Kind(kind): value for kind, value in setting.items()}
    except ValueError as error:
        raise ConfigError(
            f"{name} names a kind that does not exist ({error}); there are {', '.join(Kind.__members__)}"
        ) from error
    return MappingProxyType({**without, **given})


def _check_settings(style: object, margin: object, shape: object) -> None:
    if not callable(style) or isinstance(style, type):
        raise ConfigError(f"the style is {style!r}; give a function of a Patch, such as Soft() or Fill((0, 0, 0))")
    pair: Any = margin
    try:
        x, y = pair
        good = isfinite(x) and isfinite(y) and x >= 0 and y >= 0
    except (TypeError, ValueError):
        good = False
    if not good:
        raise ConfigError(f"the margin is {margin!r}; give (x, y), shares of the box of at least 0, such as (0.2, 0.2)")
    if shape not in get_args(Shape):
        raise ConfigError(f"the shape is {shape!r}; give one of {', '.join(get_args(Shape))}")
