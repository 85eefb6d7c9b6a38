"""Centre-point heads: a heatmap of centres with a size and an offset at each cell."""

import numpy as np

from edgeanon.decoders.candidates import Candidates, Outputs, one_class, output


def center_point(
    outputs: Outputs,
    *,
    width: int,
    height: int,
    threshold: float,
    stride: int = 4,
    heatmap: str = "heatmap",
    size: str = "size",
    offset: str = "offset",
) -> Candidates:
    """Decode CenterFace-like outputs (Xu et al., "CenterFace: Joint Face Detection and Alignment", 2019).

    Args:
        outputs: ``heatmap`` ``[1, 1, h, w]`` scores; ``size`` ``[1, 2, h, w]`` logarithm of height and width in cells;
            ``offset`` ``[1, 2, h, w]`` of the centre in cells, y then x, counted from the cell's middle.
        width: of the network's input, in pixels.
        height: of the network's input, in pixels.
        threshold: least score that comes back.
        stride: pixels a cell.
        heatmap: name of that output.
        size: name of that output.
        offset: name of that output.

    Raises:
        ModelError: an output is missing, of another shape, or not finite.
    """
    cells = (height // stride, width // stride)
    scores = output(outputs, heatmap, (1, 1, *cells))[0, 0]
    sizes = output(outputs, size, (1, 2, *cells))[0]
    offsets = output(outputs, offset, (1, 2, *cells))[0]
    rows, columns = np.nonzero(scores >= threshold)
    half_sides = np.exp(np.minimum(sizes[:, rows, columns], 20)) * stride / 2
    center_y = (rows + offsets[0, rows, columns] + 0.5) * stride
    center_x = (columns + offsets[1, rows, columns] + 0.5) * stride
    boxes = np.stack(
        [center_x - half_sides[1], center_y - half_sides[0], center_x + half_sides[1], center_y + half_sides[0]], axis=1
    )
    return one_class(boxes, scores[rows, columns])
