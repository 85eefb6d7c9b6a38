"""One picture, file to file, and what the report says of it."""

from pathlib import Path

from edgeanon import Anonymizer

street = Path(__file__).parent / "demo" / "street.jpg"

report = Anonymizer().image(street, "street-anon.jpg", overwrite=True)

print(report.objects)  # {'face': 7, 'plate': 3}, or a few more: recall comes first
print(report.device)  # the device that really ran it
print(report.masks["face"].irreversible)  # True: nothing of what was hidden is left
