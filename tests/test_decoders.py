"""Decoders against a plain loop over the published formulas, and against outputs that do not fit."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeanon.decoders import Candidates, center_point, retinaface
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
