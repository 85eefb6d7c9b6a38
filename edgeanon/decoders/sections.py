"""What a manifest says of a decoder: its name, and the parameters that its function takes."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from edgeanon.decoders.boxes_and_labels import boxes_and_labels
from edgeanon.decoders.candidates import Decoder
from edgeanon.decoders.center_point import center_point
from edgeanon.decoders.retinaface import retinaface
from edgeanon.decoders.ssd import ssd
from edgeanon.decoders.yolo import COCO_ANCHORS, yolo_end_to_end, yolo_v5, yolo_v5_grids, yolo_v8

Pixels = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Strides = Annotated[tuple[Pixels, ...], Field(min_length=1)]


class _Decoder(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @property
    def numbers(self) -> range:
        """The class numbers that can come out."""
        return range(1)


class CenterPoint(_Decoder):
    """Parameters of ``edgeanon.decoders.center_point``."""

    name: Literal["center-point"] = "center-point"
    stride: Pixels = 4
    heatmap: str = "heatmap"
    size: str = "size"
    offset: str = "offset"


class RetinaFace(_Decoder):
    """Parameters of ``edgeanon.decoders.retinaface``."""

    name: Literal["retinaface"] = "retinaface"
    strides: Strides = (8, 16, 32)
    sides: tuple[Annotated[tuple[Pixels, ...], Field(min_length=1)], ...] = ((24, 48), (96, 192), (384, 768))
    boxes: str = "boxes"
    scores: str = "scores"

    @model_validator(mode="after")
    def _one_level_each(self) -> Self:
        if len(self.strides) != len(self.sides):
            raise ValueError(f"there are {len(self.strides)} strides and {len(self.sides)} lists of sides")
        return self


class _Classes(_Decoder):
    classes: Pixels = 1

    @property
    def numbers(self) -> range:
        """The class numbers that can come out."""
        return range(self.classes)


class YoloV8(_Classes):
    """Parameters of ``edgeanon.decoders.yolo_v8``, the head of YOLOv8, v9, v11 and v12."""

    name: Literal["yolo-v8"] = "yolo-v8"
    extra: Count = 0
    strides: Strides = (8, 16, 32)
    boxes: str | None = None


class YoloV5(_Classes):
    """Parameters of ``edgeanon.decoders.yolo_v5``, the head of YOLOv5 and v7."""

    name: Literal["yolo-v5"] = "yolo-v5"
    extra: Count = 0
    anchors: Pixels = 3
    strides: Strides = (8, 16, 32)
    boxes: str | None = None


class YoloV5Grids(_Classes):
    """Parameters of ``edgeanon.decoders.yolo_v5_grids``, YOLOv5 cut off before its sigmoid."""

    name: Literal["yolo-v5-grids"] = "yolo-v5-grids"
    strides: Strides = (8, 16, 32)
    anchors: tuple[Annotated[tuple[tuple[Positive, Positive], ...], Field(min_length=1)], ...] = COCO_ANCHORS
    grids: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _one_level_each(self) -> Self:
        for name, levels in (("anchors", self.anchors), ("grids", self.grids)):
            if levels is not None and len(levels) != len(self.strides):
                raise ValueError(f"there are {len(self.strides)} strides and {len(levels)} {name}")
        return self


class YoloEndToEnd(_Classes):
    """Parameters of ``edgeanon.decoders.yolo_end_to_end``: YOLOv10, YOLO26, or any YOLO with its suppression inside."""

    name: Literal["yolo-end-to-end"] = "yolo-end-to-end"
    extra: Count = 0
    boxes: str | None = None


class Ssd(_Classes):
    """Parameters of ``edgeanon.decoders.ssd``, SSD that ends in DetectionOutput."""

    name: Literal["ssd"] = "ssd"
    background: bool = True
    boxes: str | None = None

    @property
    def numbers(self) -> range:
        """The class numbers that can come out."""
        return range(self.background, self.background + self.classes)


class BoxesAndLabels(_Classes):
    """Parameters of ``edgeanon.decoders.boxes_and_labels``, what Geti and OpenVINO Training Extensions export."""

    name: Literal["boxes-and-labels"] = "boxes-and-labels"
    boxes: str = "boxes"
    labels: str = "labels"


DECODERS: Mapping[str, Decoder] = {
    "center-point": center_point,
    "retinaface": retinaface,
    "yolo-v8": yolo_v8,
    "yolo-v5": yolo_v5,
    "yolo-v5-grids": yolo_v5_grids,
    "yolo-end-to-end": yolo_end_to_end,
    "ssd": ssd,
    "boxes-and-labels": boxes_and_labels,
}


Section = Annotated[
    CenterPoint | RetinaFace | YoloV8 | YoloV5 | YoloV5Grids | YoloEndToEnd | Ssd | BoxesAndLabels,
    Field(discriminator="name"),
]
"""What the manifest says of a decoder, told apart by its name."""
