"""Energy, from the counters that processors keep themselves."""

from pathlib import Path

POWERCAP = Path("/sys/class/powercap")


class EnergyMeter:
    """Adds up what the processor packages have used since it was made.

    Linux shows the counters of Intel's RAPL (running average power limit) as files, and those of AMD's processors in
    the same place. A package is the cores, the caches and the graphics unit on the chip, with everything that runs on
    them; memory, disks and discrete cards are not in it. A counter begins anew after some minutes at full load, so
    ``joules`` must be asked at least that often. On most machines only root may read them.

    Args:
        root: where Linux shows the counters.

    Attributes:
        packages: how many of them are read.
        why_not: why nothing can be read; empty when it can.
    """

    def __init__(self, root: Path = POWERCAP) -> None:
        self._joules = 0.0
        self._counters: list[_Counter] = []
        self.why_not = ""
        found = sorted(path for path in root.glob("intel-rapl:*") if path.name.count(":") == 1 and _is_package(path))
        if not found:
            self.why_not = (
                f"no energy counters in {root}: virtual machines and containers mostly have none; elsewhere load the "
                "kernel module intel_rapl_msr"
            )
        try:
            self._counters = [_Counter(path) for path in found]
        except PermissionError as error:
            self.why_not = f"{error.filename} may be read by root only: run as root, or have it opened for reading"
        except (OSError, ValueError) as error:
            self.why_not = f"the energy counters in {root} cannot be read ({error})"
        self.packages = len(self._counters)

    def joules(self) -> float | None:
        """What has been used since this was made, of all packages together; None where it cannot be read."""
        if self.why_not:
            return None
        try:
            self._joules += sum(counter.used() for counter in self._counters)
        except (OSError, ValueError) as error:
            self.why_not = f"the energy counters could not be read any longer ({error})"
            return None
        return self._joules


class _Counter:
    """One package's counter of microjoules, which begins anew at its end."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "energy_uj"
        self._end = int((folder / "max_energy_range_uj").read_text())
        self._last = int(self._file.read_text())

    def used(self) -> float:
        """Joules since it was last asked."""
        now = int(self._file.read_text())
        used = now - self._last + (self._end if now < self._last else 0)
        self._last = now
        return used / 1e6


def _is_package(folder: Path) -> bool:
    """Whether it counts a processor package, and not the whole platform, of which packages are a part."""
    try:
        return (folder / "name").read_text().startswith("package")
    except OSError:
        return False
