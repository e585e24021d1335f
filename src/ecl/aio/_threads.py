"""Calls of the SDK in threads, ended when the task that awaits them is cancelled."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Generic, TypeVar

import anyio
import anyio.lowlevel
import anyio.to_thread

from ecl import exceptions
from ecl._http.stop import Interrupted, Stop

__all__ = ["Limits", "in_thread", "new_stop"]

T = TypeVar("T")


class Limits:
    """How many threads are busy at once: waiting calls and moving bytes never keep short calls from running."""

    def __init__(self, max_calls: Any, max_transfers: Any) -> None:
        """
        Set the limits.

        Args:
            max_calls: Number of short calls, and of calls that wait for a status.
            max_transfers: Number of calls that move data.

        Raises:
            InvalidRequest: One of them is not a positive whole number.
        """
        for name, value in (("max_calls", max_calls), ("max_transfers", max_transfers)):
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise exceptions.InvalidRequest(f"{name} must be a positive whole number, not {value!r}")
        #: Connections that may be in use at the same time.
        self.connections = 2 * max_calls + max_transfers
        self.calls = anyio.CapacityLimiter(max_calls)
        self.waits = anyio.CapacityLimiter(max_calls)
        self.transfers = anyio.CapacityLimiter(max_transfers)


def new_stop() -> Stop:
    """Return a stop that leaves what Ctrl-C leaves."""
    return Stop(Interrupted)


class _Call(Generic[T]):
    """A function to run in a thread, and how it ended."""

    def __init__(self, function: Callable[[], T], stop: Stop) -> None:
        self._function = function
        self._stop = stop
        self.began = False
        self.ended = threading.Event()
        self.results: list[T] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        """Run it; what it raises is kept."""
        self.began = True
        try:
            with self._stop.active():
                self._stop.check()
                self.results.append(self._function())
        except BaseException as exc:  # noqa: BLE001 - in_thread() raises it
            self.error = exc
        finally:
            self.ended.set()

    async def watch(self) -> None:
        """Stop the call when this task is cancelled before the call has ended."""
        try:
            await anyio.sleep_forever()
        finally:
            if not self.ended.is_set():
                self._stop.stop()


async def in_thread(
    function: Callable[[], T],
    limiter: anyio.CapacityLimiter,
    stop: Stop | None = None,
    beside: Sequence[Callable[[], Coroutine[Any, Any, None]]] = (),
) -> T:
    """
    Run *function* in a thread, and return its result.

    If the task is cancelled, the call is stopped and awaited: it has cleaned up when the task ends. A call that
    succeeded in the same moment returns its result.

    Args:
        limiter: Limits the number of threads.
        stop: What ends the call; by default one of its own.
        beside: Run in tasks while the call runs, and cancelled when it has ended; they raise nothing.

    Raises:
        InvalidRequest: *stop* ended an earlier call.
    """
    stop = stop or new_stop()
    call = _Call(function, stop)
    async with anyio.create_task_group() as group:
        group.start_soon(call.watch)
        for each in beside:
            group.start_soon(each)
        try:
            await anyio.to_thread.run_sync(call.run, limiter=limiter)
        except anyio.get_cancelled_exc_class():
            # Before it began, or by asyncio's own Task.cancel(), which no shield holds off.
            stop.stop()
            if call.began:
                with anyio.CancelScope(shield=True):
                    await anyio.to_thread.run_sync(call.ended.wait, limiter=anyio.CapacityLimiter(math.inf))
            raise
        group.cancel_scope.cancel()
    if isinstance(call.error, Interrupted):
        # The task is cancelled: this raises what says so.
        await anyio.lowlevel.checkpoint()
        # It is not: *stop* ended an earlier call. A KeyboardInterrupt would end the whole program.
        raise exceptions.InvalidRequest("This download was cancelled before; begin a new one")
    if call.error is not None:
        raise call.error
    return call.results[0]
