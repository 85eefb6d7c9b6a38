"""Whether a film was cut between two pictures."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray


class Scene:
    """Tells where a film was cut, from small grey pictures.

    Two pictures are of one scene when the middle of one is found somewhere in the other, whatever its brightness and
    contrast: pans, zooms and flashes are no cuts. Nor is a picture without structure (black, white, out of focus): the
    next one that has some is compared with the last one that had. A cut that is not noticed keeps masks for a moment
    longer, one that is none ends them, so doubt is decided for no cut.
    """

    _WIDTH, _HEIGHT = 64, 36
    _MIDDLE: Final = (slice(7, 29), slice(12, 52))
    _ALIKE = 0.5  # correlation below which two pictures may be of different scenes
    _USUAL = 0.65  # of the usual correlation: frames far apart in time resemble each other less
    _FLAT = 2.0  # standard deviation of grey levels, after the coarse light and shade were taken away

    def __init__(self) -> None:
        self._shape: tuple[int, int] | None = None
        self._last: NDArray[np.float32] | None = None
        self._usual = 1.0

    def began(self, image: NDArray[np.uint8]) -> bool:
        """Whether a new scene begins with this picture, ``(h, w, 3)``; the first one ever begins none.

        A picture of another size begins one.
        """
        shape = (image.shape[0], image.shape[1])
        resized = self._shape is not None and shape != self._shape
        if resized:
            self._last, self._usual = None, 1.0
        self._shape = shape
        small = self._small(image)
        if small[self._MIDDLE].std() < self._FLAT:
            return resized
        last, self._last = self._last, small
        if last is None:
            return resized
        alike = max(_found(small[self._MIDDLE], last), _found(last[self._MIDDLE], small))
        other = alike < min(self._ALIKE, self._USUAL * self._usual)
        self._usual += 0.05 * (alike - self._usual)
        return other or resized

    def _small(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The structure of a picture: its green, small, without coarse light and shade."""
        # A few pixels of each small one will do, and a large picture is not read as a whole.
        step = max(1, min(image.shape[0] // (4 * self._HEIGHT), image.shape[1] // (4 * self._WIDTH)))
        green = np.ascontiguousarray(image[::step, ::step, 1])
        size = (self._WIDTH, self._HEIGHT)
        small = cv2.resize(green, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        return np.asarray(small - cv2.GaussianBlur(small, (0, 0), self._WIDTH / 8), np.float32)


def _found(part: NDArray[np.float32], picture: NDArray[np.float32]) -> float:
    """Best correlation of a part with any place of a picture, -1..1."""
    return float(cv2.matchTemplate(picture, part, cv2.TM_CCOEFF_NORMED).max())
