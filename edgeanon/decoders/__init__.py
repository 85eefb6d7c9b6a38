"""From a network's outputs to boxes: pure functions on arrays.

A decoder is any callable ``decode(outputs, width=, height=, threshold=) -> Candidates``:

- ``outputs``: the network's outputs by name, float32, with their batch axis of 1.
- ``width``, ``height``: size of the network's input in pixels.
- ``threshold``: candidates that score less need not come back.

Boxes come back in pixels of the network's input, overlapping ones included: suppression happens once, later, when the
views of a picture are brought together.
"""

from edgeanon.decoders.candidates import Candidates, Decoder, Outputs
from edgeanon.decoders.center_point import center_point
from edgeanon.decoders.retinaface import retinaface

__all__ = ["Candidates", "Decoder", "Outputs", "center_point", "retinaface"]
