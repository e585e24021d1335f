"""The threads that run copy jobs, one job each, the oldest first."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from types import TracebackType

from ecl import exceptions
from ecl.server.db.copy_jobs import unfinished_jobs
from ecl.server.db.engine import Database
from ecl.server.domain.copy_job import CopyJob
from ecl.server.replicator.destinations import Destinations
from ecl.server.settings import Settings

__all__ = ["Replicator"]

_log = logging.getLogger(__name__)

#: Seconds between two looks at the jobs when nobody says that there is one.
_IDLE = 5.0
#: Seconds before a job whose image could not be removed is taken up again.
_LATER = 30.0
#: Seconds that a thread gets to end; one that waits for a silent region ends with the process.
_STOP = 10.0


class Replicator:
    """
    Runs the jobs of the regions that this process serves, those that an earlier process left unfinished first.

    As an async context manager it starts its threads and stops them.
    """

    def __init__(self, settings: Settings, database: Database, destinations: Destinations) -> None:
        self._regions = [region.name for region in settings.regions if not region.is_remote]
        self._workers = settings.replicator_workers
        self._database = database
        self._destinations = destinations
        self._wake = threading.Condition()
        self._stopping = threading.Event()
        self._running: set[str] = set()
        self._not_before: dict[str, float] = {}
        self._threads: list[threading.Thread] = []

    async def __aenter__(self) -> None:
        for number in range(self._workers):
            thread = threading.Thread(target=self._work, name=f"replicator-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        for thread in self._threads:
            await asyncio.to_thread(thread.join, _STOP)

    def stop(self) -> None:
        """Let every job end at its next block; the next start goes on with it. Returns at once."""
        self._stopping.set()
        self.notify()

    def notify(self) -> None:
        """Say that there is a job to run or to cancel."""
        with self._wake:
            self._wake.notify_all()

    def _work(self) -> None:
        while not self._stopping.is_set():
            job = self._claim()
            if job is not None:
                self._run(job)

    def _claim(self) -> CopyJob | None:
        """Return the oldest job that no thread is at; wait a while if there is none."""
        with self._wake:
            with self._database.read() as connection:
                jobs = unfinished_jobs(connection, self._regions)
            for job in jobs:
                if job.id not in self._running and self._not_before.get(job.id, 0.0) <= time.monotonic():
                    self._running.add(job.id)
                    return job
            if not self._stopping.is_set():
                self._wake.wait(_IDLE)
            return None

    def _run(self, job: CopyJob) -> None:
        # The SDK is loaded for the first job: the service starts without it.
        from ecl.server.replicator.copying import Stopped, run_job

        try:
            run_job(job, self._database, self._destinations, self._stopping.is_set)
            self._not_before.pop(job.id, None)
        except Stopped:
            _log.info("job %s goes on at the next start", job.id)
        except exceptions.SDKException as exc:
            _log.warning("job %s is taken up again in %d seconds: %s", job.id, _LATER, exc)
            self._not_before[job.id] = time.monotonic() + _LATER
        except Exception:  # noqa: BLE001 - a thread that ended here would leave all later jobs undone
            _log.exception("job %s is taken up again in %d seconds", job.id, _LATER)
            self._not_before[job.id] = time.monotonic() + _LATER
        finally:
            with self._wake:
                self._running.discard(job.id)
