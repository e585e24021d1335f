"""A hold on garbage: while a backup runs, the data that its database names stays in the stores."""

from __future__ import annotations

import os
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ecl.server.clock import MICROSECONDS
from ecl.server.db.engine import Database, DatabaseError
from ecl.server.db.holds import add_hold, remove_hold, renew_hold

__all__ = ["HoldLost", "held_garbage"]

#: The hold is renewed so many times before it expires.
_BEATS = 4


class HoldLost(Exception):
    """The hold was not renewed in time, so data may have been removed."""


@contextmanager
def held_garbage(database: Database, lease: float) -> Iterator[None]:
    """
    Keep garbage in the stores until the block ends.

    Args:
        lease: Seconds after which the hold ends by itself if this process dies.

    Raises:
        HoldLost: At the end of the block: the database was away for too long.
    """
    hold = _Hold(database, lease)
    hold.begin()
    try:
        yield
    finally:
        hold.end()
    if hold.is_lost:
        raise HoldLost


class _Hold:
    def __init__(self, database: Database, lease: float) -> None:
        self.is_lost = False
        self._database = database
        self._lease = int(lease * MICROSECONDS)
        self._interval = lease / _BEATS
        self._id = str(uuid.uuid4())
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="hold", daemon=True)

    def begin(self) -> None:
        name = f"process {os.getpid()} on {socket.gethostname()}"[:255]
        with self._database.write() as connection:
            add_hold(connection, self._id, name, self._lease)
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        self._thread.join()
        self._renew()
        with suppress(DatabaseError), self._database.write() as connection:
            remove_hold(connection, self._id)

    def _beat(self) -> None:
        while not self._ended.wait(self._interval):
            self._renew()

    def _renew(self) -> None:
        # While the database is away, nobody removes anything; whether the hold is still valid after that, it says.
        with suppress(DatabaseError), self._database.write() as connection:
            if not renew_hold(connection, self._id, self._lease):
                self.is_lost = True
