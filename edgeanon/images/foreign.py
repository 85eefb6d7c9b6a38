"""What the image libraries raise and warn, kept from the caller."""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2

from edgeanon.errors import EdgeanonError, MediaError

_opencv_log: Any = cv2 if hasattr(cv2, "getLogLevel") else cv2.utils.logging  # it moved with OpenCV 5


class _Silence:
    """Ignores Pillow's warnings, and OpenCV's on stderr, while at least one thread is inside.

    The filters of ``warnings`` and OpenCV's log level belong to the process, and two threads that save and restore
    them in turns may leave them changed for good. So the first thread in saves them, and the last one out restores
    them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._saved = warnings.catch_warnings()
        self._level = 0

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._saved = warnings.catch_warnings()
                self._saved.__enter__()
                warnings.filterwarnings("ignore", module=r"(PIL|pi_heif)\.")
                self._level = _opencv_log.getLogLevel()
                _opencv_log.setLogLevel(0)  # silent
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                _opencv_log.setLogLevel(self._level)
                self._saved.__exit__(None, None, None)


silence = _Silence()


@contextmanager
def translated(path: Path, fact: str, remedy: str) -> Iterator[None]:
    """Foreign errors of the block as ``MediaError``, and none of Pillow's warnings.

    A damaged file makes decoders raise nearly anything: SyntaxError, struct.error, zlib.error, EOFError, ValueError,
    KeyError, MemoryError.

    Raises:
        MediaError: ``path``, ``fact``, the library's own words and ``remedy`` in one line.
    """
    try:
        with silence:
            yield
    except EdgeanonError:
        raise
    except MemoryError as error:
        raise MediaError(f"{path} {fact}: the memory does not suffice; use a machine with more") from error
    except Exception as error:
        words = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise MediaError(f"{path} {fact} ({words}): {remedy}") from error
