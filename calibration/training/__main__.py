"""Train the plate network: `python -m calibration.training --data FOLDER --out RUN`.

At the end the model is in ``RUN/model``. The pictures are those that ``pictures.json`` names by hash; what is missing
in the folder is an error. A run that was broken off goes on where its last checkpoint stands. With ``--without
SOURCE`` a model is trained instead, from the same first stage, that never saw that source: what it finds there is what
may be expected of pictures from elsewhere.
"""

import argparse
import hashlib
import logging
import os
import tomllib
from collections.abc import Sequence
from pathlib import Path

import cv2
import torch

from calibration.training import pictures, scenes
from calibration.training.export import export
from calibration.training.pictures import Photograph, PictureList
from calibration.training.plates import FORMATS
from calibration.training.training import Stage, Training
from edgeanon.models import Manifest

log = logging.getLogger(__name__)

PLAN = Path(__file__).with_name("plan.toml")
MANIFEST = Path(__file__).with_name("manifest.toml")
JUDGE_DRAWN, JUDGE_DECOYS = 100, 50
"""How many drawn plates and decoys are only for judging."""


def photographs_for(stage: Stage, data: Path, listing: PictureList, without: str) -> list[Photograph]:
    """The photographs of a stage, those left out that judge it or that a source's own model must not see."""
    sources = [name for name, source in listing.sources.items() if source.use in stage.use and name != without]
    return pictures.load(data, sources, listing)


def run(
    stage: Stage,
    data: Path,
    out: Path,
    pools: scenes.Pools,
    *,
    listing: PictureList,
    without: str = "",
    start: Path | None = None,
    workers: int = 1,
    every: int = 200,
    mixed: bool = True,
) -> Training:
    """Train one stage to its end."""
    name = f"{stage.name}-without-{without}" if without else stage.name
    if without and stage.steps_without is not None:
        stage = stage.model_copy(update={"steps": stage.steps_without})
    weights = torch.load(start, weights_only=True)["averaged"] if start else None
    training = Training(stage, out, start=weights, name=name, mixed=mixed)
    if training.done:
        return training
    found = photographs_for(stage, data, listing, without)
    drawn, others = pools
    held = [each for each in found if not each.learned]
    used = [each for each in found if each.learned]
    of_learning = (drawn[JUDGE_DRAWN:], others[JUDGE_DECOYS:], used)
    of_judging = (drawn[:JUDGE_DRAWN], others[:JUDGE_DECOYS], held)
    series, judged = (
        scenes.Scenes(*parts, labelled=stage.labelled, bare=stage.bare, side=stage.side, seed=seed)
        for seed, parts in ((1, of_learning), (2, of_judging))
    )
    training.run(series, judged, workers=workers, every=every)
    return training


def manifest(listing: Path, plan: Path) -> Manifest:
    """What is said of the model, with the hashes of all that it is made from."""
    said = Manifest.model_validate(tomllib.loads(MANIFEST.read_text(encoding="utf-8")))
    files = {f"calibration/training/{path.name}": path for path in (listing, FORMATS, plan)}
    hashes = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()}
    return said.model_copy(update={"made_from": hashes})


def main(arguments: Sequence[str] | None = None) -> None:
    """Train every stage of the plan and write the model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with annotations.json and its pictures")
    parser.add_argument("--out", type=Path, required=True, help="where weights and learning curves go")
    parser.add_argument("--pictures", type=Path, default=pictures.LIST, help="list of pictures by hash")
    parser.add_argument("--plan", type=Path, default=PLAN, help="stages and their lengths; default the shipped model's")
    parser.add_argument("--without", nargs="*", default=[], help="train models that each lack one of these sources")
    parser.add_argument("--only", help="stop behind this stage, without a model")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="of the network")
    parser.add_argument("--workers", type=int, default=1, help="processes that make scenes")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)  # the scenes are made by processes: OpenCV's own threads would not live through the fork
    options.out.mkdir(parents=True, exist_ok=True)
    log.info("process %d", os.getpid())
    plan = tomllib.loads(options.plan.read_text(encoding="utf-8"))
    listing = pictures.listed(options.pictures)
    pools = scenes.pools(0, drawn=plan["pools"]["drawn"], others=plan["pools"]["decoys"])
    for without in options.without or [""]:
        start: Path | None = None
        for stage in (Stage.model_validate(entry) for entry in plan["stage"]):
            left_out = without if stage.labelled else ""
            if left_out and stage.steps_without == 0:
                continue
            how = {"listing": listing, "without": left_out, "start": start, "workers": options.workers}
            trained = run(stage, options.data, options.out, pools, **how)
            start = trained.file
            if stage.name == options.only:
                return
        model = options.out / (f"model-without-{without}" if without else "model")
        finished = export(trained.shipped(), manifest(options.pictures, options.plan), model)
        log.info("%s: %s", model, finished.files)


if __name__ == "__main__":
    main()
