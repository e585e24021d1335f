"""What a backup consists of. Its manifest is written last: a folder without one is no complete backup."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

__all__ = [
    "CLOUDS",
    "DUMP",
    "SNAPSHOT",
    "BackupError",
    "Manifest",
    "data_folder",
    "read_manifest",
    "sync_folder",
    "write_manifest",
]

#: Names in the folder: the manifest, the copy of SQLite's file, the dump of PostgreSQL, the users' passwords.
_NAME = "backup.json"
SNAPSHOT = "ecl.db"
DUMP = "ecl.pgdump"
CLOUDS = "clouds.yaml"
#: The newest version of the manifest that this release can read.
_VERSION = 1


class BackupError(Exception):
    """A backup cannot be made or restored; the message is one sentence that says why and what to do."""


class Manifest(msgspec.Struct, frozen=True):
    """A complete backup."""

    #: The release that made it, and when, in ISO 8601.
    release: str
    created_at: str
    #: ``sqlite`` or ``postgresql``.
    engine: str
    #: UUID of the database.
    database: str
    #: Number of files with data of images, and their bytes.
    files: int
    bytes: int
    version: int = _VERSION


def data_folder(folder: Path, region: str, place: str) -> Path:
    """Return where the backup in *folder* has the data of a store, or of a staging area."""
    return folder / "data" / region / place


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest, durably."""
    with (folder / _NAME).open("xb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    sync_folder(folder)


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest. Raises BackupError."""
    path = folder / _NAME
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError as exc:
        raise BackupError(f"{folder} has no {_NAME}: it is not a backup, or one that was not completed.") from exc
    except (OSError, msgspec.MsgspecError) as exc:
        raise BackupError(f"{path} cannot be read: {exc}.") from exc
    if found.version > _VERSION:
        raise BackupError(f"{path} was written by a newer release ({found.release}): use that one.")
    return found


def sync_folder(folder: Path) -> None:
    """Sync the names in *folder* to disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
