"""Decoders against a plain loop over the published formulas, and against outputs that do not fit."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeanon.decoders import (
    Candidates,
    boxes_and_labels,
    center_point,
    retinaface,
    ssd,
    yolo_end_to_end,
    yolo_v5,
    yolo_v5_grids,
    yolo_v8,
)
from edgeanon.decoders.retinaface import priors
from edgeanon.errors import ModelError


def center_outputs(seed: int = 0, height: int = 64, width: int = 96) -> dict[str, NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    cells = height // 4, width // 4
    return {
        "heatmap": rng.random((1, 1, *cells), np.float32),
        "size": rng.normal(1, 1, (1, 2, *cells)).astype(np.float32),
        "offset": rng.normal(0, 0.3, (1, 2, *cells)).astype(np.float32),
    }


def test_a_centre_point_is_where_the_formula_says() -> None:
    outputs = center_outputs()
    found = center_point(outputs, width=96, height=64, threshold=0.9)
    expected = []
    for row in range(16):
        for column in range(24):
            score = outputs["heatmap"][0, 0, row, column]
            if score >= 0.9:
                half_height, half_width = (math.exp(outputs["size"][0, axis, row, column]) * 2 for axis in (0, 1))
                y = (row + outputs["offset"][0, 0, row, column] + 0.5) * 4
                x = (column + outputs["offset"][0, 1, row, column] + 0.5) * 4
                expected.append([x - half_width, y - half_height, x + half_width, y + half_height])
    assert len(expected) > 10
    np.testing.assert_allclose(found.boxes, expected, rtol=1e-5, atol=1e-4)


def test_retinaface_priors_run_by_stride_row_column_and_side() -> None:
    anchors = priors(64, 32, (8, 16, 32), ((24, 48), (96, 192), (384, 768)))
    assert len(anchors) == 2 * (8 * 4 + 4 * 2 + 2 * 1)
    assert anchors[:3].tolist() == [[4, 4, 24, 24], [4, 4, 48, 48], [12, 4, 24, 24]]
    assert anchors[-1].tolist() == [48, 16, 768, 768]


def test_a_retinaface_box_is_its_prior_moved_and_scaled() -> None:
    anchors = priors(64, 32, (8, 16, 32), ((24, 48), (96, 192), (384, 768)))
    rng = np.random.default_rng(1)
    outputs = {
        "boxes": rng.normal(0, 1, (1, len(anchors), 4)).astype(np.float32),
        "scores": rng.random((1, len(anchors), 2), np.float32),
    }
    found = retinaface(outputs, width=64, height=32, threshold=0.8)
    rows = [row for row in range(len(anchors)) if outputs["scores"][0, row, 1] >= 0.8]
    assert len(rows) > 5
    for row, box in zip(rows, found.boxes, strict=True):
        x, y, width, height = anchors[row]
        dx, dy, dw, dh = outputs["boxes"][0, row]
        x, y = x + dx * 0.1 * width, y + dy * 0.1 * height
        width, height = width * math.exp(dw * 0.2), height * math.exp(dh * 0.2)
        wanted = [x - width / 2, y - height / 2, x + width / 2, y + height / 2]
        np.testing.assert_allclose(box, wanted, rtol=1e-5, atol=1e-3)


def decode_center(outputs: dict[str, NDArray[np.float32]]) -> Candidates:
    return center_point(outputs, width=96, height=64, threshold=0.5)


def test_nothing_above_the_threshold_is_no_boxes() -> None:
    found = center_point(center_outputs(), width=96, height=64, threshold=1.0)
    assert found.boxes.shape == (0, 4)


def test_a_missing_output_is_an_error_that_names_those_there_are() -> None:
    outputs = center_outputs()
    outputs["heat"] = outputs.pop("heatmap")
    with pytest.raises(ModelError, match=r"'heatmap'.*'heat'"):
        decode_center(outputs)


def test_an_output_of_another_shape_is_an_error() -> None:
    with pytest.raises(ModelError, match="shape"):
        decode_center(center_outputs(height=32))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("name", ["heatmap", "size", "offset"])
def test_a_value_that_is_no_number_is_an_error_and_not_a_missed_face(name: str, bad: float) -> None:
    outputs = center_outputs()
    outputs[name][0, 0, 3, 3] = bad
    with pytest.raises(ModelError, match="NaN"):
        decode_center(outputs)


def test_a_huge_regressed_side_stays_finite() -> None:
    outputs = center_outputs()
    outputs["size"][:] = 500
    assert np.isfinite(decode_center(outputs).boxes).all()


WIDTH, HEIGHT = 96, 64
CELLS = 12 * 8 + 6 * 4 + 3 * 2


def v8_output(classes: int = 3, extra: int = 0, seed: int = 2) -> NDArray[np.float32]:
    """Random boxes and scores as YOLOv8 gives them, ``[1, 4 + classes + extra, cells]``."""
    rng = np.random.default_rng(seed)
    boxes, rest = rng.random((4, CELLS)) * 60 + 2, rng.random((classes, CELLS))
    return np.concatenate([boxes, rest, rng.random((extra, CELLS)) * 90])[None].astype(np.float32)


def v5_output(classes: int = 3, seed: int = 3) -> NDArray[np.float32]:
    """Random boxes, objectness and scores as YOLOv5 gives them, ``[1, priors, 5 + classes]``."""
    rng = np.random.default_rng(seed)
    boxes, rest = rng.random((3 * CELLS, 4)) * 60 + 2, rng.random((3 * CELLS, 1 + classes))
    return np.concatenate([boxes, rest], axis=1)[None].astype(np.float32)


def list_output(rows: list[list[float]], length: int = 20) -> NDArray[np.float32]:
    """Rows of an end-to-end YOLO with zeros after them, ``[1, length, 6]``."""
    made = np.zeros((1, length, len(rows[0])), np.float32)
    made[0, : len(rows)] = rows
    return made


def as_rows(found: Candidates) -> list[tuple[float, ...]]:
    every = zip(found.boxes, found.scores, found.classes, strict=True)
    return sorted((*map(float, box.round(3)), round(float(score), 5), int(number)) for box, score, number in every)


def test_yolo_v8_gives_every_class_of_every_box_that_scores() -> None:
    """Not the best class alone: a face that looks a little more like something else is still a face."""
    values = v8_output(extra=2)
    found = yolo_v8({"any": values}, width=WIDTH, height=HEIGHT, threshold=0.7, classes=3, extra=2)
    expected = []
    for cell in range(CELLS):
        x, y, wide, high = values[0, :4, cell]
        for number in range(3):
            if (score := values[0, 4 + number, cell]) >= 0.7:
                box = np.array([x - wide / 2, y - high / 2, x + wide / 2, y + high / 2])
                expected.append((*map(float, box.round(3)), round(float(score), 5), number))
    assert len({row[:4] for row in expected}) < len(expected)
    np.testing.assert_allclose(as_rows(found), sorted(expected), atol=2e-3)


def test_a_score_of_yolo_v5_is_class_times_objectness() -> None:
    values = v5_output()
    found = yolo_v5({"any": values}, width=WIDTH, height=HEIGHT, threshold=0.6, classes=3)
    expected = []
    for x, y, wide, high, objectness, *scores in values[0].tolist():
        for number, score in enumerate(scores):
            if np.float32(score) * np.float32(objectness) >= np.float32(0.6):
                expected.append((x - wide / 2, y - high / 2, x + wide / 2, y + high / 2, score * objectness, number))
    assert len(expected) > 10
    np.testing.assert_allclose(as_rows(found), sorted(expected), atol=2e-3)


def test_grids_of_yolo_v5_are_decoded_by_its_formulas_in_either_layout_and_any_order() -> None:
    rng = np.random.default_rng(4)
    anchors = (((10, 13), (16, 30)), ((30, 61), (62, 45)))
    split = [rng.normal(0, 2, (1, 2, HEIGHT // s, WIDTH // s, 7)).astype(np.float32) for s in (8, 16)]
    flat = [grid.transpose(0, 1, 4, 2, 3).reshape(1, 14, *grid.shape[2:4]) for grid in split]
    expected = []
    for stride, grid, sides in zip((8, 16), split, anchors, strict=True):
        for prior, row, column in np.ndindex(*grid.shape[1:4]):
            s = 1 / (1 + np.exp(-grid[0, prior, row, column].astype(float)))
            x, y = (2 * s[0] - 0.5 + column) * stride, (2 * s[1] - 0.5 + row) * stride
            wide, high = (2 * s[2]) ** 2 * sides[prior][0], (2 * s[3]) ** 2 * sides[prior][1]
            for number, score in enumerate(s[4] * s[5:]):
                if score >= 0.5:
                    expected.append((x - wide / 2, y - high / 2, x + wide / 2, y + high / 2, score, number))
    assert len(expected) > 10
    for outputs in ({"b": split[1], "a": split[0]}, {"a": flat[0], "b": flat[1]}):
        for grids in (None, ("a", "b")):
            found = yolo_v5_grids(
                outputs,
                width=WIDTH,
                height=HEIGHT,
                threshold=0.5,
                classes=2,
                strides=(8, 16),
                anchors=anchors,
                grids=grids,
            )
            np.testing.assert_allclose(as_rows(found), sorted(expected), rtol=1e-4, atol=2e-3)


def test_an_end_to_end_row_is_a_box_with_score_and_class() -> None:
    rows = [[10, 10, 30, 40, 0.9, 2], [5, 6, 50, 60, 0.5, 0], [1, 1, 90, 60, 0.1, 1]]
    found = yolo_end_to_end({"any": list_output(rows)}, width=WIDTH, height=HEIGHT, threshold=0.25, classes=3)
    assert as_rows(found) == [(5, 6, 50, 60, 0.5, 0), (10, 10, 30, 40, 0.9, 2)]


def test_boxes_and_labels_are_taken_together_with_or_without_an_axis_in_front() -> None:
    boxes = np.array([[10, 10, 30, 40, 0.9], [5, 6, 50, 60, 0.5], [1, 1, 9, 9, 0.1]], np.float32)
    labels = np.array([2, 0, 1], np.float32)
    for outputs in ({"boxes": boxes, "labels": labels}, {"boxes": boxes[None], "labels": labels[None]}):
        found = boxes_and_labels(outputs, width=WIDTH, height=HEIGHT, threshold=0.25, classes=3)
        assert as_rows(found) == [(5, 6, 50, 60, 0.5, 0), (10, 10, 30, 40, 0.9, 2)]


def ssd_output(rows: list[list[float]], end: float = -1) -> NDArray[np.float32]:
    """Rows of DetectionOutput, the end, and what happens to lie behind it."""
    behind = [[0, 1, 0.99, 0, 0, 1, 1], [math.nan] * 7]
    return np.array([[[*rows, [end, 0, 0, 0, 0, 0, 0], *behind]]], np.float32)


def test_a_list_of_ssd_ends_at_the_first_negative_picture_number() -> None:
    rows = [[0, 1, 0.9, 0.25, 0.5, 0.5, 0.75], [0, 2, 0.3, -0.1, 0, 0.5, 1.05], [0, 1, 0.1, 0, 0, 1, 1]]
    found = ssd({"any": ssd_output(rows)}, width=200, height=100, threshold=0.25, classes=2)
    assert as_rows(found) == [(-20, 0, 100, 105, 0.3, 2), (50, 50, 100, 75, 0.9, 1)]


def test_a_full_list_of_ssd_has_no_end() -> None:
    full = np.tile(np.array([0, 1, 0.9, 0, 0, 1, 1], np.float32), (1, 1, 100, 1))
    assert len(ssd({"any": full}, width=200, height=100, threshold=0.25).boxes) == 100


def changed(values: NDArray[np.float32], place: tuple[int, ...], value: float) -> NDArray[np.float32]:
    values = values.copy()
    values[place] = value
    return values


END_TO_END = list_output([[10, 10, 30, 40, 0.9, 0]])
BOXES, LABELS = np.array([[10, 10, 30, 40, 0.9], [5, 5, 6, 6, 0.1]], np.float32), np.zeros(2, np.float32)
SSD = ssd_output([[0, 1, 0.9, 0.2, 0.2, 0.4, 0.4]])[:, :, :2]
RAW = {f"stride {s}": np.zeros((1, 24, HEIGHT // s, WIDTH // s), np.float32) for s in (8, 16, 32)}
MISFITS = {
    "v8, turned": (yolo_v8, {"o": v8_output().swapaxes(1, 2)}, "shape"),
    "v8, more classes": (yolo_v8, {"o": v8_output(classes=80)}, r"\[1, 84, 126\], not \[1, 7, 126\].*classes 3"),
    "v8, another number of strides": (yolo_v8, {"o": v8_output()[:, :, :120]}, r"not \[1, 7, 126\].*strides 8, 16, 32"),
    "v8, another rank": (yolo_v8, {"o": v8_output()[0]}, "shape"),
    "v8, NaN box": (yolo_v8, {"o": changed(v8_output(), (0, 0, 5), math.nan)}, "NaN"),
    "v8, infinite score": (yolo_v8, {"o": changed(v8_output(), (0, 5, 5), math.inf)}, "NaN or infinity"),
    "v8, logits": (yolo_v8, {"o": changed(v8_output(), (0, 5, 5), -3)}, "-3 where a score"),
    "v8, landmarks as classes": (yolo_v8, {"o": changed(v8_output(), (0, 6, 5), 55)}, "55 where a score"),
    "v8, shares": (yolo_v8, {"o": v8_output() / 64}, "shares of the input"),
    "v8, two outputs": (yolo_v8, {"o": v8_output(), "masks": v8_output()}, "2 outputs.*masks"),
    "v8, no output": (yolo_v8, {}, "0 outputs"),
    "v5, is v8": (yolo_v5, {"o": v8_output()}, "shape"),
    "v5, more classes": (yolo_v5, {"o": v5_output(classes=80)}, r"not \[1, 378, 8\].*anchors 3.*classes 3"),
    "v5, NaN": (yolo_v5, {"o": changed(v5_output(), (0, 9, 6), math.nan)}, "NaN"),
    "v5, logits": (yolo_v5, {"o": changed(v5_output(), (0, 9, 4), 7)}, "7 where a score"),
    "v5, shares": (yolo_v5, {"o": v5_output() / 64}, "shares of the input"),
    "grids, one is missing": (yolo_v5_grids, {"o": RAW["stride 8"]}, "no output has the shape.*stride 16"),
    "grids, twice the same": (yolo_v5_grids, {**RAW, "o": RAW["stride 8"]}, "more than one output.*stride 8"),
    "grids, NaN": (yolo_v5_grids, {**RAW, "stride 16": RAW["stride 16"] + math.nan}, "NaN"),
    "end to end, is v8": (yolo_end_to_end, {"o": v8_output()}, "shape"),
    "end to end, NaN": (yolo_end_to_end, {"o": changed(END_TO_END, (0, 9, 4), math.nan)}, "NaN"),
    "end to end, centres": (yolo_end_to_end, {"o": list_output([[50, 40, 10, 10, 0.9, 0]])}, "no corners"),
    "end to end, half a class": (yolo_end_to_end, {"o": changed(END_TO_END, (0, 0, 5), 0.5)}, "the class 0.5"),
    "end to end, a class too many": (yolo_end_to_end, {"o": changed(END_TO_END, (0, 0, 5), 3)}, "class 3.* 0 to 2"),
    "end to end, score and class exchanged": (
        yolo_end_to_end,
        {"o": list_output([[10, 10, 30, 40, 2, 0.9]])},
        "2 where a score",
    ),
    "end to end, shares": (yolo_end_to_end, {"o": list_output([[0.1, 0.1, 0.3, 0.4, 0.9, 0]])}, "shares"),
    "lists, one is missing": (boxes_and_labels, {"boxes": BOXES}, "no output 'labels'"),
    "lists, of another length": (boxes_and_labels, {"boxes": BOXES, "labels": np.zeros(5, np.float32)}, "one for each"),
    "lists, no scores": (boxes_and_labels, {"boxes": BOXES[:, :4], "labels": LABELS}, "shape"),
    "lists, NaN": (boxes_and_labels, {"boxes": changed(BOXES, (0, 2), math.nan), "labels": LABELS}, "NaN"),
    "lists, shares": (boxes_and_labels, {"boxes": BOXES / 96, "labels": LABELS}, "shares"),
    "lists, centres": (boxes_and_labels, {"boxes": changed(BOXES, (0, 2), 1), "labels": LABELS}, "no corners"),
    "lists, a class too many": (boxes_and_labels, {"boxes": BOXES, "labels": LABELS + 3}, "class 3.* 0 to 2"),
    "ssd, is end to end": (ssd, {"o": END_TO_END}, "shape"),
    "ssd, NaN": (ssd, {"o": changed(SSD, (0, 0, 0, 3), math.nan)}, "NaN"),
    "ssd, NaN for an end": (ssd, {"o": ssd_output([[0, 1, 0.9, 0, 0, 1, 1]], end=math.nan)}, "NaN"),
    "ssd, the background": (ssd, {"o": changed(SSD, (0, 0, 0, 1), 0)}, "class 0.* 1 to 3"),
    "ssd, a class too many": (ssd, {"o": changed(SSD, (0, 0, 0, 1), 4)}, "class 4.* 1 to 3"),
    "ssd, pixels": (ssd, {"o": changed(SSD, (0, 0, 0, 5), 64)}, "no shares"),
    "ssd, percent": (ssd, {"o": changed(SSD, (0, 0, 0, 2), 90)}, "scores above 1"),
}


@pytest.mark.parametrize(("decode", "outputs", "message"), MISFITS.values(), ids=MISFITS)
def test_outputs_that_do_not_fit_are_an_error_and_not_a_missed_face(
    decode: Callable[..., Candidates], outputs: dict[str, NDArray[np.float32]], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        decode(outputs, width=WIDTH, height=HEIGHT, threshold=0.25, classes=3)


EMPTY = {
    "v8": (yolo_v8, {"o": changed(v8_output(1), (0, 4), 0)}),
    "v5": (yolo_v5, {"o": changed(v5_output(1), (..., 4), 0)}),  # type: ignore[arg-type]
    "grids": (yolo_v5_grids, {name: values[:, :18] - 9 for name, values in RAW.items()}),
    "end to end": (yolo_end_to_end, {"o": np.zeros((1, 300, 6), np.float32)}),
    "end to end, none at all": (yolo_end_to_end, {"o": np.zeros((1, 0, 6), np.float32)}),
    "lists": (boxes_and_labels, {"boxes": BOXES[:0], "labels": LABELS[:0]}),
    "ssd": (ssd, {"o": ssd_output([])}),
}


@pytest.mark.parametrize(("decode", "outputs"), EMPTY.values(), ids=EMPTY)
def test_an_empty_picture_is_no_boxes_and_no_error(
    decode: Callable[..., Candidates], outputs: dict[str, NDArray[np.float32]]
) -> None:
    found = decode(outputs, width=WIDTH, height=HEIGHT, threshold=0.25)
    assert found.boxes.shape == (0, 4)
    assert found.scores.shape == found.classes.shape == (0,)


def test_half_precision_that_overshoots_is_still_a_score() -> None:
    values = changed(v8_output(1), (0, 4, 7), 1.004)
    assert yolo_v8({"o": values}, width=WIDTH, height=HEIGHT, threshold=0.25).scores.max() == 1


def test_corners_exchanged_by_rounding_are_put_in_order() -> None:
    rows = list_output([[10.5, 10, 10.2, 40, 0.9, 0]])
    found = yolo_end_to_end({"o": rows}, width=WIDTH, height=HEIGHT, threshold=0.25)
    np.testing.assert_allclose(found.boxes, [[10.2, 10, 10.5, 40]], rtol=1e-6)
