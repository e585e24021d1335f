"""Many transfers at once: a bounded pool, one progress for all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

from ecl import exceptions
from ecl.image.transfer._progress import Progress, ProgressCallback

__all__ = ["WORKERS", "TotalProgress", "run_all"]

T = TypeVar("T")

#: Transfers at once, when nothing is said: enough to keep a disk and a network busy.
WORKERS = 4


class TotalProgress:
    """Adds up the progress of several transfers."""

    def __init__(self, callback: ProgressCallback | None, count: int) -> None:
        self._progress = callback
        self._lock = threading.Lock()
        self._done = [0] * count
        self._totals: list[int | None] = [None] * count
        self._meter = Progress(self._report, None) if callback is not None else None
        self._stopped = False

    def of(self, index: int) -> ProgressCallback:
        """Return the callback for one of the transfers."""

        def at(done: int, total: int | None) -> None:
            if self._stopped:
                raise exceptions.SDKException("The transfer was stopped")
            with self._lock:
                self._done[index] = done
                self._totals[index] = total
            if self._meter is not None:
                self._meter.at(sum(self._done))

        return at

    def stop(self) -> None:
        """End the transfers that run: with their next block, each fails."""
        self._stopped = True

    def end(self) -> None:
        """Say that all is done."""
        if self._meter is not None:
            self._meter.end(sum(self._done))

    def _report(self, done: int, total: int | None) -> None:
        del total
        assert self._progress is not None
        known = [each for each in self._totals if each is not None]
        # The sum is known when all of them have begun.
        self._progress(done, sum(known) if len(known) == len(self._totals) else None)


def run_all(jobs: Sequence[Callable[[], T]], workers: int, stop: Callable[[], None]) -> list[T]:
    """
    Run *jobs*, *workers* of them at once, and return their results in order.

    When one fails, those not yet begun are not begun, and those that run come to their end.

    Args:
        stop: Makes those that run end early; called on Ctrl-C.

    Raises:
        InvalidRequest: *workers* is not a positive number.
        Exception: What the first job that failed raised; notes on it name the others.
    """
    _check_workers(workers)
    over = threading.Event()

    def run(job: Callable[[], T]) -> T:
        if over.is_set():
            raise _NotBegun
        try:
            return job()
        except BaseException:
            over.set()
            raise

    pool = ThreadPoolExecutor(workers, "transfer")
    try:
        futures: list[Future[T]] = [pool.submit(run, job) for job in jobs]
        wait(futures, return_when=FIRST_EXCEPTION)
    except BaseException:
        over.set()
        stop()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    errors = [_NotBegun() if future.cancelled() else future.exception() for future in futures]
    failed = [error for error in errors if error is not None and not isinstance(error, _NotBegun)]
    if failed:
        for other in failed[1:]:
            failed[0].add_note(f"Another transfer failed, too: {other}")
        left = sum(isinstance(error, _NotBegun) for error in errors)
        if left:
            failed[0].add_note(f"{left} more transfers were not begun.")
        raise failed[0]
    return [future.result() for future in futures]


class _NotBegun(Exception):
    """Another one had failed before."""


def _check_workers(workers: Any) -> None:
    if not isinstance(workers, int) or isinstance(workers, bool) or workers < 1:
        raise exceptions.InvalidRequest(f"workers must be a positive whole number, not {workers!r}")
