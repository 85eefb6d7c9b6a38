"""What the image libraries raise, warn and log, kept from the caller."""

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2

from edgeanon.errors import EdgeanonError, MediaError

_opencv_log: Any = cv2 if hasattr(cv2, "getLogLevel") else cv2.utils.logging  # it moved with OpenCV 5


_LOGGERS = tuple(map(logging.getLogger, ("PIL", "pi_heif", "tifffile")))
"""Pillow logs the values of EXIF tags, and tifffile what it finds wrong with them: place, time, names."""
_NOTHING = logging.CRITICAL + 1


class _Silence:
    """Ignores the libraries' warnings and log records, and OpenCV's on stderr, while at least one thread is inside.

    The filters of ``warnings`` and the log levels belong to the process, and two threads that save and restore
    them in turns may leave them changed for good. So the first thread in saves them, and the last one out restores
    them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._saved = warnings.catch_warnings()
        self._level = 0
        self._levels = [logger.level for logger in _LOGGERS]

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._saved = warnings.catch_warnings()
                self._saved.__enter__()
                warnings.filterwarnings("ignore", module=r"(PIL|pi_heif)\.")
                self._level = _opencv_log.getLogLevel()
                _opencv_log.setLogLevel(0)  # silent
                self._levels = [logger.level for logger in _LOGGERS]
                for logger in _LOGGERS:
                    logger.setLevel(_NOTHING)
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                for logger, level in zip(_LOGGERS, self._levels, strict=True):
                    logger.setLevel(level)
                _opencv_log.setLogLevel(self._level)
                self._saved.__exit__(None, None, None)


silence = _Silence()


@contextmanager
def translated(path: Path, fact: str, remedy: str) -> Iterator[None]:
    """Foreign errors of the block as ``MediaError``, and none of their warnings and log records.

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
