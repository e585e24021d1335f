"""Ending calls and transfers that run in other threads."""

from __future__ import annotations

import contextvars
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from ecl import exceptions

__all__ = ["Interrupted", "Line", "Stop", "check", "current", "sleep", "unstoppable"]


class Interrupted(KeyboardInterrupt):
    """A call was cancelled by another thread. It leaves what Ctrl-C leaves: whatever cleans up after that does so."""


class Line(Protocol):
    """A connection that a call uses."""

    def shut(self, stop: Stop) -> None:
        """Let reads and writes fail at once, unless a call with another stop uses the connection now."""


def _stopped() -> BaseException:
    return exceptions.SDKException("The transfer was stopped")


class Stop:
    """Ends all transfers that share it, and the calls within :meth:`active`. It cannot be reset."""

    def __init__(self, error: Callable[[], BaseException] = _stopped) -> None:
        """
        Stop nothing yet.

        Args:
            error: Makes what the transfers and calls raise.
        """
        self._lock = threading.Lock()
        self._error = error
        self._stopped = False
        self._calls: list[Callable[[BaseException], object]] = []
        # A connection that was closed goes by itself.
        self._lines: weakref.WeakSet[Line] = weakref.WeakSet()

    def stop(self) -> None:
        """End the transfers and calls: each fails as soon as it can."""
        with self._lock:
            self._stopped = True
            for call in self._calls:
                call(self._error())
            for line in list(self._lines):
                line.shut(self)

    def check(self) -> None:
        """Raise the error if the transfers have been stopped."""
        if self._stopped:
            raise self._error()

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

    def watch(self, line: Line) -> None:
        """Shut *line* at :meth:`stop`. Raises the error if that has been called."""
        with self._lock:
            self.check()
            self._lines.add(line)

    @contextmanager
    def active(self) -> Iterator[None]:
        """
        Within it, :meth:`stop` ends the requests and pauses of this thread, and of threads that transfers start.

        A request ends at once over a connection of :mod:`ecl._http.stoppable`; over any other it is awaited.
        """
        token = _CURRENT.set(self)
        try:
            yield
        finally:
            _CURRENT.reset(token)

    def wait(self, seconds: float, cancelled: threading.Event | None = None) -> None:
        """Pause, until *cancelled* is set. Raises the error when the transfers are stopped."""
        event = cancelled or threading.Event()
        with self.calling(lambda _: event.set()):
            event.wait(seconds)
        self.check()


_CURRENT: contextvars.ContextVar[Stop | None] = contextvars.ContextVar("stop", default=None)


def current() -> Stop | None:
    """Return what ends this thread's calls; None: nothing but Ctrl-C."""
    return _CURRENT.get()


def check() -> None:
    """Raise the error if this thread's calls have been stopped."""
    stop = _CURRENT.get()
    if stop is not None:
        stop.check()


def sleep(seconds: float, cancelled: threading.Event | None = None) -> None:
    """Pause, until *cancelled* is set. Raises the error when this thread's calls are stopped."""
    stop = _CURRENT.get()
    if stop is not None:
        stop.wait(seconds, cancelled)
    elif cancelled is not None:
        cancelled.wait(seconds)
    else:
        time.sleep(seconds)


@contextmanager
def unstoppable() -> Iterator[None]:
    """Within it, this thread's calls are not stopped: they clean up behind one that was."""
    token = _CURRENT.set(None)
    try:
        yield
    finally:
        _CURRENT.reset(token)
