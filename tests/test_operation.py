"""What detection costs: that figures agree with one another and with the files, and what is said where one is missing.

No figure of time is judged: a machine may be as slow as it likes.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edgeanon import Detector
from edgeanon.errors import ConfigError, MediaError
from edgeanon.evaluation.operation import Operation, made, measure_operation, measuring, read
from edgeanon.runtime import EnergyMeter, memory
from tests import tiny

Inside = Callable[..., tuple[str, str]]


@pytest.fixture(autouse=True)
def no_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "WARM_UP", 0.0)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save(tiny.bright(), tmp_path_factory.mktemp("model"), **tiny.FACES)


@pytest.fixture
def detector(model: Path) -> Detector:
    return Detector.from_file(model, device="CPU", profile="fast")


def packages(root: Path, **microjoules: int) -> Path:
    """A folder as Linux shows energy counters: packages, a part of one, and the whole platform."""
    shown = {"intel-rapl:0": "package-0", "intel-rapl:0:0": "core", "intel-rapl:1": "package-1", "intel-rapl:2": "psys"}
    for name, domain in shown.items():
        folder = root / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "name").write_text(f"{domain}\n")
        (folder / "max_energy_range_uj").write_text("1000000000\n")
        (folder / "energy_uj").write_text(f"{microjoules.get(domain.replace('-', '_'), 0)}\n")
    return root


class TestEnergy:
    def test_packages_are_summed_and_neither_their_parts_nor_the_platform(self, tmp_path: Path) -> None:
        meter = EnergyMeter(packages(tmp_path, package_0=5_000_000, core=1, psys=7))
        assert meter.packages == 2
        assert meter.joules() == 0
        packages(tmp_path, package_0=7_500_000, package_1=1_000_000, core=900_000_000, psys=900_000_000)
        assert meter.joules() == pytest.approx(3.5)
        assert meter.why_not == ""

    def test_a_counter_that_begins_anew_goes_on(self, tmp_path: Path) -> None:
        meter = EnergyMeter(packages(tmp_path, package_0=999_000_000, package_1=10))
        packages(tmp_path, package_0=1_000_000, package_1=10)
        assert meter.joules() == pytest.approx(2.0)
        packages(tmp_path, package_0=500_000_000, package_1=10)
        packages(tmp_path, package_0=500_000_000, package_1=0)
        assert meter.joules() == pytest.approx(2.0 + 499.0 + 1000.0 - 1e-5)

    def test_a_machine_without_counters_says_so(self, tmp_path: Path) -> None:
        meter = EnergyMeter(tmp_path / "none")
        assert meter.joules() is None
        assert "no energy counters" in meter.why_not
        assert meter.packages == 0

    def test_counters_of_root_say_who_may_read_them(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        packages(tmp_path)
        plain = Path.read_text

        def guarded(path: Path, *args: Any, **kwargs: Any) -> str:
            if path.name == "energy_uj":
                raise PermissionError(13, "Permission denied", str(path))
            return plain(path, *args, **kwargs)

        monkeypatch.setattr(Path, "read_text", guarded)
        meter = EnergyMeter(tmp_path)
        assert meter.joules() is None
        assert "energy_uj may be read by root only" in meter.why_not

    @pytest.mark.parametrize("content", ["", "many", None])
    def test_a_counter_that_is_no_number_is_not_read(self, tmp_path: Path, content: str | None) -> None:
        file = packages(tmp_path) / "intel-rapl:1" / "energy_uj"
        file.unlink() if content is None else file.write_text(content)
        meter = EnergyMeter(tmp_path)
        assert meter.joules() is None
        assert "cannot be read" in meter.why_not

    def test_a_counter_that_goes_away_takes_the_figure_with_it(self, tmp_path: Path) -> None:
        meter = EnergyMeter(packages(tmp_path))
        (tmp_path / "intel-rapl:0" / "energy_uj").unlink()
        assert meter.joules() is None
        assert "could not be read any longer" in meter.why_not
        assert meter.joules() is None


class TestMemory:
    def test_the_peak_is_no_less_than_what_is_resident(self) -> None:
        resident = memory.resident()
        assert memory.peak() >= resident > 1e6

    def test_a_peak_can_be_forgotten(self) -> None:
        held = np.ones(100 * 2**20, np.uint8)
        before = memory.peak()
        del held
        if not memory.forget_peak():
            pytest.skip("this machine does not let a process forget its peak")
        assert memory.peak() < before - 50 * 2**20

    def test_linux_that_does_not_let_it_is_told_apart(self, tmp_path: Path) -> None:
        assert not memory.forget_peak(tmp_path / "none")


def close(one: float, other: float) -> bool:
    return one == pytest.approx(other)


def test_figures_agree_with_one_another_and_with_the_files(detector: Detector, model: Path) -> None:
    steps: list[str] = []
    figures = measure_operation(detector, [made(320, 200), made(200, 320)], seconds=0.1, on_step=steps.append)
    one, many, (own,) = figures.one_at_a_time, figures.many, figures.models
    assert one
    assert many
    assert one.latency
    assert (one.hint, many.hint) == ("latency", "throughput")
    assert many.latency is None
    for run in (one, many):
        assert run.pictures >= 3
        assert close(run.per_second, run.pictures / run.seconds)
        assert run.cpu_seconds > 0
        assert run.peak_memory >= 2**20
        assert run.threads
        assert run.streams
    assert own.bytes == model.stat().st_size + model.with_suffix(".bin").stat().st_size
    assert own.sha256 == detector.models[0].sha256
    assert own.inputs == 1  # of the profile fast
    assert close(figures.per_second, own.per_second)
    assert own.layers == ()
    assert figures.device == "CPU"
    assert figures.reason == "named"
    assert figures.full_name
    assert own.computes_in in {"bf16", "f16", "f32"}
    assert figures.sizes == ((200, 320), (320, 200))
    assert figures.pictures == 2
    assert figures.first_picture > 0
    assert len(steps) == 4
    assert Operation.model_validate_json(figures.model_dump_json()) == figures


def test_the_networks_alone_are_slower_together_than_each(model: Path) -> None:
    faces, plates = Detector.from_file(model).models[0], Detector.from_file(model).models[0]
    figures = measure_operation(Detector(faces, plates, profile="balanced"), [made(1280, 720)], seconds=0.05)
    assert [one.inputs for one in figures.models] == [2, 2]  # the picture as it is, and an overview
    assert close(1 / figures.per_second, sum(1 / one.per_second for one in figures.models))


def test_a_percentile_needs_enough_pictures(detector: Detector, monkeypatch: pytest.MonkeyPatch) -> None:
    def counted(number: int) -> dict[str, float | None]:
        monkeypatch.setattr(measuring, "LEAST_PICTURES", number)
        run = measure_operation(detector, [made(64, 64)], seconds=1e-6, hint="latency").one_at_a_time
        assert run
        assert run.pictures == number
        assert run.latency
        return run.latency.model_dump()

    assert [name for name, value in counted(19).items() if value is not None] == ["p50"]
    assert [name for name, value in counted(99).items() if value is not None] == ["p50", "p95"]
    every = counted(100)
    assert None not in every.values()
    assert (every["p50"] or 0) <= (every["p95"] or 0) <= (every["p99"] or 0)


@pytest.mark.parametrize(("hint", "left_out"), [("latency", "many"), ("throughput", "one_at_a_time")])
def test_a_hint_leaves_the_other_way_out(detector: Detector, hint: Any, left_out: str) -> None:
    figures = measure_operation(detector, [made(64, 64)], seconds=0.01, hint=hint)
    assert getattr(figures, left_out) is None
    assert {"one_at_a_time", "many"} - {left_out} == {
        name for name in ("one_at_a_time", "many") if getattr(figures, name) is not None
    }


def test_layers_are_told_by_type_and_precision_slowest_first(detector: Detector) -> None:
    figures = measure_operation(detector, [made(320, 200)], seconds=0.01, hint="latency", layers=True)
    times = figures.models[0].layers
    assert "Convolution" in {one.type for one in times}
    assert all(one.precision in {"f32", "bf16", "f16", "i8", "u8", "i32", "i64"} for one in times)
    assert [one.seconds for one in times] == sorted((one.seconds for one in times), reverse=True)
    assert len({(one.type, one.precision) for one in times}) == len(times)


def test_energy_is_that_of_the_pictures_searched(
    detector: Detector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each picture is made to cost two joules."""
    root, spent = packages(tmp_path), 0
    plain = Detector.detect

    def costly(one: Detector, *args: Any, **kwargs: Any) -> Any:
        nonlocal spent
        spent = (spent + 2_000_000) % 1_000_000_000
        packages(root, package_0=spent)
        return plain(one, *args, **kwargs)

    monkeypatch.setattr(Detector, "detect", costly)
    monkeypatch.setattr("edgeanon.runtime.EnergyMeter", lambda: EnergyMeter(root))
    figures = measure_operation(detector, [made(64, 64)], seconds=0.05, hint="latency")
    assert figures.one_at_a_time
    assert figures.one_at_a_time.joules == pytest.approx(2)
    assert figures.energy_why_not == ""


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_a_time_that_is_none_is_refused(detector: Detector, seconds: float) -> None:
    with pytest.raises(ConfigError, match="seconds"):
        measure_operation(detector, [made(64, 64)], seconds=seconds)


def test_no_pictures_are_refused(detector: Detector) -> None:
    with pytest.raises(ConfigError, match="no pictures"):
        measure_operation(detector, [])


class TestPictures:
    def test_the_one_made_is_the_same_each_time(self) -> None:
        assert made(300, 200).shape == (200, 300, 3)
        np.testing.assert_array_equal(made(300, 200), made(300, 200))

    def test_a_folder_gives_some_spread_over_it_and_says_of_how_many(self, tmp_path: Path) -> None:
        for number in range(40):
            cv2.imwrite(str(tmp_path / f"{number:02}.png"), np.full((8, 8, 3), number, np.uint8))
        (tmp_path / "notes.txt").write_text("no picture")
        pictures, there = read(tmp_path)
        levels = [int(picture[0, 0, 0]) for picture in pictures]
        assert there == 40
        assert len(levels) == 16
        assert levels[0] == 0
        assert levels[-1] == 39
        assert max(np.diff(levels)) <= 3

    def test_they_are_brought_to_a_size(self, tmp_path: Path) -> None:
        cv2.imwrite(str(tmp_path / "a.png"), np.zeros((30, 40, 3), np.uint8))
        assert read(tmp_path / "a.png")[0][0].shape == (30, 40, 3)
        assert read(tmp_path / "a.png", (80, 20))[0][0].shape == (20, 80, 3)

    def test_what_is_not_there_or_no_picture_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(MediaError, match="does not exist"):
            read(tmp_path / "none")
        with pytest.raises(ConfigError, match="holds no pictures"):
            read(tmp_path)
        (tmp_path / "a.jpg").write_text("no picture")
        with pytest.raises(MediaError, match="no picture"):
            read(tmp_path / "a.jpg")


class TestCommand:
    @pytest.fixture
    def options(self, model: Path) -> list[object]:
        return ["--face-model", model, "--no-plates", "--profile", "fast", "--size", "160x120", "--seconds", "0.02"]

    def test_it_prints_what_was_measured_and_on_what(self, inside: Inside, options: list[object]) -> None:
        said, _ = inside("benchmark", *options)
        for word in ("AUTO took", "bright, profile fast", "160x120", "one at a time", "many at once", "latency, p50"):
            assert word in said
        for word in ("pictures a second", "CPU time a picture", "peak memory", "energy", "streams, threads"):
            assert word in said
        assert max(map(len, said.splitlines())) <= 80

    def test_json_is_a_line_for_each_device(self, inside: Inside, options: list[object]) -> None:
        said, _ = inside("benchmark", *options, "--json", "--device", "CPU", "--device", "AUTO", "--hint", "latency")
        first, second = (json.loads(line) for line in said.splitlines())
        assert first["reason"] == "named"
        assert second["reason"].startswith("AUTO took")
        assert first["many"] is None

    def test_layers_are_a_table(self, inside: Inside, options: list[object]) -> None:
        said, _ = inside("benchmark", *options, "--layers", "--hint", "latency")
        assert "layers of bright" in said
        assert "Convolution" in said

    def test_a_measurement_that_is_stopped_ends_with_a_word(
        self, inside: Inside, options: list[object], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def stop(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(measuring, "_many", stop)
        said, complaint = inside("benchmark", *options, expect=1)
        assert "stopped" in complaint
        assert said == ""

    @pytest.mark.parametrize("size", ["1920", "0x10", "1920x1080x3", "-5x5", "123456x2"])
    def test_a_size_that_is_none_is_wrong_usage(self, inside: Inside, size: str) -> None:
        _, said = inside("benchmark", "--size", size, expect=2)
        assert "--size" in said

    def test_a_picture_that_is_not_there_is_an_error(self, inside: Inside, tmp_path: Path) -> None:
        assert "does not exist" in inside("benchmark", tmp_path / "none.jpg", expect=1)[1]

    def test_a_device_that_is_not_there_is_an_error_before_another_is_measured(
        self, inside: Inside, options: list[object]
    ) -> None:
        said, complaint = inside("benchmark", *options, "--device", "CPU", "--device", "NPU.7", expect=1)
        assert "no asked device" in complaint
        assert said == ""
