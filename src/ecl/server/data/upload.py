"""
One upload: hash, inspect and store the data, then make the image active; or put it back to queued and remove the data.

An upload to the staging area only stores the data: the image then waits for its import.

The order keeps the promise of a 204: the data is on the disk under its key, then one transaction makes the image active
and names the key, then the response is sent. Every change of status names the upload that holds the image, so two
uploads never mix.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection

from ecl.server import threads
from ecl.server.data.content import Content, format_to_inspect
from ecl.server.data.fanout import Block, Fanout, buffers
from ecl.server.data.incoming import Ended, Incoming, LeaseLost
from ecl.server.data.region import Region
from ecl.server.data.room import check_room, no_room
from ecl.server.data.store.base import Store, StoreError, StoreFull
from ecl.server.db.engine import DatabaseError, first_line, retried
from ecl.server.db.failures import as_service_error
from ecl.server.db.images import change_status, lock_image
from ecl.server.db.locations import add_location
from ecl.server.db.staging import set_staged
from ecl.server.db.usage import check_quota, usage_for_quotas
from ecl.server.domain.image import Image
from ecl.server.domain.import_request import check_not_importing
from ecl.server.domain.quota import has_quotas, remaining_bytes
from ecl.server.domain.status import ACTIVE, QUEUED, SAVING, UPLOADING
from ecl.server.errors import BadRequest, Conflict, Gone, NoSpace, TooLarge, Unavailable
from ecl.server.settings.model import Settings

__all__ = ["Upload", "begin_upload", "receive_upload"]

_log = logging.getLogger(__name__)

#: Sent after the last block. It does not change a hash.
_END = b""


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload that holds its image: the image is saving (or uploading), and no other upload can start."""

    incoming: Incoming
    settings: Settings
    owner: str | None
    #: The format that the data must have, None if it is not inspected.
    inspect_as: str | None
    #: Bytes that the client declared, None if it did not.
    declared_size: int | None
    #: Most bytes that the project's quota and the size limit allow.
    max_bytes: int

    @property
    def image_id(self) -> str:
        """The image."""
        return self.incoming.image_id

    @property
    def is_staging(self) -> bool:
        """True if an import follows."""
        return self.incoming.store is self.incoming.region.staging

    @property
    def status(self) -> str:
        """The status of the image while the upload holds it."""
        return UPLOADING if self.is_staging else SAVING

    @property
    def quota(self) -> str:
        """Name of the quota that the data counts towards."""
        return _quota(self.incoming.region, self.incoming.store)


def _quota(region: Region, store: Store) -> str:
    return "image_stage_total" if store is region.staging else "image_size_total"


def begin_upload(
    connection: Connection,
    incoming: Incoming,
    settings: Settings,
    image: Image,
    declared_size: int | None,
    free: int | None = None,
) -> Upload:
    """
    Claim *image* for one upload: it is saving when the transaction is committed, or uploading if the data is staged.

    Args:
        incoming: Held by the caller, until `receive_upload` has returned.
        free: Free bytes of the store, None if that is not known.

    Raises:
        BadRequest: The image's formats are not set; an upload to the staging area does not need them yet.
        Conflict: The image is not queued, or an import is running.
        Gone: The store is read-only.
        TooLarge: The declared size exceeds the size limit or the project's quota.
        NoSpace: The declared size exceeds the free space of the store.
    """
    limits = settings.limits
    region, store = incoming.region, incoming.store
    usage = usage_for_quotas(connection, region.name, image.owner, limits)
    inspect_as = format_to_inspect(image.disk_format, image.container_format)
    upload = Upload(
        incoming=incoming,
        settings=settings,
        owner=image.owner,
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
    check_quota(connection, region.name, image.owner, limits, "image_count_uploading", 1)
    check_room(region, store, declared_size or 0, free)
    if not change_status(
        connection, region.name, image.id, before=QUEUED, after=upload.status, values={"upload_id": incoming.upload_id}
    ):
        raise Conflict(f"Image {image.id} is {image.status}; data can only be uploaded while it is queued.")
    incoming.begin(connection)
    return upload


async def receive_upload(upload: Upload, body: Body) -> None:
    """
    Receive the whole *body*. Afterwards the image is active, or its data is staged, durably.

    On any exception, also one of *body* itself, the image is queued again and no data remains.

    Raises:
        BadRequest: The body has fewer or more bytes than declared.
        UnsupportedMedia: The data does not have the disk_format of the image, or is not safe.
        TooLarge: The data exceeds the size limit or a quota.
        NoSpace: The disk of the store is full.
        Unavailable: The store failed, the database does not answer, or this process was taken for dead.
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
        await threads.change(intake.finish, size)
    except Exception as exc:
        ended = await asyncio.shield(_give_up(intake))
        if ended is Ended.SUCCEEDED:
            # The database had committed, and only its answer was lost.
            return
        error = _error(exc, upload, ended)
        if error is exc:
            raise
        raise error from exc
    except BaseException:
        await asyncio.shield(_give_up(intake))
        raise


def _error(exc: Exception, upload: Upload, ended: Ended | None) -> Exception:
    """Return what the client is told of an upload that ended by *exc*."""
    if ended is Ended.GONE:
        return Gone(f"Image {upload.image_id} was deleted during the upload.")
    if ended is Ended.TAKEN:
        return LeaseLost()
    if isinstance(exc, StoreFull):
        return no_room(upload.incoming.region, upload.incoming.store, upload.declared_size)
    if isinstance(exc, StoreError):
        return Unavailable("The store of this region does not accept data at the moment.")
    if isinstance(exc, DatabaseError):
        _log.error("image %s: the database failed: %s", upload.image_id, first_line(exc))
        failure = as_service_error(exc)
        if isinstance(failure, NoSpace):
            return failure
        return Unavailable("The database does not answer at the moment; look whether the image is active.", 5)
    return exc


class Body(Protocol):
    """The request body of an upload."""

    async def readinto(self, buffer: memoryview, /) -> int:
        """Fill *buffer*; return the number of bytes, which is less than its length only at the end."""


class _Intake:
    """The open parts of one upload: the writer, the hashes, the inspection, and their threads."""

    def __init__(self, upload: Upload) -> None:
        self.upload = upload
        self._content = Content(
            upload.settings.hash_algorithm,
            upload.inspect_as,
            must_match=upload.settings.require_image_format_match,
        )
        # Staged data is hashed when it is imported.
        hashing = () if upload.is_staging else self._content.consumers
        self._fanout = Fanout([*hashing, self._write])

    async def put(self, block: Block) -> None:
        """Pass *block* to the writer and the hashes."""
        await self._fanout.put(block)

    async def join(self) -> None:
        """Wait until their threads have finished all blocks."""
        if self._fanout.has_threads:
            await self._fanout.put(_END)
        await self._fanout.join()

    async def close(self) -> None:
        """Stop the threads, unless `join` has done so."""
        await self._fanout.close()

    def _write(self, block: Block) -> None:
        # Opened by the thread that needs it first: handing that over to another thread would take longer than opening.
        writer = self.upload.incoming.writer(self.upload.declared_size)
        if not block:
            # Flush while the hashes catch up.
            writer.flush()
            return
        self._content.inspect(block)
        writer.write(block)

    def finish(self, size: int) -> None:
        """Check the data, and make the image active, or release it as staged. Blocks."""
        upload, incoming = self.upload, self.upload.incoming
        self._fanout.pass_rest()
        if upload.declared_size is not None and size != upload.declared_size:
            raise _size_differs(upload, f"{size} instead of {upload.declared_size}")
        values = {"size": size} if upload.is_staging else self._content.attributes(size)
        # Before the transaction, so that no other writer waits for a disk.
        incoming.writer().commit()
        self._put_to_use(size, values)

    @retried
    def _put_to_use(self, size: int, values: Mapping[str, object]) -> None:
        """Make the image active, or its data staged, in one transaction."""
        upload, incoming = self.upload, self.upload.incoming
        name, limits = incoming.region.name, upload.settings.limits
        with incoming.database.write() as connection:
            incoming.finish(connection)
            if has_quotas(limits):
                # Before its project.
                lock_image(connection, name, upload.image_id)
            # Other uploads of the project may have ended since this one started.
            check_quota(connection, name, upload.owner, limits, upload.quota, size)
            if not change_status(
                connection,
                name,
                upload.image_id,
                before=upload.status,
                after=UPLOADING if upload.is_staging else ACTIVE,
                held_by=incoming.upload_id,
                values=values,
            ):
                raise Gone(f"Image {upload.image_id} was deleted during the upload.")
            if upload.is_staging:
                set_staged(connection, name, upload.image_id, incoming.key)
            else:
                add_location(connection, name, upload.image_id, incoming.store.name, incoming.key)

    def give_up(self) -> Ended:
        """Put the image back to queued and remove the data, unless the upload has succeeded. Blocks."""
        return self.upload.incoming.give_up(self.upload.status)


async def _give_up(intake: _Intake) -> Ended | None:
    """Undo the upload. Return how it ended, None if that is left to the reaper."""
    await intake.close()
    try:
        return await threads.change(intake.give_up)
    except DatabaseError as exc:
        _log.error("image %s stays %s for now: %s", intake.upload.image_id, intake.upload.status, first_line(exc))
    except Exception:  # noqa: BLE001 - the client gets the upload's own error
        _log.exception("image %s stays %s for now", intake.upload.image_id, intake.upload.status)
    return None


def _check_size(size: int, upload: Upload) -> None:
    maximum = upload.settings.limits.image_size_cap
    if size > maximum:
        raise TooLarge(f"An image may have at most {maximum} bytes.")
    if size > upload.max_bytes:
        raise TooLarge(f"The project's limit {upload.quota} leaves room for {upload.max_bytes} bytes.")


def _size_differs(upload: Upload, what: str) -> BadRequest:
    return BadRequest(f"The upload of image {upload.image_id} has {what} bytes.")
