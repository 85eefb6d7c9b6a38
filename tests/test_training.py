"""The training of the plate network: loss, folding, resuming, export, and the command from pictures to a model."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import pytest

torch = pytest.importorskip("torch", reason="the extra `training` is not installed", exc_type=ImportError)

from calibration.training import __main__ as command  # noqa: E402
from calibration.training import network, pictures, plates, scenes, training  # noqa: E402
from calibration.training.export import export  # noqa: E402
from calibration.training.loss import loss, target  # noqa: E402
from edgeanon.boxes import as_boxes, iou  # noqa: E402
from edgeanon.decoders import center_point  # noqa: E402
from edgeanon.detector import Detector  # noqa: E402
from edgeanon.models import Manifest, load_file  # noqa: E402
from tests.test_training_scenes import listed_folder, scene_maker  # noqa: E402

pytestmark = pytest.mark.slow  # torch alone takes seconds to load


def some_network() -> network.Network:
    """A network whose normalizations have seen something."""
    torch.manual_seed(1)
    made = network.Network()
    made.train()
    with torch.no_grad():
        made.last.weight.mul_(20)
        for _ in range(3):
            made(torch.randn(2, 3, 64, 96))
    return made.eval()


def test_a_folded_network_says_what_its_branches_said() -> None:
    made, pictures = some_network(), torch.randn(1, 3, 96, 64)
    with torch.inference_mode():
        before = made(pictures)
        made.fold()
        after = made(pictures)
    assert not any(isinstance(module, network.Block) for module in made.modules())
    torch.testing.assert_close(after, before, atol=1e-3, rtol=1e-3)


def grid_of(wanted: Any) -> Any:
    """What a network that knows the answer would say."""
    cells = wanted.heat.shape[0]
    grid = torch.zeros(1, 5, cells, cells)
    grid[0, 0] = torch.where(torch.from_numpy(wanted.heat) == 1, 9.0, -9.0)
    x1, y1, x2, y2 = torch.from_numpy(wanted.box)
    at = torch.from_numpy(wanted.weight) > 0
    middle = torch.arange(cells) + 0.5
    grid[0, 1] = torch.where(at, torch.log((y2 - y1).clamp(min=1e-3)), 0)
    grid[0, 2] = torch.where(at, torch.log((x2 - x1).clamp(min=1e-3)), 0)
    grid[0, 3] = torch.where(at, (y1 + y2) / 2 - middle[:, None], 0)
    grid[0, 4] = torch.where(at, (x1 + x2) / 2 - middle[None], 0)
    return grid


def test_the_right_answer_costs_nothing_and_decodes_to_the_plates() -> None:
    labels = as_boxes([[10, 20, 52, 33], [60, 64, 100, 90]])
    wanted = target(128, labels, as_boxes([]))
    grid = grid_of(wanted)
    stacked = [torch.from_numpy(part)[None] for part in wanted]
    of_heat, of_boxes = loss(grid, *stacked)
    assert float(of_heat) < 0.01
    assert float(of_boxes) < 0.01
    worse, _ = loss(-grid, *stacked)
    assert float(worse) > 1
    outputs = {
        "heatmap": torch.sigmoid(grid[:, :1]).numpy(),
        "size": grid[:, 1:3].numpy(),
        "offset": grid[:, 3:5].numpy(),
    }
    found = center_point(outputs, width=128, height=128, threshold=0.5)
    assert len(found.boxes) == 2
    assert (iou(labels, found.boxes).max(axis=1) > 0.99).all()


def test_nothing_is_asked_where_it_is_doubtful() -> None:
    nothing, doubtful = as_boxes([]), as_boxes([[0, 0, 128, 128]])
    stacked = [torch.from_numpy(part)[None] for part in target(128, nothing, doubtful)]
    of_heat, of_boxes = loss(torch.full((1, 5, 32, 32), 3.0), *stacked)
    assert float(of_heat) == 0
    assert float(of_boxes) == 0


STAGE = training.Stage(name="tiny", steps=4, batch=2, side=64, rate=1e-3)


def trained(folder: Path, *untils: int) -> dict[str, Any]:
    """Weights after a run that stops and begins anew at each of these steps."""
    makers = scene_maker(side=64), scene_maker(side=64, seed=2)
    for until in untils:
        run = training.Training(STAGE, folder)
        run.run(*makers, until=until, workers=0, every=2)
    return run.averaged


def test_a_run_that_was_broken_off_ends_with_the_same_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "JUDGED", 4)
    whole, resumed = trained(tmp_path / "whole", 4), trained(tmp_path / "resumed", 2, 4)
    for name, value in whole.items():
        torch.testing.assert_close(resumed[name], value, rtol=0, atol=0)
    assert trained(tmp_path / "whole", 4)["last.bias"].equal(whole["last.bias"])  # done: nothing more is learned


def test_the_exported_network_answers_as_torch_does(tmp_path: Path) -> None:
    made = some_network()
    made.fold()
    for value in made.parameters():
        value.data = value.data.half().float()  # as the weights are stored
    shipped = network.Shipped(made).eval()
    finished = export(shipped, command.manifest(pictures.LIST, command.PLAN), tmp_path)
    assert {Path(name).name for name in finished.made_from} == {"pictures.json", "formats.toml", "plan.toml"}
    assert len(load_file(tmp_path / "model.xml").weights) < 2_000_000
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = ov.Core().compile_model(tmp_path / "model.xml", "CPU", exact)
    for height, width in ((96, 128), (64, 32)):
        picture = torch.randn(1, 3, height, width)
        said = compiled(picture.numpy())
        with torch.inference_mode():
            wanted = shipped(picture)
        for name, value in zip(network.NAMES, wanted, strict=True):
            np.testing.assert_allclose(said[name], value.numpy(), atol=1e-3, rtol=1e-3)


def test_the_command_makes_a_model_that_runs_from_a_list_of_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "JUDGED", 4)
    monkeypatch.setattr(command, "JUDGE_DRAWN", 4)
    monkeypatch.setattr(command, "JUDGE_DECOYS", 2)
    data = tmp_path / "data"
    data.mkdir()
    (tmp_path / "list.json").write_text(listed_folder(data).model_dump_json(), encoding="utf-8")
    stages = '[[stage]]\nname = "{}"\nsteps = {}\nbatch = 4\nside = 64\nlabelled = {}\nbare = 0.2\nuse = {}\n'
    plan = "[pools]\ndrawn = 12\ndecoys = 6\n" + stages.format("drawn", 12, 0.0, '["negative"]')
    (tmp_path / "plan.toml").write_text(plan + stages.format("all", 4, 0.5, '["negative", "train"]'), encoding="utf-8")
    options = ["--data", str(data), "--pictures", str(tmp_path / "list.json"), "--plan", str(tmp_path / "plan.toml")]
    command.main([*options, "--out", str(tmp_path / "run"), "--workers", "0", "--threads", "1"])
    curve = [json.loads(line) for line in (tmp_path / "run" / "drawn.jsonl").read_text().splitlines()]
    assert curve[-1]["step"] == 12
    manifest = Manifest.model_validate_json((tmp_path / "run" / "model" / "manifest.json").read_bytes())
    assert manifest.files.keys() == {"model.xml", "model.bin"}
    found = Detector.from_file(tmp_path / "run" / "model" / "model.xml", threshold=0.001, profile="fast").detect(
        np.zeros((64, 96, 3), np.uint8)
    )
    assert np.isfinite(found.boxes).all()


def test_a_plate_can_be_learned(tmp_path: Path) -> None:
    """On a handful of scenes the loss falls to less than half."""
    drawn = plates.pool(6, np.random.default_rng(0))
    maker = scenes.Scenes(drawn, drawn, [], labelled=0, bare=0, side=64, seed=1)
    batch = [maker.scene(number) for number in range(8)]
    wanted = [
        torch.from_numpy(np.stack(part)) for part in zip(*(target(64, *scene[1:]) for scene in batch), strict=True)
    ]
    pictures = torch.from_numpy(np.stack([scene.image.transpose(2, 0, 1) for scene in batch]))
    run = training.Training(training.Stage(name="learning", steps=60, rate=3e-3), tmp_path, mixed=False)
    losses = []
    for _ in range(60):
        losses.append(sum(run._learn(pictures, *wanted)))
        run.step += 1
    assert np.mean(losses[-5:]) < np.mean(losses[:5]) / 2
