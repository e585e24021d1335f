"""
Back up a service while it runs.

First a hold keeps garbage in the stores. Then the database is copied, and after that the data which it names: each key
has one content for ever, so data can be linked or copied at any time. The manifest comes last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from ecl.server.data.backups.dump import save
from ecl.server.data.backups.hold import HoldLost, held_garbage
from ecl.server.data.backups.manifest import (
    CLOUDS,
    SNAPSHOT,
    BackupError,
    Manifest,
    data_folder,
    sync_folder,
    write_manifest,
)
from ecl.server.data.region import Region
from ecl.server.data.store.base import DataMissing
from ecl.server.data.store.linking import link_or_copy
from ecl.server.db.database_id import database_id
from ecl.server.db.engine import Database
from ecl.server.db.stored_keys import StoredKey, stored_keys
from ecl.version import __version__

__all__ = ["Copied", "back_up"]


@dataclass(slots=True)
class Copied:
    """What was backed up or restored."""

    #: Files with data of images, how many of them are links, and their bytes.
    files: int = 0
    links: int = 0
    bytes: int = 0
    #: Data that the database names, but that is not there, or has another size.
    missing: list[StoredKey] = field(default_factory=list)

    def add(self, stored: StoredKey, path: Path, *, is_link: bool) -> None:
        """Count the file *path* with the data of *stored*."""
        size = path.stat().st_size
        if stored.size not in (None, size):
            self.missing.append(stored)
        self.files += 1
        self.links += is_link
        self.bytes += size


def back_up(
    database: Database, regions: Sequence[Region], folder: Path, clouds: Path, *, link: bool, lease: float
) -> Copied:
    """
    Back up *database* and the data in *regions* into *folder*, which must be empty or not exist.

    Args:
        clouds: The ``clouds.yaml`` of the service, which is kept, too, if it is there.
        link: False: copy all data, also where hard links are possible.
        lease: Seconds after which the service removes garbage again, if this process dies.

    Raises:
        BackupError: It cannot be done; *folder* has no manifest then.
        StoreError: A store cannot be read.
        OSError: *folder* cannot be written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise BackupError(f"{folder} is not empty: name a new folder for each backup.")
    copied = Copied()
    try:
        with held_garbage(database, lease):
            save(database, folder)
            with _database_of(database, folder) as named, named.read() as connection:
                # A dump of PostgreSQL cannot be asked. What it names is now in use, or held as garbage.
                for stored in stored_keys(connection, with_garbage=named is database):
                    _copy(stored, regions, folder, copied, link=link)
    except HoldLost as exc:
        raise BackupError("The database did not answer for too long, so data may be missing: try again.") from exc
    for path in folder.rglob("data/*/*"):
        sync_folder(path)
    if clouds.exists():
        link_or_copy(clouds, folder / CLOUDS, link=False)
    _write_manifest(database, folder, copied)
    return copied


@contextmanager
def _database_of(database: Database, folder: Path) -> Iterator[Database]:
    """Yield the copy in *folder* if it can be opened, else *database* itself."""
    if not database.is_sqlite:
        yield database
        return
    with closing(Database(f"sqlite:///{(folder / SNAPSHOT).absolute()}")) as snapshot:
        yield snapshot


def _copy(stored: StoredKey, regions: Sequence[Region], folder: Path, copied: Copied, *, link: bool) -> None:
    region = next((region for region in regions if region.name == stored.region), None)
    store = None if region is None else region.store_at(stored.place)
    if store is None:
        if stored.is_needed:
            copied.missing.append(stored)
        return
    target = data_folder(folder, stored.region, stored.place) / stored.key
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        is_link = store.copy_to(stored.key, target, link=link)
    except DataMissing:
        if stored.is_needed:
            copied.missing.append(stored)
        return
    copied.add(stored, target, is_link=is_link)


def _write_manifest(database: Database, folder: Path, copied: Copied) -> None:
    with database.read() as connection:
        identity = database_id(connection)
    engine = "sqlite" if database.is_sqlite else "postgresql"
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    write_manifest(folder, Manifest(__version__, moment, engine, identity, copied.files, copied.bytes))
