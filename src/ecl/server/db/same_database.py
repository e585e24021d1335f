"""
The database stays the same one while the process runs.

A file that is removed or replaced under a running SQLite is not noticed by its open connections: they go on writing
into a file that nobody will ever open again. A PostgreSQL server may come back with another database of that name.
"""

from __future__ import annotations

import logging
import os
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from ecl.server.db.database_id import database_id

__all__ = ["DatabaseReplaced", "SameDatabase"]

_log = logging.getLogger(__name__)

_IDENTITY = "SELECT id FROM database_identity"


class DatabaseReplaced(SQLAlchemyError):
    """The database was removed, or another one is in its place."""


class SameDatabase:
    """
    Knows the database of this process, from `remember` on.

    Args:
        path: Of the SQLite file; None for PostgreSQL.
        name: For people.
    """

    def __init__(self, path: str | None, name: str) -> None:
        self._path = path
        self._name = name
        self._file: tuple[int, int] | None = None
        self._identity: str | None = None
        self._is_other = False
        self._is_reported = False

    def remember(self, connection: Connection) -> None:
        """Take the database of *connection*, which is prepared, for the right one."""
        self._identity = database_id(connection)
        self._file = self._file_now()

    def check(self) -> None:
        """Check what is known without a query: the file, and the last comparison. Raises DatabaseReplaced."""
        if self._identity is None:
            return
        if self._file_now() != self._file:
            self._refuse("its file was removed or replaced")
        if self._is_other:
            self._refuse("it has another identity")
        if self._is_reported:
            self._is_reported = False
            _log.warning("the database %s is the right one again", self._name)

    def compare(self, connection: Connection) -> None:
        """Compare the identity in the database. Raises DatabaseReplaced."""
        self._compare(database_id(connection))

    def compare_new(self, connection: Any) -> None:  # Any: the driver's connection has no useful type
        """Compare the identity in the database of a new connection of the driver. Raises DatabaseReplaced."""
        if self._identity is None:
            return
        cursor = connection.cursor()
        try:
            row = cursor.execute(_IDENTITY).fetchone()
        except Exception as exc:
            # An empty database has no such table; anything else is a failure of its own.
            if "database_identity" not in str(exc):
                raise
            row = None
        finally:
            cursor.close()
        connection.rollback()
        self._compare(None if row is None else row[0])

    def _compare(self, found: str | None) -> None:
        self._is_other = self._identity is not None and found != self._identity
        self.check()

    def _refuse(self, why: str) -> None:
        if not self._is_reported:
            self._is_reported = True
            _log.error(
                "the database %s is not the one of the start any more (%s): nothing is read or written until the right "
                "one is back; stop the service before you restore another one",
                self._name,
                why,
            )
        raise DatabaseReplaced(f"the database {self._name} is not the one of the start: {why}")

    def _file_now(self) -> tuple[int, int] | None:
        if self._path is None:
            return None
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return found.st_dev, found.st_ino
