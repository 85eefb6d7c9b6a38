"""Where compiled models are kept between runs."""

import logging
import os
import stat
from pathlib import Path

log = logging.getLogger(__name__)


def cache_folder() -> Path | None:
    """Where compiled models are kept: ``$XDG_CACHE_HOME/edgeanon``, made private to the user; ``~/.cache`` where that
    is not set or no absolute path.

    None when it cannot be made, belongs to somebody else, or can be written by others: a compiled model is code that
    runs, so nothing is taken from such a place.
    """
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        if not base.is_absolute():  # as the XDG Base Directory Specification wants it
            base = Path("~/.cache").expanduser().absolute()
        folder = base / "edgeanon"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        state = folder.stat()
    except (OSError, RuntimeError):
        log.info("compiled models are not cached: the cache folder cannot be made")
        return None
    if state.st_uid != os.geteuid() or state.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        log.warning("compiled models are not cached: the cache folder is not private to this user (wanted: mode 0700)")
        return None
    return folder
