"""Reporting the progress of a transfer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

__all__ = ["Progress", "ProgressCallback"]

#: Called with the bytes done so far, and the bytes in all (None if not known). A smaller number than before means
#: that a retry sends bytes again.
ProgressCallback = Callable[[int, int | None], object]

#: Minimum number of seconds between two calls.
INTERVAL = 0.1


class Progress:
    """Calls back at most ten times a second, and once at the end."""

    def __init__(self, callback: ProgressCallback | None, total: int | None) -> None:
        self._callback = callback
        self._total = total
        self._next = 0.0
        # A transfer over several connections has several threads; the callback is never called by two at once.
        self._lock = threading.Lock()

    def at(self, done: int) -> None:
        """Report that *done* bytes have been moved."""
        if self._callback is None:
            return
        with self._lock:
            now = time.monotonic()
            if now >= self._next:
                self._next = now + INTERVAL
                self._callback(done, self._total)

    def end(self, done: int) -> None:
        """Report that all bytes have been moved: *done*."""
        if self._callback is not None:
            self._callback(done, self._total if self._total is not None else done)
