"""What PyAV raises, in the words of this package."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from edgeanon.errors import EdgeanonError, MediaError


@contextmanager
def translated(subject: str, fact: str, remedy: str, *, secret: bool = False) -> Iterator[None]:
    """Foreign errors of the block as ``MediaError``: ``subject``, ``fact``, the library's own words and ``remedy``.

    Args:
        subject: what is read or written, without credentials.
        fact: what could not be done to it.
        remedy: what to do about it.
        secret: the address holds credentials. FFmpeg's errors name the whole of it, so nothing of them is kept, neither
            as ``__cause__`` nor as ``__context__``.
    """
    try:
        yield
    except (EdgeanonError, GeneratorExit):
        raise
    except MemoryError as error:
        raise MediaError(f"{subject} {fact}: the memory does not suffice; use a machine with more") from error
    except Exception as error:
        said = MediaError(f"{subject} {fact} ({words(error, secret=secret)}): {remedy}")
        if not secret:
            raise said from error
        try:
            raise said from None
        finally:
            said.__context__ = None


def words(error: Exception, *, secret: bool = False) -> str:
    """An error's own words, without the address that it is about."""
    said: str | None = getattr(error, "strerror", None)
    if said:
        return said[:1].lower() + said[1:]
    return type(error).__name__ if secret else str(error) or type(error).__name__


def processors(most: int) -> int:
    """How many threads to use: as many as this process may run at once, ``most`` at most."""
    return max(1, min(len(os.sched_getaffinity(0)), most))
