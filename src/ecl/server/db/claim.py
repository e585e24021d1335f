"""
Only one process serves a region, so what it finds unfinished at its start belongs to no other process.

In PostgreSQL the process holds an advisory lock for each region, as long as it has the connection that took them.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ecl.server.db.engine import Database
from ecl.server.db.url import UnusableDatabase

__all__ = ["claimed_regions"]

_log = logging.getLogger(__name__)

#: First half of the keys of the locks; the second half is derived from the region's name.
_LOCK_CLASS = 0x65636C
#: Milliseconds to wait for a lock: the server may not have noticed yet that its holder was killed.
_LOCK_TIMEOUT_MS = 3000
#: Seconds between two checks of the connection.
_CHECK_SECONDS = 5.0
#: PostgreSQL's SQLSTATE for a lock timeout.
_LOCK_NOT_AVAILABLE = "55P03"

_HOLDER = text(
    "SELECT pid, application_name FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' "
    "AND granted AND classid = :class AND objid = :key AND objsubid = 2 "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


class _RegionTaken(UnusableDatabase):
    def __init__(self, region: str, backend: int | None, name: str) -> None:
        super().__init__(
            f"another service ({name}) serves region {region} with it: stop that one, "
            "or give this one a database of its own"
        )
        self.backend = backend


@contextmanager
def claimed_regions(database: Database, regions: Sequence[str]) -> Iterator[None]:
    """
    Claim *regions* of a PostgreSQL database for this process, until the block or the process ends.

    If the connection is lost, the regions are claimed again. If another process has claimed one of them meanwhile, it
    has undone this process's uploads: then this process sends itself SIGTERM.

    Raises:
        UnusableDatabase: Another process has claimed one of them; the message names it.
    """
    claim = _Claim(database, regions)
    claim.take()
    try:
        yield
    finally:
        claim.drop()


class _Claim:
    def __init__(self, database: Database, regions: Sequence[str]) -> None:
        self._engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
        # Sorted, so that two processes that start together do not wait for each other.
        self._regions = sorted(regions)
        self._connection: Connection | None = None
        self._backend: int | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="claim", daemon=True)

    def take(self) -> None:
        self._lock_all()
        self._thread.start()

    def drop(self) -> None:
        self._ended.set()
        self._thread.join()
        self._disconnect()

    def _lock_all(self) -> None:
        connection = self._engine.connect()
        # Taken out of the pool, so that closing it ends the session and releases its locks.
        connection.detach()
        try:
            name = f"process {os.getpid()} on {socket.gethostname()}"
            connection.execute(text("SELECT set_config('application_name', :name, false)"), {"name": name})
            connection.exec_driver_sql(f"SET lock_timeout = {_LOCK_TIMEOUT_MS}")
            for region in self._regions:
                _lock(connection, region)
            self._backend = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        except BaseException:
            connection.close()
            raise
        self._connection = connection

    def _keep(self) -> None:
        while not self._ended.wait(_CHECK_SECONDS):
            try:
                if self._connection is None:
                    self._lock_all()
                    _log.warning("the database is back")
                else:
                    self._connection.exec_driver_sql("SELECT 1")
            except _RegionTaken as exc:
                if exc.backend == self._backend:
                    # The holder is this process's own old session: the server has not noticed yet that it is lost.
                    continue
                _log.error("the database cannot be used any more: %s; this service stops", exc)
                os.kill(os.getpid(), signal.SIGTERM)
                return
            except SQLAlchemyError as exc:
                if self._connection is not None:
                    _log.warning("the database does not answer: %s", str(exc).splitlines()[0])
                self._disconnect()

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _lock(connection: Connection, region: str) -> None:
    key = {"class": _LOCK_CLASS, "key": zlib.crc32(region.encode()) & 0x7FFFFFFF}
    try:
        connection.execute(text("SELECT pg_advisory_lock(:class, :key)"), key)
    except DBAPIError as exc:
        if getattr(exc.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        holder = connection.execute(_HOLDER, key).first()
        backend, name = holder or (None, "unknown")
        raise _RegionTaken(region, backend, name) from exc
