"""OpenVINO: devices, compiled models, inferences. The only room that imports it.

Importing ``edgeanon`` before ``openvino`` keeps OpenVINO's telemetry off; ``edgeanon/__init__.py`` sees to that.
"""

from edgeanon.runtime.cache import cache_folder
from edgeanon.runtime.devices import AUTO_ORDER, Device, choices, devices, eight_bit, native_float, version
from edgeanon.runtime.energy import EnergyMeter
from edgeanon.runtime.graph import Graph, Way, fixed, names, quantized_layers, restored, saved
from edgeanon.runtime.network import Compute, Counter, Hint, Network, Pending, hangs, read_graph, read_model

__all__ = [
    "AUTO_ORDER",
    "Compute",
    "Counter",
    "Device",
    "EnergyMeter",
    "Graph",
    "Hint",
    "Network",
    "Pending",
    "Way",
    "cache_folder",
    "choices",
    "devices",
    "eight_bit",
    "fixed",
    "hangs",
    "names",
    "native_float",
    "quantized_layers",
    "read_graph",
    "read_model",
    "restored",
    "saved",
    "version",
]
