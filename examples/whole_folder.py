"""A folder of pictures into a folder of the same shape; files that fail do not stop the others."""

import shutil
from pathlib import Path

from edgeanon import Anonymizer

photos = Path("photos")
(photos / "monday").mkdir(parents=True, exist_ok=True)
shutil.copy(Path(__file__).parent / "demo" / "street.jpg", photos / "monday" / "street.jpg")

report = Anonymizer(profile="fast").folder(
    photos,
    "photos-anon",
    overwrite=True,
    on_file=lambda result: print(result.verdict, result.source, *result.notes),
)
if report.failed:
    raise SystemExit(f"{report.failed} files have no output")
