"""Small private files between two commands: tokens, and names for completion."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import stat
import time
from pathlib import Path
from typing import Any

__all__ = ["forget", "name_of", "read", "write"]

#: Seconds after which a file that nobody has renewed is of no use to anybody.
_TOO_OLD = 7 * 86400


def folder(kind: str) -> Path:
    """Return the folder of one *kind* of files, below the user's cache folder."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("ecl-image", appauthor=False)) / kind


def name_of(value: object) -> str:
    """Return a name for a file that stands for *value*, which JSON can hold."""
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:32]


def read(kind: str, key: str, max_age: float | None = None) -> Any:
    """
    Return what was written under *key*.

    Args:
        max_age: Seconds after which it does not count any more.

    Returns:
        None if there is nothing, or if someone else could have written or read it.
    """
    path = folder(kind) / f"{key}.json"
    try:
        if not _is_private(os.stat(path.parent)):
            return None
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        with open(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or not _is_private(status):
                return None
            if max_age is not None and not 0 <= time.time() - status.st_mtime <= max_age:
                return None
            return json.loads(file.read())
    except (OSError, ValueError):
        return None


def write(kind: str, key: str, value: Any) -> None:
    """Keep *value*, which JSON can hold, for this user alone; where nothing can be written, nothing is kept."""
    place = folder(kind)
    with contextlib.suppress(OSError):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_private(os.stat(place)):
            return
        _remove_old(place)
        part = place / f".{secrets.token_hex(8)}"
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with open(descriptor, "w", encoding="utf-8") as file:
                json.dump(value, file)
            part.replace(place / f"{key}.json")
        except BaseException:
            part.unlink(missing_ok=True)
            raise


def forget(kind: str, key: str) -> None:
    """Remove what was written under *key*."""
    with contextlib.suppress(OSError):
        (folder(kind) / f"{key}.json").unlink(missing_ok=True)


def _is_private(status: os.stat_result) -> bool:
    return status.st_uid == os.geteuid() and not status.st_mode & 0o077


def _remove_old(place: Path) -> None:
    limit = time.time() - _TOO_OLD
    for path in place.iterdir():
        if path.lstat().st_mtime < limit:
            path.unlink(missing_ok=True)
