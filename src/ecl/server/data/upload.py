"""
One upload: stream, hashes and format inspection, store, active; or back to queued as if nothing had been sent.

An upload to the staging area ends earlier: the bytes are on the disk, and the image waits for its import.

The order makes the promise: bytes on the disk under their final name, then the row active and committed, then
the answer. Every change of status names the upload that holds the image, so two uploads never mix.
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

#: Follows the last block. No hash changes by it.
_END = b""


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload that holds its image: the image is saving (or uploading), and nobody else may fill it."""

    region: Region
    database: Database
    settings: Settings
    image_id: str
    owner: str | None
    upload_id: str
    #: Where the bytes go. The staging area: the image is uploading, and stays so.
    store: Store
    #: The format that the content must have; None: it is not inspected.
    inspect_as: str | None
    #: Bytes that the client said it would send; None: it did not say.
    declared_size: int | None
    #: Most bytes that the quotas and the size limit leave for it.
    max_bytes: int

    @property
    def is_staging(self) -> bool:
        """True if an import follows."""
        return self.store is self.region.staging

    @property
    def status(self) -> str:
        """What the image is while the upload holds it."""
        return UPLOADING if self.is_staging else SAVING

    @property
    def quota(self) -> str:
        """Name of the project's quota that the bytes count towards."""
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
    Take hold of *image* for one upload to *store*; it is saving once the transaction is committed.

    Args:
        store: One of the region's, or its staging area: then the image is uploading.

    Raises:
        BadRequest: Its formats are not set, which an upload to the staging area does not need yet.
        Conflict: It is not queued, or an import is at work on it.
        Gone: The store takes no data.
        TooLarge: The declared size is more than an image, or the project, may have.
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
    Take in *body* to its end; afterwards the image is active and durable, or staged and durable.

    On any exception, also one of *body* itself, the image is queued again and no bytes remain.

    Raises:
        BadRequest: Fewer or more bytes than declared.
        UnsupportedMedia: The content is not what the disk_format says, or not safe.
        TooLarge: Beyond the size limit, or the store is full.
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
        released = await asyncio.shield(_give_up(intake))
        if isinstance(exc, Exception) and not released:
            raise Gone(f"Image {upload.image_id} was deleted during the upload.") from exc
        if isinstance(exc, StoreFull):
            raise TooLarge("There is no room for the image in the store.") from exc
        if isinstance(exc, StoreError):
            raise Unavailable("The store of this region does not accept data at the moment.") from exc
        raise


class Body(Protocol):
    """Where the bytes of an upload come from."""

    async def readinto(self, buffer: memoryview, /) -> int:
        """Fill *buffer*; return the number of bytes, which is less than its length only at the end."""


class _Intake:
    """What one upload has open: the writer, the hashes, the inspection, and the threads that feed them."""

    def __init__(self, upload: Upload) -> None:
        self.upload = upload
        self._writer: Writer | None = None
        self._content = Content(upload.settings.hash_algorithm, upload.inspect_as)
        # Staged bytes are hashed when they are imported.
        hashing = () if upload.is_staging else self._content.consumers
        self._fanout = Fanout([*hashing, self._write])

    async def put(self, block: Block) -> None:
        """Hand *block* to all."""
        await self._fanout.put(block)

    async def join(self) -> None:
        """Wait until all are done with all blocks."""
        await self._fanout.put(_END)
        await self._fanout.join()

    async def close(self) -> None:
        """Let the threads go, if `join` has not."""
        await self._fanout.close()

    def _open_writer(self) -> Writer:
        # By whoever needs it first: a thread of its own would take longer than to open it does.
        if self._writer is None:
            self._writer = self.upload.store.writer(self.upload.image_id, self.upload.upload_id)
        return self._writer

    def _write(self, block: Block) -> None:
        writer = self._open_writer()
        if not block:
            # While the hashes catch up.
            writer.flush()
            return
        self._content.inspect(block)
        writer.write(block)

    def finish(self, size: int) -> None:
        """Check what came, and make the image active, or let go of it as staged. Blocks."""
        upload = self.upload
        if upload.declared_size is not None and size != upload.declared_size:
            raise _size_differs(upload, f"{size} instead of {upload.declared_size}")
        values = {"size": size} if upload.is_staging else self._content.attributes(size)
        writer = self._open_writer()
        name, limits = upload.region.name, upload.settings.limits
        with upload.database.write() as connection:
            # Other uploads of the project may have ended since this one began.
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
                before=upload.status,
                after=QUEUED,
                held_by=upload.upload_id,
            )
            if released:
                # Only if the final name was given and then the commit failed is there anything.
                upload.store.delete(upload.image_id)
        return released


async def _give_up(intake: _Intake) -> bool:
    """Undo the upload; True if the image is queued again, or will be after the next start."""
    await intake.close()
    try:
        return await run_in_threadpool(intake.release)
    except Exception:  # noqa: BLE001 - the upload's own error is the one to show
        _log.exception("image %s stays saving until the next start", intake.upload.image_id)
        return True


def _check_size(size: int, upload: Upload) -> None:
    maximum = upload.settings.limits.image_size_cap
    if size > maximum:
        raise TooLarge(f"An image may have at most {maximum} bytes.")
    if size > upload.max_bytes:
        raise TooLarge(f"The project's limit {upload.quota} leaves room for {upload.max_bytes} bytes.")


def _size_differs(upload: Upload, what: str) -> BadRequest:
    return BadRequest(f"The upload of image {upload.image_id} brought {what} bytes.")
