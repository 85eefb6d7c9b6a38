"""The figures of one detector on one device, as they stand in a file."""

from pydantic import BaseModel, ConfigDict

from edgeanon import runtime


class _Figures(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Percentiles(_Figures):
    """Seconds from a picture to its boxes. None where there were too few pictures to say."""

    p50: float | None
    p95: float | None
    p99: float | None


class Run(_Figures):
    """One way of using a detector.

    Attributes:
        hint: OpenVINO's, for which the networks were compiled.
        streams: inferences that the device computes side by side; None where it does not say, as ``threads``.
        threads: of the processor.
        pictures: that were searched.
        seconds: in which they were.
        per_second: pictures a second.
        latency: of each picture where they come one at a time, else None.
        cpu_seconds: of all cores together, a picture.
        peak_memory: most bytes of this process at once.
        joules: of all processor packages, a picture, with everything else that ran meanwhile; None where not readable.
    """

    hint: runtime.Hint
    streams: int | None
    threads: int | None
    pictures: int
    seconds: float
    per_second: float
    latency: Percentiles | None
    cpu_seconds: float
    peak_memory: int
    joules: float | None


class LayerTime(_Figures):
    """What layers of one type and precision take of a picture, one inference after the other.

    Attributes:
        type: as OpenVINO names it.
        precision: in which they compute: ``"f32"``, ``"bf16"``, ``"i8"``, ...
        layers: how many there are in the network.
        seconds: of them all, for all views of the first picture.
    """

    type: str
    precision: str
    layers: int
    seconds: float


class ModelFigures(_Figures):
    """One model of a detector.

    Attributes:
        name: as its manifest says.
        precision: of its weights on disk.
        sha256: over its files.
        bytes: of its files.
        computes_in: what the device computes it in where it is not quantized: ``"bf16"``, ``"f16"``, ``"f32"``.
        inputs: views of a picture that it looks at, on the average.
        per_second: pictures a second if nothing but its inferences took time.
        layers: times by type of layer, slowest first; empty where they were not asked for.
    """

    name: str
    precision: str
    sha256: str
    bytes: int
    computes_in: str
    inputs: float
    per_second: float
    layers: tuple[LayerTime, ...]


class Operation(_Figures):
    """What was measured of one detector on one device.

    Attributes:
        edgeanon: its version; ``openvino`` that of OpenVINO.
        device: that ran it.
        full_name: what its driver calls it.
        reason: why this one.
        processors: that this process may use.
        load: of the machine in the minute before, in processors kept busy; what ran then may have slowed the figures.
        profile: of the detector.
        sizes: width and height of the pictures, each once.
        pictures: how many different ones there were.
        first_picture: seconds until the first one was searched, compiling the models or fetching them from the cache
            included.
        memory_before: bytes of this process before that, with all that Python had imported.
        one_at_a_time: each picture searched when the one before is done; None where only throughput was asked for.
        many: as many at once as keep the device busy; None where only latency was asked for.
        models: each alone.
        per_second: pictures a second if nothing but the networks took time; no detector over them can be faster.
        peak_memory_is_whole: the peaks are those of the whole process, for Linux did not let them be told apart.
        energy_why_not: why there is no energy; empty where there is.
    """

    edgeanon: str
    openvino: str
    device: str
    full_name: str
    reason: str
    processors: int
    load: float
    profile: str
    sizes: tuple[tuple[int, int], ...]
    pictures: int
    first_picture: float
    memory_before: int
    one_at_a_time: Run | None
    many: Run | None
    models: tuple[ModelFigures, ...]
    per_second: float
    peak_memory_is_whole: bool
    energy_why_not: str
