"""The database: its URL, connections and transactions, the same for SQLite and PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError
from starlette.concurrency import run_in_threadpool

__all__ = ["Database", "UnusableDatabase", "parse_url"]

_T = TypeVar("_T")

#: What a database URL may begin with, and the driver that is meant.
_DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
#: Milliseconds that a transaction waits for another process or thread to finish writing.
_BUSY_TIMEOUT = 30_000
#: Connections kept open, and opened beyond that when all are taken. The sum is more than there are worker threads.
_POOL_SIZE = 8
_POOL_OVERFLOW = 56
#: Any number that no other user of the database takes for its own lock.
_WRITERS = 0x65636C696D67
#: What libpq is told: seconds until a server that does not answer is given up, at first and later; and that text is
#: UTF-8, or the driver may take it for bytes.
_LIBPQ = {
    "connect_timeout": 10,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "client_encoding": "utf8",
}
#: The server, too, gives up a client whose machine is gone: until then it holds that client's locks.
_SESSION = (
    "SET tcp_keepalives_idle = 15; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3; "
    f"SET lock_timeout = {_BUSY_TIMEOUT}"
)


class UnusableDatabase(Exception):
    """The database cannot be used; the message says why and what to do, without a capital, a full stop, a password."""


def parse_url(url: str) -> URL:
    """
    Return the URL of a database that this release can use, its driver named.

    Raises:
        UnusableDatabase: It is none, or the driver is not installed.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # Its own words may hold a piece of the password.
        raise UnusableDatabase(
            "database_url is not a URL such as postgresql://user:password@host:5432/database"
        ) from None
    if parsed.drivername not in _DRIVERS:
        raise UnusableDatabase(
            f"database_url begins with {parsed.drivername}, not with sqlite:/// or postgresql://"
        ) from None
    parsed = parsed.set(drivername=_DRIVERS[parsed.drivername])
    if parsed.drivername == "sqlite":
        if parsed.database in (None, "", ":memory:"):
            raise UnusableDatabase("database_url names no file, as in sqlite:////var/lib/ecl/ecl.db")
        return parsed
    if "@" in (parsed.host or ""):
        # A part of the password would be taken for the host, and shown.
        raise UnusableDatabase("database_url has more than one @: one that belongs to the password is written %40")
    try:
        import psycopg  # noqa: F401 - as the driver itself does it: without libpq this fails, too
    except ImportError:
        raise UnusableDatabase(
            "the driver for PostgreSQL is not installed: pip install 'ecl-image[server,postgres]'"
        ) from None
    return parsed


class Database:
    """
    One SQLite file or PostgreSQL database, for use from any thread.

    Args:
        url: An SQLAlchemy URL, such as ``sqlite:////var/lib/ecl/ecl.db`` or ``postgresql://user:password@host/ecl``.

    Raises:
        UnusableDatabase: The URL is none, or the driver is not installed. Nothing is connected yet.
    """

    def __init__(self, url: str) -> None:
        parsed = parse_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        #: Path of the SQLite file, or name of the PostgreSQL database.
        self.name = parsed.database or ""
        if self.is_sqlite:
            connect_args: dict[str, Any] = {"check_same_thread": False}
        else:
            connect_args = {name: value for name, value in _LIBPQ.items() if name not in parsed.query}
        self.engine = create_engine(
            parsed,
            connect_args=connect_args,
            pool_size=_POOL_SIZE,
            max_overflow=_POOL_OVERFLOW,
            # A server that was restarted fails no request.
            pool_pre_ping=not self.is_sqlite,
        )
        if self.is_sqlite:
            event.listen(self.engine, "connect", _set_up_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
            # SQLite waits for another writer by sleeping, up to 100 ms at a time. Other processes hardly ever write.
            self._turn: AbstractContextManager[object] = threading.Lock()
            self._reading = self.engine
            self._writing = self.engine.execution_options(ecl_write=True)
        else:
            event.listen(self.engine, "connect", _set_up_postgresql)
            event.listen(self.engine, "begin", _begin_postgresql)
            # The server wakes whoever is next.
            self._turn = nullcontext()
            self._reading = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            self._writing = self.engine.execution_options(isolation_level="READ COMMITTED", ecl_write=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection in a transaction that sees one state of the database throughout."""
        with self._reading.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """
        Give a connection in a transaction that may write; it is committed at the end, undone on an exception.

        Writers take turns, so what one has read is still so when it writes.
        """
        with self._turn, self._writing.begin() as connection:
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
        """
        Bring the schema to the newest version, and give the database its UUID if it has none.

        Raises:
            UnusableDatabase: It cannot be used; DatabaseTooNew, which is one, if a later release has changed it.
        """
        from ecl.server.db.database_id import ensure_database_id
        from ecl.server.db.migrate import migrate

        with self.write() as connection:
            if not self.is_sqlite:
                encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
                if encoding != "UTF8":
                    raise UnusableDatabase(f"its encoding is {encoding}; make it with ENCODING 'UTF8'")
            migrate(connection)
            ensure_database_id(connection)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _may_write(connection: Connection) -> bool:
    """Return True for a connection that `Database.write` gave."""
    return bool(connection.get_execution_options().get("ecl_write", False))


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
    connection.exec_driver_sql("BEGIN IMMEDIATE" if _may_write(connection) else "BEGIN")


def _set_up_postgresql(connection: Any, _record: object) -> None:  # Any: as above
    connection.execute(_SESSION)
    connection.commit()


def _begin_postgresql(connection: Connection) -> None:
    # As SQLite has it: without, two uploads could each find room in a project for one.
    if _may_write(connection):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITERS})")
