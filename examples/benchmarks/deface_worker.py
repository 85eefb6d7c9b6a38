"""deface as it works at its defaults, for the interpreter of an environment that has it; uses nothing of edgeanon.

Takes lines of JSON and answers each with one. `{"detect": FILE}` gives boxes as deface found them (`x1 y1 x2 y2 score`
each), before it enlarges them. `{"source": FILE, "target": FILE}` masks a file and gives the seconds. `{"peak": true}`
gives the most memory it ever held.
"""

import argparse
import json
import resource
import sys
from importlib import import_module
from importlib.metadata import version
from time import perf_counter
from typing import Any

# deface 1.5, parse_cli_args: --thresh, --mask-scale, --replacewith.
THRESHOLD, MASK_SCALE, STYLE = 0.2, 1.3, "blur"


def peak_bytes() -> int:
    """Largest resident memory of this process so far; Linux counts it in KiB, macOS in bytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


class Worker:
    def __init__(self) -> None:
        # By name: deface is in another environment than the one that checks the types here.
        self._center_face = import_module("deface.centerface").CenterFace()
        self._mask_file = import_module("deface.deface").image_detect
        self._read = import_module("imageio.v2").imread

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        if "detect" in question:
            found, _ = self._center_face(self._read(question["detect"]), threshold=THRESHOLD)
            return {"boxes": [[float(value) for value in row] for row in found]}
        if "source" in question:
            start = perf_counter()
            self._mask_file(
                question["source"],
                question["target"],
                self._center_face,
                threshold=THRESHOLD,
                replacewith=STYLE,
                mask_scale=MASK_SCALE,
                ellipse=True,
                draw_scores=False,
                enable_preview=False,
                keep_metadata=False,
            )
            return {"seconds": perf_counter() - start}
        return {"peak": peak_bytes()}


def main() -> None:
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args()
    answers, sys.stdout = sys.stdout, sys.stderr  # deface prints to the terminal
    worker = Worker()
    about = {"deface": version("deface"), "runs_on": worker._center_face.backend}  # noqa: SLF001  (same file)
    print(json.dumps(about), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(worker.answer(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
