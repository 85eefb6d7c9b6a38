"""Worse conditions: deterministic, ever worse, with labels that go along; and the cards of the shipped models."""

import shutil
from pathlib import Path
from xml.etree import ElementTree  # noqa: ICN001

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from calibration import robustness_cards
from edgeanon import Kind
from edgeanon.evaluation import Labelled, read_labels, robustness
from edgeanon.evaluation.conditions import CONDITIONS, Severity, rotated, rotated_labels, smaller
from edgeanon.evaluation.robustness import read_cards, searches
from edgeanon.evaluation.tables import robust
from edgeanon.models import ZOO, load_shipped, read_manifest, shipped
from tests import labelled

SEVERITIES = [pytest.param(one, id=f"{name}, {one.setting}") for name, some in CONDITIONS.items() for one in some]
WITHOUT_CHANCE = {"defocus", "JPEG", "video", "rotation", "small scale", "greyscale"}


@pytest.fixture(scope="module")
def part(street: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(street[400:641, 300:701])


def changed(severity: Severity, image: NDArray[np.uint8], seed: int = 1) -> NDArray[np.uint8]:
    return severity.change(image, np.random.default_rng(seed))


@pytest.mark.parametrize("severity", SEVERITIES)
def test_a_condition_changes_the_picture_the_same_for_a_seed(severity: Severity, part: NDArray[np.uint8]) -> None:
    before = part.copy()
    first = changed(severity, part)
    assert first.dtype == np.uint8
    assert first.ndim == 3
    assert np.array_equal(first, changed(severity, part))
    assert np.array_equal(part, before)
    assert first.shape != part.shape or np.abs(first.astype(int) - part).mean() > 0.5


@pytest.mark.parametrize("name", sorted(set(CONDITIONS) - WITHOUT_CHANCE))
def test_what_is_random_comes_from_the_seed(name: str, part: NDArray[np.uint8]) -> None:
    first = CONDITIONS[name][0]
    assert not np.array_equal(changed(first, part, 1), changed(first, part, 2))


@pytest.mark.parametrize("name", sorted(set(CONDITIONS) - {"rotation", "small scale", "greyscale", "video"}))
def test_severities_get_worse(name: str, part: NDArray[np.uint8]) -> None:
    harm = [np.abs(changed(one, part).astype(int) - part).mean() for one in CONDITIONS[name]]
    assert harm == sorted(harm)
    assert harm[-1] > 1.3 * harm[0]


MOVING = [pytest.param(one, id=one.setting) for name in ("rotation", "small scale") for one in CONDITIONS[name]]


@pytest.mark.parametrize("severity", MOVING)
def test_labels_go_where_the_object_goes(severity: Severity) -> None:
    """The object is a white ellipse on black; the canvas beside a turned picture is grey."""
    image = np.zeros((240, 400, 3), np.uint8)
    cv2.ellipse(image, (250, 100), (50, 30), 0, 0, 360, (255, 255, 255), -1)
    box = np.array([[200, 70, 300, 130]], np.float32)
    one = Labelled(Path("x"), 400, 240, "", box, np.zeros(1, np.uint8), np.zeros(1, np.bool_))
    worse, moved = changed(severity, image), severity.move(one)
    assert worse.shape[:2] == (moved.height, moved.width)
    rows, columns = np.nonzero(worse[..., 0] > 180)
    found = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    np.testing.assert_allclose(moved.boxes[0], found, atol=1.6)


@pytest.mark.parametrize("name", sorted(set(CONDITIONS) - {"rotation", "small scale"}))
def test_other_conditions_leave_every_object_in_its_place(name: str, part: NDArray[np.uint8]) -> None:
    """A shift of one pixel would fit the edges of the picture less well than none."""
    mild = changed(CONDITIONS[name][0], part).mean(axis=2)
    grey = part.mean(axis=2)
    inner = grey[2:-2, 2:-2].ravel()
    fit = {
        (x, y): np.corrcoef(inner, mild[2 + y : mild.shape[0] - 2 + y, 2 + x : mild.shape[1] - 2 + x].ravel())[0, 1]
        for x in (-1, 0, 1)
        for y in (-1, 0, 1)
    }
    assert max(fit, key=lambda shift: fit[shift]) == (0, 0)


def test_a_whole_turn_leaves_everything_in_its_place(part: NDArray[np.uint8]) -> None:
    box = np.array([[20, 30, 60, 50]], np.float32)
    one = Labelled(Path("x"), 401, 241, "", box, np.ones(1, np.uint8), np.zeros(1, np.bool_))
    np.testing.assert_allclose(rotated_labels(one, degrees=360).boxes, box, atol=1e-3)
    quarter = rotated(part, np.random.default_rng(), degrees=90)
    moved = rotated_labels(one, degrees=90)
    assert quarter.shape[:2] == (moved.height, moved.width) == (401, 241)
    np.testing.assert_allclose(moved.boxes, [[30, 341, 50, 381]], atol=1e-3)


def test_a_rectangle_that_is_turned_is_held_by_its_new_box_whole() -> None:
    box = np.array([[100, 100, 200, 120]], np.float32)
    plate = Labelled(Path("x"), 400, 240, "", box, np.array([Kind.PLATE], np.uint8), np.zeros(1, np.bool_))
    ((x1, y1, x2, y2),) = rotated_labels(plate, degrees=30).boxes.tolist()
    assert x2 - x1 == pytest.approx(100 * np.cos(np.pi / 6) + 20 * np.sin(np.pi / 6), abs=0.01)
    assert y2 - y1 == pytest.approx(100 * np.sin(np.pi / 6) + 20 * np.cos(np.pi / 6), abs=0.01)


def test_the_smallest_picture_stays_a_picture() -> None:
    assert smaller(np.zeros((1, 2, 3), np.uint8), np.random.default_rng(), times=4).shape == (1, 1, 3)


def test_a_card_counts_the_same_objects_in_every_condition(tmp_path: Path) -> None:
    """Dots of a few pixels outlast grey and a half turn, and nothing is found in a picture that is dark."""
    detector = labelled.detector(tmp_path)
    pictures = read_labels(labelled.some(tmp_path))
    dark = Severity("dark", lambda image, _: np.zeros_like(image))
    conditions = {"greyscale": CONDITIONS["greyscale"], "rotation": CONDITIONS["rotation"][3:], "night": (dark,)}
    calls: list[None] = []
    cards = robustness(detector, pictures, conditions=conditions, on_picture=lambda: calls.append(None))
    card = cards["face"]
    assert (card.objects, card.pictures, card.threshold) == (3, 2, 0.5)
    assert card.as_they_are.found == 2
    assert {name: [level.found for level in levels] for name, levels in card.conditions.items()} == {
        "greyscale": [2],
        "rotation": [2],
        "night": [0],
    }
    assert len(calls) == searches(detector, pictures, conditions) == 2 * 4
    assert robust("face", card).rows[-1][-1] == "-66.7"


def test_the_card_of_a_model_is_its_report_and_outlasts_a_rebuild(tmp_path: Path) -> None:
    detector = labelled.detector(tmp_path)
    made = robustness(detector, read_labels(labelled.some(tmp_path)), conditions={})
    (tmp_path / "zoo" / "face").mkdir(parents=True)
    shutil.copy(ZOO / "face" / "manifest.json", tmp_path / "zoo" / "face")
    robustness_cards.write("face", made, tmp_path / "reports", tmp_path / "zoo")
    assert read_manifest(tmp_path / "zoo" / "face" / "manifest.json").robustness == made
    assert read_cards("face", tmp_path / "reports") == made
    assert read_cards("plate", tmp_path / "reports") == {}
    drawn = (tmp_path / "reports" / "robustness-face-face.svg").read_text()
    assert ElementTree.fromstring(drawn).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_model_has_the_card_that_was_measured_of_it(name: str) -> None:
    manifest = load_shipped(name).manifest
    assert manifest.robustness == read_cards(name, robustness_cards.REPORTS)
    assert {kind.upper() for kind in manifest.robustness} <= {kind.name for kind in manifest.finds}
    for kind, card in manifest.robustness.items():
        assert (robustness_cards.REPORTS / f"robustness-{name}-{kind}.svg").is_file()
        assert (card.model, card.threshold) == (manifest.title, manifest.threshold)
        assert {condition: [level.setting for level in levels] for condition, levels in card.conditions.items()} == {
            condition: [severity.setting for severity in severities] for condition, severities in CONDITIONS.items()
        }
