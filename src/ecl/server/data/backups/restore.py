"""
Restore a backup into an empty folder, and an empty database.

The restored database gets an identity of its own, and its stores markers with that: it can never remove what belongs to
the original. Files may be links to those of the backup, since data never changes and each name is removed on its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from ecl.server.data.backups.backup import Copied
from ecl.server.data.backups.dump import load
from ecl.server.data.backups.manifest import CLOUDS, BackupError, Manifest, data_folder, read_manifest, sync_folder
from ecl.server.data.region import Region
from ecl.server.data.store.linking import link_or_copy
from ecl.server.db.another import become_another, is_empty
from ecl.server.db.engine import Database
from ecl.server.db.stored_keys import places_in_use, stored_keys

__all__ = ["check_backup", "restore"]


def check_backup(folder: Path, database: Database) -> Manifest:
    """
    Check that the backup in *folder* is complete and fits *database*, which must be empty.

    Raises:
        BackupError: It is not so.
    """
    manifest = read_manifest(folder)
    engine = "sqlite" if database.is_sqlite else "postgresql"
    if manifest.engine != engine:
        raise BackupError(f"The backup is of {manifest.engine}, but the settings have a database of {engine}.")
    if database.is_sqlite:
        if Path(database.name).exists():
            raise BackupError(f"There is a database {database.name} already: restore into a new data folder.")
        return manifest
    with database.read() as connection:
        if not is_empty(connection):
            raise BackupError(f"The database {database.name} is not empty: create a new one, and name it.")
    return manifest


def restore(folder: Path, database: Database, regions: Sequence[Region], clouds: Path, *, link: bool) -> Copied:
    """
    Restore the backup in *folder*, which `check_backup` has checked.

    Args:
        regions: Opened, with folders that have no data.
        clouds: Where the service's ``clouds.yaml`` goes.
        link: False: copy all data, also where hard links are possible.

    Raises:
        BackupError: It cannot be restored.
        StoreError: A store cannot be written.
        OSError: A folder cannot be written.
    """
    with _unfinished(database) as working:
        load(working, folder)
        working.prepare()
        with working.write() as connection:
            identity = become_another(connection)
            _check_places(places_in_use(connection), regions)
        # It is the right one with its new identity from here on.
        working.prepare()
        # First of all, so that nothing is written into a folder of another service.
        _claim(regions, identity)
        copied = _restore_data(folder, working, regions, link=link)
        _claim(regions, identity)
        if (folder / CLOUDS).exists():
            link_or_copy(folder / CLOUDS, clouds, link=False)
    return copied


@contextmanager
def _unfinished(database: Database) -> Iterator[Database]:
    """Yield the database to restore into. SQLite's file gets its name at the end: half a service cannot be started."""
    if not database.is_sqlite:
        yield database
        return
    path = Path(database.name)
    beside = path.with_name(f"{path.name}.restoring")
    with closing(Database(f"sqlite:///{beside}")) as working:
        yield working
    beside.rename(path)
    sync_folder(path.parent)


def _claim(regions: Sequence[Region], identity: str) -> None:
    for region in regions:
        for store in (*region.stores, region.staging):
            store.claim(identity, region.name)


def _restore_data(folder: Path, database: Database, regions: Sequence[Region], *, link: bool) -> Copied:
    copied = Copied()
    with database.read() as connection:
        for stored in stored_keys(connection):
            region = next(region for region in regions if region.name == stored.region)
            store = region.store_at(stored.place)
            assert store is not None
            source = data_folder(folder, stored.region, stored.place) / stored.key
            if source.exists():
                copied.add(stored, source, is_link=store.add_from(stored.key, source, link=link))
            else:
                copied.missing.append(stored)
    return copied


def _check_places(used: Collection[tuple[str, str]], regions: Sequence[Region]) -> None:
    known = {region.name: region for region in regions}
    for name, place in used:
        if name not in known:
            raise BackupError(f"The backup has images of region {name}, which the settings do not have: add it.")
        store = known[name].store_at(place)
        if store is None or store.read_only:
            raise BackupError(f"The backup has data of the store {place} of region {name}: add it to the settings.")
