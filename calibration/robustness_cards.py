"""Measures how the shipped models hold up under worse conditions, and writes the cards that their manifests show.

    python -m calibration.robustness_cards LABELS        labels as `edgeanon evaluate` reads them, with their pictures

A card is written to `calibration/reports/robustness-NAME.json`, where `build_zoo.py` finds it when it builds a model
anew, drawn beside it, one plot a kind, and written into the manifest in `edgeanon/zoo/NAME`.
"""

import argparse
import json
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from edgeanon.detector import Detector
from edgeanon.evaluation import plots, read_labels, tables
from edgeanon.evaluation.robustness import robustness, searches
from edgeanon.models import MANIFEST_NAME, ZOO, Manifest, Robustness, load_shipped, read_manifest, shipped

REPORTS = Path(__file__).parent / "reports"


def write(name: str, made: dict[str, Robustness], reports: Path = REPORTS, zoo: Path = ZOO) -> None:
    """Write the cards of a model to its report and into its manifest."""
    reports.mkdir(exist_ok=True)
    plain = {kind: card.model_dump(mode="json") for kind, card in made.items()}
    (reports / f"robustness-{name}.json").write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")
    for kind, card in made.items():
        drawn = plots.standalone(plots.robust(card))
        (reports / f"robustness-{name}-{kind}.svg").write_text(drawn, encoding="utf-8")
    path = zoo / name / MANIFEST_NAME
    manifest = Manifest.model_validate({**read_manifest(path).model_dump(), "robustness": plain})
    text = json.dumps(manifest.model_dump(mode="json", exclude_none=True), indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def main() -> None:
    """Measure every shipped model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", type=Path, help="a labelled set")
    parser.add_argument("--pictures", type=int, default=150, help="how many are drawn for each model (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the draw, and of what is random in the conditions")
    parser.add_argument("--only", choices=shipped(), help="one model alone")
    arguments = parser.parse_args()
    labels = read_labels(arguments.labels)
    with Progress(console=Console(stderr=True)) as bar:
        for name in [arguments.only] if arguments.only else shipped():
            detector = Detector(load_shipped(name))  # alone, where others look for the same
            sample = labels.only(*detector.finds).sample(arguments.pictures, seed=arguments.seed)
            task = bar.add_task(name, total=searches(detector, sample))
            made = robustness(detector, sample, seed=arguments.seed, on_picture=lambda: bar.advance(task))  # noqa: B023
            write(name, made)
            for kind, card in made.items():
                print(tables.markdown(tables.robust(kind, card)))


if __name__ == "__main__":
    main()
