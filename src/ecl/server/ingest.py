"""
One upload: stream, hashes and format inspection, store, active; or back to queued as if nothing had been sent.

The order makes the promise: bytes on the disk under their final name, then the row active and committed, then
the answer. Every change of status names the upload that holds the image, so two uploads never mix.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import uuid
from collections.abc import AsyncIterable
from dataclasses import dataclass

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from ecl.server.db.engine import Database
from ecl.server.db.images import change_status
from ecl.server.db.locations import add_location
from ecl.server.domain.image import Image
from ecl.server.domain.inspection import Inspection
from ecl.server.domain.status import ACTIVE, QUEUED, SAVING, may_become
from ecl.server.errors import BadRequest, Conflict, Gone, TooLarge, Unavailable
from ecl.server.fanout import Fanout, blocks_of
from ecl.server.region import Region
from ecl.server.settings import Settings
from ecl.server.store.base import StoreError, StoreFull, Writer

__all__ = ["Upload", "begin_upload", "receive_upload"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload that holds its image: the image is saving, and nobody else may fill it."""

    region: Region
    database: Database
    settings: Settings
    image_id: str
    upload_id: str
    #: The format that the content must have; None: it is not inspected.
    inspect_as: str | None
    #: Bytes that the client said it would send; None: it did not say.
    declared_size: int | None


def begin_upload(
    connection: Connection,
    region: Region,
    database: Database,
    settings: Settings,
    image: Image,
    declared_size: int | None,
) -> Upload:
    """
    Take hold of *image* for one upload; it is saving once the transaction is committed.

    Raises:
        BadRequest: Its formats are not set.
        Conflict: It is not queued.
        TooLarge: The declared size is more than an image may have.
    """
    if image.disk_format is None or image.container_format is None:
        raise BadRequest("Set disk_format and container_format before uploading data.")
    _check_size(declared_size or 0, settings)
    upload_id = str(uuid.uuid4())
    moved = may_become(image.status, SAVING) and change_status(
        connection, region.name, image.id, before=QUEUED, after=SAVING, values={"upload_id": upload_id}
    )
    if not moved:
        raise Conflict(f"Image {image.id} is {image.status}; data can only be uploaded while it is queued.")
    # Only a bare image is what its disk_format says; the others are wrapped.
    inspect_as = image.disk_format if image.container_format == "bare" else None
    return Upload(region, database, settings, image.id, upload_id, inspect_as, declared_size)


async def receive_upload(upload: Upload, chunks: AsyncIterable[bytes]) -> None:
    """
    Take in *chunks* to their end; afterwards the image is active and durable.

    On any exception, also one of *chunks* itself, the image is queued again and no bytes remain.

    Raises:
        BadRequest: Fewer or more bytes than declared.
        UnsupportedMedia: The content is not what the disk_format says, or not safe.
        TooLarge: Beyond the size limit, or the store is full.
        Unavailable: The store failed.
        Gone: The image was deleted meanwhile.
    """
    intake = _Intake(upload)
    try:
        await run_in_threadpool(intake.open)
        size = 0
        async for block in blocks_of(chunks):
            size += len(block)
            _check_size(size, upload.settings)
            if upload.declared_size is not None and size > upload.declared_size:
                raise _size_differs(upload, f"more than {upload.declared_size}")
            await intake.put(block)
        await intake.join()
        await run_in_threadpool(intake.finish, size)
    except BaseException as exc:
        released = await asyncio.shield(_give_up(intake))
        if isinstance(exc, Exception) and not released:
            raise Gone(f"Image {upload.image_id} was deleted during the upload.") from exc
        if isinstance(exc, StoreFull):
            raise TooLarge("There is no room for the image in the store.") from exc
        if isinstance(exc, StoreError):
            raise Unavailable("The store of this region does not accept data at the moment.") from exc
        raise
    await intake.close()


class _Intake:
    """What one upload has open: the writer, the hashes, the inspection, and the threads that feed them."""

    def __init__(self, upload: Upload) -> None:
        self.upload = upload
        self._writer: Writer | None = None
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._hash = hashlib.new(upload.settings.hash_algorithm)
        self._inspection = Inspection(upload.inspect_as) if upload.inspect_as else None
        self._fanout = Fanout([self._md5.update, self._hash.update, self._write])

    def open(self) -> None:
        """Open the writer. Blocks."""
        self._writer = self.upload.region.store.writer(self.upload.image_id, self.upload.upload_id)

    async def put(self, block: bytes) -> None:
        """Hand *block* to all."""
        await self._fanout.put(block)

    async def join(self) -> None:
        """Wait until all are done with all blocks."""
        await self._fanout.join()

    async def close(self) -> None:
        """Let the threads go."""
        await self._fanout.close()

    def _write(self, block: bytes) -> None:
        assert self._writer is not None
        if self._inspection is not None:
            self._inspection.feed(block)
        self._writer.write(block)

    def finish(self, size: int) -> None:
        """Check what came, and make the image active. Blocks."""
        upload, writer = self.upload, self._writer
        assert writer is not None
        if upload.declared_size is not None and size != upload.declared_size:
            raise _size_differs(upload, f"{size} instead of {upload.declared_size}")
        values = {
            "size": size,
            "virtual_size": self._inspection.conclude() if self._inspection else None,
            "checksum": self._md5.hexdigest(),
            "os_hash_algo": upload.settings.hash_algorithm,
            "os_hash_value": self._hash.hexdigest(),
        }
        writer.flush()
        name = upload.region.name
        with upload.database.write() as connection:
            if not change_status(
                connection,
                name,
                upload.image_id,
                before=SAVING,
                after=ACTIVE,
                held_by=upload.upload_id,
                values=values,
            ):
                raise Gone(f"Image {upload.image_id} was deleted during the upload.")
            add_location(connection, name, upload.image_id, upload.region.store.name)
            # Within the transaction: whoever lost its hold on the image can never replace its bytes.
            writer.commit()

    def release(self) -> bool:
        """Put the image back to queued and remove the bytes. Blocks. Returns False if it is no longer ours."""
        upload = self.upload
        if self._writer is not None:
            self._writer.abort()
        with upload.database.write() as connection:
            released = change_status(
                connection,
                upload.region.name,
                upload.image_id,
                before=SAVING,
                after=QUEUED,
                held_by=upload.upload_id,
            )
            if released:
                # Only if the final name was given and then the commit failed is there anything.
                upload.region.store.delete(upload.image_id)
        return released


async def _give_up(intake: _Intake) -> bool:
    """Undo the upload; True if the image is queued again, or will be after the next start."""
    await intake.close()
    try:
        return await run_in_threadpool(intake.release)
    except Exception:  # noqa: BLE001 - the upload's own error is the one to show
        _log.exception("image %s stays saving until the next start", intake.upload.image_id)
        return True


def _check_size(size: int, settings: Settings) -> None:
    maximum = settings.limits.image_size_cap
    if size > maximum:
        raise TooLarge(f"An image may have at most {maximum} bytes.")


def _size_differs(upload: Upload, what: str) -> BadRequest:
    return BadRequest(f"The upload of image {upload.image_id} brought {what} bytes.")
