"""What can be shown of a run afterwards, and checked by others.

    ledger = Ledger(salt=Salt.kept("salt.txt"))
    report = Anonymizer().folder("photos/", "photos-anon/", on_file=ledger.add)
    ReportFile.of(report, ledger).signed(PrivateKey.read("key.pem")).write("run.json")

`Report` is what a run returns, with exact counts. `ReportFile` is what is kept: hashes, versions, settings and counts
in bins, and nothing that tells of a person; what it says is a `Statement`. Boxes are written by `TracksWriter` alone,
where they are asked for by name.
"""

from edgeanon.audit.checking import Belongs, FileCheck, SignatureCheck, check_signatures
from edgeanon.audit.ledger import Ledger, Salt
from edgeanon.audit.report_file import ReportFile, Signature, SignOff
from edgeanon.audit.run import Files, HardwareUsed, Mask, ModelUsed, Report, VideoUsed
from edgeanon.audit.signing import PrivateKey, PublicKey
from edgeanon.audit.statement import Statement, canonical
from edgeanon.audit.tracks import Covered, TracksWriter, read_tracks

__all__ = [
    "Belongs",
    "Covered",
    "FileCheck",
    "Files",
    "HardwareUsed",
    "Ledger",
    "Mask",
    "ModelUsed",
    "PrivateKey",
    "PublicKey",
    "Report",
    "ReportFile",
    "Salt",
    "SignOff",
    "Signature",
    "SignatureCheck",
    "Statement",
    "TracksWriter",
    "VideoUsed",
    "canonical",
    "check_signatures",
    "read_tracks",
]
