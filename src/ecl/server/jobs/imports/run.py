"""
Run one import task to completion, from its current state.

Data from elsewhere comes to the staging area first. From there, or from a store that has it, it is copied to each store
of the task. A store has the data when its row is committed, so a task that is resumed after a crash goes on with the
next store. Before every change of the image, the task checks that the image is still its own.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import cached_property
from typing import Any

from sqlalchemy import Connection

from ecl.server.clock import MICROSECONDS
from ecl.server.data.content import Content, format_to_inspect
from ecl.server.data.fanout import Fanout
from ecl.server.data.incoming import Ended, Incoming, LeaseLost
from ecl.server.data.node import Node
from ecl.server.data.reading import open_image
from ecl.server.data.region import Region
from ecl.server.data.removal import remove_now
from ecl.server.data.room import no_room
from ecl.server.data.store.base import DataMissing, Reader, Store, StoreError, StoreFull, Writer
from ecl.server.data.web.fetch import FetchError, fetch
from ecl.server.db.copies import damaged_stores
from ecl.server.db.engine import Database, DatabaseError
from ecl.server.db.garbage import Garbage
from ecl.server.db.images import change_status, fetch_image, mark_deleted, update_image
from ecl.server.db.locations import add_location, discard_locations
from ecl.server.db.staging import discard_staged, release_staged, set_staged, staged_key
from ecl.server.db.tasks import change_task, end_task
from ecl.server.db.usage import check_quota, usage_for_quotas
from ecl.server.domain.image import Image, check_quotas
from ecl.server.domain.import_request import FAILED_IMPORT, IMPORT_TASK, IMPORTING_TO, adopt_metadata
from ecl.server.domain.quota import remaining_bytes
from ecl.server.domain.status import ACTIVE, IMPORTING, QUEUED, UPLOADING
from ecl.server.domain.task import IMPORT, PROCESSING, Task
from ecl.server.errors import ServiceError, Unavailable
from ecl.server.jobs.imports.remote_image import RemoteImage
from ecl.server.jobs.peers.destinations import Destinations
from ecl.server.jobs.runner import Claim, Stopped
from ecl.server.settings.model import Settings

__all__ = ["ImportContext", "run_import"]

_log = logging.getLogger(__name__)

#: Bytes per read.
_BLOCK = 1 << 20
#: Seconds between two checks that the image still belongs to the task.
_CHECK_INTERVAL = 1.0


class _Gone(Exception):
    """The image was deleted, or it belongs to another task."""


class _Failed(Exception):
    """The import cannot succeed; the message says why, for people."""


class ImportContext:
    """What all imports of a process share."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        destinations: Destinations,
        regions: Iterable[Region],
        node: Node,
    ) -> None:
        self.settings = settings
        self.node = node
        self.database = database
        self.destinations = destinations
        self.regions = {region.name: region for region in regions}


def run_import(task: Task, context: ImportContext, claim: Claim) -> None:
    """
    Run *task* to completion. Afterwards the image is active, or as it was before the task, without leftover data.

    If a task that created its image fails, the image is deleted.

    Raises:
        Stopped: The service is stopping, or *claim* is lost.
    """
    importing = _Importing(task, context, claim)
    try:
        importing.stage_data()
        importing.fill_stores()
        importing.succeed()
    except _Gone:
        importing.abandon()
    except LeaseLost as exc:
        raise Stopped from exc
    except (_Failed, FetchError, ServiceError, StoreError) as exc:
        importing.fail(importing.reason(exc))


def end_import(task: Task, context: ImportContext, claim: Claim, reason: str) -> None:
    """End *task* as a failure for *reason*. Raises Stopped."""
    _Importing(task, context, claim).fail(reason)


def _reason(exc: Exception, region: Region, store: Store | None) -> str:
    """
    Return why an import failed, for people.

    Args:
        store: The one that was to be filled; None: the staging area.
    """
    if isinstance(exc, StoreFull):
        return no_room(region, store or region.staging).message
    if isinstance(exc, StoreError):
        _log.error("an import failed: %s", exc)
        return "The store of the image failed."
    return str(exc)


class _Importing:
    def __init__(self, task: Task, context: ImportContext, claim: Claim) -> None:
        self._task = task
        self._claim = claim
        self._node = context.node
        self._settings = context.settings
        self._database = context.database
        self._destinations = context.destinations
        self._region = context.regions[task.region]
        self._request: dict[str, Any] = task.input["import_req"]
        self._method: str = self._request["method"]["name"]
        self._must_succeed: bool = self._request.get("all_stores_must_succeed", True)
        self._targets: list[str] = task.input["backend"]
        self._kept = context.settings.upkeep.keep_tasks * MICROSECONDS
        self._failures: dict[str, str] = {}
        self._next_check = 0.0
        # The store that is being filled; None before the first.
        self._filling: Store | None = None

    @property
    def _image_id(self) -> str:
        assert self._task.image_id is not None
        return self._task.image_id

    def reason(self, exc: Exception) -> str:
        """Return why the import failed, for people."""
        return _reason(exc, self._region, self._filling)

    @property
    def _is_copy(self) -> bool:
        return self._method == "copy-image"

    # --- data from elsewhere --------------------------------------------------------------------------------

    def stage_data(self) -> None:
        """Fetch the data into the staging area, unless it is there, and make the image importing."""
        with self._database.write() as connection:
            self._claim.check(connection)
            image = self._claimed_image(connection)
            change_task(connection, self._task.id, PROCESSING)
            if image.status == UPLOADING:
                change_status(connection, self._region.name, image.id, before=UPLOADING, after=IMPORTING)
        if image.status == QUEUED:
            self._download(image)

    def _download(self, image: Image) -> None:
        limits, name = self._settings.limits, self._region.name
        # Find what would make the import fail at its end before fetching the data.
        self._with_remote_metadata(image)
        with self._database.read() as connection:
            usage = usage_for_quotas(connection, name, image.owner, limits)
        max_bytes = min(remaining_bytes(limits, usage, quota) for quota in ("image_size_total", "image_stage_total"))
        with self._incoming(self._region.staging) as incoming:
            writer = incoming.writer()
            with closing(self._fetched_blocks(max_bytes)) as blocks:
                for block in blocks:
                    self._check_wanted()
                    writer.write(block)
            self._check_wanted(now=True)
            writer.commit()
            with self._database.write() as connection:
                self._claim.check(connection)
                incoming.finish(connection)
                self._claimed_image(connection)
                if not change_status(connection, name, image.id, before=QUEUED, after=IMPORTING):
                    raise _Gone
                set_staged(connection, name, image.id, incoming.key)

    @contextmanager
    def _incoming(self, store: Store) -> Iterator[Incoming]:
        """Yield a place for data, which is given up if the block fails."""
        with Incoming(self._node, self._database, self._region, store, self._image_id) as incoming:
            with self._database.write() as connection:
                self._claimed_image(connection)
                incoming.begin(connection)
            try:
                yield incoming
            except BaseException as exc:
                ended = incoming.give_up()
                if not (isinstance(exc, DatabaseError) and ended is Ended.SUCCEEDED):
                    raise

    def _fetched_blocks(self, max_bytes: int) -> Any:
        if self._method == "web-download":
            return fetch(self._request["method"]["uri"], self._settings.imports, max_bytes, self._claim.is_stopping)
        return self._remote.blocks(max_bytes)

    @cached_property
    def _remote(self) -> RemoteImage:
        return RemoteImage(self._task, self._destinations)

    def _with_remote_metadata(self, image: Image) -> Image:
        """Return *image* as it will become active: glance-download adds formats and properties of the remote image."""
        if self._method != "glance-download":
            return image
        after = image.copy()
        adopt_metadata(after, dict(self._remote.image))
        check_quotas(after, self._settings.limits, image)
        return after

    # --- stores --------------------------------------------------------------------------------------------

    def fill_stores(self) -> None:
        """Copy the data to each store of the task. Raises _Failed if one fails that must not, or all do."""
        for name in self._targets:
            with self._database.read() as connection:
                image = self._claimed_image(connection)
            if name in image.stores:
                continue
            try:
                self._fill(self._with_remote_metadata(image), name)
            except LeaseLost:
                raise
            except (_Failed, ServiceError, StoreError) as exc:
                self._failures[name] = self.reason(exc)
                if self._must_succeed:
                    raise
                self._show_failure(name)
        if len(self._failures) == len(self._targets):
            raise _Failed(" ".join(sorted(set(self._failures.values()))))

    def _fill(self, image: Image, name: str) -> None:
        store = self._region.store_named(name)
        self._filling = store
        if store is None or store.read_only:
            raise _Failed(f"There is no store {name} that takes data (any more).")
        inspect_as = None if self._is_copy else format_to_inspect(image.disk_format, image.container_format)
        declared = (self._task.input.get("validation_data") or {}).get("os_hash_algo")
        algorithm = image.os_hash_algo or declared or self._settings.hash_algorithm
        content = Content(algorithm, inspect_as, must_match=self._settings.require_image_format_match)
        staged = self._staged_key(image) if store.has_data_of(self._region.staging) else None
        with closing(self._source(image)) as reader:
            if staged is not None:
                # The store has it under the same key: it is hashed and inspected, and not moved.
                values = self._hashed(image, reader, content, None)
                self._record(image, store.name, staged, values, None)
                return
            with self._incoming(store) as incoming:
                values = self._hashed(image, reader, content, incoming.writer(reader.size))
                incoming.writer().commit()
                self._record(image, store.name, incoming.key, values, incoming)

    def _hashed(self, image: Image, reader: Reader, content: Content, writer: Writer | None) -> dict[str, Any]:
        """Pass all data to the hashes and *writer*; return the image's attributes, which are checked."""
        asyncio.run(self._process(reader, content, writer))
        self._check_wanted(now=True)
        values = content.attributes(reader.size)
        if image.os_hash_value is not None and values["os_hash_value"] != image.os_hash_value:
            raise _Failed("The data of the image is damaged in the store that it was copied from.")
        self._check_expected(values)
        return values

    def _staged_key(self, image: Image) -> str | None:
        if self._is_copy:
            return None
        with self._database.read() as connection:
            return staged_key(connection, self._region.name, image.id)

    def _source(self, image: Image) -> Reader:
        """Open the data: in the staging area, or in a store that has it, for copy-image and after the first store."""
        staged = self._staged_key(image)
        if staged is not None:
            try:
                return self._region.staging.reader(staged)
            except DataMissing as exc:
                raise _Failed("The staged data of the image is gone.") from exc
        with self._database.read() as connection:
            damaged = damaged_stores(connection, self._region.name, image.id)
        order = [name for name in self._region.by_weight(image.stores) if name not in damaged]
        try:
            return open_image(self._region, image, order)
        except Unavailable as exc:
            raise _Failed("No store has the data of the image.") from exc

    async def _process(self, reader: Reader, content: Content, writer: Writer | None) -> None:
        """Pass every block to the hashes and the store."""

        def write(block: bytes | memoryview) -> None:
            content.inspect(block)
            if writer is not None:
                writer.write(block)

        fanout = Fanout([*content.consumers, write])
        try:
            for offset in range(0, reader.size, _BLOCK):
                self._check_wanted()
                # Reading blocks this loop, but it is the task's own: nothing else runs in it.
                await fanout.put(reader.read(offset, _BLOCK))
            await fanout.join()
            fanout.pass_rest()
        finally:
            await fanout.close()

    def _check_expected(self, values: dict[str, Any]) -> None:
        """Check the data against the hash that the client of a location has declared."""
        expected = self._task.input.get("validation_data") or {}
        for name, value in expected.items():
            if values.get(name) != value:
                raise _Failed(f"The {name} of the data is not the declared one.")

    def _record(self, image: Image, store: str, key: str, values: dict[str, Any], incoming: Incoming | None) -> None:
        """
        Commit that a store has the data. The last store, or the first if one is enough, makes the image active.

        Args:
            incoming: The upload to the store; None if it has the staged data itself.
        """
        region = self._region.name
        limits = self._settings.limits
        with self._database.write() as connection:
            self._claim.check(connection)
            if incoming is not None:
                incoming.finish(connection)
            elif not release_staged(connection, region, image.id, key):
                raise _Gone
            current = self._claimed_image(connection)
            described = self._with_remote_metadata(current)
            if format_to_inspect(described.disk_format, described.container_format) != format_to_inspect(
                image.disk_format, image.container_format
            ):
                raise _Failed("The formats of the image were changed during its import.")
            check_quota(connection, region, image.owner, limits, "image_size_total", values["size"])
            waiting = [name for name in self._targets if name not in (*current.stores, store, *self._failures)]
            becomes_active = current.status == IMPORTING and (not waiting or not self._must_succeed)
            after = (described if becomes_active else current).copy()
            for name, value in values.items():
                if not self._is_copy:
                    setattr(after, name, value)
            after.properties[IMPORTING_TO] = ",".join(waiting)
            if becomes_active:
                after.status = ACTIVE
            update_image(connection, region, current, after)
            add_location(connection, region, image.id, store, key)

    def _show_failure(self, name: str) -> None:
        """Show in the image's properties that a store failed, while others may still succeed."""
        with self._database.write() as connection:
            self._claim.check(connection)
            before = self._claimed_image(connection)
            after = before.copy()
            importing_to = before.properties.get(IMPORTING_TO, "").split(",")
            waiting = [other for other in importing_to if other not in ("", name)]
            after.properties[IMPORTING_TO] = ",".join(waiting)
            after.properties[FAILED_IMPORT] = ",".join(self._failures)
            update_image(connection, self._region.name, before, after)

    # --- ends ----------------------------------------------------------------------------------------------

    def succeed(self) -> None:
        """End the task as a success, and release the image."""
        with self._database.write() as connection:
            self._claim.check(connection)
            before = self._claimed_image(connection)
            after = before.copy()
            if before.status == IMPORTING:
                # The last store failed after the others had succeeded.
                after = self._with_remote_metadata(before).copy()
                after.status = ACTIVE
            del after.properties[IMPORT_TASK]
            after.properties[IMPORTING_TO] = ""
            after.properties[FAILED_IMPORT] = ",".join(self._failures)
            update_image(connection, self._region.name, before, after)
            end_task(connection, self._task.id, self._kept, result={"image_id": self._image_id})
            garbage = self._discard_staged(connection)
        remove_now(self._region, self._database, garbage)

    def fail(self, reason: str) -> None:
        """Put the image back to its state before the task, remove its data, and end the task as a failure."""
        _log.warning("task %s (%s of image %s) failed: %s", self._task.id, self._method, self._image_id, reason)
        garbage: list[Garbage] = []
        with self._database.write() as connection:
            self._claim.check(connection)
            end_task(connection, self._task.id, self._kept, message=reason)
            with suppress(_Gone):
                garbage = self._undo(connection, self._claimed_image(connection))
        remove_now(self._region, self._database, garbage)

    def _undo(self, connection: Connection, before: Image) -> list[Garbage]:
        """Undo what the task has done to the image. Return the data that is to be removed."""
        if self._task.type == IMPORT:
            # The task has created the image.
            return mark_deleted(connection, self._region.name, before.id)
        self._put_back(connection, before)
        filled = discard_locations(connection, self._region.name, before.id, self._targets)
        return [*filled, *self._discard_staged(connection)]

    def _put_back(self, connection: Connection, before: Image) -> None:
        after = before.copy()
        del after.properties[IMPORT_TASK]
        after.properties[IMPORTING_TO] = ""
        after.properties[FAILED_IMPORT] = ",".join(self._failures or self._targets)
        update_image(connection, self._region.name, before, after)
        if before.status in (IMPORTING, UPLOADING):
            change_status(connection, self._region.name, before.id, before=before.status, after=QUEUED)

    def abandon(self) -> None:
        """End the task of an image that no longer exists."""
        with self._database.write() as connection:
            self._claim.check(connection)
            end_task(connection, self._task.id, self._kept, message="The image was deleted during its import.")

    def _discard_staged(self, connection: Connection) -> Sequence[Garbage]:
        """Let the staged data of the image be removed. Return it."""
        return () if self._is_copy else discard_staged(connection, self._region.name, self._image_id)

    # --- checks --------------------------------------------------------------------------------------------

    def _claimed_image(self, connection: Connection) -> Image:
        """Return the image. Raises _Gone if it does not exist, or belongs to another task."""
        image = fetch_image(connection, self._region.name, self._image_id)
        if image is None or image.properties.get(IMPORT_TASK) != self._task.id:
            raise _Gone
        return image

    def _check_wanted(self, *, now: bool = False) -> None:
        """Raise Stopped if the service is stopping, or (checked once a second) _Gone as `_claimed_image` does."""
        if self._claim.is_stopping():
            raise Stopped
        if now or time.monotonic() >= self._next_check:
            self._next_check = time.monotonic() + _CHECK_INTERVAL
            with self._database.read() as connection:
                self._claimed_image(connection)
