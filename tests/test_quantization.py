"""INT8 models behind the gate: real networks of a few operations, quantized for real."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edgeanon import Certificate, Detector, Recipe, quantize, runtime
from edgeanon.certificate import CERTIFICATE_NAME, Compared, problems, read_certificate
from edgeanon.errors import ConfigError, MediaError, ModelError
from edgeanon.models import MANIFEST_NAME, certificate_of, load_file
from edgeanon.quantization import Keep, calibration_set, post_training, quantizing, read_recipe, speed
from tests import grids, tiny

MANIFEST = tiny.FACES | {"threshold": 0.6}
RECIPE = Recipe(pictures=4, views=1, target="cpu-vnni")


class World:
    """Calibration pictures and a labelled set."""

    def __init__(self, folder: Path) -> None:
        self.calibration = folder / "calibration"
        for index in range(4):
            grids.picture(self.calibration / f"{'ab'[index % 2]}/{index}.png", index, white=True)
        grids.labelled_set(folder / "gate")
        self.labelled = folder / "gate" / "annotations.json"

    def quantize(self, model: Path, out: Path, **changes: Any) -> Certificate:
        options: dict[str, Any] = {"labelled": self.labelled, "recipe": RECIPE, "profile": "fast"} | changes
        calibration = options.pop("calibration", self.calibration)
        return quantize(model, calibration, out=out, **options)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that loses nothing by INT8."""
    return tiny.save(tiny.graded(), tmp_path_factory.mktemp("plain"), **MANIFEST)


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def made(world: World, plain: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Certificate]:
    """What that model becomes: the folder, and the certificate."""
    folder = tmp_path_factory.mktemp("made")
    return folder / "int8", world.quantize(plain, folder / "int8")


def test_a_model_that_loses_nothing_is_written_with_its_certificate(
    world: World, made: tuple[Path, Certificate]
) -> None:
    folder, certificate = made
    assert leftovers(folder.parent) == ["int8"]
    assert leftovers(folder) == [CERTIFICATE_NAME, MANIFEST_NAME, "model.bin", "model.xml"]
    model = load_file(folder / "model.xml")
    assert certificate_of(folder / "model.xml", model) == certificate
    assert certificate.passed
    assert certificate.kept == ()
    assert [one.passed for one in certificate.attempts] == [True]
    (faces,) = certificate.compared
    assert (faces.objects, faces.before, faces.after) == (675, 675, 675)
    assert 0 < faces.drop_bound <= 0.01
    assert model.manifest.precision == "INT8"
    assert model.manifest.scores["recall"] == 1.0
    assert b"FakeQuantize" in model.structure
    assert b'element_type="i8"' in model.structure
    assert certificate.calibration == tuple(
        sorted(calibration_set.file_hash(path) for path in world.calibration.rglob("*.png"))
    )
    assert {one.against for one in certificate.speeds} >= {"f32"}

    image = cv2.imread(str(next(world.calibration.rglob("*.png"))))
    assert image is not None
    found = Detector.from_file(folder / "model.xml", profile="fast").detect(np.asarray(image, np.uint8))
    assert len(found) == grids.EACH


@pytest.mark.slow
def test_a_second_run_gives_the_same_files(world: World, plain: Path, tmp_path: Path) -> None:
    for name in ("one", "other"):
        world.quantize(plain, tmp_path / name)
    for file in ("model.xml", "model.bin", MANIFEST_NAME):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "other" / file).read_bytes()


@pytest.mark.slow
def test_a_threshold_is_moved_where_that_is_enough(world: World, tmp_path: Path) -> None:
    """Steps of a fifth of the scale put 0.63 to 0.59, below the threshold and above a lower one."""
    path = tiny.save(tiny.graded(outlier=50), tmp_path / "model", **MANIFEST)
    certificate = world.quantize(path, tmp_path / "int8")
    assert certificate.kept == ()
    assert [one.passed for one in certificate.attempts] == [False, True]
    assert 0.5 < certificate.threshold_after < certificate.threshold_before == 0.6
    assert load_file(tmp_path / "int8" / "model.xml").manifest.threshold == certificate.threshold_after


@pytest.mark.slow
def test_the_layer_that_loses_most_stays_in_higher_precision(world: World, tmp_path: Path) -> None:
    """Steps of four times the scale leave nothing of the score, whatever the threshold."""
    path = tiny.save(tiny.graded(outlier=1000), tmp_path / "model", **MANIFEST)
    certificate = world.quantize(path, tmp_path / "int8")
    assert certificate.kept == ("score",)
    assert [one.passed for one in certificate.attempts] == [False, False, True]
    assert "675 of 675 lost" in certificate.attempts[0].outcome


@pytest.mark.slow
def test_a_model_that_cannot_be_repaired_is_refused_and_nothing_is_written(world: World, tmp_path: Path) -> None:
    path = tiny.save(tiny.graded(outlier=1000), tmp_path / "model", **MANIFEST)
    with pytest.raises(ModelError, match=r"none is written(.|\n)*all layers in INT8(.|\n)*675 of 675 lost"):
        world.quantize(path, tmp_path / "int8", recipe=RECIPE.model_copy(update={"most_kept": 0}))
    assert leftovers(tmp_path) == ["model"]


def test_false_detections_are_held_against_a_model_too() -> None:
    figures: dict[str, Any] = {
        "kind": "face",
        "objects": 1000,
        "before": 900,
        "after": 900,
        "lost": 0,
        "gained": 0,
        "recall_before": (0.88, 0.92),
        "recall_after": (0.88, 0.92),
        "drop": 0.0,
        "drop_bound": 0.003,
        "false_before": 1.0,
        "false_after": 1.21,
        "bins": (),
    }
    (problem,) = problems(Compared(**figures), max_recall_drop=0.01, max_false_ratio=1.2)
    assert "false faces" in problem


class TestBadInput:
    def test_fewer_pictures_than_asked(self, world: World, plain: Path, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"5 .*4 are there.*pictures = 4"):
            world.quantize(plain, tmp_path / "int8", recipe=RECIPE.model_copy(update={"pictures": 5}))

    def test_a_picture_in_both_sets(self, world: World, plain: Path, tmp_path: Path) -> None:
        both = [*world.calibration.rglob("*.png"), world.labelled.parent / "0.png"]
        with pytest.raises(ConfigError, match="1 of the calibration pictures"):
            world.quantize(plain, tmp_path / "int8", calibration=both, recipe=RECIPE.model_copy(update={"pictures": 5}))

    def test_no_folder_of_pictures(self, world: World, plain: Path, tmp_path: Path) -> None:
        with pytest.raises(MediaError, match="no folder"):
            world.quantize(plain, tmp_path / "int8", calibration=tmp_path / "nowhere")

    def test_a_labelled_set_without_an_object_of_a_kind(self, world: World, tmp_path: Path) -> None:
        plates = tiny.save(tiny.graded(), tmp_path / "model", **MANIFEST | {"kinds": {0: "plate"}})
        with pytest.raises(ConfigError, match="labelled"):
            world.quantize(plates, tmp_path / "int8")

    def test_outputs_that_do_not_fit_the_decoder(self, world: World, tmp_path: Path) -> None:
        path = tiny.save(tiny.channels(), tmp_path / "model", **MANIFEST)
        with pytest.raises(ModelError, match="heatmap"):
            world.quantize(path, tmp_path / "int8")
        assert leftovers(tmp_path) == ["model"]

    def test_a_folder_that_is_there(self, world: World, plain: Path, tmp_path: Path) -> None:
        with pytest.raises(MediaError, match="exists"):
            world.quantize(plain, tmp_path)
        with pytest.raises(MediaError, match="does not exist"):
            world.quantize(plain, tmp_path / "missing" / "int8")

    @pytest.mark.parametrize("drop", [0.0, 1.0, float("nan")])
    def test_a_margin_that_is_none(self, world: World, plain: Path, tmp_path: Path, drop: float) -> None:
        with pytest.raises(ConfigError, match="max_recall_drop"):
            world.quantize(plain, tmp_path / "int8", max_recall_drop=drop)

    def test_without_nncf_the_message_names_the_extra(
        self, world: World, plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "nncf", None)
        with pytest.raises(ConfigError, match=r"edgeanon\[calibration\]"):
            world.quantize(plain, tmp_path / "int8")

    def test_a_layer_to_keep_that_is_not_there(self, world: World, plain: Path, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="no_such_layer"):
            world.quantize(
                plain, tmp_path / "int8", recipe=Recipe(pictures=4, views=1, keep=Keep(layers=("no_such_layer",)))
            )

    @pytest.mark.parametrize(
        "when",
        ["quantizing", pytest.param("timing", marks=pytest.mark.slow), pytest.param("writing", marks=pytest.mark.slow)],
    )
    def test_an_interrupt_leaves_nothing_half_written(
        self, world: World, plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
    ) -> None:
        def interrupt(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        if when == "quantizing":
            monkeypatch.setattr(post_training, "post_training", interrupt)
        elif when == "timing":
            monkeypatch.setattr(speed, "timed", interrupt)
        else:
            monkeypatch.setattr(quantizing, "write_certificate", interrupt)
        with pytest.raises(KeyboardInterrupt):
            world.quantize(plain, tmp_path / "int8")
        assert leftovers(tmp_path) == []


class TestRecipe:
    @pytest.mark.parametrize(
        ("text", "key"),
        [
            ("pictuers = 3", "pictuers"),
            ("pictures = 0", "pictures"),
            ('target = "tpu"', "target"),
            ('target = "npu"', "size"),
            ("[keep]\nlayer = []", "keep.layer"),
            ('activation_range = "widest"', "activation_range"),
            ("pictures = ", "TOML"),
        ],
    )
    def test_a_wrong_key_is_named_with_its_file(self, tmp_path: Path, text: str, key: str) -> None:
        path = tmp_path / "recipe.toml"
        path.write_text(text)
        with pytest.raises(ConfigError, match=key) as caught:
            read_recipe(path)
        assert str(path) in str(caught.value)

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"nothing\.toml"):
            read_recipe(tmp_path / "nothing.toml")

    def test_a_cpu_without_vnni_leaves_room_against_overflow(self) -> None:
        assert Recipe(target="cpu").preset.overflow_fix == "all"
        assert Recipe(target="cpu-vnni").preset.overflow_fix == "none"
        assert Recipe(target="cpu-vnni", overflow_fix="first-layer").preset.overflow_fix == "first-layer"

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "options",
        [
            {"target": "cpu"},
            {"target": "gpu"},
            {"target": "npu", "size": (grids.SIDE, grids.SIDE)},
            {"activations": "asymmetric"},
            {"bias_correction": "accurate"},
            {"bias_correction": "none"},
            {"activation_range": "minmax", "weight_range": "mean-minmax"},
            {"activation_range": "histogram"},
            {"keep": {"patterns": [".*bright.*"]}},
            {"keep": {"types": ["Convolution"], "layers": []}},
        ],
        ids=str,
    )
    def test_every_choice_is_one_that_nncf_takes(
        self, world: World, plain: Path, tmp_path: Path, options: dict[str, Any]
    ) -> None:
        certificate = world.quantize(plain, tmp_path / "int8", recipe=Recipe(**{"pictures": 4, "views": 1} | options))
        assert certificate.passed
        model = load_file(tmp_path / "int8" / "model.xml")
        if "keep" in options:
            assert model.structure.count(b'type="FakeQuantize"') < 2
        if "size" in options:
            assert f'shape="1,3,{grids.SIDE},{grids.SIDE}"'.encode() in model.structure


class TestCalibrationSet:
    def pictures(self, folder: Path) -> list[calibration_set.Candidate]:
        random = np.random.default_rng(0)
        for source, count in (("dash", 12), ("phone", 3)):
            for index in range(count):
                side, level = (40, 80, 120)[index % 3], (30, 120, 220)[index // 4]
                noise = random.integers(0, 8, (side, side, 3)) + level
                (folder / source).mkdir(exist_ok=True)
                cv2.imwrite(str(folder / source / f"{index}.png"), noise.astype(np.uint8))
        return calibration_set.candidates(folder)

    def test_the_same_seed_takes_the_same_pictures_whatever_they_are_called(self, tmp_path: Path) -> None:
        found = self.pictures(tmp_path)
        chosen = calibration_set.choose(found, 6, 1)
        assert calibration_set.choose(found[::-1], 6, 1) == chosen
        assert calibration_set.choose(found, 6, 2) != chosen

    def test_sources_sizes_and_brightness_take_turns(self, tmp_path: Path) -> None:
        chosen = calibration_set.choose(self.pictures(tmp_path), 6, 0)
        assert sorted(one.source for one in chosen) == ["dash"] * 3 + ["phone"] * 3
        nine = calibration_set.choose([one for one in self.pictures(tmp_path) if one.source == "dash"], 9, 0)
        assert len({one.pixels for one in nine}) == 3
        assert len({round(one.brightness, -2) for one in nine}) > 1

    def test_a_picture_that_is_there_twice_counts_once(self, tmp_path: Path) -> None:
        found = self.pictures(tmp_path)
        (tmp_path / "copy.png").write_bytes(found[0].path.read_bytes())
        assert len(calibration_set.candidates(tmp_path)) == len(found)

    def test_the_network_sees_exactly_what_it_sees_in_use(self, world: World, plain: Path) -> None:
        how = load_file(plain).manifest.input
        detector = Detector.from_file(plain, profile="balanced")
        chosen = calibration_set.candidates(world.calibration)[:2]
        seen = calibration_set.looks(detector, chosen, Recipe(pictures=2, views=3, moving=0))
        way = runtime.Way(color=how.color, mean=how.mean, scale=how.scale)
        for look in seen:
            assert look.view in detector.views(grids.SIDE, grids.SIDE)
            tensor = way.tensor(look.render())
            assert tensor.shape == (1, 3, look.view.input_height, look.view.input_width)
            assert len({round(one.view.width / (one.view.right - one.view.left), 2) for one in seen}) == 2


@pytest.mark.slow
def test_the_home_folder_stays_clean_when_nncf_works(plain: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    code = (
        "import sys, socket\n"
        "def refuse(*args, **kwargs): raise SystemExit('network')\n"
        "socket.socket.connect = refuse\n"
        "from pathlib import Path\n"
        "import numpy as np\n"
        "from edgeanon import Recipe, runtime\n"
        "from edgeanon.quantization.post_training import post_training\n"
        "path = Path(sys.argv[1])\n"
        "graph = runtime.read_graph(path.read_bytes(), path.with_suffix('.bin').read_bytes())\n"
        "tensors = [np.zeros((1, 3, 64, 64), np.float32), np.full((1, 3, 64, 64), 255, np.float32)]\n"
        "assert runtime.quantized_layers(post_training(graph, tensors, Recipe()))\n"
    )
    environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-c", code, str(plain)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert leftovers(home) == []


def test_the_command_says_what_it_does_and_shows_the_certificate(
    world: World, plain: Path, tmp_path: Path, inside: Callable[..., tuple[str, str]]
) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text("views = 1")
    arguments = ["quantize", plain, world.calibration, "--labelled", world.labelled, "--out", tmp_path / "int8"]
    out, err = inside(*arguments, "--recipe", recipe, "--pictures", "4", "--profile", "fast")
    assert "faces found" in out
    assert "passed on 3 labelled pictures" in out
    assert "quantizing" in err
    shown, _ = inside("models", tmp_path / "int8" / "model.xml")
    assert "passed on 3 labelled pictures" in shown
    rows = json.loads(inside("models", tmp_path / "int8" / "model.xml", "--json")[0])
    (row,) = [one for one in rows if one["name"] == "bright"]
    assert row["certificate"]["gate_pictures"] == 3
    _, refused = inside(*arguments, "--recipe", recipe, expect=1)
    assert "exists" in refused


def test_a_certificate_beside_other_files_is_an_error(made: tuple[Path, Certificate], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(made[0], tmp_path / "int8"))
    said = json.loads((folder / MANIFEST_NAME).read_text())
    (folder / MANIFEST_NAME).write_text(json.dumps(said | {"threshold": 0.9}))
    with pytest.raises(ModelError, match="other files"):
        certificate_of(folder / "model.xml", load_file(folder / "model.xml"))
    (folder / CERTIFICATE_NAME).write_text("{}")
    with pytest.raises(ConfigError, match=CERTIFICATE_NAME):
        read_certificate(folder / CERTIFICATE_NAME)


@pytest.mark.slow
def test_the_benchmark_compares_by_type_of_layer(
    plain: Path,
    made: tuple[Path, Certificate],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from examples.benchmarks import precision  # noqa: PLC0415

    arguments = [
        "--before",
        plain,
        "--after",
        made[0] / "model.xml",
        "--rounds",
        "2",
        "--json",
        tmp_path / "figures.json",
    ]
    monkeypatch.setattr(sys, "argv", ["precision", *map(str, arguments)])
    precision.main()
    assert "frame of 1920x1080" in capsys.readouterr().out
    figures = json.loads((tmp_path / "figures.json").read_text())
    for view in figures["models"]["model"]:
        assert {"fp32", "int8"} <= set(view["seconds"])
        assert view["layers"]["int8"]["other dense convolutions"] > 0
        assert any("I8" in kernel for kernel in view["kernels"]["int8"])
        assert not any("I8" in kernel and "convolution" in kernel for kernel in view["kernels"]["fp32"])
