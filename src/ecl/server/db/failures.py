"""Failures of the database that are not faults of the service: it is away, overloaded, or its disk is full."""

from __future__ import annotations

from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ecl.server.db.full import is_full
from ecl.server.db.same_database import DatabaseReplaced
from ecl.server.errors import NoSpace, ServiceError, Unavailable

__all__ = ["as_service_error"]

_AWAY = "The database does not answer at the moment; try again."
_REPLACED = "The database of the service was removed or replaced; its operator must put the right one back."
_FULL = "The disk of the database is full; free some space there and try again."

#: Beginnings of SQLite's error names: another process locks the file, or the disk or the file cannot be used.
_SQLITE_AWAY = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY")
#: Beginnings of PostgreSQL's SQLSTATE: connection, server is starting or stopping, resources, system, timeouts
#: (lock_timeout and idle_in_transaction_session_timeout; statement_timeout is 57014), read-only after a failover.
_POSTGRESQL_AWAY = ("08", "53", "57", "58", "55P03", "25P03", "25P04", "25006")


def as_service_error(exc: BaseException) -> ServiceError | None:
    """Return the error for the client if *exc* is such a failure; None if it is a fault of the service."""
    if isinstance(exc, PoolTimeout):
        return Unavailable("All connections to the database are in use at the moment; try again.")
    if isinstance(exc, DatabaseReplaced):
        return Unavailable(_REPLACED)
    if not isinstance(exc, DBAPIError):
        return None
    if is_full(exc):
        return NoSpace(_FULL)
    name: str | None = getattr(exc.orig, "sqlite_errorname", None)
    if name is not None:
        return Unavailable(_AWAY) if name.startswith(_SQLITE_AWAY) else None
    state = _sqlstate(exc.orig)
    if exc.connection_invalidated or (state or "").startswith(_POSTGRESQL_AWAY):
        return Unavailable(_AWAY)
    # Without a state, it is the client library that failed: to connect, or because the connection broke.
    return Unavailable(_AWAY) if state is None and type(exc.orig).__name__ == "OperationalError" else None


def _sqlstate(error: Any) -> str | None:  # Any: the driver's errors; PostgreSQL's may not be installed
    state: str | None = getattr(error, "sqlstate", None)
    return state
