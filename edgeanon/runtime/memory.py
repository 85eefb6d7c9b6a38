"""Memory of this process, as Linux counts it: what is resident, shared libraries included."""

import ctypes
from contextlib import suppress
from pathlib import Path

PROCESS = Path("/proc/self")


def resident(process: Path = PROCESS) -> int:
    """Bytes that are in memory now."""
    return _field(process, "VmRSS")


def peak(process: Path = PROCESS) -> int:
    """Most bytes that were in memory at once, since the process began or ``forget_peak`` was called."""
    return _field(process, "VmHWM")


def forget_peak(process: Path = PROCESS) -> bool:
    """Begin a new peak; False where Linux does not allow that, and the peak is that of the whole process."""
    try:
        (process / "clear_refs").write_text("5")
    except OSError:
        return False
    return True


def share_pools() -> None:
    """Have all threads allocate from two pools; for a process of one's own, from its start.

    The allocator of glibc has a pool for each thread otherwise. Frames of a video, which one thread makes and another
    frees, leave holes in all of them: some 30 MB at 1080p. Does nothing elsewhere.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


_M_ARENA_MAX = -8  # of <malloc.h>


def _field(process: Path, name: str) -> int:
    for line in (process / "status").read_text().splitlines():
        field, _, value = line.partition(":")
        if field == name:
            return int(value.split()[0]) * 1024
    raise OSError(f"{process / 'status'} has no {name}")
