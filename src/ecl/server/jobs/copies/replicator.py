"""The threads that run copy jobs."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from ecl import exceptions
from ecl.server.data.node import Node
from ecl.server.data.region import Region
from ecl.server.db.copy_jobs import fetch_job
from ecl.server.db.engine import Database
from ecl.server.db.leases import COPIES
from ecl.server.domain.copy_job import CopyJob
from ecl.server.jobs.peers.destinations import Destinations
from ecl.server.jobs.runner import Claim, JobThreads, TryLater
from ecl.server.settings.model import Settings

__all__ = ["Replicator"]


class Replicator(JobThreads[CopyJob]):
    """Runs the copy jobs of the regions that this process serves."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        destinations: Destinations,
        node: Node,
        regions: Iterable[Region] = (),
    ) -> None:
        names = [region.name for region in settings.regions if not region.is_remote]
        super().__init__("replicator", settings.replicator_workers, COPIES, names, settings, database, node)
        self._destinations = destinations
        self._settings = settings
        self._regions = {region.name: region for region in regions}

    def load(self, connection: Connection, job_id: str) -> CopyJob:
        """Return the job."""
        job = fetch_job(connection, job_id)
        assert job is not None
        return job

    def run(self, job: CopyJob, claim: Claim) -> None:
        """Run the job to completion."""
        # Imported for the first job, because the service starts without the SDK.
        from ecl.server.jobs.copies.direct import LocalRegions
        from ecl.server.jobs.copies.run import run_job

        local = LocalRegions(self._settings, self._database, self._node, self._regions)
        try:
            run_job(job, self._database, self._destinations, claim, local)
        except exceptions.SDKException as exc:
            raise TryLater(exc) from exc

    def end(self, job: CopyJob, claim: Claim, reason: str) -> None:
        """End the job as an error."""
        from ecl.server.jobs.copies.run import end_job

        end_job(job, self._database, self._destinations, claim, reason)
