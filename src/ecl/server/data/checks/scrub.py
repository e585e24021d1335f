"""The scrub: reads all data slowly, in the background, and repairs what is damaged. One process does it for all."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from types import TracebackType

from sqlalchemy import Connection

from ecl.server.clock import MICROSECONDS
from ecl.server.data.checks.check import REPAIRED, Check
from ecl.server.data.node import Node
from ecl.server.data.region import Region
from ecl.server.db.chores import begin_chore, end_round, keep_chore, release_chore
from ecl.server.db.engine import Database, DatabaseError
from ecl.server.db.failures import as_service_error
from ecl.server.db.outage import Outage
from ecl.server.settings.model import UpkeepSettings

__all__ = ["Scrub"]

_log = logging.getLogger(__name__)

_NAME = "scrub"
#: Seconds between two writes of the position.
_SAVE_INTERVAL = 10.0
#: Most seconds between two questions whether a round is due.
_POLL_INTERVAL = 60.0
#: Seconds that the thread gets to stop; one that waits for a silent disk ends with the process.
_STOP_TIMEOUT = 5.0


class _Stopped(Exception):
    """The service stops, or another process has the scrub."""


class Scrub:
    """
    Reads the data in *regions*. As an async context manager it runs its thread, if the settings ask for it.

    Args:
        node: This process, registered.
    """

    def __init__(self, database: Database, regions: Sequence[Region], settings: UpkeepSettings, node: Node) -> None:
        self._database = database
        self._regions = regions
        self._rate = settings.scrub_rate
        self._interval = settings.scrub_interval * MICROSECONDS
        self._node = node
        self._ended = threading.Event()
        self._is_mine = False
        self._position = ""
        self._next_save = 0.0
        self._thread = threading.Thread(target=self._run, name="scrub", daemon=True)
        #: Since the start of the process.
        self.bytes_read = 0
        self.damaged = 0
        self.repaired = 0
        node.renew_too(self._renew)

    def counters(self) -> Mapping[str, int]:
        """Return the counters for the metrics."""
        return {"bytes_read": self.bytes_read, "damaged": self.damaged, "repaired": self.repaired}

    async def __aenter__(self) -> None:
        if self._rate:
            self._thread.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._rate:
            await asyncio.to_thread(self._thread.join, _STOP_TIMEOUT)

    def _run(self) -> None:
        pause = min(_POLL_INTERVAL, self._node.interval)
        outage = Outage(_log, "the scrub", pause)
        wait = pause
        while not self._ended.wait(wait):
            wait = pause
            try:
                self._round()
                outage.worked()
            except _Stopped:
                continue
            except DatabaseError as exc:
                if as_service_error(exc) is None:
                    _log.exception("the scrub failed")
                wait = outage.failed(exc)
            except Exception:  # noqa: BLE001 - the thread must live for the next time
                _log.exception("the scrub failed")
            finally:
                self._is_mine = False

    def _round(self) -> None:
        """Do what is left of the round, if one is due."""
        with self._database.write() as connection:
            position = begin_chore(connection, _NAME, self._node.id, self._node.lease, self._interval)
        if position is None:
            return
        self._is_mine, self._position = True, position
        try:
            for is_repaired in self._outcomes():
                self.damaged += 1
                self.repaired += is_repaired
        except BaseException:
            with suppress(DatabaseError):
                self._give_back()
            raise
        with self._database.write() as connection:
            end_round(connection, _NAME, self._node.id)

    def _outcomes(self) -> Iterator[bool]:
        check = Check(self._database, self._regions, hashes=True, node=self._node, on_block=self._slow_down)
        for outcome in check.run(_parsed(self._position), self._remember):
            if outcome.problem is not None:
                yield outcome.state == REPAIRED

    def _slow_down(self, size: int) -> None:
        self.bytes_read += size
        if self._ended.wait(size / self._rate) or not self._is_mine:
            raise _Stopped

    def _remember(self, position: tuple[str, str, str]) -> None:
        """Remember the position now and then, so that a round goes on where it stopped."""
        if self._ended.is_set() or not self._is_mine:
            raise _Stopped
        self._position = json.dumps(position)
        if time.monotonic() < self._next_save:
            return
        self._next_save = time.monotonic() + _SAVE_INTERVAL
        with self._database.write() as connection:
            if not keep_chore(connection, _NAME, self._node.id, self._node.lease, self._position):
                raise _Stopped

    def _give_back(self) -> None:
        with self._database.write() as connection:
            if keep_chore(connection, _NAME, self._node.id, self._node.lease, self._position):
                release_chore(connection, _NAME, self._node.id)

    def _renew(self, connection: Connection) -> None:
        """Keep the chore while one large image is read. It runs in the thread of the node."""
        if self._is_mine:
            self._is_mine = keep_chore(connection, _NAME, self._node.id, self._node.lease)


def _parsed(position: str) -> tuple[str, str, str] | None:
    if not position:
        return None
    region, image_id, store = json.loads(position)
    return region, image_id, store
