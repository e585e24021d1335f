"""
Data on its way to a store, under a key of its own, from before its first byte until it is put to use or given up.

The row in the table of uploads says who writes it. It is deleted in the transaction that puts the data to use, so it
also tells whether that transaction was committed.
"""

from __future__ import annotations

import logging
import uuid
from contextlib import ExitStack
from enum import Enum
from types import TracebackType

from sqlalchemy import Connection

from ecl.server.data.node import Node
from ecl.server.data.region import Region
from ecl.server.data.removal import remove_now
from ecl.server.data.store.base import Store, Writer
from ecl.server.db.engine import Database, retried
from ecl.server.db.garbage import Garbage, add_garbage, is_in_use
from ecl.server.db.images import change_status
from ecl.server.db.uploads import UploadRow, add_upload, drop_upload, finish_upload
from ecl.server.domain.status import QUEUED
from ecl.server.errors import Unavailable

__all__ = ["Ended", "Incoming", "LeaseLost", "give_up"]

_log = logging.getLogger(__name__)


class LeaseLost(Unavailable):
    """This process was taken for dead while it received data, so the data is given up."""

    def __init__(self) -> None:
        super().__init__("The service was interrupted during the upload; send the data again.", retry_after=1)


class Ended(Enum):
    """How an upload ended that was to be given up."""

    #: It is given up, and the image that it held is queued again.
    GIVEN_UP = 1
    #: It is given up, and does not hold the image: that is deleted.
    GONE = 2
    #: Another process has given it up before.
    TAKEN = 3
    #: It had succeeded.
    SUCCEEDED = 4


class Incoming:
    """
    Data on its way. As a context manager it holds the upload for this process.

    Args:
        store: One of the region's stores, or its staging area.
    """

    def __init__(self, node: Node, database: Database, region: Region, store: Store, image_id: str) -> None:
        self.node = node
        self.database = database
        self.region = region
        self.store = store
        self.image_id = image_id
        self.upload_id = str(uuid.uuid4())
        #: Made for this data, and never used again.
        self.key = str(uuid.uuid4())
        self._writer: Writer | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Incoming:
        self._stack.enter_context(self.node.holding(self.upload_id))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def row(self) -> UploadRow:
        """The upload as the database records it."""
        place = self.region.place_of(self.store)
        return UploadRow(self.upload_id, self.region.name, self.image_id, place, self.key, self.node.id)

    def begin(self, connection: Connection) -> None:
        """Record the upload, before its first byte."""
        add_upload(connection, self.row)

    def writer(self, size: int | None = None) -> Writer:
        """
        Return the writer of the data; it is opened at the first call.

        Args:
            size: Bytes that will come, if that is known.
        """
        if self._writer is None:
            self._writer = self.store.writer(self.key, size)
        return self._writer

    def finish(self, connection: Connection) -> None:
        """End the upload in the transaction that puts the data to use. Raises LeaseLost."""
        if not finish_upload(connection, self.upload_id):
            self.node.renew_soon()
            raise LeaseLost

    def give_up(self, status: str | None = None) -> Ended:
        """
        Give the upload up, unless it has succeeded, and remove its data.

        Args:
            status: The status that the image has while the upload holds it; None if the upload does not hold it.

        Raises:
            DatabaseError: Nothing is known, and nothing was changed. The reaper ends the upload.
        """
        if self._writer is not None:
            # This does nothing once the data has its key, and the transaction comes after that.
            self._writer.abort()
        ended, garbage = self._give_up(status)
        remove_now(self.region, self.database, garbage, is_unread=True)
        return ended

    @retried
    def _give_up(self, status: str | None) -> tuple[Ended, list[Garbage]]:
        with self.database.write() as connection:
            # In PostgreSQL this waits for a commit whose answer was lost: that one has the upload's row.
            return give_up(connection, self.row, status)


def give_up(connection: Connection, row: UploadRow, *statuses: str | None) -> tuple[Ended, list[Garbage]]:
    """
    Give up an upload, unless it has succeeded. Return how it ended, and its data, which is to be removed.

    Args:
        statuses: Those that the image may have while the upload holds it.
    """
    item = Garbage(row.region, row.store, row.key, row.image_id)
    if drop_upload(connection, row.upload_id):
        released = any(
            change_status(connection, row.region, row.image_id, before=status, after=QUEUED, held_by=row.upload_id)
            for status in statuses
            if status is not None
        )
        return (Ended.GIVEN_UP if released else Ended.GONE), [add_garbage(connection, item)]
    if is_in_use(connection, row.region, row.store, row.key):
        return Ended.SUCCEEDED, []
    return Ended.TAKEN, [add_garbage(connection, item)]
