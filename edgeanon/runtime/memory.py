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


def give_back() -> None:
    """Have what is freed go back to the system, at a little more work; for a process of one's own, from its start.

    The allocator of glibc keeps large pieces for later, in a pool for each thread. Frames of a video are such pieces,
    come from several threads, and fit into each other's places badly: at 1080p some 40 MB lie idle. Does nothing
    elsewhere.
    """
    with suppress(OSError, AttributeError):
        allocator = ctypes.CDLL(None)
        for parameter, value in _LARGE_PIECES, _POOLS:
            allocator.mallopt(parameter, value)


_LARGE_PIECES = (-3, 1 << 20)  # M_MMAP_THRESHOLD of <malloc.h>, bytes
_POOLS = (-8, 2)  # M_ARENA_MAX


def _field(process: Path, name: str) -> int:
    for line in (process / "status").read_text().splitlines():
        field, _, value = line.partition(":")
        if field == name:
            return int(value.split()[0]) * 1024
    raise OSError(f"{process / 'status'} has no {name}")
