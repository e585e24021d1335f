"""Locks on files: one process at a time uses a data folder and a SQLite database."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ecl.server.process.start_error import StartError
from ecl.server.settings.model import Settings

__all__ = ["locked", "locked_folder"]

_LOCK_NAME = "service.lock"


@contextmanager
def locked_folder(settings: Settings) -> Iterator[None]:
    """Create the data folder, and lock it for this process until the block ends. Raises StartError."""
    folder = settings.data_dir
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise StartError(f"The data folder {folder} cannot be used: {exc.strerror}.") from exc
    with locked(folder / _LOCK_NAME, f"data folder {folder}", "a folder of its own with --data-dir"):
        yield


@contextmanager
def locked(path: Path, what: str, otherwise: str) -> Iterator[None]:
    """
    Lock the file *path* for this process until the block ends.

    Args:
        what: What the lock protects, for the message.
        otherwise: What the user can give this process instead, for the message.

    Raises:
        StartError: Another process holds the lock.
    """
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as exc:
        raise StartError(f"The {what} cannot be used: {exc.strerror}.") from exc
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            owner = os.read(lock, 32).decode("ascii", "replace").strip()
            raise StartError(
                f"Another service (process {owner or 'unknown'}) is using the {what}: "
                f"stop it, or give this one {otherwise}."
            ) from exc
        try:
            os.ftruncate(lock, 0)
            os.write(lock, f"{os.getpid()}\n".encode())
        except OSError as exc:
            raise StartError(f"The {what} cannot be used: {path}: {exc.strerror}.") from exc
        yield
    finally:
        os.close(lock)
