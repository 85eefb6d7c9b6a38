"""Hashes of the files of a run, taken as each is done."""

import hashlib
import hmac
import re
import secrets
import stat
import time
from pathlib import Path
from typing import Protocol, Self

from edgeanon.errors import ConfigError, MediaError
from edgeanon.images import atomic_target


class Salt:
    """What is needed beside a report to tell whether a file was an input of its run.

    Without it nobody can: not even who holds the report, the file and the source code.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """The salt of a file that `kept` has made.

        Raises:
            ConfigError: it cannot be read, or holds no salt.
        """
        try:
            text = Path(path).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no text"
            raise ConfigError(f"{path}: the salt cannot be read ({reason})") from error
        if not re.fullmatch("[0-9a-f]{64}", text):
            raise ConfigError(f"{path} holds no salt: name the file that --salt has made, or a new one")
        return cls(bytes.fromhex(text))

    @classmethod
    def kept(cls, path: str | Path) -> Self:
        """The salt of a file, which is made, readable by its owner alone, where there is none.

        One file may serve any number of reports: each draws a nonce of its own beside it.

        Raises:
            ConfigError: it is there and holds no salt.
            MediaError: it cannot be made.
        """
        if Path(path).exists():
            return cls.read(path)
        with atomic_target(path) as temporary:
            temporary.write_text(secrets.token_hex(32) + "\n", encoding="ascii")
        return cls.read(path)

    def hash(self, nonce: str, sha256: bytes) -> bytes:
        """The salted hash of a file, from its SHA-256 and the nonce of a report."""
        return hmac.digest(self._key, bytes.fromhex(nonce) + sha256, "sha256")


class Done(Protocol):
    """What a run says of each file: ``FileResult``."""

    @property
    def source(self) -> Path:
        """Where it was read."""

    @property
    def target(self) -> Path | None:
        """Where its masked copy is; None when there is none."""


class Ledger:
    """Hashes of what a run reads and writes; hand its `add` to the run as ``on_file``.

    Each file is read once more. The hashes take about 100 bytes a file.

    Args:
        salt: for the inputs; without one, they are not hashed at all: anybody who has a picture could tell from a bare
            hash that it was processed.
    """

    def __init__(self, salt: Salt | None = None) -> None:
        self.salt = salt
        self.nonce = secrets.token_hex(16)
        self.outputs_without = self.inputs_without = 0
        self._outputs: set[bytes] = set()
        self._inputs: set[bytes] = set()
        self._began = time.time_ns()

    def add(self, result: Done) -> None:
        """Take the hashes of one file that is done; of one without a masked copy, none."""
        if result.target is None:
            return
        output = _digest(result.target)
        self._outputs |= {output} if output else set()
        self.outputs_without += output is None
        if self.salt:
            source = _digest(result.source, unchanged_since=self._began)
            self._inputs |= {self.salt.hash(self.nonce, source)} if source else set()
            self.inputs_without += source is None

    @property
    def outputs(self) -> tuple[str, ...]:
        """SHA-256 of the masked files, sorted."""
        return tuple(sorted(one.hex() for one in self._outputs))

    @property
    def inputs(self) -> tuple[str, ...]:
        """Salted hashes of their sources, sorted, so that their order says nothing of names."""
        return tuple(sorted(one.hex() for one in self._inputs))


def file_digest(path: Path) -> bytes:
    """SHA-256 of a file.

    Raises:
        MediaError: it cannot be read.
    """
    digest = None
    try:
        if stat.S_ISREG(path.stat().st_mode):  # a pipe would be waited for
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").digest()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise MediaError(f"{path} cannot be read ({reason}): check the name and the rights") from error
    if digest is None:
        raise MediaError(f"{path} is no regular file: name a file")
    return digest


def _digest(path: Path, unchanged_since: int | None = None) -> bytes | None:
    """SHA-256 of a file; None where it cannot be read, is no file, or has changed since."""
    try:
        digest = file_digest(path)
        changed = unchanged_since is not None and path.stat().st_mtime_ns > unchanged_since
    except OSError:  # a MediaError is one as well
        return None
    return None if changed else digest
