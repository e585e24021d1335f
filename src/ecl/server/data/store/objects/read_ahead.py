"""Threads that fetch the parts of objects before they are asked for."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future

__all__ = ["ReadAhead"]

#: Most threads of a process, for all downloads. If all are busy, a download fetches in its own thread.
_MAX_THREADS = 32


class ReadAhead:
    """A pool of threads that do not keep the process alive, unlike those of `concurrent.futures`."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[tuple[Future[bytes], Callable[[], bytes]]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._idle = 0

    def submit(self, fetch: Callable[[], bytes]) -> Future[bytes]:
        """Let a thread call *fetch*; until one has begun, the future can be cancelled."""
        future: Future[bytes] = Future()
        self._queue.put((future, fetch))
        with self._lock:
            if self._queue.qsize() > self._idle and self._threads < _MAX_THREADS:
                self._threads += 1
                threading.Thread(target=self._run, name="ecl-read-ahead", daemon=True).start()
        return future

    def _run(self) -> None:
        while True:
            with self._lock:
                self._idle += 1
            future, fetch = self._queue.get()
            with self._lock:
                self._idle -= 1
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(fetch())
            except BaseException as exc:  # noqa: BLE001 - the reader raises it
                future.set_exception(exc)
            # Not kept while this thread waits.
            del future, fetch
