"""The masker alone, on boxes of anybody's making. It does not load OpenVINO."""

from pathlib import Path

import cv2
import numpy as np

from edgeanon import Fill, Kind, Masker, Pixelate

image = np.asarray(cv2.imread(str(Path(__file__).parent / "demo" / "street.jpg")), np.uint8)
boxes = [[1672, 121, 1761, 232], [1397, 880, 1606, 942]]  # x1 y1 x2 y2 in pixels: a face and a plate

safe = Masker().mask(image, boxes, kinds=[Kind.FACE, Kind.PLATE])
cv2.imwrite("soft.jpg", safe)

masker = Masker({Kind.FACE: Pixelate(cells=5), Kind.PLATE: Fill((40, 40, 40))}, shape="ellipse")
print(masker.irreversible)  # False: a mosaic can be undone
cv2.imwrite("mixed.jpg", masker.mask(image, boxes, kinds=[Kind.FACE, Kind.PLATE]))

masker.mask(image, boxes, out=image)  # in place, for a loop that must not copy
