"""Memory of this process, as Linux counts it: what is resident, shared libraries included."""

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


def _field(process: Path, name: str) -> int:
    for line in (process / "status").read_text().splitlines():
        field, _, value = line.partition(":")
        if field == name:
            return int(value.split()[0]) * 1024
    raise OSError(f"{process / 'status'} has no {name}")
