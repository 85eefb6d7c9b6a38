"""Boxes of another library: `xyxy`, `confidence`, `class_id` and `tracker_id`, as supervision's Detections has them."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeanon import Kind, Masker


@dataclass
class Detections:
    """Stands for `supervision.Detections`, so that this runs without it."""

    xyxy: NDArray[np.float32]
    confidence: NDArray[np.float32]
    class_id: NDArray[np.int64]
    tracker_id: NDArray[np.int64]


detections = Detections(
    xyxy=np.array([[112, 357, 268, 546], [1672, 121, 1761, 232], [1397, 880, 1606, 942]], np.float32),
    confidence=np.array([0.9, 0.8, 0.7], np.float32),
    class_id=np.array([0, 0, 2]),  # the classes of that detector: 0 head, 2 number plate
    tracker_id=np.array([11, 12, 13]),
)
kinds = np.array([Kind.FACE, Kind.OTHER, Kind.PLATE])[detections.class_id]

image = np.asarray(cv2.imread(str(Path(__file__).parent / "demo" / "street.jpg")), np.uint8)
safe = Masker().mask(image, detections.xyxy, kinds=kinds, ids=detections.tracker_id)
cv2.imwrite("masked.jpg", safe)
