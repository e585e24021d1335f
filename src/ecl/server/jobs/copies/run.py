"""Run one copy job to completion, from its current state."""

from __future__ import annotations

import logging
import time
import uuid

from ecl import exceptions
from ecl.image.copying import copy_data, metadata_of
from ecl.image.v2.image import Image
from ecl.server.db.copy_jobs import change_job, fetch_job
from ecl.server.db.engine import Database
from ecl.server.domain.copy_job import (
    CANCEL_REQUESTED,
    CANCELABLE,
    CANCELED,
    CANCELING,
    ERROR,
    REPLICATED,
    REPLICATING,
    UNFINISHED,
    CopyJob,
)
from ecl.server.errors import ServiceError, Unavailable
from ecl.server.jobs.copies.direct import LocalRegions, copy_directly
from ecl.server.jobs.copies.rights import check_job
from ecl.server.jobs.peers.destinations import Destinations
from ecl.server.jobs.runner import Claim, Stopped, TryLater
from ecl.session import Session

__all__ = ["end_job", "run_job"]

_log = logging.getLogger(__name__)

# The ID of the destination image is derived from the job's, so that a job resumed after a crash finds its image.
_NAMESPACE = uuid.UUID("0b6c7a55-5b1e-4c6e-9d0d-6f1f0a6f2c11")
#: Seconds between two updates of a job's progress.
_PROGRESS_INTERVAL = 1.0


class _Canceled(Exception):
    """A client has canceled the job."""


def run_job(job: CopyJob, database: Database, destinations: Destinations, claim: Claim, local: LocalRegions) -> None:
    """
    Run *job* to completion: replicated, canceled or error. Only a replicated job leaves an image behind.

    Args:
        local: The regions between which data goes from store to store.

    Raises:
        Stopped: The service is stopping, or *claim* is lost.
        TryLater: The destination still receives the data of an earlier attempt that was interrupted.
        SDKException: The image of a canceled job could not be removed; try again later.
    """
    copying = _Copying(job, database, destinations, claim, local)
    try:
        if job.error is None:
            copying.copy()
        else:
            # An earlier attempt was interrupted while it undid what it had done.
            copying.fail(job.error)
    except _Canceled:
        copying.cancel()
    except (exceptions.SDKException, ServiceError, OSError) as exc:
        try:
            copying.fail(str(exc))
        except _Canceled:
            copying.cancel()


def end_job(job: CopyJob, database: Database, destinations: Destinations, claim: Claim, reason: str) -> None:
    """End *job* as an error for *reason*, whatever else goes wrong. Raises Stopped."""
    _Copying(job, database, destinations, claim, None).end(reason)


class _Copying:
    def __init__(
        self,
        job: CopyJob,
        database: Database,
        destinations: Destinations,
        claim: Claim,
        local: LocalRegions | None,
    ) -> None:
        self._job = job
        self._local = local
        self._database = database
        self._destinations = destinations
        self._claim = claim
        self._target_id = str(uuid.uuid5(_NAMESPACE, job.id))
        self._shown = job.copy_progress
        self._next_write = 0.0

    def copy(self) -> None:
        """Create the image at the destination and copy the data. Raises _Canceled if a client has canceled the job."""
        if not self._change(CANCELABLE, status=REPLICATING):
            raise _Canceled
        try:
            check_job(self._database, self._destinations.accounts, self._destinations.trust, self._job)
        except Unavailable as exc:
            raise TryLater(exc.message) from exc
        source = self._destinations.source(self._job.source_region_id)
        image = Image.existing(id=self._job.source_image_id).get(source)
        destination = self._destinations.in_region(self._job.destination_region_id).session
        target = self._target(destination, image)
        if not self._change({REPLICATING}, destination_image_id=self._target_id):
            raise _Canceled
        if target.image_status == "saving":
            raise TryLater(f"image {self._target_id} is still receiving data from an earlier attempt")
        if target.image_status != "active":
            if not self._copied_directly():
                copy_data(source, image, destination, target, progress=self._progress)
            _log.info("job %s: image %s has %s bytes", self._job.id, self._target_id, image.size)
        if not self._change({REPLICATING}, status=REPLICATED, copy_progress=100):
            raise _Canceled

    def _copied_directly(self) -> bool:
        """Copy the data from store to store. Return False if this process does not serve both regions."""
        source, target = self._job.source_region_id, self._job.destination_region_id
        if self._local is None or not {source, target} <= self._local.by_name.keys():
            return False
        copy_directly(self._local, (source, self._job.source_image_id), (target, self._target_id), self._progress)
        return True

    def cancel(self) -> None:
        """Remove the half-made image, and end the job as canceled."""
        self._change({CANCEL_REQUESTED, CANCELING}, status=CANCELING)
        self._remove_target()
        self._change({CANCELING}, status=CANCELED)
        _log.info("job %s is canceled", self._job.id)

    def fail(self, reason: str) -> None:
        """Remove the half-made image, and end the job with an error."""
        _log.error("job %s failed: %s", self._job.id, reason)
        # First, so that no other process copies any more: it could have finished the image that is removed now.
        if self._change({REPLICATING}, error=reason):
            self._try_to_remove_target()
        if not self._change({REPLICATING}, status=ERROR):
            raise _Canceled

    def end(self, reason: str) -> None:
        """End the job with an error, and then remove the half-made image if that is possible."""
        self._change(UNFINISHED, status=ERROR, error=reason)
        self._try_to_remove_target()

    def _try_to_remove_target(self) -> None:
        try:
            self._remove_target()
        except exceptions.SDKException as exc:
            _log.error("job %s: image %s is left behind: %s", self._job.id, self._target_id, exc)

    def _target(self, destination: Session, image: Image) -> Image:
        """Create the destination image, or find the one that this job created before it was interrupted."""
        # The destination's tenant decides who may see the image; a private image stays private.
        visibility = "private" if image.visibility == "private" else "shared"
        attributes, properties = metadata_of(image)
        wanted = Image.new(
            id=self._target_id,
            owner=self._job.destination_tenant_id,
            visibility=visibility,
            properties=properties,
            **attributes,
        )
        try:
            return wanted.create(destination)
        except exceptions.ConflictException:
            return Image.existing(id=self._target_id).get(destination)

    def _remove_target(self) -> None:
        try:
            destination = self._destinations.in_region(self._job.destination_region_id).session
            Image.existing(id=self._target_id).delete(destination)
        except (exceptions.NotFoundException, ServiceError):
            # It was not created yet, is deleted, or its region is no longer in the settings.
            return

    def _progress(self, done: int, total: int | None) -> None:
        if self._claim.is_stopping():
            raise Stopped
        with self._database.read() as connection:
            current = fetch_job(connection, self._job.id)
        if current is None or current.status != REPLICATING:
            raise _Canceled
        # 100 means that the destination has confirmed all data.
        percent = min(99, done * 100 // total) if total else 0
        if percent != self._shown and time.monotonic() >= self._next_write:
            self._shown = percent
            self._next_write = time.monotonic() + _PROGRESS_INTERVAL
            self._change({REPLICATING}, copy_progress=percent)

    def _change(self, only_if: set[str] | frozenset[str], **values: object) -> bool:
        with self._database.write() as connection:
            self._claim.check(connection)
            return change_job(connection, self._job.id, only_if, **values)
