"""What a device is, for a report: the hardware under its name, and the version of its driver."""

from dataclasses import dataclass

from edgeanon.runtime.devices import core

_DRIVER_VERSIONS = {"GPU": "GPU_DRIVER_VERSION", "NPU": "NPU_DRIVER_VERSION"}


@dataclass(frozen=True, slots=True)
class Hardware:
    """A device that ran something.

    Attributes:
        name: in OpenVINO, such as ``"CPU"`` or ``"GPU.0"``.
        full_name: what its driver calls it; empty where nothing tells.
        driver: the version of the driver; None for a CPU, which has none apart from OpenVINO, and where nothing tells.
    """

    name: str
    full_name: str
    driver: str | None


def hardware(devices: str) -> list[Hardware]:
    """The devices of a list with commas, as ``Detector.device`` gives it, in its order."""
    # OpenVINO puts names of execution devices in brackets where it has not settled on them.
    names = dict.fromkeys(name.strip("() ") for name in devices.split(","))
    return [_looked_up(name) for name in names if name]


def _looked_up(name: str) -> Hardware:
    key = _DRIVER_VERSIONS.get(name.split(".", maxsplit=1)[0])
    return Hardware(name, _property(name, "FULL_DEVICE_NAME") or "", _property(name, key) if key else None)


def _property(device: str, key: str) -> str | None:
    try:
        return str(core().get_property(device, key)).strip() or None
    except RuntimeError:  # not every driver knows every property
        return None
