"""Threads that run durable jobs, one job each, the oldest first, those of an earlier process before all."""

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

#: Seconds between two looks at the jobs when nobody says that there is one.
_IDLE = 5.0
#: Seconds before a job that could not be brought to its end is taken up again.
_LATER = 30.0
#: Seconds that a thread gets to end; one that waits for a silent server ends with the process.
_STOP = 10.0


class Stopped(Exception):
    """The service is about to end; the job goes on at its next start."""


class TryLater(Exception):
    """The job could not be brought to its end now; the message says why."""


class _HasId(Protocol):
    @property
    def id(self) -> str: ...


J = TypeVar("J", bound=_HasId)


class JobThreads(Generic[J]):
    """
    Runs jobs that are written down elsewhere. As an async context manager it starts its threads and stops them.

    Args:
        name: What the threads are called.
        count: Jobs that run at once.
        unfinished: Returns the jobs that have something left to do, the oldest first. Called from any thread.
        run: Brings a job to its end, or raises `Stopped` or `TryLater`. It asks its second argument at every block:
            True means that the service is about to end.
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
            try:
                job = self._claim()
            except Exception:  # noqa: BLE001 - a thread that ended here would leave all later jobs undone
                _log.exception("%s cannot read its jobs", self._name)
                self._stopping.wait(_IDLE)
                continue
            if job is not None:
                self._run(job)

    def _claim(self) -> J | None:
        """Return the oldest job that no thread is at; wait a while if there is none."""
        with self._wake:
            for job in self._unfinished():
                if job.id not in self._running and self._not_before.get(job.id, 0.0) <= time.monotonic():
                    self._running.add(job.id)
                    return job
            if not self._stopping.is_set():
                self._wake.wait(_IDLE)
            return None

    def _run(self, job: J) -> None:
        try:
            self._run_job(job, self._stopping.is_set)
            self._not_before.pop(job.id, None)
        except Stopped:
            _log.info("%s: job %s goes on at the next start", self._name, job.id)
        except TryLater as exc:
            _log.warning("%s: job %s is taken up again in %d seconds: %s", self._name, job.id, _LATER, exc)
            self._not_before[job.id] = time.monotonic() + _LATER
        except Exception:  # noqa: BLE001 - as above
            _log.exception("%s: job %s is taken up again in %d seconds", self._name, job.id, _LATER)
            self._not_before[job.id] = time.monotonic() + _LATER
        finally:
            with self._wake:
                self._running.discard(job.id)
