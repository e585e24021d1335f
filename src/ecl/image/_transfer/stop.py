"""Ending transfers that run in other threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ecl import exceptions

__all__ = ["Stop"]


class Stop:
    """Ends all transfers that have been given it, once for all."""

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
        """Raise SDKException if the transfers are to end."""
        if self._stopped:
            raise _error()

    @contextmanager
    def calling(self, end: Callable[[BaseException], object]) -> Iterator[None]:
        """
        Let :meth:`stop` call *end*, which must not wait for anything, with the error that the transfer is to raise.

        Raises:
            SDKException: It has been stopped already.
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
