"""From files to files in which nobody can be recognised: detection, tracking, masking, reading and writing joined."""

from edgeanon.pipeline.anonymizer import Anonymizer
from edgeanon.pipeline.results import FileResult, Verdict

__all__ = ["Anonymizer", "FileResult", "Verdict"]
