"""Seconds a picture and peak memory beside deface, from file to masked file.

Each tool runs in a long-lived process of its own and answers with the time that reading, detecting, masking and writing
one file took, so starting up and compiling are left out. The tools take turns on the same files, so that all meet the
same load, and medians are compared. Each size has fresh processes, so that peaks are its own. The files are JPEG of
Pillow's default quality, which deface writes whatever it reads, and which edgeanon keeps.

    python -m examples.benchmarks.speed --deface ENVIRONMENT/bin/python --json speed.json
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import cv2
from PIL import Image

from examples.benchmarks import measuring, peer

SIZES = ((640, 360), (1280, 720), (1920, 1080), (3840, 2160))
DEMO = measuring.ROOT / "examples" / "demo" / "street.jpg"
FACES_ONLY, BOTH = "edgeanon, faces only", "edgeanon, faces and plates"


def scaled(source: Path, target: Path, width: int, height: int) -> None:
    """A picture scaled to fill a size, its middle, as a JPEG file."""
    image = cv2.imread(str(source))
    if image is None:
        raise SystemExit(f"{source} cannot be read as a picture")
    scale = max(width / image.shape[1], height / image.shape[0])
    whole = (max(width, round(image.shape[1] * scale)), max(height, round(image.shape[0] * scale)))
    image = cv2.resize(image, whole, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    part = image[top : top + height, left : left + width]
    Image.fromarray(cv2.cvtColor(part, cv2.COLOR_BGR2RGB)).save(target)


def compare(
    files: list[Path], folder: Path, deface: Path, environment: Mapping[str, str], rounds: int
) -> dict[str, dict[str, Any]]:
    """Seconds of each round and peak bytes of each tool on the files, which are taken in turn."""
    with ExitStack() as stack:
        tools = {
            "deface": stack.enter_context(peer.deface(deface, environment)),
            FACES_ONLY: stack.enter_context(peer.edgeanon("--faces-only", environment=environment)),
            BOTH: stack.enter_context(peer.edgeanon(environment=environment)),
        }
        seconds: dict[str, list[float]] = {name: [] for name in tools}
        for number in range(-1, rounds):  # the first is to warm up
            source = files[number % len(files)]
            for place, (name, tool) in enumerate(tools.items()):
                took = tool.ask(source=str(source), target=str(folder / f"masked-{place}.jpg"))["seconds"]
                if number >= 0:
                    seconds[name].append(took)
        return {
            name: {"seconds": seconds[name], "median": median(seconds[name]), "peak_bytes": tool.ask(peak=True)["peak"]}
            for name, tool in tools.items()
        }


def timed(command: list[str], environment: Mapping[str, str]) -> float:
    """Seconds that a command takes from start to end."""
    start = perf_counter()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return perf_counter() - start


def starts(picture: Path, folder: Path, deface: Path, environment: Mapping[str, str]) -> dict[str, float]:
    """Seconds of whole commands, each once, in new processes; the models' cache is empty at first."""
    fresh = {**environment, "XDG_CACHE_HOME": str(folder / "empty-cache")}
    ours = [sys.executable, "-c", "from edgeanon.cli import main; main()"]
    one = [*ours, "anonymize", str(picture), str(folder / "started.jpg"), "--overwrite"]
    theirs = [str(deface.absolute()), "-m", "deface.deface", str(picture), "-o", str(folder / "started-deface.jpg")]
    return {
        "edgeanon --help": timed([*ours, "--help"], fresh),
        "edgeanon, one picture, first time": timed(one, fresh),
        "edgeanon, one picture, again": timed(one, fresh),
        "deface, one picture": timed(theirs, fresh),
    }


def main() -> None:
    parser = measuring.parser(__doc__, data=False)
    parser.add_argument("--deface", type=Path, required=True, help="interpreter of an environment with deface")
    parser.add_argument("--pictures", type=Path, help="folder of pictures in place of the demonstration picture")
    parser.add_argument("--rounds", type=int, default=7, help="of which the median is taken; default 7")
    options = parser.parse_args()
    sources = sorted(path for path in options.pictures.iterdir() if path.is_file()) if options.pictures else [DEMO]

    results: dict[str, dict[str, dict[str, Any]]] = {}
    with TemporaryDirectory() as name:
        folder = Path(name)
        environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
        for width, height in measuring.watched(SIZES, "sizes"):
            files = [folder / f"{number}-{width}x{height}.jpg" for number in range(min(len(sources), options.rounds))]
            for source, file in zip(sources, files, strict=False):
                scaled(source, file, width, height)
            size = f"{width}x{height}"
            results[size] = compare(files, folder, options.deface, environment, options.rounds)
        began = starts(folder / "0-1920x1080.jpg", folder, options.deface, environment)

    report(results, began, markdown=options.markdown)
    figures = {"rounds": options.rounds, "pictures": len(sources), "sizes": results, "starts": began}
    measuring.write(options.json, figures)


def report(
    results: Mapping[str, Mapping[str, Mapping[str, Any]]], began: Mapping[str, float], *, markdown: bool
) -> None:
    rows = []
    for size, tools in results.items():
        base = tools["deface"]
        for tool, each in tools.items():
            rows.append(
                [
                    f"{size}, {tool}",
                    f"{each['median']:.3f}",
                    f"{base['median'] / each['median']:.2f}",
                    f"{each['peak_bytes'] / 2**20:.0f}",
                    f"{each['peak_bytes'] / base['peak_bytes']:.2f}",
                ]
            )
    heads = ["", "seconds a picture", "times as fast as deface", "peak MiB", "of deface's"]
    measuring.show("From file to masked file", heads, rows, markdown=markdown)
    rows = [[name, f"{seconds:.2f}"] for name, seconds in began.items()]
    measuring.show("Whole commands, start included (1920x1080)", ["", "seconds"], rows, markdown=markdown)


if __name__ == "__main__":
    main()
