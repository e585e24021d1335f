"""Ending transfers that run in other threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ecl import exceptions

__all__ = ["Stop"]


class Stop:
    """Ends all transfers that share it. It cannot be reset."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stopped = False
        self._calls: list[Callable[[BaseException], object]] = []

    def stop(self) -> None:
        """End the transfers: each fails as soon as it can."""
        with self._lock:
            self._stopped = True
            for call in self._calls:
                call(_error())

    def check(self) -> None:
        """Raise SDKException if the transfers have been stopped."""
        if self._stopped:
            raise _error()

    @contextmanager
    def calling(self, end: Callable[[BaseException], object]) -> Iterator[None]:
        """
        Within it, :meth:`stop` calls *end* with the error that the transfer should raise. *end* must not block.

        Raises:
            SDKException: The transfers have been stopped already.
        """
        with self._lock:
            self.check()
            self._calls.append(end)
        try:
            yield
        finally:
            with self._lock:
                self._calls.remove(end)


def _error() -> exceptions.SDKException:
    return exceptions.SDKException("The transfer was stopped")
