"""What a folder run has done so far, so that it can be resumed. Holds no name and no content of any file.

The journal lies in the target folder, is private to the user, and is gone when the run has ended well. Its first line
holds a random key and a fingerprint of source folder and settings: another run must not be mixed with this one.

A target is entered as begun before it is written, by a keyed hash of its name, and only if nothing had that name; a
failure takes that back. So a target that was begun is this run's own and may be replaced. A pair of source and target
is entered as done by a keyed hash of the target's name and of size and time of change of both: where either has
changed since, it is done again.
"""

import hashlib
import json
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from edgeanon.errors import MediaError

NAME = ".edgeanon-journal"


class Journal:
    """The journal of one target folder; use it from one thread.

    Args:
        folder: the target folder.
        settings: fingerprint of the source and of all that decides what a target looks like.
        resume: read what an earlier run has left there.
        anew: forget what an earlier run has left there.

    Raises:
        MediaError: a run was broken off here and is not resumed, or was begun otherwise; or the journal cannot be read
            or written.
    """

    def __init__(self, folder: Path, settings: str, *, resume: bool, anew: bool = False) -> None:
        self._path = folder / NAME
        self._begun: set[str] = set()
        self._done: set[str] = set()
        self._key = secrets.token_hex(32)
        left = os.path.lexists(self._path) and not anew
        if left and not resume:
            raise MediaError(f"{folder} holds a run that was broken off: resume it, or choose another folder")
        if left:
            self._read(settings)
        try:
            if anew:
                self._path.unlink(missing_ok=True)
            new = os.O_APPEND if left else os.O_EXCL | os.O_CREAT
            self._file = os.fdopen(os.open(self._path, os.O_WRONLY | os.O_NOFOLLOW | new, 0o600), "a")
            if left:
                self._file.write("\n")  # the last line of a run that was killed may have no end
            else:
                self._write({"key": self._key, "settings": settings})
        except MediaError:
            raise
        except OSError as error:
            raise MediaError(f"{self._path} cannot be used ({error.strerror}): choose another folder") from error

    @property
    def resumes(self) -> bool:
        """Whether it goes on with an earlier run."""
        return bool(self._begun or self._done)

    def is_done(self, name: str, source: os.stat_result, target: Path) -> bool:
        """Whether this target was made of this source by the run that is resumed, and neither has changed since."""
        try:
            state = target.lstat()
        except OSError:
            return False
        return stat.S_ISREG(state.st_mode) and self._pair(name, source, state) in self._done

    def was_begun(self, name: str) -> bool:
        """Whether a target of this name, if there is one, comes from the run that is resumed."""
        return self._hash(name) in self._begun

    def begin(self, name: str) -> None:
        """Note that a target is about to be written, where there is none yet."""
        self._write({"begun": self._hash(name)})

    def done(self, name: str, source: os.stat_result, target: Path) -> None:
        """Note that a source, as it was before it was read, has its target."""
        try:
            state = target.lstat()
        except OSError:  # somebody took it away: it is done again when the run is resumed
            return
        self._write({"done": self._pair(name, source, state)})

    def failed(self, name: str) -> None:
        """Note that a target was not written after all."""
        self._write({"failed": self._hash(name)})

    def close(self, *, finished: bool) -> None:
        """End it; the journal of a finished run is removed."""
        with suppress(OSError):  # every line was flushed, or its failure was raised
            self._file.close()
        if finished:
            self._path.unlink(missing_ok=True)

    def _pair(self, name: str, source: os.stat_result, target: os.stat_result) -> str:
        states = (source.st_size, source.st_mtime_ns, target.st_size, target.st_mtime_ns)
        return self._hash("\0".join([name, *map(str, states)]))

    def _hash(self, text: str) -> str:
        return hashlib.blake2b(os.fsencode(text), key=bytes.fromhex(self._key), digest_size=16).hexdigest()

    def _write(self, line: dict[str, str]) -> None:
        try:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()
        except OSError as error:
            raise MediaError(f"{self._path} cannot be written ({error.strerror}): check the room there") from error

    def _read(self, settings: str) -> None:
        try:
            lines = self._path.read_text(encoding="ascii").splitlines()
            first = json.loads(lines[0])
            self._key = bytes.fromhex(first["key"]).hex()
            begun_with = first["settings"]
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise MediaError(f"{self._path} cannot be read: remove it, and start anew in an empty folder") from error
        if begun_with != settings:
            raise MediaError(
                f"{self._path.parent} was begun with another source, or with other settings or models: resume it with "
                "the same, or choose another folder"
            )
        for line in lines[1:]:
            try:
                entry = json.loads(line)
            except ValueError:  # the last line of a run that was killed while it wrote
                continue
            for what, value in entry.items() if isinstance(entry, dict) else ():
                if what == "begun":
                    self._begun.add(value)
                elif what == "failed":
                    self._begun.discard(value)
                elif what == "done":
                    self._done.add(value)
