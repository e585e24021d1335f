"""The database: connections, transactions, and SQLite made safe for several threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, create_engine, event, make_url
from starlette.concurrency import run_in_threadpool

__all__ = ["Database"]

_T = TypeVar("_T")

#: Milliseconds that a transaction waits for another process or thread to finish writing.
_BUSY_TIMEOUT = 30_000
#: Connections kept open, and opened beyond that when all are taken. The sum is more than there are worker threads.
_POOL_SIZE = 8
_POOL_OVERFLOW = 56


class Database:
    """
    One SQLite file or PostgreSQL database, for use from any thread.

    Args:
        url: An SQLAlchemy URL, such as ``sqlite:////var/lib/ecl/ecl.db``.
    """

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        connect_args: dict[str, Any] = {"check_same_thread": False} if self.is_sqlite else {}
        self.engine = create_engine(
            parsed, connect_args=connect_args, pool_size=_POOL_SIZE, max_overflow=_POOL_OVERFLOW
        )
        if self.is_sqlite:
            event.listen(self.engine, "connect", _set_up_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        self._writing = self.engine.execution_options(ecl_write=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection in a transaction that sees one state of the database throughout."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection in a transaction that may write; it is committed at the end, undone on an exception."""
        with self._writing.begin() as connection:
            yield connection

    async def look_up(self, query: Callable[[Connection], _T]) -> _T:
        """
        Return what *query* reads: a few rows found by their keys, for an event loop that waits for them.

        SQLite finds them in a tenth of the time in which a thread begins to run, and a reader waits for no writer:
        there it happens at once. Elsewhere it happens in a worker thread.
        """
        return self._look_up(query) if self.is_sqlite else await run_in_threadpool(self._look_up, query)

    def _look_up(self, query: Callable[[Connection], _T]) -> _T:
        with self.read() as connection:
            return query(connection)

    def prepare(self) -> None:
        """Bring the schema to the newest version. Raises DatabaseTooNew if a later release has been here."""
        from ecl.server.db.migrate import migrate

        with self.write() as connection:
            migrate(connection)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _set_up_sqlite(connection: Any, _record: object) -> None:  # Any: the driver's connection has no useful type
    # The driver must not open transactions of its own: `_begin_sqlite` says how each one begins.
    connection.isolation_level = None
    cursor = connection.cursor()
    # The timeout first: switching to WAL needs the lock.
    cursor.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT}")
    cursor.execute("PRAGMA journal_mode = WAL")
    # FULL: what is committed survives a power cut, too.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that first reads and then writes must hold the lock from its start, or it fails when
    # somebody else wrote in between.
    write = connection.get_execution_options().get("ecl_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
