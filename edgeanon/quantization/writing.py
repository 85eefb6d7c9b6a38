"""A folder that appears whole or not at all."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edgeanon.errors import MediaError


def check_target(target: Path, *, overwrite: bool) -> None:
    """Raise a MediaError unless the folder can be made there."""
    if not target.absolute().parent.is_dir():
        raise MediaError(
            f"{target} cannot be made: the folder {target.absolute().parent} does not exist; make it first"
        )
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise MediaError(f"{target} is no folder: choose another target")
    if target.exists() and not overwrite:
        raise MediaError(f"{target} exists and is left as it is: choose another target, or say overwrite")


@contextmanager
def atomic_folder(target: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """A temporary folder beside the target; when the block ends well, it becomes the target. After an exception or an
    interrupt it is gone, and what was at the target before is there as it was.

    Raises:
        MediaError: the target exists, is no folder, or cannot be made.
    """
    check_target(target, overwrite=overwrite)
    ending = secrets.token_hex(8)
    temporary, old = (target.with_name(f".{target.name}.{ending}.{what}") for what in ("part", "old"))
    try:
        temporary.mkdir()
        yield temporary
        for path in temporary.iterdir():
            _on_disk(path)
        if target.exists():
            target.rename(old)
        try:
            temporary.rename(target)
        except BaseException:
            if old.exists():
                old.rename(target)
            raise
    except OSError as error:
        if isinstance(error, MediaError):
            raise
        raise MediaError(
            f"{target} cannot be written ({error.strerror or error}): check the room and the rights there"
        ) from error
    finally:
        for folder in (temporary, old):
            shutil.rmtree(folder, ignore_errors=True)


def _on_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
