"""A cache in small private files: tokens, and names of images for completion."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import sys
import time
from pathlib import Path
from typing import Any

__all__ = ["forget", "name_of", "read", "write"]

#: Seconds after which a file is removed if nothing has rewritten it.
_MAX_AGE_SECONDS = 7 * 86400


def folder(kind: str) -> Path:
    """Return the folder for one *kind* of files, in the user's cache folder."""
    chosen, home = os.environ.get("XDG_CACHE_HOME", ""), os.environ.get("HOME", "")
    if sys.platform == "linux" and os.path.isabs(home):
        # As platformdirs says, whose import takes longer than reading a file does.
        return (Path(chosen) if os.path.isabs(chosen) else Path(home, ".cache")) / "ecl-image" / kind
    import platformdirs

    return Path(platformdirs.user_cache_dir("ecl-image", appauthor=False)) / kind


def name_of(value: object) -> str:
    """Return a file name for *value*: a hash of its JSON."""
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:32]


def read(kind: str, key: str, max_age: float | None = None) -> Any:
    """
    Return the value stored under *key*.

    Args:
        max_age: Seconds after which the value is too old to use.

    Returns:
        None if there is no such file, or if another user could have read or written it.
    """
    path = folder(kind) / f"{key}.json"
    try:
        if not _is_private(os.stat(path.parent)):
            return None
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
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
    """Store *value* as JSON, readable by this user only. Does nothing if the folder is not writable."""
    cache_folder = folder(kind)
    with contextlib.suppress(OSError):
        cache_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_private(os.stat(cache_folder)):
            return
        _remove_old(cache_folder)
        import secrets

        part = cache_folder / f".{secrets.token_hex(8)}"
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with open(descriptor, "w", encoding="utf-8") as file:
                json.dump(value, file)
            part.replace(cache_folder / f"{key}.json")
        except BaseException:
            part.unlink(missing_ok=True)
            raise


def forget(kind: str, key: str) -> None:
    """Remove the value stored under *key*."""
    with contextlib.suppress(OSError):
        (folder(kind) / f"{key}.json").unlink(missing_ok=True)


def _is_private(status: os.stat_result) -> bool:
    if not hasattr(os, "geteuid"):
        # Windows: the folder is in the user's profile, which others cannot read.
        return True
    return status.st_uid == os.geteuid() and not status.st_mode & 0o077


def _remove_old(cache_folder: Path) -> None:
    limit = time.time() - _MAX_AGE_SECONDS
    for path in cache_folder.iterdir():
        if path.lstat().st_mtime < limit:
            path.unlink(missing_ok=True)
