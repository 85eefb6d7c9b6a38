"""The loop: scenes in, weights out, resumable at any moment."""

import json
import logging
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from calibration.training.judging import Judgement
from calibration.training.loss import loss, target
from calibration.training.network import MEAN, NAMES, SCALE, Network, Shipped
from calibration.training.scenes import Scene, Scenes
from edgeanon.boxes import suppress
from edgeanon.decoders import center_point

log = logging.getLogger(__name__)

KEPT = 0.998
"""Share that the averaged weights keep at each step."""

JUDGED = 256
"""Scenes on which the learning curve is measured."""


class Stage(BaseModel):
    """A part of the training, as ``plan.toml`` has it.

    Attributes:
        name: of its files.
        steps: how many.
        steps_without: how many for a model that lacks a source; by default as many; 0 leaves the stage out.
        batch: scenes a step.
        side: of a scene in pixels.
        rate: greatest learning rate; it rises over the first twentieth and then falls as a cosine.
        labelled: share of scenes made from photographs with plates; ``bare``: from photographs without.
        use: which sources' photographs, by their ``use`` in ``pictures.json``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    steps: int
    steps_without: int | None = None
    batch: int = 32
    side: int = 256
    rate: float = 2e-3
    labelled: float = 0
    bare: float = 0.5
    use: tuple[str, ...] = ()

    def rate_at(self, step: int) -> float:
        """The learning rate of a step."""
        rise = max(1, self.steps // 20)
        if step < rise:
            return self.rate * (step + 1) / rise
        return self.rate * (0.02 + 0.98 * (1 + math.cos(math.pi * (step - rise) / max(1, self.steps - rise))) / 2)


class _Series(Dataset[tuple[Any, ...]]):
    """Scenes with their targets, by number."""

    def __init__(self, scenes: Scenes) -> None:
        self.scenes = scenes

    def __getitem__(self, number: int) -> tuple[Any, ...]:
        scene = self.scenes.scene(number)
        return (np.ascontiguousarray(scene.image.transpose(2, 0, 1)), *target(self.scenes.side, *scene[1:]))


def normalized(pictures: Tensor) -> Tensor:
    """Pictures ``(n, 3, h, w)`` uint8 as the network takes them."""
    scaled = (pictures.float() - MEAN) / SCALE
    return scaled.contiguous(memory_format=torch.channels_last)


class Training:
    """A stage under way, kept in ``FOLDER/NAME.pt``.

    Args:
        stage: what is done.
        folder: where the weights and the learning curve, ``NAME.jsonl``, go. What is there is gone on from.
        start: weights to begin with.
        mixed: whether convolutions are computed in BF16, which processors with AVX512_BF16 or AMX do faster.
    """

    def __init__(
        self, stage: Stage, folder: Path, *, start: dict[str, Tensor] | None = None, name: str = "", mixed: bool = True
    ) -> None:
        self.stage, self.folder, self.name, self.mixed = stage, folder, name or stage.name, mixed
        torch.manual_seed(0)
        self.network = Network()
        if start:
            self.network.load_state_dict(start)
        self.averaged = {key: value.clone() for key, value in self.network.state_dict().items()}
        decayed = [value for value in self.network.parameters() if value.ndim > 1]
        others = [value for value in self.network.parameters() if value.ndim <= 1]
        groups = [{"params": decayed, "weight_decay": 0.02}, {"params": others, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=stage.rate)
        self.step, self.seconds = 0, 0.0
        folder.mkdir(parents=True, exist_ok=True)
        if self.file.exists():
            self._resume()

    @property
    def file(self) -> Path:
        """Where the checkpoint is."""
        return self.folder / f"{self.name}.pt"

    @property
    def done(self) -> bool:
        """Whether all steps are behind it."""
        return self.step >= self.stage.steps

    def _resume(self) -> None:
        kept = torch.load(self.file, weights_only=True)
        self.network.load_state_dict(kept["network"])
        self.averaged = kept["averaged"]
        self.optimizer.load_state_dict(kept["optimizer"])
        self.step, self.seconds = kept["step"], kept["seconds"]

    def save(self) -> None:
        """Write everything that is needed to go on; the file is whole or the one before."""
        kept = {
            "network": self.network.state_dict(),
            "averaged": self.averaged,
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
        }
        half = self.file.with_suffix(".part")
        torch.save(kept, half)
        half.replace(self.file)

    def run(
        self, scenes: Scenes, judged: Scenes, *, until: int | None = None, workers: int = 1, every: int = 200
    ) -> None:
        """Train up to a step, by default the last.

        Args:
            scenes: what is learned from; scene numbers follow the steps, so a resumed run sees the same ones.
            judged: what the learning curve is measured on.
            until: step before which to stop.
            workers: processes that make scenes.
            every: steps between two points of the learning curve, each with a checkpoint.
        """
        cv2.setNumThreads(1)  # its threads do not live through the fork that makes the workers
        last = min(self.stage.steps, until or self.stage.steps)
        if self.step >= last:
            return
        numbers = range(self.step * self.stage.batch, last * self.stage.batch)
        loader = DataLoader(
            _Series(scenes),
            batch_size=self.stage.batch,
            sampler=numbers,  # type: ignore[arg-type]  # any sized iterable of indices will do
            num_workers=workers,
            prefetch_factor=4 if workers else None,
        )
        sums, since, began = np.zeros(2), 0, time.process_time()
        for batch in loader:
            sums += self._learn(*batch)
            since += 1
            self.step += 1
            if self.step % 50 == 0:
                log.info("%s: step %d of %d, losses %.3f %.3f", self.name, self.step, last, *(sums / since))
            if self.step % every == 0 or self.step == last:
                self.seconds += time.process_time() - began
                began = time.process_time()
                self._note(judge(self.shipped(), judged), sums / since)
                sums, since = np.zeros(2), 0
                self.save()

    def _learn(self, pictures: Tensor, *wanted: Tensor) -> tuple[float, float]:
        rate = self.stage.rate_at(self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.network.train()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.mixed):
            grid = self.network(normalized(pictures))
        of_heat, of_boxes = loss(grid.float(), *wanted)
        self.optimizer.zero_grad()
        (of_heat + 2 * of_boxes).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 10.0)
        self.optimizer.step()
        kept = min(KEPT, (1 + self.step) / (10 + self.step))
        for key, value in self.network.state_dict().items():
            if value.is_floating_point():
                self.averaged[key].lerp_(value, 1 - kept)
            else:
                self.averaged[key].copy_(value)
        return float(of_heat.detach()), float(of_boxes.detach())

    def shipped(self) -> Shipped:
        """The averaged network, folded."""
        network = Network()
        network.load_state_dict(self.averaged)
        network.eval()
        network.fold()
        return Shipped(network).eval()

    def _note(self, judgement: Judgement, losses: Any) -> None:
        recall, threshold = judgement.recall(0.1)
        point = {
            "step": self.step,
            "scenes": self.step * self.stage.batch,
            "trainer_cpu_seconds": round(self.seconds),
            "heat_loss": round(float(losses[0]), 4),
            "box_loss": round(float(losses[1]), 4),
            "average_precision": round(judgement.average_precision(), 4),
            "recall_at_0.1_false_a_scene": round(recall, 4),
            "threshold": round(threshold, 4),
        }
        with (self.folder / f"{self.name}.jsonl").open("a", encoding="utf-8") as curve:
            curve.write(json.dumps(point) + "\n")
        log.info("%s: %s", self.name, point)


def judge(network: Shipped, scenes: Scenes, count: int = JUDGED) -> Judgement:
    """Detections of a network on the first scenes of a series."""
    judgement = Judgement()
    for first in range(0, count, 32):
        batch = [scenes.scene(number) for number in range(first, min(count, first + 32))]
        for scene, (boxes, scores) in zip(batch, detections(network, batch), strict=True):
            judgement.add(boxes, scores, scene.plates, scene.doubtful)
    return judgement


def detections(network: Shipped, batch: list[Scene], threshold: float = 0.05) -> Iterator[tuple[Any, Any]]:
    """Boxes and scores that the network finds in each scene."""
    stacked = torch.from_numpy(np.stack([scene.image.transpose(2, 0, 1) for scene in batch]))
    with torch.inference_mode():
        outputs = [part.numpy() for part in network(normalized(stacked))]
    side = batch[0].image.shape[0]
    for number in range(len(batch)):
        named = {name: part[number : number + 1] for name, part in zip(NAMES, outputs, strict=True)}
        found = center_point(named, width=side, height=side, threshold=threshold)
        kept = suppress(found.boxes, found.scores, 0.4)
        yield found.boxes[kept], found.scores[kept]
