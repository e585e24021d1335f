"""The database in a backup: SQLite's own backup, or PostgreSQL's programs pg_dump and pg_restore."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from ecl.server.data.backups.manifest import DUMP, SNAPSHOT, BackupError
from ecl.server.data.store.linking import link_or_copy
from ecl.server.db.engine import Database

__all__ = ["load", "save"]


def save(database: Database, folder: Path) -> None:
    """Write one state of *database* into *folder*, while others read and write it. Raises BackupError."""
    if not database.is_sqlite:
        _run(database, ["pg_dump", "--format=custom", f"--file={folder / DUMP}"])
        _sync(folder / DUMP)
        return
    with database.read() as connection, closing(sqlite3.connect(folder / SNAPSHOT)) as target:
        source = connection.connection.driver_connection
        assert isinstance(source, sqlite3.Connection)
        source.backup(target)
    _sync(folder / SNAPSHOT)


def load(database: Database, folder: Path) -> None:
    """Write the database in *folder* into *database*, which is empty. Raises BackupError."""
    if not database.is_sqlite:
        _run(database, ["pg_restore", "--no-owner", "--exit-on-error", str(folder / DUMP)])
        return
    # A copy in any case: unlike the data of images, this file changes.
    link_or_copy(folder / SNAPSHOT, Path(database.name), link=False)


def _run(database: Database, command: list[str]) -> None:
    url = database.engine.url
    # The password is not an argument, which other users of the machine could see.
    address = url.set(drivername="postgresql", password=None).render_as_string()
    password = {"PGPASSWORD": url.password} if url.password else {}
    try:
        subprocess.run(  # noqa: S603 - our own command
            [*command, f"--dbname={address}"],
            check=True,
            env={**os.environ, **password},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
    except FileNotFoundError as exc:
        raise BackupError(f"{command[0]} is not installed: install the client programs of PostgreSQL.") from exc
    except subprocess.CalledProcessError as exc:
        said = (exc.stderr or "").strip().splitlines()
        raise BackupError(f"{command[0]} failed: {said[-1] if said else f'code {exc.returncode}'}") from exc


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
