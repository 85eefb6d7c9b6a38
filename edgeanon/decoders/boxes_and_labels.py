"""Networks that end in a list of boxes and a list of their classes, as Geti and OpenVINO Training Extensions export."""

import numpy as np

from edgeanon.decoders.candidates import Candidates, Outputs, as_scores, class_numbers, in_order, output, pixels_of


def boxes_and_labels(
    outputs: Outputs,
    *,
    width: int,  # noqa: ARG001 - boxes are in pixels already
    height: int,  # noqa: ARG001
    threshold: float,
    classes: int = 1,
    boxes: str = "boxes",
    labels: str = "labels",
) -> Candidates:
    """Decode two lists: boxes with their scores, and class numbers.

    Such a network suppresses inside, and gives no more boxes than it was exported for.

    Args:
        outputs: ``boxes`` ``[n, 5]`` x1, y1, x2, y2 in pixels of the input, and score; ``labels`` ``[n]`` class numbers
            from 0. Both may have an axis of 1 in front.
        width: of the network's input, in pixels.
        height: of the network's input, in pixels.
        threshold: least score that comes back.
        classes: how many classes the network tells apart.
        boxes: name of that output.
        labels: name of that output.

    Raises:
        ModelError: an output is missing, of another shape, not finite, or holds no scores, corners or class numbers.
    """
    remedy = "boxes are x1 y1 x2 y2 and a score, or there is another decoder for them"
    batched = outputs[boxes].ndim == 3 if boxes in outputs else False
    rows = output(outputs, boxes, (1, None, 5) if batched else (None, 5), remedy=remedy).reshape(-1, 5)
    shape = (1, len(rows)) if labels in outputs and outputs[labels].ndim == 2 else (len(rows),)
    numbers = output(outputs, labels, shape, remedy="one for each box").reshape(-1)
    as_scores(boxes, rows[:, 4])
    pixels_of(boxes, rows[rows[:, 4] > 0, :4])
    strong = rows[:, 4] >= threshold
    rows = rows[strong]
    known = class_numbers(labels, numbers[strong], range(classes))
    return Candidates(in_order(boxes, rows[:, :4]), np.minimum(rows[:, 4], 1), known)
