"""What is missed on pictures of one's own, and the threshold that finds as many of them as are asked for."""

from pathlib import Path

import edgeanon
from edgeanon import Detector, Kind

labels = Path(__file__).parent / "demo" / "street.json"  # or COCO, YOLO, Pascal VOC, WIDER FACE; a few hundred pictures

scores = edgeanon.evaluate(Detector(profile="fast"), labels)
for kind, measured in scores.kinds.items():
    recall, covered = measured.all.recall, measured.covered.at_least["0.9"]
    print(f"{kind}s: {recall.hits} of {recall.total} found (at least {recall.low:.0%}), {covered.hits} masked")
    print(f"  too few objects to say much of others: {recall.few}")

found = edgeanon.calibrate_threshold(Detector("face", profile="fast"), labels, target_recall=0.99)
detector = Detector("face", profile="fast", threshold=found.thresholds)  # an error where no threshold reaches it
print(f"threshold for faces: {detector.thresholds[Kind.FACE]}")  # found.kinds["face"].low: one that others may need
Path("scores.json").write_text(scores.model_dump_json(indent=2), encoding="utf-8")
