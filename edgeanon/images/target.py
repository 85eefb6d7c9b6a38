"""Files that appear whole or not at all."""

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edgeanon.errors import EdgeanonError, MediaError

# What file systems answer that know no hard links (FAT, some network and FUSE mounts), or forbid them.
_NO_LINKS = frozenset({errno.EPERM, errno.EACCES, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK})
_LONGEST_NAME = 255  # bytes, NAME_MAX of the usual file systems


@contextmanager
def atomic_target(
    target: str | os.PathLike[str], *, overwrite: bool = False, source: str | os.PathLike[str] | None = None
) -> Iterator[Path]:
    """A private temporary path in the target's folder; when the block ends well, it becomes the target.

    The temporary is mode 0600 and is gone after any exception, an interrupt too. An ``OSError`` of the block becomes
    a ``MediaError``; whatever else it raises passes through.

    Args:
        target: the file to make. Without ``overwrite`` an existing one is never replaced, not even one that appears
            while the block runs.
        overwrite: whether an existing file may be replaced.
        source: what the target is made from. It gives its permission bits and is never replaced. Without it the target
            stays 0600.

    Raises:
        MediaError: the target exists, is the source or a folder; its folder is missing or may not be written to; the
            disk is full.
    """
    target = Path(target)
    _refuse(target, overwrite=overwrite, source=None if source is None else Path(source))
    temporary = _temporary(target)
    try:
        yield temporary
        _finish(temporary, None if source is None else Path(source))
        _publish(temporary, target, overwrite=overwrite)
    except EdgeanonError:
        raise
    except OSError as error:
        raise MediaError(
            f"{target} cannot be written ({error.strerror or error}): check the room and the rights there"
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _refuse(target: Path, *, overwrite: bool, source: Path | None) -> None:
    try:
        reason = _reason(target, overwrite=overwrite, source=source)
    except (OSError, ValueError) as error:
        raise MediaError(f"{target} cannot be written ({error}): choose another target") from error
    if reason is not None:
        raise MediaError(f"{target} {reason}")


def _reason(target: Path, *, overwrite: bool, source: Path | None) -> str | None:
    """What speaks against the target, with a remedy."""
    if not target.parent.is_dir():
        return f"cannot be written: the folder {target.parent} does not exist; make it first"
    if source is not None and target.exists() and target.samefile(source):
        return "is the source itself and is never replaced: choose another target"
    if target.is_dir():
        return "is a folder: name a file in it"
    if not overwrite and os.path.lexists(target):
        return "exists and is left as it is: choose another target, or say overwrite"
    return None


def _temporary(target: Path) -> Path:
    ending = f".{secrets.token_hex(8)}.part"
    name = os.fsdecode(os.fsencode(target.name)[: _LONGEST_NAME - len(ending) - 1])
    temporary = target.with_name(f".{name}{ending}")
    try:
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise MediaError(f"{target} cannot be written ({error.strerror}): choose a folder you may write to") from error
    return temporary


def _finish(temporary: Path, source: Path | None) -> None:
    """Everything on the disk, and the source's permission bits."""
    descriptor = os.open(temporary, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        if source is not None:
            os.fchmod(descriptor, stat.S_IMODE(source.stat().st_mode) & 0o777)  # no set-user-id on a picture
    finally:
        os.close(descriptor)


def _publish(temporary: Path, target: Path, *, overwrite: bool) -> None:
    if overwrite:
        temporary.replace(target)
    else:
        try:
            _publish_new(temporary, target)
        except FileExistsError as error:
            raise MediaError(f"{target} appeared meanwhile and is left as it is: choose another target") from error
    with suppress(OSError):  # not every file system lets a folder be synchronised
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _publish_new(temporary: Path, target: Path) -> None:
    """The temporary under the target's name, unless something has that name already."""
    try:
        os.link(temporary, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
    else:
        return
    # Without hard links an empty file takes the name first: that is what fails when something is there.
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        temporary.replace(target)
    except BaseException:
        target.unlink()
        raise
