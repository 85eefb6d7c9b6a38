"""A tree of pictures and videos into a tree of the same shape, several at once, each on its own."""

import hashlib
import os
import re
import stat
from collections.abc import Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import NamedTuple, Protocol

from edgeanon import images, video
from edgeanon.errors import EdgeanonError, MediaError
from edgeanon.pipeline.journal import NAME as JOURNAL
from edgeanon.pipeline.journal import Journal
from edgeanon.pipeline.results import FileResult, Verdict

PICTURE_SUFFIXES = {*images.WRITABLE, ".heic", ".heif"}
"""A file of such a name that is no picture inside is a failure and not just something else."""

TEMPORARY = re.compile(r"\..+\.[0-9a-f]{16}\.part", re.DOTALL)
"""Names of the files that `images.atomic_target` writes to."""


class Process(Protocol):
    """What makes one target of one source, or raises."""

    def __call__(self, source: Path, target: Path, *, overwrite: bool) -> FileResult:
        """Write the target whole, or not at all."""


class FolderRun:
    """One run over a folder.

    Attributes:
        stopping: set once no more verdicts are wanted: what is still being made may be given up.

    Args:
        source: the folder to read.
        target: the folder to write; made if it is missing.
        overwrite: whether existing targets may be replaced.
        resume: go on where a run into this target broke off.
        settings: fingerprint of the source and of all that decides what a target looks like.

    Raises:
        MediaError: the source is no folder, the target cannot be made, or holds a run that was broken off.
    """

    def __init__(self, source: Path, target: Path, *, overwrite: bool, resume: bool, settings: str) -> None:
        if not source.is_dir():
            raise MediaError(f"{source} is no folder that can be read")
        if target.exists() and target.samefile(source):
            raise MediaError(f"{target} is the source itself: choose another folder")
        try:
            target.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MediaError(f"{target} cannot be made ({error.strerror}): choose another folder") from error
        self.stopping = Event()
        self._source = source
        self._target = target
        self._overwrite = overwrite
        self._journal = Journal(target, settings, resume=resume, anew=overwrite)

    def results(self, process: Process, workers: int) -> Generator[FileResult]:
        """The verdict on each file as it is done, in the order of the names or nearly so.

        Args:
            process: makes one target of one source.
            workers: how many are made at once.
        """
        failed = False
        finished = False
        try:
            for result in self._run(process, workers):
                failed |= result.verdict is Verdict.FAILED
                yield result
            finished = not failed
            if self._journal.resumes:
                self._sweep()
        finally:
            self._journal.close(finished=finished)

    def _run(self, process: Process, workers: int) -> Iterator[FileResult]:
        waiting: dict[Future[FileResult], _Task] = {}
        with ThreadPoolExecutor(workers, thread_name_prefix="edgeanon") as pool:
            try:
                for source in files(self._source, leave_out=self._target):
                    task = source if isinstance(source, FileResult) else self._task(source)
                    if isinstance(task, FileResult):
                        yield task
                        continue
                    waiting[pool.submit(_guarded, process, task)] = task
                    while len(waiting) > workers:
                        yield from self._ended(waiting)
                while waiting:
                    yield from self._ended(waiting)
            finally:
                self.stopping.set()
                for future in waiting:
                    future.cancel()

    def _task(self, source: Path) -> "_Task | FileResult":
        """What is to be done with one file, or its verdict when nothing is."""
        try:
            if source.is_symlink() and source.is_dir():
                return FileResult(source, None, Verdict.SKIPPED, ("a linked folder is not followed",))
            if not (images.is_picture(source) or video.is_video(source)):
                return self._something_else(source)
            state = source.stat()
            name = self._name(source)
            target = self._target / name
            if self._journal.is_done(name, state, target):
                return FileResult(source, target, Verdict.RESUMED)
            overwrite = self._overwrite or self._journal.was_begun(name)
            if os.path.lexists(target) and not overwrite:
                raise MediaError(f"{target} exists and is left as it is: choose another folder, or say overwrite")
            self._check_place(target)
            target.parent.mkdir(parents=True, exist_ok=True)
            self._journal.begin(name)
        except (EdgeanonError, OSError, RuntimeError) as error:  # RuntimeError: a link that leads to itself
            return FileResult(source, None, Verdict.FAILED, (str(error),))
        return _Task(source, state, name, target, overwrite)

    def _ended(self, waiting: "dict[Future[FileResult], _Task]") -> Iterator[FileResult]:
        """The verdicts that are in, at least one."""
        for future in wait(waiting, return_when=FIRST_COMPLETED).done:
            task = waiting.pop(future)
            result = future.result()
            if result.verdict is Verdict.FAILED:
                if not (task.overwrite and os.path.lexists(task.target)):  # what appeared meanwhile is not the run's
                    self._journal.failed(task.name)
                else:
                    kept = f"what was at {task.target} before is still there"
                    result = replace(result, notes=(*result.notes, kept))
            else:
                self._journal.done(task.name, task.state, task.target)
            yield result

    def _name(self, source: Path) -> str:
        """The target of a source, relative to the target folder; no two sources have the same."""
        name = video.output_name(source) if video.is_video(source) else images.output_name(source)
        if name != source.name and source.with_name(name).exists():
            mark = hashlib.blake2b(os.fsencode(source.name), digest_size=4).hexdigest()
            name = f"{Path(name).stem}~{mark}{Path(name).suffix}"
        return str(source.relative_to(self._source).with_name(name))

    def _check_place(self, target: Path) -> None:
        """Refuse a target that links lead out of the target folder, or into the source."""
        place, source, allowed = target.parent.resolve(), self._source.resolve(), self._target.resolve()
        if not place.is_relative_to(allowed):
            raise MediaError(f"{target} lies behind a link that leads out of the target folder: remove the link")
        if place.is_relative_to(source) and not allowed.is_relative_to(source):
            raise MediaError(f"{target} would be written into the source: choose a target outside it")

    def _something_else(self, source: Path) -> FileResult:
        """Neither picture nor video by its content: skipped, unless its name says that it is one or it is closed."""
        if source.suffix.lower() in PICTURE_SUFFIXES or not os.access(source, os.R_OK):
            with images.open_picture(source):
                pass
        return FileResult(source, None, Verdict.SKIPPED, ("neither picture nor video",))

    def _sweep(self) -> None:
        """Remove what a killed run left half-written; all of it is masked."""
        for path in self._target.rglob(".*.part"):
            if TEMPORARY.fullmatch(path.name) and path.is_file() and not path.is_symlink():
                path.unlink(missing_ok=True)


class _Task(NamedTuple):
    """One file to be done, as it was when it was looked at."""

    source: Path
    state: os.stat_result
    name: str
    target: Path
    overwrite: bool


def files(folder: Path, *, leave_out: Path) -> Iterator[Path | FileResult]:
    """Every file and linked folder below a folder, in the order of their names; a failure for a closed folder."""
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        yield FileResult(folder, None, Verdict.FAILED, (f"{folder} cannot be listed ({error.strerror})",))
        return
    left_out = leave_out.resolve()
    for entry in entries:
        if _is_folder(entry):
            if entry.resolve() != left_out:
                yield from files(entry, leave_out=leave_out)
        elif entry.name != JOURNAL:
            yield entry


def _is_folder(path: Path) -> bool:
    """Whether it is a folder and no link to one. A path that may not be looked at is taken for a file, which fails."""
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


def _guarded(process: Process, task: _Task) -> FileResult:
    """One file; what goes wrong with it is its verdict and leaves the others alone."""
    try:
        return process(task.source, task.target, overwrite=task.overwrite)
    except Exception as error:  # noqa: BLE001  # whatever it is, it must not end the other files
        reason = str(error) if isinstance(error, EdgeanonError) else f"{type(error).__name__}: {error}"
        return FileResult(task.source, None, Verdict.FAILED, (reason,))
