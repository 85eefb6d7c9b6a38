"""A model of one's own beside the shipped ones: with a manifest, and with a decoder function for an unknown head."""

from pathlib import Path

import cv2
import numpy as np

import edgeanon
from edgeanon import Anonymizer, Detector, Manifest
from edgeanon.decoders import Candidates, Outputs, retinaface

# The shipped plate model stands for one's own here: any OpenVINO IR or ONNX file with one picture as its input.
own = Path(edgeanon.__file__).parent / "zoo" / "plate" / "model.xml"

manifest = Manifest.model_validate(
    {
        "name": "my-plates",
        "kinds": {0: "plate"},  # what its class numbers mean
        "input": {"color": "BGR", "mean": (104, 117, 123)},  # what it was trained on
        "decoder": {"name": "retinaface"},  # how its outputs become boxes
        "threshold": 0.15,
    }
)
plates = Detector.from_file(own, manifest=manifest)


def decode(outputs: Outputs, *, width: int, height: int, threshold: float) -> Candidates:
    """Any function from outputs to boxes in pixels of the network's input will do."""
    found = retinaface(outputs, width=width, height=height, threshold=threshold)
    wide_enough = found.boxes[:, 2] - found.boxes[:, 0] > 8
    return Candidates(found.boxes[wide_enough], found.scores[wide_enough], found.classes[wide_enough])


large_plates = Detector.from_file(own, manifest=manifest, decode=decode)

image = np.asarray(cv2.imread(str(Path(__file__).parent / "demo" / "street.jpg")), np.uint8)
print(len(plates.detect(image)), len(large_plates.detect(image)))

anonymizer = Anonymizer(detectors=[Detector("face"), plates])
cv2.imwrite("both.jpg", anonymizer.frame(image))
