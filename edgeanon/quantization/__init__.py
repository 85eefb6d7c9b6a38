"""INT8 models that lose nobody: post-training quantization with NNCF behind a gate on recall.

    certificate = quantize("model.xml", "street-photos/", labelled="gate.json", out="model-int8/")

NNCF comes with ``pip install 'edgeanon[calibration]'`` and is imported when it is first needed.
"""

from edgeanon.certificate import Certificate
from edgeanon.quantization.quantizing import MAX_FALSE_RATIO, MAX_RECALL_DROP, quantize
from edgeanon.quantization.recipe import PRESETS, Keep, Recipe, read_recipe
from edgeanon.quantization.speed import timed

__all__ = [
    "MAX_FALSE_RATIO",
    "MAX_RECALL_DROP",
    "PRESETS",
    "Certificate",
    "Keep",
    "Recipe",
    "quantize",
    "read_recipe",
    "timed",
]
