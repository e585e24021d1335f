"""Threads that run jobs from the database, the oldest first; jobs that a stopped process left go on here."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Generic, Protocol, TypeVar

__all__ = ["JobThreads", "Stopped", "TryLater"]

_log = logging.getLogger(__name__)

#: Seconds between two queries for jobs if nothing notifies the threads.
_POLL_INTERVAL = 5.0
#: Seconds before a job that could not be finished is retried.
_RETRY_DELAY = 30.0
#: Seconds that a thread gets to stop; one that waits for a silent server ends with the process.
_STOP_TIMEOUT = 10.0


class Stopped(Exception):
    """The service is stopping; the job goes on at its next start."""


class TryLater(Exception):
    """The job could not be finished now; the message says why."""


class _HasId(Protocol):
    @property
    def id(self) -> str: ...


J = TypeVar("J", bound=_HasId)


class JobThreads(Generic[J]):
    """
    Runs jobs that are stored elsewhere. As an async context manager it starts and stops its threads.

    Args:
        name: Prefix of the threads' names.
        count: Most jobs that run at once.
        unfinished: Returns the jobs that have not ended, the oldest first. Called from any thread.
        run: Runs a job to completion, or raises `Stopped` or `TryLater`. It calls its second argument at every block
            of data: True means that the service is stopping.
    """

    def __init__(
        self,
        name: str,
        count: int,
        unfinished: Callable[[], Sequence[J]],
        run: Callable[[J, Callable[[], bool]], None],
    ) -> None:
        self._name = name
        self._count = count
        self._unfinished = unfinished
        self._run_job = run
        self._wake = threading.Condition()
        self._stopping = threading.Event()
        self._running: set[str] = set()
        self._not_before: dict[str, float] = {}
        self._threads: list[threading.Thread] = []

    async def __aenter__(self) -> None:
        for number in range(self._count):
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
        """Wake the threads: there is a job to run or to cancel."""
        with self._wake:
            self._wake.notify_all()

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                job = self._claim()
            except Exception:  # noqa: BLE001 - the thread must live for later jobs
                _log.exception("%s cannot read its jobs", self._name)
                self._stopping.wait(_POLL_INTERVAL)
                continue
            if job is not None:
                self._run(job)

    def _claim(self) -> J | None:
        """Return the oldest job that no thread runs; wait a while if there is none."""
        with self._wake:
            for job in self._unfinished():
                if job.id not in self._running and self._not_before.get(job.id, 0.0) <= time.monotonic():
                    self._running.add(job.id)
                    return job
            if not self._stopping.is_set():
                self._wake.wait(_POLL_INTERVAL)
            return None

    def _run(self, job: J) -> None:
        try:
            self._run_job(job, self._stopping.is_set)
            self._not_before.pop(job.id, None)
        except Stopped:
            _log.info("%s: job %s goes on at the next start", self._name, job.id)
        except TryLater as exc:
            _log.warning("%s: job %s is taken up again in %d seconds: %s", self._name, job.id, _RETRY_DELAY, exc)
            self._not_before[job.id] = time.monotonic() + _RETRY_DELAY
        except Exception:  # noqa: BLE001 - as above
            _log.exception("%s: job %s is taken up again in %d seconds", self._name, job.id, _RETRY_DELAY)
            self._not_before[job.id] = time.monotonic() + _RETRY_DELAY
        finally:
            with self._wake:
                self._running.discard(job.id)
