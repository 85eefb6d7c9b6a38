"""Makes the README's sheet of the clip before and after: `python -m examples.contact_sheet [MASKED.mp4]`.

Without a masked clip it masks the demonstration clip first, which takes a minute or two.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeanon import Anonymizer
from edgeanon.video import VideoReader

DEMO = Path(__file__).parent / "demo"
FRAMES = (14, 61, 104, 146, 188)
WIDTH, GAP = 380, 6
Image = NDArray[np.uint8]


def tiles(clip: Path, wanted: Sequence[int]) -> list[Image]:
    """The wanted frames of a clip, made small."""
    found = []
    with VideoReader(clip) as video:
        for frame in video:
            if frame.index in wanted:
                size = WIDTH, round(WIDTH * video.height / video.width)
                found.append(np.asarray(cv2.resize(frame.pixels, size, interpolation=cv2.INTER_AREA), np.uint8))
            if len(found) == len(wanted):
                break
    if len(found) != len(wanted):
        raise SystemExit(f"{clip} ends before frame {max(wanted)}")
    return found


def sheet(rows: Sequence[Sequence[Image]]) -> Image:
    """Rows of tiles with white gaps between them."""
    height, width = rows[0][0].shape[:2]
    across, down = len(rows[0]), len(rows)
    page = np.full((down * (height + GAP) - GAP, across * (width + GAP) - GAP, 3), 255, np.uint8)
    for row, line in enumerate(rows):
        for column, tile in enumerate(line):
            top, left = row * (height + GAP), column * (width + GAP)
            page[top : top + height, left : left + width] = tile
    return page


def main(masked: Path | None, folder: Path) -> None:
    """Write `clip-sheet.jpg`: the clip above, the masked clip below."""
    source = DEMO / "street.mp4"
    with tempfile.TemporaryDirectory() as scratch:
        if masked is None:
            masked = Path(scratch) / "street-anon.mp4"
            Anonymizer().video(source, masked)
        page = sheet([tiles(source, FRAMES), tiles(masked, FRAMES)])
    cv2.imwrite(str(folder / "clip-sheet.jpg"), page, [cv2.IMWRITE_JPEG_QUALITY, 86])


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None, DEMO)
