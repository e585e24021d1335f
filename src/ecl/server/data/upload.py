"""
One upload: hash, inspect and store the data, then make the image active; or put it back to queued and remove the data.

An upload to the staging area only stores the data: the image then waits for its import.

The order keeps the promise of a 204: the data is on the disk under its final name, then the row is active and
committed, then the response is sent. Every change of status names the upload that holds the image, so two uploads
never mix.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from ecl.server.data.content import Content, format_to_inspect
from ecl.server.data.fanout import Block, Fanout, buffers
from ecl.server.data.region import Region
from ecl.server.data.store.base import Store, StoreError, StoreFull, Writer
from ecl.server.db.engine import Database
from ecl.server.db.images import change_status
from ecl.server.db.locations import add_location
from ecl.server.db.usage import check_quota, usage_for_quotas
from ecl.server.domain.image import Image
from ecl.server.domain.import_request import check_not_importing
from ecl.server.domain.quota import check_usage, remaining_bytes
from ecl.server.domain.status import ACTIVE, QUEUED, SAVING, UPLOADING
from ecl.server.errors import BadRequest, Conflict, Gone, TooLarge, Unavailable
from ecl.server.settings.model import Settings

__all__ = ["Upload", "begin_upload", "receive_upload"]

_log = logging.getLogger(__name__)

#: Sent after the last block. It does not change a hash.
_END = b""


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload that holds its image: the image is saving (or uploading), and no other upload can start."""

    region: Region
    database: Database
    settings: Settings
    image_id: str
    owner: str | None
    upload_id: str
    #: Where the data goes. If it is the staging area, the image stays uploading.
    store: Store
    #: The format that the data must have, None if it is not inspected.
    inspect_as: str | None
    #: Bytes that the client declared, None if it did not.
    declared_size: int | None
    #: Most bytes that the project's quota and the size limit allow.
    max_bytes: int

    @property
    def is_staging(self) -> bool:
        """True if an import follows."""
        return self.store is self.region.staging

    @property
    def status(self) -> str:
        """The status of the image while the upload holds it."""
        return UPLOADING if self.is_staging else SAVING

    @property
    def quota(self) -> str:
        """Name of the quota that the data counts towards."""
        return _quota(self.region, self.store)


def _quota(region: Region, store: Store) -> str:
    return "image_stage_total" if store is region.staging else "image_size_total"


def begin_upload(
    connection: Connection,
    region: Region,
    database: Database,
    settings: Settings,
    image: Image,
    store: Store,
    declared_size: int | None,
) -> Upload:
    """
    Claim *image* for one upload to *store*: it is saving when the transaction is committed.

    Args:
        store: One of the region's stores, or its staging area; then the image is uploading.

    Raises:
        BadRequest: The image's formats are not set; an upload to the staging area does not need them yet.
        Conflict: The image is not queued, or an import is running.
        Gone: The store is read-only.
        TooLarge: The declared size exceeds the size limit or the project's quota.
    """
    limits = settings.limits
    inspect_as = format_to_inspect(image.disk_format, image.container_format)
    usage = usage_for_quotas(connection, region.name, image.owner, limits)
    upload = Upload(
        region=region,
        database=database,
        settings=settings,
        image_id=image.id,
        owner=image.owner,
        upload_id=str(uuid.uuid4()),
        store=store,
        inspect_as=None if store is region.staging else inspect_as,
        declared_size=declared_size,
        max_bytes=remaining_bytes(limits, usage, _quota(region, store)),
    )
    if not upload.is_staging and (image.disk_format is None or image.container_format is None):
        raise BadRequest("Set disk_format and container_format before uploading data.")
    if store.read_only:
        raise Gone(f"The store {store.name} takes no new data.")
    check_not_importing(image)
    _check_size(declared_size or 0, upload)
    check_usage(limits, usage, "image_count_uploading", 1)
    if not change_status(
        connection, region.name, image.id, before=QUEUED, after=upload.status, values={"upload_id": upload.upload_id}
    ):
        raise Conflict(f"Image {image.id} is {image.status}; data can only be uploaded while it is queued.")
    return upload


async def receive_upload(upload: Upload, body: Body) -> None:
    """
    Receive the whole *body*. Afterwards the image is active, or its data is staged, durably.

    On any exception, also one of *body* itself, the image is queued again and no data remains.

    Raises:
        BadRequest: The body has fewer or more bytes than declared.
        UnsupportedMedia: The data does not have the disk_format of the image, or is not safe.
        TooLarge: The data exceeds the size limit or a quota, or the store is full.
        Unavailable: The store failed.
        Gone: The image was deleted meanwhile.
    """
    intake = _Intake(upload)
    try:
        size = 0
        for buffer in buffers():
            if not (count := await body.readinto(buffer)):
                break
            size += count
            _check_size(size, upload)
            if upload.declared_size is not None and size > upload.declared_size:
                raise _size_differs(upload, f"more than {upload.declared_size}")
            await intake.put(buffer[:count])
        await intake.join()
        await run_in_threadpool(intake.finish, size)
    except BaseException as exc:
        released = await asyncio.shield(_roll_back(intake))
        if isinstance(exc, Exception) and not released:
            raise Gone(f"Image {upload.image_id} was deleted during the upload.") from exc
        if isinstance(exc, StoreFull):
            raise TooLarge("There is no room for the image in the store.") from exc
        if isinstance(exc, StoreError):
            raise Unavailable("The store of this region does not accept data at the moment.") from exc
        raise


class Body(Protocol):
    """The request body of an upload."""

    async def readinto(self, buffer: memoryview, /) -> int:
        """Fill *buffer*; return the number of bytes, which is less than its length only at the end."""


class _Intake:
    """The open parts of one upload: the writer, the hashes, the inspection, and their threads."""

    def __init__(self, upload: Upload) -> None:
        self.upload = upload
        self._writer: Writer | None = None
        self._content = Content(upload.settings.hash_algorithm, upload.inspect_as)
        # Staged data is hashed when it is imported.
        hashing = () if upload.is_staging else self._content.consumers
        self._fanout = Fanout([*hashing, self._write])

    async def put(self, block: Block) -> None:
        """Pass *block* to the writer and the hashes."""
        await self._fanout.put(block)

    async def join(self) -> None:
        """Wait until all of them have finished all blocks."""
        await self._fanout.put(_END)
        await self._fanout.join()

    async def close(self) -> None:
        """Stop the threads, unless `join` has done so."""
        await self._fanout.close()

    def _open_writer(self) -> Writer:
        # Opened by the thread that needs it first: handing that over to another thread would take longer than opening.
        if self._writer is None:
            self._writer = self.upload.store.writer(self.upload.image_id, self.upload.upload_id)
        return self._writer

    def _write(self, block: Block) -> None:
        writer = self._open_writer()
        if not block:
            # Flush while the hashes catch up.
            writer.flush()
            return
        self._content.inspect(block)
        writer.write(block)

    def finish(self, size: int) -> None:
        """Check the data, and make the image active, or release it as staged. Blocks."""
        upload = self.upload
        if upload.declared_size is not None and size != upload.declared_size:
            raise _size_differs(upload, f"{size} instead of {upload.declared_size}")
        values = {"size": size} if upload.is_staging else self._content.attributes(size)
        writer = self._open_writer()
        name, limits = upload.region.name, upload.settings.limits
        with upload.database.write() as connection:
            # Other uploads of the project may have ended since this one started.
            check_quota(connection, name, upload.owner, limits, upload.quota, size)
            if not change_status(
                connection,
                name,
                upload.image_id,
                before=upload.status,
                after=UPLOADING if upload.is_staging else ACTIVE,
                held_by=upload.upload_id,
                values=values,
            ):
                raise Gone(f"Image {upload.image_id} was deleted during the upload.")
            if not upload.is_staging:
                add_location(connection, name, upload.image_id, upload.store.name)
            # Within the transaction: an upload that has lost its claim on the image can never replace its data.
            writer.commit()

    def release(self) -> bool:
        """Put the image back to queued and remove the data. Blocks. Returns False if this upload does not hold it."""
        upload = self.upload
        if self._writer is not None:
            self._writer.abort()
        with upload.database.write() as connection:
            released = change_status(
                connection,
                upload.region.name,
                upload.image_id,
                before=upload.status,
                after=QUEUED,
                held_by=upload.upload_id,
            )
            if released:
                # There is data only if the file got its final name and then the commit failed.
                upload.store.delete(upload.image_id)
        return released


async def _roll_back(intake: _Intake) -> bool:
    """Undo the upload. Returns True if the image is queued again, or will be after the next start."""
    await intake.close()
    try:
        return await run_in_threadpool(intake.release)
    except Exception:  # noqa: BLE001 - the client gets the upload's own error
        _log.exception("image %s stays saving until the next start", intake.upload.image_id)
        return True


def _check_size(size: int, upload: Upload) -> None:
    maximum = upload.settings.limits.image_size_cap
    if size > maximum:
        raise TooLarge(f"An image may have at most {maximum} bytes.")
    if size > upload.max_bytes:
        raise TooLarge(f"The project's limit {upload.quota} leaves room for {upload.max_bytes} bytes.")


def _size_differs(upload: Upload, what: str) -> BadRequest:
    return BadRequest(f"The upload of image {upload.image_id} has {what} bytes.")
