"""Whether files belong to a report, and signatures to a key; without a network, and without the models."""

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

from edgeanon.audit.ledger import Salt, file_digest
from edgeanon.audit.report_file import ReportFile
from edgeanon.audit.signing import PublicKey


class Belongs(StrEnum):
    """What a file is to a report."""

    OUTPUT = "output"
    INPUT = "input"
    UNKNOWN = "unknown"


class FileCheck:
    """Looks files up in a report.

    Args:
        report: whose files they are to be.
        salt: without it no file is recognised as an input.
    """

    def __init__(self, report: ReportFile, salt: Salt | None = None) -> None:
        statement = report.statement
        self._outputs = set(statement.outputs.sha256)
        self._inputs = frozenset(statement.inputs.hmac_sha256 if statement.inputs else ())
        self._nonce = statement.inputs.nonce if statement.inputs else ""
        self._salt = salt
        self._seen: set[str] = set()

    def look_up(self, path: Path) -> Belongs:
        """What a file is, by its content alone: it may have been renamed.

        Raises:
            MediaError: it cannot be read.
        """
        digest = file_digest(path)
        if digest.hex() in self._outputs:
            self._seen.add(digest.hex())
            return Belongs.OUTPUT
        if self._salt and self._nonce and self._salt.hash(self._nonce, digest).hex() in self._inputs:
            return Belongs.INPUT
        return Belongs.UNKNOWN

    @property
    def missing(self) -> int:
        """Outputs of the report that were not among the files looked up."""
        return len(self._outputs - self._seen)


class SignatureCheck(StrEnum):
    """What came of checking a signature."""

    VALID = "valid"
    INVALID = "invalid"
    ABSENT = "absent"
    UNCHECKED = "unchecked"


def check_signatures(report: ReportFile, keys: Iterable[PublicKey]) -> list[tuple[str, str, SignatureCheck]]:
    """Each signature with what it covers, the key that it names, and what came of it.

    A key under which there is no signature is ABSENT; a signature of which the key was not given is UNCHECKED: anybody
    can have made it.
    """
    by_name = {key.sha256: key for key in keys}
    checked = []
    for one in report.signatures:
        key = by_name.get(one.key_sha256)
        verdict = SignatureCheck.UNCHECKED
        if key:
            verdict = SignatureCheck.VALID if report.confirmed(one, key) else SignatureCheck.INVALID
        checked.append((one.covers, one.key_sha256, verdict))
    signers = {one.key_sha256 for one in report.signatures}
    return checked + [("", name, SignatureCheck.ABSENT) for name in by_name if name not in signers]
