"""From a network's outputs to boxes: pure functions on arrays.

A decoder is any callable ``decode(outputs, width=, height=, threshold=) -> Candidates``:

- ``outputs``: the network's outputs by name, float32, with their batch axis of 1.
- ``width``, ``height``: size of the network's input in pixels.
- ``threshold``: candidates that score less need not come back.

Boxes come back in pixels of the network's input, overlapping ones included: suppression happens once, later, when the
views of a picture are brought together.

| decoder | family | outputs |
|---|---|---|
| `center_point` | CenterFace | heatmap, size, offset |
| `retinaface` | RetinaFace | priors on several strides |
| `yolo_v8` | YOLOv8, v9, v11, v12 | ``[1, 4 + classes, cells]`` |
| `yolo_v5` | YOLOv5, v7 | ``[1, priors, 5 + classes]`` |
| `yolo_v5_grids` | YOLOv5 cut off before its sigmoid | ``[1, anchors (5 + classes), h, w]`` for each stride |
| `yolo_end_to_end` | YOLOv10, YOLO26, YOLO exported with its suppression | ``[1, boxes, 6]`` |
| `ssd` | SSD with DetectionOutput | ``[1, 1, boxes, 7]`` |
| `boxes_and_labels` | Geti, OpenVINO Training Extensions | boxes ``[n, 5]`` and labels ``[n]`` |
"""

from edgeanon.decoders.boxes_and_labels import boxes_and_labels
from edgeanon.decoders.candidates import Candidates, Decoder, Outputs
from edgeanon.decoders.center_point import center_point
from edgeanon.decoders.retinaface import retinaface
from edgeanon.decoders.sections import DECODERS, Section
from edgeanon.decoders.ssd import ssd
from edgeanon.decoders.yolo import yolo_end_to_end, yolo_v5, yolo_v5_grids, yolo_v8

__all__ = [
    "DECODERS",
    "Candidates",
    "Decoder",
    "Outputs",
    "Section",
    "boxes_and_labels",
    "center_point",
    "retinaface",
    "ssd",
    "yolo_end_to_end",
    "yolo_v5",
    "yolo_v5_grids",
    "yolo_v8",
]
