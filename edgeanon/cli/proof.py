"""What a run leaves beside its pictures where it is asked to: a report, and a file of boxes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from edgeanon.cli.terminal import err, plain
from edgeanon.errors import ConfigError, EdgeanonError, MediaError

if TYPE_CHECKING:
    from edgeanon.audit import Covered, Ledger, PrivateKey, Report, Salt, TracksWriter
    from edgeanon.pipeline import FileResult

PROOF = "Proof"
"""The panel of the help that these options stand in."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What is asked for.

    Attributes:
        report: where the report goes.
        sign: the private key that signs it.
        salt: the file of the salt for hashes of inputs.
        reassess_by: when the run's risk is to be looked at anew.
        tracks: where boxes and tracks go.
        overwrite: whether what is at report and tracks may be replaced.
    """

    report: Path | None
    sign: Path | None
    salt: Path | None
    reassess_by: date | None
    tracks: Path | None
    overwrite: bool

    def check(self, source: Path | None, target: Path) -> None:
        """Find what must go wrong before anything is done."""
        written = {"--report": self.report, "--salt": self.salt, "--export-tracks": self.tracks}
        paths = {option: path for option, path in written.items() if path}
        try:
            if source and not source.exists():
                raise MediaError(f"{source} does not exist: check the name")
            for option, path in paths.items():
                self._check_place(option, path, source, target)
            if len({path.resolve() for path in paths.values()}) < len(paths):
                raise ConfigError(f"{' and '.join(paths)} name one file: choose another path for each")
        except (OSError, RuntimeError) as error:
            if isinstance(error, EdgeanonError):
                raise
            which = " or ".join(str(path) for path in (source, *paths.values()) if path)
            raise MediaError(f"{which} cannot be looked at ({error}): check the name and the rights") from error
        alone = {"--sign": self.sign, "--salt": self.salt, "--reassess-by": self.reassess_by}
        for option in (option for option, value in alone.items() if value and not self.report):
            raise ConfigError(f"{option} is about a report: say --report FILE as well")

    def _check_place(self, option: str, path: Path, source: Path | None, target: Path) -> None:
        place, there = path.resolve(), target.resolve()
        if place == there or (source and place.is_relative_to(source.resolve())):
            raise ConfigError(f"{option} {path} would replace a picture or lie among those of IN: choose another path")
        if option != "--report" and place.is_relative_to(there):
            raise ConfigError(f"{option} {path} would be handed on with what is in OUT: choose another path")
        if path.is_dir():
            raise MediaError(f"{path} is a folder: name a file in it")
        if not path.parent.is_dir():
            raise MediaError(f"{path} cannot be written: the folder {path.parent} does not exist")
        if path.exists() and not (self.overwrite or option == "--salt"):
            raise MediaError(f"{path} exists and is left as it is: choose another path, or say --overwrite")

    @contextmanager
    def recording(self, root: Path | None) -> "Iterator[Recording]":
        """What to call while the run goes on; the file of boxes appears when the block ends well.

        Args:
            root: the folder that is masked; None for one file.
        """
        if not (self.report or self.tracks):
            yield Recording(self)
            return
        from edgeanon.audit import Ledger, PrivateKey, TracksWriter  # noqa: PLC0415

        key = PrivateKey.read(self.sign) if self.sign else None
        ledger = Ledger(self._salt()) if self.report else None
        if not self.tracks:
            yield Recording(self, ledger, key)
            return
        with TracksWriter(self.tracks, root=root, overwrite=self.overwrite) as tracks:
            yield Recording(self, ledger, key, tracks)

    def _salt(self) -> "Salt | None":
        from edgeanon.audit import Salt  # noqa: PLC0415

        if not self.salt:
            return None
        new = not self.salt.exists()
        salt = Salt.kept(self.salt)
        if new:
            err.print(plain(f"{self.salt} is new: keep it apart from the report, for whoever may check inputs"))
        return salt


@dataclass(frozen=True, slots=True)
class Recording:
    """A run as it goes on."""

    _asked: Proof
    _ledger: "Ledger | None" = None
    _key: "PrivateKey | None" = None
    _tracks: "TracksWriter | None" = None

    def on_file(self, result: "FileResult") -> None:
        """Call it with what became of each file."""
        if self._ledger:
            self._ledger.add(result)
        if self._tracks:
            self._tracks.end(result.source, result.verdict.value)

    @property
    def on_objects(self) -> "Callable[[Covered], None] | None":
        """Call it with what is masked; None where nobody wants to know."""
        return self._tracks.add if self._tracks else None

    def write(self, report: "Report") -> None:
        """Write the report, if there is to be one."""
        if not (self._asked.report and self._ledger):
            return
        from edgeanon.audit import ReportFile  # noqa: PLC0415

        made = ReportFile.of(report, self._ledger, reassess_by=self._asked.reassess_by)
        made = made.signed(self._key) if self._key else made
        made.write(self._asked.report, overwrite=self._asked.overwrite)
