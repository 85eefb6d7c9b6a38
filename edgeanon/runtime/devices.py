"""Which devices this machine has, which one a name means, and why not another."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import openvino as ov

from edgeanon.errors import ConfigError, DeviceError

AUTO_ORDER = ("GPU", "CPU")
"""What ``device="AUTO"`` tries. The NPU compiles for one input size at a time: name it to use it."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device of this machine, or one that it lacks.

    Attributes:
        name: what to pass as ``device=``, such as ``"CPU"`` or ``"GPU.0"``.
        full_name: what its driver calls it; empty when it is not there.
        precisions: what it computes natively, as OpenVINO names it: ``"FP32"``, ``"FP16"``, ``"INT8"``, ...
        why_not: why it cannot be used; empty when it can.
    """

    name: str
    full_name: str
    precisions: tuple[str, ...]
    why_not: str


@lru_cache(maxsize=1)
def core() -> ov.Core:
    return ov.Core()


_EIGHT_BIT = ("amx_int8", "avx512_vnni", "avx_vnni")
"""What Linux calls the instructions that multiply 8-bit numbers and add them up in 32 bits, fastest first. A processor
without them adds in 16 bits, which can saturate."""


def eight_bit(name: str, cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """How a device computes in 8 bits: for a CPU its fastest instructions for that, such as ``"avx512_vnni"``; for
    other devices what they are called. Empty where it has no such instructions, or nothing tells.
    """
    if name.split(".", maxsplit=1)[0] != "CPU":
        found = {one.name: one for one in devices()}.get(name)
        return found.full_name if found and "INT8" in found.precisions else ""
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    flags = next((set(line.partition(":")[2].split()) for line in lines if line.startswith("flags")), set[str]())
    return next((one for one in _EIGHT_BIT if one in flags), "")


def native_float(name: str) -> str:
    """What a device computes floating-point networks in by itself: ``"bf16"``, ``"f16"`` or ``"f32"``."""
    found = next((one for one in devices() if one.name.split(".")[0] == name.split(".", maxsplit=1)[0]), None)
    precisions = found.precisions if found else ()
    if name.split(".", maxsplit=1)[0] == "CPU" and "BF16" in precisions:
        return "bf16"
    return "f16" if "FP16" in precisions else "f32"


def version() -> str:
    """OpenVINO's version, as it reports it."""
    return str(ov.get_version())


def devices() -> list[Device]:
    """Every device that OpenVINO sees here, then those among CPU, GPU and NPU that it does not see, with the reason."""
    openvino = core()
    found = []
    for name in openvino.available_devices:
        try:
            full_name = str(openvino.get_property(name, "FULL_DEVICE_NAME")).strip()
            capabilities = tuple(str(item) for item in openvino.get_property(name, "OPTIMIZATION_CAPABILITIES"))
            found.append(Device(name, full_name, tuple(c for c in capabilities if c != "EXPORT_IMPORT"), ""))
        except RuntimeError as error:
            found.append(Device(name, "", (), first_line(error)))
    seen = {device.name.split(".")[0] for device in found}
    return found + [Device(name, "", (), _why_absent(name)) for name in ("CPU", "GPU", "NPU") if name not in seen]


_NODES = {
    "GPU": ("dri", "renderD*", "the OpenCL and Level Zero runtime (intel-opencl-icd, libze-intel-gpu1)", "render"),
    "NPU": ("accel", "accel*", "the NPU driver (intel-driver-compiler-npu, intel-level-zero-npu)", "render"),
}


def _why_absent(name: str, root: Path = Path("/dev")) -> str:
    """Why OpenVINO does not see a kind of device, from the device nodes under ``root``."""
    if name not in _NODES:
        return f"OpenVINO's {name} plugin is not installed; reinstall the openvino package"
    folder, pattern, driver, group = _NODES[name]
    nodes = sorted((root / folder).glob(pattern))
    if not nodes:
        return f"no {root / folder / pattern}: this machine has no {name}, or it is not passed into this container"
    if not any(os.access(node, os.R_OK | os.W_OK) for node in nodes):
        return f"{nodes[0]} is not open to this user: add the user to the group {group!r} and log in again"
    return f"{nodes[0]} is there, but OpenVINO cannot open it: install {driver}"


@dataclass(frozen=True, slots=True)
class Choice:
    """A device to try, and why it is this one."""

    name: str
    reason: str


def choices(device: str | Sequence[str]) -> list[Choice]:
    """The devices to try, in order.

    Args:
        device: one name (``"CPU"``, ``"GPU"``, ``"NPU"``, ``"GPU.1"``), an ordered list of names, ``"AUTO"``, or one of
            OpenVINO's own meta-devices spelled with a colon (``"AUTO:GPU,CPU"``), which is handed over as it is.

    Raises:
        ConfigError: the name or the list is empty, or a name has no meaning here.
        DeviceError: a device was named that this machine does not have.
    """
    names = [device] if isinstance(device, str) else list(device or ())
    if not names or not all(isinstance(name, str) and name.strip() for name in names):
        raise ConfigError('device is empty: pass "AUTO", one name such as "CPU", or a list of names')
    names = [name.strip() for name in names]
    here = {item.name: item for item in devices()}
    usable = {name for name, item in here.items() if not item.why_not}
    usable |= {name.split(".")[0] for name in usable}
    if names == ["AUTO"]:
        first = [name for name in AUTO_ORDER if name in usable]
        passed = "; ".join(
            f"{name}: {here[name].why_not}" for name in AUTO_ORDER if name in here and here[name].why_not
        )
        if not first:
            raise DeviceError(f"AUTO finds neither {' nor '.join(AUTO_ORDER)} here ({passed})")
        return [Choice(name, f"AUTO took {name}" + (f" ({passed})" if passed else "")) for name in first]
    if "AUTO" in names:
        raise ConfigError('"AUTO" stands alone: leave it out of the list, or pass device="AUTO"')
    refused = [f"{name}: {_why_not(name, here)}" for name in names if ":" not in name and name not in usable]
    if len(refused) == len(names):
        raise DeviceError(
            f"no asked device can be used here ({'; '.join(refused)}); `edgeanon devices` lists what this machine has"
        )
    chosen = [Choice(name, "named") for name in names if ":" in name or name in usable]
    if refused:
        chosen = [Choice(choice.name, f"next in the list ({'; '.join(refused)})") for choice in chosen]
    return chosen


def _why_not(name: str, here: Mapping[str, Device]) -> str:
    if name in here:
        return here[name].why_not
    return f"unknown; known here are {', '.join(sorted(here))}"


def first_line(error: BaseException) -> str:
    """The part of OpenVINO's many-line messages that says what happened."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(("Exception from", "Check '"))]
    return (telling or lines or [type(error).__name__])[0]
