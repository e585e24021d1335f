"""Threads that run jobs from the database; projects take turns. Each job is claimed with a lease, by any process."""

from __future__ import annotations

import asyncio
import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Collection
from contextlib import suppress
from itertools import count
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Generic, TypeVar

from sqlalchemy import Connection

from ecl.server.clock import MICROSECONDS
from ecl.server.data.node import Node
from ecl.server.db.engine import Database, DatabaseError
from ecl.server.db.failures import as_service_error
from ecl.server.db.leases import Leases
from ecl.server.db.outage import Outage
from ecl.server.settings.model import Settings

__all__ = ["Claim", "JobThreads", "Stopped", "TryLater"]

_log = logging.getLogger(__name__)

#: Seconds between two queries for jobs if nothing notifies the threads.
_POLL_INTERVAL = 5.0
#: Seconds that a thread gets to stop; one that waits for a silent server ends with the process.
_STOP_TIMEOUT = 10.0
#: Most seconds between two attempts.
_LONGEST_DELAY = 3600.0


class Stopped(Exception):
    """The service is stopping, or another process has the job; it goes on there, or at the next start."""


class TryLater(Exception):
    """The job could not be finished now; the message says why. This does not count as a failure."""


class Claim:
    """The right of one thread to run one job; it is lost if it is not renewed in time."""

    def __init__(self, leases: Leases, job_id: str, owner: str, stopping: threading.Event) -> None:
        self.job_id = job_id
        self.owner = owner
        self._leases = leases
        self._stopping = stopping
        self.is_lost = False

    def is_stopping(self) -> bool:
        """Return True if the job is to stop: the service stops, or another process has the job."""
        return self.is_lost or self._stopping.is_set()

    def check(self, connection: Connection) -> None:
        """Check, in a transaction that changes something for the job, that this is allowed. Raises Stopped."""
        if not self._leases.holds(connection, self.job_id, self.owner):
            self.is_lost = True
            raise Stopped


J = TypeVar("J")


class JobThreads(ABC, Generic[J]):
    """
    Runs jobs of the database. As an async context manager it starts and stops its threads.

    A job that raises anything but `Stopped` and `TryLater` has failed for an unexpected reason. It is tried again, and
    after ``job_attempts`` failures it ends.

    Args:
        name: Prefix of the threads' names.
        workers: Most jobs that run at once.
        leases: The leases of the jobs.
        regions: The regions whose jobs run here.
    """

    def __init__(
        self,
        name: str,
        workers: int,
        leases: Leases,
        regions: Collection[str],
        settings: Settings,
        database: Database,
        node: Node,
    ) -> None:
        self._name = name
        self._workers = workers
        self._leases = leases
        self._job_regions = regions
        self._attempts = settings.job_attempts
        self._delay = settings.job_retry_delay
        self._database = database
        self._node = node
        self._numbers = count()
        # A queue, because a signal handler may put something into it at any moment.
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._stopping = threading.Event()
        self._claims: dict[str, Claim] = {}
        self._threads: list[threading.Thread] = []
        self._outage = Outage(_log, name, min(_POLL_INTERVAL, node.interval))
        node.renew_too(self._renew)

    @abstractmethod
    def load(self, connection: Connection, job_id: str) -> J:
        """Return the job."""

    @abstractmethod
    def run(self, job: J, claim: Claim) -> None:
        """
        Run the job to completion, or raise `Stopped` or `TryLater`.

        It asks the claim at every block of data whether it is to stop.
        """

    @abstractmethod
    def end(self, job: J, claim: Claim, reason: str) -> None:
        """End the job as failed, after too many attempts."""

    async def __aenter__(self) -> None:
        for number in range(self._workers):
            thread = threading.Thread(target=self._work, name=f"{self._name}-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        for thread in self._threads:
            await asyncio.to_thread(thread.join, _STOP_TIMEOUT)

    def stop(self) -> None:
        """Stop every job at its next block; it goes on at the next start. Returns at once."""
        self._stopping.set()
        self.notify()

    def notify(self) -> None:
        """Wake the threads: there is a job to run or to cancel. Returns at once, whatever the threads do."""
        for _ in range(self._workers - self._wake.qsize()):
            self._wake.put(None)

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                is_idle = not self._run_next()
                self._outage.worked()
            except DatabaseError as exc:
                self._stopping.wait(self._outage.failed(exc))
            except Exception:  # noqa: BLE001 - the thread must live for later jobs
                _log.exception("%s failed", self._name)
                self._stopping.wait(_POLL_INTERVAL)
            else:
                if is_idle:
                    with suppress(Empty):
                        self._wake.get(timeout=_POLL_INTERVAL)

    def _run_next(self) -> bool:
        """Run the next job that waits. Return False if there is none. What fails here is claimed again later."""
        claim = self._claim()
        if claim is None:
            return False
        try:
            self._run_claimed(claim)
        finally:
            self._claims.pop(claim.owner, None)
        return True

    def _claim(self) -> Claim | None:
        """Claim the next job that waits, None if there is none."""
        with self._database.read() as connection:
            if not self._leases.has_waiting(connection, self._job_regions):
                return None
        owner = f"{self._node.id}/{next(self._numbers)}"
        with self._database.write() as connection:
            job_id = self._leases.claim(connection, self._job_regions, owner, self._node.lease)
        if job_id is None:
            return None
        claim = self._claims[owner] = Claim(self._leases, job_id, owner, self._stopping)
        return claim

    def _renew(self, connection: Connection) -> None:
        claims = dict(self._claims)
        kept = self._leases.renew(connection, claims.keys(), self._node.lease)
        for owner in claims.keys() - kept:
            # A job that has just ended is in neither.
            claims[owner].is_lost = True

    def _run_claimed(self, claim: Claim) -> None:
        with self._database.read() as connection:
            job = self.load(connection, claim.job_id)
        try:
            self.run(job, claim)
        except Stopped:
            _log.info("%s: job %s goes on later", self._name, claim.job_id)
            self._give_back(claim)
        except TryLater as exc:
            _log.warning("%s: job %s is tried again in %d seconds: %s", self._name, claim.job_id, self._delay, exc)
            self._give_back(claim, delay=self._delay)
        except Exception as exc:  # as above
            if as_service_error(exc) is not None:
                # The database is away. The job has not failed: it is claimed again when its lease has expired.
                raise
            _log.exception("%s: job %s failed", self._name, claim.job_id)
            self._fail(job, claim, exc)
        else:
            self._give_back(claim)

    def _fail(self, job: J, claim: Claim, exc: Exception) -> None:
        with self._database.read() as connection:
            failures = self._leases.attempts(connection, claim.job_id) + 1
        if failures >= self._attempts:
            reason = f"It failed {failures} times for an unexpected reason ({type(exc).__name__}); the log says more."
            _log.error("%s: job %s has failed %d times, and ends", self._name, claim.job_id, failures)
            try:
                self.end(job, claim, reason)
            except Stopped:
                return
            except Exception:  # noqa: BLE001 - it is tried again after the longest pause
                _log.exception("%s: job %s cannot be ended", self._name, claim.job_id)
        self._give_back(claim, delay=min(self._delay * 2 ** (failures - 1), _LONGEST_DELAY), failed=True)

    def _give_back(self, claim: Claim, *, delay: float = 0.0, failed: bool = False) -> None:
        with self._database.write() as connection:
            self._leases.release(connection, claim.job_id, claim.owner, delay=int(delay * MICROSECONDS), failed=failed)
