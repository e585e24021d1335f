"""The marker: a file in a store's folder, or an object under its prefix, that names its owner."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from ecl.server.data.store.base import StoreTaken, StoreUnavailable

__all__ = ["NAME", "Marker", "check_folder", "check_marker", "claim_folder", "encode_marker"]

#: Name of the file.
NAME = ".ecl-store.json"
#: The newest version of the file that this release can read.
_VERSION = 1


class Marker(msgspec.Struct, frozen=True):
    """The owner of a folder or prefix: a store of one region in one database."""

    #: The database's UUID (`ecl.server.db.database_id`).
    database: str
    region: str
    store: str
    version: int = _VERSION


def claim_folder(folder: Path, marker: Marker) -> None:
    """
    Write *marker* into *folder* if it has none.

    The caller syncs the folder itself to disk.

    Raises:
        StoreTaken: The folder has the marker of another database, region or store, or one that cannot be read.
        OSError: The marker cannot be written.
    """
    path = folder / NAME
    if not path.exists():
        _write(path, marker)
    check_marker(path.read_bytes(), marker, str(folder), str(path), "folder")


def encode_marker(marker: Marker) -> bytes:
    """Return the content of the file."""
    return msgspec.json.format(msgspec.json.encode(marker)) + b"\n"


def check_folder(folder: Path, marker: Marker) -> None:
    """
    Check that *folder* has *marker*.

    Raises:
        StoreTaken: It has the marker of another database, region or store, or one that cannot be read.
        StoreUnavailable: It has none.
        OSError: The folder cannot be read.
    """
    path = folder / NAME
    try:
        content = path.read_bytes()
    except FileNotFoundError as exc:
        raise StoreUnavailable(f"{folder} has no {NAME}: perhaps its disk is not mounted") from exc
    check_marker(content, marker, str(folder), str(path), "folder")


def _write(path: Path, marker: Marker) -> None:
    """Write the file atomically. If another service was faster, its file stays."""
    beside = path.with_name(f"{NAME}.{os.getpid()}")
    try:
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
            file.write(encode_marker(marker))
            file.flush()
            os.fsync(file.fileno())
        try:
            # Unlike a rename, a link never replaces a file.
            os.link(beside, path)
        except FileExistsError:
            return
        except OSError:
            # Some file systems have no links.
            os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def check_marker(content: bytes, marker: Marker, where: str, name: str, kind: str) -> None:
    """
    Check that the *content* of a marker says the same as *marker*.

    Args:
        where: The place that is marked.
        name: The full name of its marker.
        kind: What such a place is called: a folder or a prefix.

    Raises:
        StoreTaken: It does not, or cannot be read.
    """
    try:
        found = msgspec.json.decode(content, type=Marker)
    except msgspec.MsgspecError as exc:
        raise StoreTaken(
            f"{name} cannot be read as the marker of a store ({exc}): restore it from a backup, "
            f"or remove it by hand if the {kind} belongs to this service"
        ) from exc
    if found.version > _VERSION:
        raise StoreTaken(f"{name} was written by a newer release: use that one")
    if found != marker:
        raise StoreTaken(
            f"{where} belongs to the store {found.store} of region {found.region} in the database "
            f"{found.database}, not to the store {marker.store} of region {marker.region} in the database "
            f"{marker.database}: give this store a {kind} of its own, restore the database that the {kind} belongs "
            f"to, or, if this service is to take the {kind} over, remove {name} by hand"
        )
