"""Average precision agrees with COCO's own evaluation on the same input."""

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from edgeanon.detections import Detections, Kind
from edgeanon.evaluation import HEIGHTS, Labelled
from edgeanon.evaluation.evidence import OVERLAPS, evidence

KINDS = (Kind.FACE, Kind.PLATE)


def made(seed: int, *, pictures: int = 30, whole: bool = False) -> tuple[list[Labelled], list[Detections]]:
    """Pictures with random labels, a crowd here and there, and detections near them, beside them and far from them.

    Those of ``whole`` pixels have heights that are just those at which bins begin.
    """
    random = np.random.default_rng(seed)
    labelled, found = [], []
    for _ in range(pictures):
        count = int(random.integers(0, 7))
        size = random.uniform(6, 90, (count, 2))
        corner = random.uniform(0, 300, (count, 2))
        if whole:
            corner, size = corner.round(), np.array([16, 32, 40, 64, 15, 63])[random.integers(0, 6, (count, 2))]
        boxes = np.concatenate([corner, corner + size], axis=1).astype(np.float32)
        kinds = random.choice(KINDS, count).astype(np.uint8)
        ignored = random.random(count) < 0.2
        labelled.append(Labelled(Path("x"), 400, 400, "", boxes, kinds, ignored, frozenset(Kind)))
        near = np.repeat(boxes, 2, axis=0).astype(np.float64)
        sides = np.tile(near[:, 2:] - near[:, :2], 2)
        near = near + random.normal(0, 0.12, near.shape) * sides
        extra = int(random.integers(0, 6))
        corner = random.uniform(0, 300, (extra, 2))
        far = np.concatenate([corner, corner + random.uniform(5, 90, (extra, 2))], axis=1)
        every = np.concatenate([near, far]).astype(np.float32)
        every[:, 2:] = np.maximum(every[:, 2:], every[:, :2] + 1)
        scores = random.random(len(every)).astype(np.float32)
        found.append(Detections(every, scores, random.choice(KINDS, len(every)).astype(np.uint8)))
    return labelled, found


def reference(labelled: list[Labelled], found: list[Detections], kind: Kind, low: float, high: float) -> Any:
    """Precision ``(t, r)`` of pycocotools for one kind; what it calls an area is the height."""
    truth = COCO()
    annotations: list[dict[str, Any]] = []
    for index, picture in enumerate(labelled):
        for box, one, crowd in zip(picture.boxes.astype(float), picture.kinds, picture.ignored, strict=True):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": index + 1,
                    "category_id": int(one) + 1,
                    "bbox": [*box[:2], *(box[2:] - box[:2])],
                    "area": box[3] - box[1],
                    "iscrowd": int(crowd),
                }
            )
    truth.dataset = {
        "images": [{"id": index + 1} for index in range(len(labelled))],
        "annotations": annotations,
        "categories": [{"id": int(one) + 1, "name": one.name} for one in KINDS],
    }
    rows: list[NDArray[np.float64]] = []
    for index, one in enumerate(found):
        for box, score, which in zip(one.boxes.astype(float), one.scores, one.kinds, strict=True):
            rows.append(np.array([index + 1, *box[:2], *(box[2:] - box[:2]), score, int(which) + 1]))
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        answers = truth.loadRes(np.array(rows))
        for answer in answers.anns.values():
            answer["area"] = answer["bbox"][3]
        judge = COCOeval(truth, answers, "bbox")
        judge.params.catIds = [int(kind) + 1]
        judge.params.areaRng, judge.params.areaRngLbl = [[low, high]], ["all"]
        judge.params.maxDets = [10_000]
        judge.evaluate()
        judge.accumulate()
    return judge.eval["precision"][:, :, 0, 0, 0]


@pytest.mark.parametrize("size", ["all", *HEIGHTS])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("whole", [False, True], ids=["any heights", "heights at the ends of bins"])
def test_average_precision_is_that_of_pycocotools(kind: Kind, size: str, *, whole: bool) -> None:
    """COCO counts both ends of a range, so what is just as high as the next bin begins is left out for it."""
    labelled, found = made(int(whole), whole=whole)
    low, high = HEIGHTS.get(size, (0, np.inf))
    ours = evidence(labelled, found, kind, heights=(low, high))
    theirs = reference(labelled, found, kind, low, min(high - 1e-4, 1e9))
    for step in range(len(OVERLAPS)):
        assert ours.average_precision(step) == pytest.approx(theirs[step].mean(), abs=1e-3)
    assert 0.02 < theirs[0].mean() < 0.98


def test_no_object_has_no_average_precision() -> None:
    labelled, found = made(0)
    none = evidence(labelled, found, Kind.OTHER)
    assert none.average_precision(0) is None
    assert evidence([], [], Kind.FACE).average_precision(0) is None


def test_nothing_found_has_an_average_precision_of_0() -> None:
    labelled, _ = made(0)
    assert evidence(labelled, [Detections.empty()] * len(labelled), Kind.FACE).average_precision(0) == 0
