"""Devices and compiled models, on the CPU of this machine; other devices by their device nodes and names."""

import gc
import os
import stat
import subprocess
import sys
import time
import weakref
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeanon import Detector, runtime
from edgeanon.errors import ConfigError, DeviceError, ModelError
from edgeanon.runtime.devices import _why_absent
from edgeanon.runtime.network import needs_static_shapes
from tests import tiny

WHITE = np.full((64, 64, 3), 255, np.uint8)


def network(folder: Path, *, device: str | list[str] = "CPU", hint: runtime.Hint = "latency") -> runtime.Network:
    path = tiny.save(tiny.bright(), folder, **tiny.FACES)
    model = runtime.read_model(
        path.read_bytes(), path.with_suffix(".bin").read_bytes(), color="BGR", mean=(0, 0, 0), scale=(1, 1, 1)
    )
    return runtime.Network(model, device=device, hint=hint)


def test_the_cpu_is_there_and_can_be_used() -> None:
    cpu = next(device for device in runtime.devices() if device.name == "CPU")
    assert cpu.full_name
    assert "FP32" in cpu.precisions
    assert not cpu.why_not


def test_each_kind_of_device_is_listed_with_what_keeps_it_from_use() -> None:
    names = {device.name.split(".")[0] for device in runtime.devices()}
    assert names >= {"CPU", "GPU", "NPU"}
    assert all(device.full_name or device.why_not for device in runtime.devices())


def test_a_missing_device_node_says_that_the_machine_has_none(tmp_path: Path) -> None:
    assert "has no GPU" in _why_absent("GPU", tmp_path)


def test_a_device_node_without_a_driver_says_which_driver(tmp_path: Path) -> None:
    (tmp_path / "accel").mkdir()
    (tmp_path / "accel" / "accel0").touch()
    assert "install the NPU driver" in _why_absent("NPU", tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open every file")
def test_a_device_node_of_others_says_which_group(tmp_path: Path) -> None:
    (tmp_path / "dri").mkdir()
    (tmp_path / "dri" / "renderD128").touch(mode=0)
    assert "group 'render'" in _why_absent("GPU", tmp_path)


def test_auto_takes_one_concrete_device_and_says_why(tmp_path: Path) -> None:
    made = network(tmp_path, device="AUTO")
    assert made.device.split(".")[0] in {"CPU", "GPU"}
    assert made.reason.startswith("AUTO took")


def test_auto_without_a_device_that_can_be_used_is_an_error_that_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = [runtime.Device("CPU", "", (), "its plugin is gone"), runtime.Device("GPU", "", (), "no driver")]
    monkeypatch.setitem(runtime.choices.__globals__, "devices", lambda: broken)
    with pytest.raises(DeviceError, match=r"GPU: no driver.*CPU: its plugin is gone"):
        network(tmp_path, device="AUTO")


def test_auto_never_takes_the_npu(monkeypatch: pytest.MonkeyPatch) -> None:
    npu = runtime.Device("NPU", "a fast one", ("FP16",), "")
    monkeypatch.setitem(runtime.choices.__globals__, "devices", lambda: [npu])
    assert [choice.name for choice in runtime.choices("NPU")] == ["NPU"]
    with pytest.raises(DeviceError, match="AUTO"):
        runtime.choices("AUTO")


def test_the_device_is_read_back_from_the_compiled_model(tmp_path: Path) -> None:
    assert network(tmp_path).device == "CPU"
    assert network(tmp_path, device="HETERO:CPU").device == "CPU"
    assert "CPU" in network(tmp_path, device="AUTO:CPU").device


def test_a_named_device_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match=r"GPU\.7"):
        network(tmp_path, device="GPU.7")
    with pytest.raises(RuntimeError):
        network(tmp_path, device="GPU.7")


def test_a_list_takes_the_first_that_can_be_used_and_says_what_it_passed_over(tmp_path: Path) -> None:
    made = network(tmp_path, device=["GPU.7", "CPU"])
    assert made.device == "CPU"
    assert "GPU.7" in made.reason


@pytest.mark.parametrize("wrong", ["", [], [" "], ["AUTO", "CPU"]])
def test_a_device_without_meaning_is_refused(wrong: str | list[str]) -> None:
    with pytest.raises(ConfigError):
        runtime.choices(wrong)


def test_a_meta_device_that_openvino_refuses_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="HETERO:NONE"):
        network(tmp_path, device="HETERO:NONE")


def test_only_the_npu_needs_static_shapes() -> None:
    assert [name for name in ("CPU", "GPU", "GPU.1", "NPU", "NPU.0") if needs_static_shapes(name)] == ["NPU", "NPU.0"]


def test_static_shapes_give_what_free_shapes_give(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The CPU stands in for a device that compiles for one input size at a time."""
    free = network(tmp_path)
    monkeypatch.setattr("edgeanon.runtime.network.needs_static_shapes", lambda _: True)
    static = network(tmp_path)
    rng = np.random.default_rng(0)
    for side in range(64, 64 + 4 * 12, 4):  # more sizes than are kept
        picture = rng.integers(0, 255, (side, 64, 3), np.uint8)
        for name, value in free.start(picture).result().items():
            np.testing.assert_allclose(static.start(picture).result()[name], value, atol=1e-4)


def test_throughput_wants_at_least_one_request(tmp_path: Path) -> None:
    assert network(tmp_path, hint="throughput").requests >= 1


def test_results_belong_to_their_inputs_however_many_are_under_way(tmp_path: Path) -> None:
    made = network(tmp_path, hint="throughput")
    levels = list(range(0, 250, 10))
    pending = [made.start(np.full((32, 32, 3), level, np.uint8)) for level in levels]
    alone = [made.start(np.full((32, 32, 3), level, np.uint8)).result()["heatmap"].max() for level in levels]
    assert [one.result()["heatmap"].max() for one in pending] == alone


def test_colour_order_mean_and_scale_are_applied_inside(tmp_path: Path) -> None:
    path = tiny.save(tiny.channels(), tmp_path, **tiny.FACES)
    model = runtime.read_model(
        path.read_bytes(), path.with_suffix(".bin").read_bytes(), color="RGB", mean=(1, 2, 3), scale=(1, 2, 4)
    )
    blue_green_red = np.zeros((8, 8, 3), np.uint8) + np.array([30, 20, 10], np.uint8)
    out = runtime.Network(model, device="CPU").start(blue_green_red).result()["same"]
    np.testing.assert_allclose(out[0, :, 0, 0], [(10 - 1) / 1, (20 - 2) / 2, (30 - 3) / 4])


@pytest.mark.parametrize("content", [b"", b"<net", b"\x00" * 100])
def test_what_is_no_model_is_a_model_error(content: bytes) -> None:
    with pytest.raises(ModelError):
        runtime.read_model(content, b"", color="BGR", mean=(0, 0, 0), scale=(1, 1, 1))


def test_the_cache_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "new"))
    folder = runtime.cache_folder()
    assert folder == tmp_path / "new" / "edgeanon"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("base", ["relative", "./here", "~/tilde", "", None])
def test_a_cache_folder_that_is_no_absolute_path_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base: str | None
) -> None:
    """As the XDG Base Directory Specification says: such a path is invalid and ignored."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    if base is None:
        monkeypatch.delenv("XDG_CACHE_HOME")
    else:
        monkeypatch.setenv("XDG_CACHE_HOME", base)
    assert runtime.cache_folder() == tmp_path / "home" / ".cache" / "edgeanon"
    assert not list((tmp_path / "work").iterdir())


def test_a_cache_that_others_may_write_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "edgeanon").mkdir()
    (tmp_path / "edgeanon").chmod(0o777)
    assert runtime.cache_folder() is None


def test_without_a_cache_it_works_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert runtime.cache_folder() is None
    assert network(tmp_path / "model").start(WHITE).result()["heatmap"].max() > 0.9


def test_a_model_from_the_cache_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    first = network(tmp_path / "model").start(WHITE).result()
    assert list((tmp_path / "cache" / "edgeanon").iterdir())
    again = network(tmp_path / "model").start(WHITE).result()
    for name, value in first.items():
        np.testing.assert_array_equal(again[name], value)


def test_a_detector_made_before_a_fork_says_so_in_the_child() -> None:
    detector = Detector("face")
    detector.detect(WHITE)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            detector.detect(WHITE)
        except DeviceError as error:
            os.write(writer, str(error).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    with os.fdopen(reader) as said:
        assert "before a fork" in said.read()


class Silent:
    """Stands in for a request of a device that never answers."""

    def __init__(self) -> None:
        self.waited = 0.0

    def start_async(self, *_: object, **__: object) -> None:
        pass

    def wait_for(self, milliseconds: int) -> bool:
        self.waited += milliseconds / 1000
        time.sleep(milliseconds / 1000)
        return False


class TestHanging:
    @pytest.fixture
    def requests(self, monkeypatch: pytest.MonkeyPatch) -> list[Silent]:
        """Every inference hangs; all their requests."""
        made: list[Silent] = []

        def take(_: object) -> Silent:
            made.append(Silent())
            return made[-1]

        monkeypatch.setattr("edgeanon.runtime.network._Compiled.take", take)
        monkeypatch.setattr("edgeanon.runtime.network.PATIENCE", 0.05)
        monkeypatch.setattr("edgeanon.runtime.network._hanging", [])
        return made

    def test_an_inference_that_never_answers_is_an_error(self, tmp_path: Path, requests: list[Silent]) -> None:
        pending = network(tmp_path).start(WHITE)
        assert not runtime.hangs()
        with pytest.raises(DeviceError, match=r"has not answered for 0\.05 s"):
            pending.result()
        assert runtime.hangs()
        assert requests[0].waited == pytest.approx(0.05)

    def test_it_is_waited_for_once(self, tmp_path: Path, requests: list[Silent]) -> None:
        pending = network(tmp_path).start(WHITE)
        for _ in range(3):
            pending.abandon()
            with pytest.raises(DeviceError):
                pending.result()
        assert requests[0].waited == pytest.approx(0.05)

    def test_its_input_is_kept_and_its_request_is_not_used_again(self, tmp_path: Path, requests: list[Silent]) -> None:
        made = network(tmp_path)
        image = WHITE.copy()
        kept = weakref.ref(image)
        made.start(image).abandon()
        del image
        gc.collect()
        assert kept() is not None  # the device may still read it
        made.start(WHITE).abandon()
        assert len(requests) == 2

    @pytest.mark.usefixtures("requests")
    def test_a_detector_says_so_and_comes_to_an_end(self, tmp_path: Path) -> None:
        path = tiny.save(tiny.bright(), tmp_path, **tiny.FACES)
        detector = Detector.from_file(path, profile="fast", device="CPU")
        began = time.monotonic()
        with pytest.raises(DeviceError):
            detector.detect(WHITE)
        with pytest.raises(DeviceError):
            list(detector.detect_many([WHITE] * 50))
        assert time.monotonic() - began < 5

    def test_the_end_of_the_process_does_not_wait(self, tmp_path: Path) -> None:
        """A thread that never ends stands in for what OpenVINO waits for."""
        path = tiny.save(tiny.bright(), tmp_path / "model", **tiny.FACES)
        cv2.imwrite(str(tmp_path / "a.png"), WHITE)
        code = (
            "import sys, threading\nfrom edgeanon import cli\nfrom edgeanon.runtime import network\n"
            "class Silent:\n"
            "    start_async = staticmethod(lambda *_, **__: None)\n"
            "    wait_for = staticmethod(lambda _: False)\n"
            "network.PATIENCE = 0.05\n"
            "network._Compiled.take = lambda self: Silent()\n"
            "threading.Thread(target=threading.Event().wait).start()  # what an orderly end would wait for\n"
            f"sys.argv = ['edgeanon', 'anonymize', {str(tmp_path / 'a.png')!r}, {str(tmp_path / 'b.png')!r},\n"
            f"            '--face-model', {str(path)!r}, '--no-plates']\n"
            "cli.main()\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=False)
        assert done.returncode == 1
        assert "has not answered" in done.stderr
        assert not (tmp_path / "b.png").exists()


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_picture_sizes() -> None:
    """A second sixty sizes add little to what the first sixty took; OpenVINO's own cache of kernels adds two thirds."""
    code = (
        "import itertools, os, numpy as np\nfrom edgeanon import models, runtime\n"
        "model = models.load_shipped('plate')\n"
        "read = runtime.read_model(model.structure, model.weights, color='RGB', mean=(0, 0, 0), scale=(1, 1, 1))\n"
        "network = runtime.Network(read, device='CPU')\n"
        "def resident(sizes):\n"
        "    for width, height in sizes:\n"
        "        network.start(np.zeros((height, width, 3), np.uint8)).result()\n"
        "    return int(open('/proc/self/statm').read().split()[1])\n"
        "sizes = list(itertools.product(range(32, 800, 64), range(64, 704, 64)))\n"
        "np.random.default_rng(0).shuffle(sizes)\n"
        "few, many = resident(sizes[:60]), resident(sizes[60:120])\n"
        "assert many < few * 1.25, (few, many)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("flags", "found"),
    [
        ("fpu avx2 avx512_vnni avx512_bf16", "avx512_vnni"),
        ("fpu avx2 avx_vnni", "avx_vnni"),
        ("fpu avx512_vnni amx_tile amx_int8", "amx_int8"),
        ("fpu avx2 fma", ""),
    ],
)
def test_a_cpu_tells_how_it_computes_in_8_bits(tmp_path: Path, flags: str, found: str) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
    assert runtime.eight_bit("CPU", tmp_path / "cpuinfo") == found
    assert runtime.eight_bit("CPU", tmp_path / "nothing") == ""


def test_a_device_that_is_not_there_computes_nothing_in_8_bits() -> None:
    assert runtime.eight_bit("GPU.7") == ""
    assert runtime.native_float("CPU") in {"bf16", "f16", "f32"}


def test_the_time_of_each_layer_can_be_taken(tmp_path: Path) -> None:
    path = tiny.save(tiny.bright(), tmp_path, **tiny.FACES)
    model = runtime.read_model(
        path.read_bytes(), path.with_suffix(".bin").read_bytes(), color="BGR", mean=(0, 0, 0), scale=(1, 1, 1)
    )
    counted = runtime.Network(model, device="CPU", compute="f32", counting=True)
    counted.start(WHITE).result()
    assert "Convolution" in {counter.kind for counter in counted.counters()}
    assert counted.precision == "f32"


def test_a_pictures_way_is_the_same_with_a_network_behind_it_and_without(tmp_path: Path) -> None:
    path = tiny.save(tiny.channels(), tmp_path, **tiny.FACES)
    blob = np.random.default_rng(0).integers(0, 256, (32, 64, 3), np.uint8)
    for how in (
        {"color": "RGB", "mean": (1.0, 2.0, 3.0), "scale": (2.0, 4.0, 8.0)},
        {"color": "BGR", "mean": (0.0, 0.0, 0.0), "scale": (1.0, 1.0, 1.0)},
    ):
        model = runtime.read_model(path.read_bytes(), path.with_suffix(".bin").read_bytes(), **how)  # type: ignore[arg-type]
        inside = runtime.Network(model, device="CPU", compute="f32").start(blob).result()["same"]
        np.testing.assert_array_equal(runtime.Way(**how).tensor(blob), inside)  # type: ignore[arg-type]
