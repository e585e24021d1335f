"""
The reaper: takes over what dead processes have left, and removes data that is out of use, all the time. Slowly, one
project after the other, it also recounts what projects use.

At the start of a process it also reports the files that the database does not know. Those are never removed.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType

from ecl.server.data.incoming import Ended, give_up
from ecl.server.data.node import Node
from ecl.server.data.region import Region
from ecl.server.data.removal import known_in, remove_due, remove_now
from ecl.server.data.store.base import Store, StoreError
from ecl.server.data.store.unknown import find_unknown
from ecl.server.db.engine import Database, DatabaseError
from ecl.server.db.garbage import Garbage
from ecl.server.db.images import release_orphans
from ecl.server.db.leases import free_jobs
from ecl.server.db.nodes import remove_dead_nodes
from ecl.server.db.outage import Outage
from ecl.server.db.recount import next_owner, recount
from ecl.server.db.uploads import UploadRow, unfinished_uploads
from ecl.server.domain.status import SAVING, UPLOADING

__all__ = ["Reaper"]

_log = logging.getLogger(__name__)

#: What is old is purged every so many rounds.
_PURGE_EVERY = 20
#: Seconds that a thread gets to stop; one that waits for a silent disk or database ends with the process.
_STOP_TIMEOUT = 5.0


class Reaper:
    """
    Cleans up in *regions*. As an async context manager it runs its threads.

    Args:
        regions: The regions that this process serves.
        node: This process, registered.
        purge: Called now and then, to purge what is old; it gets a function that tells when to stop.
    """

    def __init__(
        self,
        database: Database,
        regions: Sequence[Region],
        node: Node,
        purge: Callable[[Callable[[], bool]], None] = lambda _is_stopping: None,
    ) -> None:
        self._database = database
        self._regions = regions
        self._names = [region.name for region in regions]
        self._node = node
        #: The region whose projects are recounted now, by number, and the last project that was.
        self._turn = 0
        self._counted: str | None = None
        self._purge = purge
        self._next_purge = 0.0
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, name="reaper", daemon=True),
            threading.Thread(target=self._report, name="unknown-files", daemon=True),
        ]

    def take_over(self) -> None:
        """
        Take over everything in the regions, before the first request: no other process serves them now.

        That is known from the lock on the SQLite file, or from the claim in PostgreSQL.
        """
        with self._database.write() as connection:
            released = release_orphans(connection, self._names)
            free_jobs(connection, self._names)
        self._end_uploads(others_are_dead=True)
        if released:
            _log.warning("%d interrupted uploads of an older release are back to queued", released)
        remove_due(self._regions, self._database, self._node.lease)

    def clean_up(self) -> None:
        """End what dead processes, and failed requests of this one, have left, and remove what is out of use."""
        self._end_uploads(others_are_dead=False)
        while remove_due(self._regions, self._database, self._node.lease) and not self._ended.is_set():
            pass
        if time.monotonic() >= self._next_purge:
            self._purge(self._ended.is_set)
            self._next_purge = time.monotonic() + _PURGE_EVERY * self._node.interval

    async def __aenter__(self) -> None:
        for thread in self._threads:
            thread.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        for thread in self._threads:
            await asyncio.to_thread(thread.join, _STOP_TIMEOUT)

    def _run(self) -> None:
        outage = Outage(_log, "the reaper", self._node.interval)
        pause = self._node.interval
        while not self._ended.wait(pause):
            pause = self._node.interval
            try:
                self.clean_up()
                self.recount_next()
                outage.worked()
            except DatabaseError as exc:
                pause = outage.failed(exc)
            except Exception:  # noqa: BLE001 - the thread must live for the next time
                _log.exception("the reaper failed")

    def recount_next(self) -> None:
        """Recount what the next project uses: one each time, so that this never takes long."""
        region = self._names[self._turn % len(self._names)]
        self._counted = next_owner(self._database, region, self._counted)
        if self._counted is None:
            self._turn += 1
            return
        drift = recount(self._database, region, self._counted)
        if drift is not None:
            _log.warning(
                "region %s, project %s: what it uses was not what its images are, and is corrected: %s",
                region,
                drift.owner or "none",
                drift,
            )

    def _end_uploads(self, *, others_are_dead: bool) -> None:
        node = self._node
        with self._database.read() as connection:
            found = unfinished_uploads(connection, self._names, node.id, others_are_dead=others_are_dead)
        # An upload that this process works on was held before it came into the database.
        if all(node.holds(row.upload_id) for row in found):
            return
        # One transaction for each, so that none holds the rows of several images.
        unread = [item for row in found for item in self._end_upload(row, others_are_dead=others_are_dead)]
        with self._database.write() as connection:
            remove_dead_nodes(connection)
        for region in self._regions:
            # Nobody can be reading it, so no store needs to keep it for a while.
            own = [item for item in unread if item.region == region.name]
            remove_now(region, self._database, own, is_unread=True)

    def _end_upload(self, row: UploadRow, *, others_are_dead: bool) -> Sequence[Garbage]:
        """Give up an upload whose process is dead; return what it has left."""
        node = self._node
        with self._database.write() as connection:
            # Its process may have renewed its lease since, or ended it.
            unfinished = unfinished_uploads(connection, self._names, node.id, others_are_dead=others_are_dead)
            if row not in unfinished or node.holds(row.upload_id):
                return ()
            ended, garbage = give_up(connection, row, SAVING, UPLOADING)
        _log.warning(
            "image %s of region %s: an upload that was interrupted is given up%s",
            row.image_id,
            row.region,
            ", the image is queued again" if ended is Ended.GIVEN_UP else "",
        )
        return garbage

    # --- files that the database does not know ------------------------------------------------------------

    def _report(self) -> None:
        for region in self._regions:
            # What only is read here is somebody else's.
            stores = [store for store in region.stores if not store.read_only]
            if region.store_with_staging is None:
                stores.insert(0, region.staging)
            for store in stores:
                try:
                    self._report_store(region, store)
                except (StoreError, DatabaseError) as exc:
                    _log.warning("region %s, store %s cannot be compared: %s", region.name, store.name, exc)

    def _report_store(self, region: Region, store: Store) -> None:
        unknown = find_unknown(store, known_in(self._database, region, store), self._ended.is_set)
        if unknown.count and not self._ended.is_set():
            _log.warning(
                "region %s, store %s (%s): %d files (%d bytes) are unknown to the database and were left alone, such "
                "as %s; if they belong to another service, give this store a place of its own; if an older database "
                "was restored, they may be newer images: save what is needed, then remove them by hand",
                region.name,
                store.name,
                ", ".join(store.properties.values()),
                unknown.count,
                unknown.bytes,
                ", ".join(unknown.examples),
            )
