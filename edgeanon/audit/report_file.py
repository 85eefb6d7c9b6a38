"""The report as a file: what is stated of a run, a person's sign-off, and signatures."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edgeanon.audit.ledger import Ledger
from edgeanon.audit.run import Report
from edgeanon.audit.signing import PrivateKey, PublicKey
from edgeanon.audit.statement import Statement, canonical
from edgeanon.audit.stating import state
from edgeanon.audit.terms import Sha256
from edgeanon.config import first_problem
from edgeanon.errors import ConfigError, MediaError
from edgeanon.images import atomic_target

LARGEST = 1 << 30
"""Bytes of a report that is read; ten million files make one of about so many."""

Words = Annotated[str, Field(max_length=200)]
Covers = Literal["statement", "statement and sign_off"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SignOff(_Part):
    """Who has looked at the run and answers for its use. Left empty by the run; the only words in the file.

    Attributes:
        name: of the person.
        role: in which they sign off.
        day: when.
        remark: what they want to say.
    """

    name: Words = ""
    role: Words = ""
    day: date | None = None
    remark: Words = ""

    def __bool__(self) -> bool:
        return self != SignOff()


class Signature(_Part):
    """An Ed25519 signature over the canonical form of a part of the file.

    Attributes:
        covers: ``statement``, which the run signs: filling in the sign-off does not touch it; or ``statement and
            sign_off``, over an object with both keys, which the person signs who signs off.
        key_sha256: which key made it: SHA-256 of the public key's DER form.
        value: the signature, 64 bytes in hexadecimal digits.
    """

    algorithm: Literal["Ed25519"] = "Ed25519"
    covers: Covers
    key_sha256: Sha256
    value: Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]


class ReportFile(_Part):
    """A report as it is written.

    Attributes:
        statement: what is stated of the run, without personal data.
        sign_off: empty until a person fills it in, by hand or with ``edgeanon verify --sign-off``.
        signatures: of the run, and of who has signed off.
    """

    statement: Statement
    sign_off: SignOff = SignOff()
    signatures: tuple[Signature, ...] = ()

    @classmethod
    def of(cls, report: Report, ledger: Ledger, *, reassess_by: date | None = None) -> Self:
        """The file on a run: what it returned, and the hashes that were taken of its files.

        Raises:
            ConfigError: a setting cannot be stated.
        """
        try:
            return cls(statement=state(report, ledger, reassess_by=reassess_by))
        except ValidationError as error:
            raise ConfigError(f"this run cannot be reported: {first_problem(error)}") from error

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """A report from a file.

        Raises:
            MediaError: it cannot be read, or is no report.
        """
        try:
            with Path(path).open("rb") as file:
                content = file.read(LARGEST + 1)
            if len(content) <= LARGEST:
                return cls.model_validate_json(content)
        except OSError as error:
            raise MediaError(f"{path}: the report cannot be read ({error.strerror}): check the name") from error
        except ValidationError as error:
            raise MediaError(
                f"{path} is no report that `edgeanon anonymize --report` has written, or was changed: "
                f"{first_problem(error)}"
            ) from error
        raise MediaError(f"{path} is larger than a report can be: name another file")

    def signed(self, key: PrivateKey, covers: Covers = "statement") -> Self:
        """The same with one more signature."""
        value = key.sign(self._covered(covers)).hex()
        one = Signature(covers=covers, key_sha256=key.public.sha256, value=value)
        return self.model_copy(update={"signatures": (*self.signatures, one)})

    def signed_off(self, name: str, role: str, *, remark: str = "", key: PrivateKey | None = None) -> Self:
        """The same with a person's sign-off of today, which a key of theirs protects from being changed.

        Raises:
            ConfigError: somebody has signed off already, or the words are too long.
        """
        if self.sign_off:
            raise ConfigError("somebody has signed this report off already: make a copy of it and empty its sign_off")
        try:
            sign_off = SignOff(name=name, role=role, day=datetime.now(UTC).date(), remark=remark)
        except ValidationError as error:
            raise ConfigError(f"sign-off: {first_problem(error)}") from error
        done = self.model_copy(update={"sign_off": sign_off})
        return done.signed(key, "statement and sign_off") if key else done

    def confirmed(self, signature: Signature, key: PublicKey) -> bool:
        """Whether a signature of this file was made over what stands in it, with the private key of this one."""
        return signature.key_sha256 == key.sha256 and key.confirms(
            bytes.fromhex(signature.value), self._covered(signature.covers)
        )

    def write(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write it whole, or not at all.

        Raises:
            MediaError: it cannot be written, or exists and ``overwrite`` is not given.
        """
        with atomic_target(path, overwrite=overwrite) as temporary:
            temporary.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")

    def _covered(self, covers: Covers) -> bytes:
        if covers == "statement":
            return canonical(self.statement)
        return canonical(self.model_dump(mode="json", include={"statement", "sign_off"}))
