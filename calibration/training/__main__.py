"""Train the plate network: `python -m calibration.training --data FOLDER --out RUN`.

The pictures are those that ``pictures.json`` names by hash; what is missing in the folder is an error. A run that was
broken off goes on where its last checkpoint stands. With ``--without SOURCE`` a further model is trained, from the same
first stage, that never saw that source: what it finds there is what may be expected of pictures from elsewhere.
"""

import argparse
import logging
import os
import tomllib
from pathlib import Path

import torch

from calibration.training import pictures, scenes
from calibration.training.pictures import Photograph, PictureList
from calibration.training.training import Stage, Training

PLAN = Path(__file__).with_name("plan.toml")


def photographs_for(stage: Stage, data: Path, listing: PictureList, without: str) -> list[Photograph]:
    """The photographs of a stage, those left out that judge it or that a source's own model must not see."""
    sources = [name for name, source in listing.sources.items() if source.use in stage.use and name != without]
    return pictures.load(data, sources, listing)


def learned(photograph: Photograph) -> bool:
    """Whether a photograph is trained on: not what is held out, and every other one of those without plates."""
    if not len(photograph.plates):
        return int(photograph.sha256[:8], 16) % 2 == 1
    return not photograph.held_out


def run(
    stage: Stage,
    data: Path,
    out: Path,
    pools: tuple[list[scenes.NDArray], list[scenes.NDArray]],  # type: ignore[type-arg]
    *,
    without: str = "",
    start: Path | None = None,
    workers: int = 1,
    every: int = 200,
    mixed: bool = True,
) -> Training:
    """Train one stage to its end."""
    name = f"{stage.name}-without-{without}" if without else stage.name
    weights = torch.load(start, weights_only=True)["averaged"] if start else None
    training = Training(stage, out, start=weights, name=name, mixed=mixed)
    if training.done:
        return training
    found = photographs_for(stage, data, pictures.listed(), without)
    drawn, others = pools
    held = [each for each in found if each.held_out or not len(each.plates)]
    used = [each for each in found if learned(each)]
    share = {"labelled": stage.labelled, "bare": stage.bare, "side": stage.side}
    series = scenes.Scenes(drawn[100:], others[50:], used, **share, seed=1)
    judged = scenes.Scenes(drawn[:100], others[:50], held, **share, seed=2)
    training.run(series, judged, workers=workers, every=every)
    return training


def main() -> None:
    """Train every stage of the plan, then the models that lack a source."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with annotations.json and its pictures")
    parser.add_argument("--out", type=Path, required=True, help="where weights and learning curves go")
    parser.add_argument("--plan", type=Path, default=PLAN, help="stages and their lengths; default the shipped model's")
    parser.add_argument("--without", nargs="*", default=[], help="train a model without each of these sources as well")
    parser.add_argument("--only", help="stop after this stage")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="of the network")
    parser.add_argument("--workers", type=int, default=1, help="processes that make scenes")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    logging.info("process %d", os.getpid())
    plan = tomllib.loads(options.plan.read_text(encoding="utf-8"))
    pools = scenes.pools(0, drawn=plan["pools"]["drawn"], others=plan["pools"]["decoys"])
    start: Path | None = None
    for stage in (Stage.model_validate(entry) for entry in plan["stage"]):
        for without in ["", *(options.without if stage.labelled else [])]:
            trained = run(stage, options.data, options.out, pools, without=without, start=start, workers=options.workers)
            if not without:
                whole = trained
        start = whole.file
        if stage.name == options.only:
            break


if __name__ == "__main__":
    main()
