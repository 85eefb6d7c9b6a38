"""edgeanon as it works at its defaults, in a process of its own; it takes and gives lines of JSON as its peer does."""

import argparse
import json
import sys
from time import perf_counter

from edgeanon import Anonymizer, Detector
from examples.benchmarks.deface_worker import peak_bytes


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--faces-only", action="store_true")
    parser.add_argument("--profile", default="balanced")
    options = parser.parse_args()
    names = ("face",) if options.faces_only else ()
    anonymizer = Anonymizer(detectors=[Detector(*names, profile=options.profile)])
    print(json.dumps({"device": anonymizer.detectors[0].device}), flush=True)
    for line in sys.stdin:
        question = json.loads(line)
        if "source" in question:
            start = perf_counter()
            anonymizer.image(question["source"], question["target"], overwrite=True)
            answer = {"seconds": perf_counter() - start}
        else:
            answer = {"peak": float(peak_bytes())}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
