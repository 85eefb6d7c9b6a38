"""OpenVINO: devices, compiled models, inferences. The only room that imports it.

Importing ``edgeanon`` before ``openvino`` keeps OpenVINO's telemetry off; ``edgeanon/__init__.py`` sees to that.
"""

from edgeanon.runtime.cache import cache_folder
from edgeanon.runtime.devices import AUTO_ORDER, Device, choices, devices, version
from edgeanon.runtime.energy import EnergyMeter
from edgeanon.runtime.network import Compute, Counter, Hint, Network, Pending, hangs, read_model

__all__ = [
    "AUTO_ORDER",
    "Compute",
    "Counter",
    "Device",
    "EnergyMeter",
    "Hint",
    "Network",
    "Pending",
    "cache_folder",
    "choices",
    "devices",
    "hangs",
    "read_model",
    "version",
]
