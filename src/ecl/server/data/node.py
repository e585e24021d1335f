"""This process as the database sees it: its lease, and the uploads that it works on."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType

from sqlalchemy import Connection

from ecl.server.clock import MICROSECONDS
from ecl.server.db.engine import Database, DatabaseError
from ecl.server.db.nodes import add_node, remove_node, renew_node
from ecl.server.db.outage import Outage

__all__ = ["Node"]

_log = logging.getLogger(__name__)

#: The lease is renewed so many times before it expires.
_BEATS = 4
#: Seconds that the heartbeat gets to stop; it may wait for a database that does not answer.
_STOP_TIMEOUT = 5.0


class Node:
    """
    The lease of this process. As an async context manager it renews the lease, and gives it up at the end.

    While the lease is valid, other processes leave this one's uploads and jobs alone. When it has expired, they take
    them over, and this process can finish none of them any more.

    Args:
        lease: Seconds without a renewal after which this process counts as dead.
    """

    def __init__(self, database: Database, lease: float) -> None:
        self.id = str(uuid.uuid4())
        #: Microseconds.
        self.lease = int(lease * MICROSECONDS)
        #: Seconds between two renewals.
        self.interval = lease / _BEATS
        self._database = database
        self._name = f"process {os.getpid()} on {socket.gethostname()}"[:255]
        self._held: set[str] = set()
        self._renewals: list[Callable[[Connection], None]] = []
        self._outage = Outage(_log, "the lease of this process", self.interval)
        self._is_ending = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="node", daemon=True)

    def register(self) -> None:
        """Enter this process in the database, before its first upload or job."""
        with self._database.write() as connection:
            add_node(connection, self.id, self._name, self.lease)

    @contextmanager
    def alive(self) -> Iterator[None]:
        """Be registered, and renew the lease, until the block ends: for a command that works beside the service."""
        self.register()
        self._thread.start()
        try:
            yield
        finally:
            self._end()
            self._thread.join(_STOP_TIMEOUT)
            with suppress(DatabaseError):
                self._leave()

    async def __aenter__(self) -> None:
        self._thread.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()
        await asyncio.to_thread(self._thread.join, _STOP_TIMEOUT)
        with suppress(DatabaseError):
            await asyncio.to_thread(self._leave)

    @contextmanager
    def holding(self, upload_id: str) -> Iterator[None]:
        """
        Work on an upload until the block ends. Enter this before the upload is in the database.

        What is in the database after that, somebody has left there: the reaper gives it up.
        """
        self._held.add(upload_id)
        try:
            yield
        finally:
            self._held.discard(upload_id)

    def holds(self, upload_id: str) -> bool:
        """Return True while this process works on the upload."""
        return upload_id in self._held

    def renew_too(self, renew: Callable[[Connection], None]) -> None:
        """Call *renew* in the transaction of each renewal. Add it before the renewals start."""
        self._renewals.append(renew)

    def renew(self) -> None:
        """Renew the lease. It is entered again if it was removed meanwhile; the uploads are lost then."""
        self._database.check_identity()
        with self._database.write() as connection:
            if not renew_node(connection, self.id, self.lease):
                _log.warning("this process was taken for dead: its uploads have been given up")
                add_node(connection, self.id, self._name, self.lease)
            for renew in self._renewals:
                renew(connection)

    def renew_soon(self) -> None:
        """Renew the lease without waiting for its time: it was found to have expired."""
        self._wake.set()

    def _beat(self) -> None:
        while True:
            self._wake.wait(self.interval)
            if self._is_ending:
                return
            self._wake.clear()
            try:
                self.renew()
                self._outage.worked()
            except DatabaseError as exc:
                # The pause stays the same: the lease is to be renewed as soon as that is possible.
                self._outage.failed(exc)

    def _end(self) -> None:
        self._is_ending = True
        self._wake.set()

    def _leave(self) -> None:
        with self._database.write() as connection:
            remove_node(connection, self.id)
