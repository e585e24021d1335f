"""Many transfers at once: a bounded number of threads, one progress for all of them."""

from __future__ import annotations

import contextvars
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from functools import partial
from typing import Any, Generic, TypeVar

from ecl import exceptions
from ecl._http import stop as _stop
from ecl._http.stop import Stop
from ecl.image._transfer.progress import Progress, ProgressCallback

__all__ = ["WORKERS", "TotalProgress", "run_all"]

T = TypeVar("T")

#: Transfers at once by default: enough to keep a disk and a network busy.
WORKERS = 4
#: Seconds that the transfers get together to end after Ctrl-C. A download needs less, whatever it waits for.
_JOIN_TIMEOUT_SECONDS = 1.5


class TotalProgress:
    """Adds up the progress of several transfers."""

    def __init__(self, callback: ProgressCallback | None, count: int) -> None:
        self._progress = callback
        self._lock = threading.Lock()
        self._done = [0] * count
        self._totals: list[int | None] = [None] * count
        self._meter = Progress(self._report, None) if callback is not None else None
        #: Ends the transfers.
        self.stop = Stop()

    def of(self, index: int) -> ProgressCallback:
        """Return the callback for one of the transfers."""

        def at(done: int, total: int | None) -> None:
            # A transfer that waits for nothing ends at its next block.
            self.stop.check()
            with self._lock:
                self._done[index] = done
                self._totals[index] = total
            if self._meter is not None:
                self._meter.at(sum(self._done))

        return at

    def end(self) -> None:
        """Report that all transfers are done."""
        if self._meter is not None:
            self._meter.end(sum(self._done))

    def _report(self, done: int, total: int | None) -> None:
        del total
        assert self._progress is not None
        known = [total for total in self._totals if total is not None]
        # The sum is known when all of them have started.
        self._progress(done, sum(known) if len(known) == len(self._totals) else None)


def run_all(
    jobs: Sequence[Callable[[], T]], workers: int, stop: Stop, on_abandoned: Callable[[int, BaseException], object]
) -> list[T]:
    """
    Run *jobs*, *workers* of them at once, and return their results in order.

    When one fails, no more jobs are started, and those that run continue to their end.

    Args:
        stop: Ends the running jobs early; used on Ctrl-C.
        on_abandoned: Called on Ctrl-C with the index of each job that nothing could end, and the exception that will be
            raised: to clean up behind the job, or to note on the exception what is left.

    Raises:
        InvalidRequest: *workers* is not a positive number.
        Exception: What the first job that failed raised; notes on it name the others.
        KeyboardInterrupt: Ctrl-C; the notes of the jobs that it ended are on it.
    """
    _check_workers(workers)
    pool = _Pool(jobs)
    try:
        pool.run(min(workers, len(jobs)))
    except BaseException as exc:
        # A second Ctrl-C ends the wait.
        with suppress(KeyboardInterrupt):
            pool.end(stop)
        for error in pool.failed():
            _add_notes(exc, error)
        for index in pool.unfinished():
            on_abandoned(index, exc)
        raise
    failed = pool.failed()
    if failed:
        for other in failed[1:]:
            failed[0].add_note(f"Another transfer failed, too: {other}")
            _add_notes(failed[0], other)
        if pool.left:
            failed[0].add_note(f"{pool.left} more transfers were not started.")
        raise failed[0]
    return [pool.results[index] for index in range(len(jobs))]


class _Pool(Generic[T]):
    """
    Threads that take one job after the other, until one fails.

    Nothing has to wait for these threads, not even the end of the process (an executor's it would wait for): a job
    may hang in the network.
    """

    def __init__(self, jobs: Sequence[Callable[[], T]]) -> None:
        self._todo = deque(enumerate(jobs))
        self._count = len(jobs)
        self._is_ending = threading.Event()
        # Each thread puts an item in when it ends. Not join(): when Ctrl-C interrupts that, the thread counts as ended.
        self._ends: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        self._running = 0
        #: What the jobs returned, by index.
        self.results: dict[int, T] = {}
        self._errors: dict[int, BaseException] = {}

    @property
    def left(self) -> int:
        """Number of jobs that have not been started."""
        return len(self._todo)

    def run(self, workers: int) -> None:
        """Do the jobs in so many threads; return when all have ended. Raises the error of this thread's stop."""
        stop = _stop.current()
        with nullcontext() if stop is None else stop.calling(self._ends.put):
            for number in range(workers):
                work = partial(contextvars.copy_context().run, self._work)
                threading.Thread(target=work, name=f"transfer-{number}", daemon=True).start()
                self._running += 1
            while self._running:
                error = self._ends.get()
                if error is not None:
                    raise error
                self._running -= 1

    def end(self, stop: Stop) -> None:
        """Start no more jobs, end the running ones by *stop*, and wait for them for a short time."""
        self._is_ending.set()
        stop.stop()
        deadline = time.monotonic() + _JOIN_TIMEOUT_SECONDS
        with suppress(queue.Empty):
            while self._running:
                self._ends.get(timeout=max(0.0, deadline - time.monotonic()))
                self._running -= 1

    def failed(self) -> list[BaseException]:
        """Return what the jobs raised, in their order; once what several have raised."""
        errors = self._errors.copy()
        return list({id(errors[index]): errors[index] for index in sorted(errors)}.values())

    def unfinished(self) -> list[int]:
        """Return the indices of the jobs that still run."""
        ended = self.results.keys() | self._errors.keys()
        return [index for index in range(self._count - self.left) if index not in ended]

    def _work(self) -> None:
        try:
            self._do_jobs()
        finally:
            self._ends.put(None)

    def _do_jobs(self) -> None:
        while not self._is_ending.is_set():
            try:
                index, job = self._todo.popleft()
            except IndexError:
                return
            try:
                self.results[index] = job()
            except BaseException as exc:  # noqa: BLE001 - run_all() raises it
                self._is_ending.set()
                self._errors[index] = exc


def _add_notes(exc: BaseException, other: BaseException) -> None:
    """Copy the notes of *other* to *exc*."""
    for note in getattr(other, "__notes__", ()):
        exc.add_note(note)


def _check_workers(workers: Any) -> None:
    if not isinstance(workers, int) or isinstance(workers, bool) or workers < 1:
        raise exceptions.InvalidRequest(f"workers must be a positive whole number, not {workers!r}")
