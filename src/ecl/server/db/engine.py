"""The database: connections and transactions, with the same promises on SQLite and PostgreSQL."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import SQLAlchemyError as DatabaseError

from ecl.server import threads
from ecl.server.db.full import is_full
from ecl.server.db.same_database import SameDatabase
from ecl.server.db.url import UnusableDatabase, parse_url

__all__ = ["Database", "DatabaseError", "first_line", "may_write", "retried"]

_T = TypeVar("_T")
_P = ParamSpec("_P")

#: Milliseconds that a writing transaction waits for another one to end.
_BUSY_TIMEOUT = 30_000
#: Connections that stay open; more are opened while all are in use.
_POOL_SIZE = 8
#: Most connections to an SQLite file: more than there are threads.
_SQLITE_CONNECTIONS = 64
#: Seconds to wait for a connection while all are in use.
_POOL_TIMEOUT = 10
#: Key of the advisory lock of `Database.write(alone=True)`; any number that no other application uses.
_ALONE = 0x65636C696D67
#: SQLSTATE of a transaction that the server undid for the sake of others: a deadlock, a serialization failure.
_UNDONE = ("40P01", "40001")
#: How often `retried` calls, the first time included.
_ATTEMPTS = 5
#: Seconds before the second time; before each later one, as much more.
_PAUSE = 0.02
#: Options of libpq. It gives up a server that does not answer after 10 s when connecting, and later after 30 s: 15 s of
#: silence and three probes, 5 s apart, or 30 s without an acknowledgement of what was sent. Without UTF-8 the driver
#: may return text as bytes.
_LIBPQ = {
    "connect_timeout": 10,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    "client_encoding": "utf8",
}
#: The server probes its clients in the same way: until it notices that one is gone, it holds that client's locks.
#: It also ends a statement after 60 s, and a session that stops for 60 s within a transaction, with all its locks.
_SESSION = (
    "SET tcp_keepalives_idle = 15; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3; "
    f"SET tcp_user_timeout = 30000; SET lock_timeout = {_BUSY_TIMEOUT}; "
    "SET statement_timeout = 60000; SET idle_in_transaction_session_timeout = 60000"
)


class Database:
    """
    One SQLite file or PostgreSQL database, for use from any thread.

    Args:
        url: An SQLAlchemy URL, such as ``sqlite:////var/lib/ecl/ecl.db`` or ``postgresql://user:password@host/ecl``.
        connections: Most connections to PostgreSQL.

    Raises:
        UnusableDatabase: The text is not a URL, or the driver is not installed. Nothing is connected yet.
    """

    def __init__(self, url: str, connections: int = 45) -> None:
        parsed = parse_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        #: Path of the SQLite file, or name of the PostgreSQL database.
        self.name = parsed.database or ""
        if self.is_sqlite:
            connect_args: dict[str, Any] = {"check_same_thread": False}
        else:
            connect_args = {name: value for name, value in _LIBPQ.items() if name not in parsed.query}
        most = _SQLITE_CONNECTIONS if self.is_sqlite else connections
        #: True if the last attempt to write failed because the disk is full.
        self.is_full = False
        self._same = SameDatabase(self.name if self.is_sqlite else None, self.name)
        self.engine = create_engine(
            parsed,
            connect_args=connect_args,
            pool_size=min(_POOL_SIZE, most),
            max_overflow=max(0, most - _POOL_SIZE),
            pool_timeout=_POOL_TIMEOUT,
            # Test a connection before use, so that no request fails after a restart of the server.
            pool_pre_ping=not self.is_sqlite,
        )
        if self.is_sqlite:
            event.listen(self.engine, "connect", _set_up_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
            # A lock of this process, because SQLite waits for another writer by sleeping up to 100 ms at a time. Other
            # processes hardly ever write.
            self._write_lock: AbstractContextManager[object] = threading.Lock()
            self._reading = self._looking_up = self.engine
            self._writing = self.engine.execution_options(ecl_write=True)
        else:
            event.listen(self.engine, "connect", _set_up_postgresql)
            # Writers wait in the server, for the rows that they share.
            self._write_lock = nullcontext()
            self._reading = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            self._looking_up = self.engine.execution_options(isolation_level="AUTOCOMMIT")
            self._writing = self.engine.execution_options(isolation_level="READ COMMITTED", ecl_write=True)
        event.listen(self.engine, "connect", lambda connection, _record: self._same.compare_new(connection))

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """
        Yield a connection in a reading transaction, which sees one state of the database throughout.

        Raises:
            DatabaseReplaced: The database is not the one that `prepare` has prepared.
        """
        self._same.check()
        with self._reading.begin() as connection:
            yield connection

    @contextmanager
    def write(self, *, alone: bool = False) -> Iterator[Connection]:
        """
        Yield a connection in a writing transaction. It is committed at the end, or rolled back on an exception.

        On SQLite only one transaction writes at a time. On PostgreSQL many do: what one of them has read stays true
        until its end only if it has locked that row. Rows are locked in this order: the upload or job, the image (or
        the namespace, or the user), its project's usage, its stores' usage, garbage; of each kind only one, or several
        sorted by key.

        Args:
            alone: Wait until no other transaction is that is `alone`, too: for what is done once in a database.

        Raises:
            DatabaseReplaced: As for `read`.
        """
        self._same.check()
        with self._write_lock:
            try:
                with self._writing.begin() as connection:
                    if alone and not self.is_sqlite:
                        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ALONE})")
                    yield connection
            except DatabaseError as exc:
                self.is_full = self.is_full or is_full(exc)
                raise
            self.is_full = False

    @property
    def free_bytes(self) -> int | None:
        """Free bytes of the SQLite file's disk; None of PostgreSQL, or if the folder is gone."""
        if not self.is_sqlite:
            return None
        try:
            found = os.statvfs(os.path.dirname(self.name) or ".")
        except OSError:
            return None
        return found.f_bavail * found.f_frsize

    async def look_up(self, query: Callable[[Connection], _T]) -> _T:
        """
        Return the result of *query*, which reads a few rows by their keys, without blocking the event loop for long.

        On SQLite it runs in the event loop itself: it takes a tenth of the time that a thread needs to start, and
        readers do not wait for writers. Otherwise it runs in a worker thread, and without a transaction, whose begin
        and end would be two more round trips: each of its statements sees the state of its moment.
        """
        return self._look_up(query) if self.is_sqlite else await threads.query(self._look_up, query)

    def _look_up(self, query: Callable[[Connection], _T]) -> _T:
        with self._looking_up.connect() as connection:
            return query(connection)

    def prepare(self) -> None:
        """
        Bring the schema to the newest version, and give the database its UUID if it has none.

        Raises:
            UnusableDatabase: It cannot be used; DatabaseTooNew, which is one, if a later release has changed it.
        """
        from ecl.server.db.database_id import ensure_database_id
        from ecl.server.db.migrate import migrate

        with self.write(alone=True) as connection:
            if not self.is_sqlite:
                encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
                if encoding != "UTF8":
                    raise UnusableDatabase(f"its encoding is {encoding}; make it with ENCODING 'UTF8'")
                # A migration of many rows may take longer than any request.
                connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            migrate(connection)
            ensure_database_id(connection)
            self._same.remember(connection)

    def check_identity(self) -> None:
        """Ask the database whether it is still the one that `prepare` has prepared. Raises DatabaseReplaced."""
        with self._reading.begin() as connection:
            self._same.compare(connection)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def first_line(error: DatabaseError) -> str:
    """Return the first line of the message of *error*: the others may have values of a statement."""
    return str(getattr(error, "orig", None) or error).partition("\n")[0]


def retried(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """
    Decorate a function that makes one writing transaction: if PostgreSQL undoes it for the sake of another one, the
    function is called again, a few times. With one order of locks this is rare.
    """

    @wraps(function)
    def call(*args: _P.args, **options: _P.kwargs) -> _T:
        for attempt in range(1, _ATTEMPTS):
            try:
                return function(*args, **options)
            except DatabaseError as exc:
                if getattr(getattr(exc, "orig", None), "sqlstate", None) not in _UNDONE:
                    raise
                # Else it might lock the same row before the one that waits for it does.
                time.sleep(attempt * _PAUSE)
        return function(*args, **options)

    return call


def may_write(connection: Connection) -> bool:
    """Return True for a connection of `Database.write`."""
    return bool(connection.get_execution_options().get("ecl_write", False))


def _set_up_sqlite(connection: Any, _record: object) -> None:  # Any: the driver's connection has no useful type
    # The driver must not begin transactions itself: `_begin_sqlite` does that.
    connection.isolation_level = None
    cursor = connection.cursor()
    # The timeout comes first, because switching to WAL needs the lock.
    cursor.execute(f"PRAGMA busy_timeout = {_BUSY_TIMEOUT}")
    cursor.execute("PRAGMA journal_mode = WAL")
    # FULL: a commit survives a power failure, too.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and then writes must lock at its start: otherwise it fails if another one has
    # written in between.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if may_write(connection) else "BEGIN")


def _set_up_postgresql(connection: Any, _record: object) -> None:  # Any: as above
    connection.execute(_SESSION)
    connection.commit()
