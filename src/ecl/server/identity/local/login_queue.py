"""Who computes a password's hash next: few at once, a bounded number in two queues, and none for clients that left."""

from __future__ import annotations

import asyncio
import os
from collections import Counter, deque
from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from ecl.server.http.errors import TooBusy

__all__ = ["MAX_WAITING", "MAX_WAITING_OF_SOURCE", "LoginQueue"]

#: Most logins that wait in each of the two queues.
MAX_WAITING = 64
#: Most of them from one address in the queue of unknown clients.
MAX_WAITING_OF_SOURCE = 16

T = TypeVar("T")


class _Waiting:
    """One login that waits for its turn."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class LoginQueue:
    """
    Runs what computes a password's hash, which takes a core for a quarter of a second and 128 MiB.

    Clients that have logged in before go first, so that a flood of wrong passwords does not make them wait.

    Args:
        most: Most that run at once; None: half of the cores.
    """

    def __init__(self, most: int | None = None) -> None:
        self._free = most or max(1, (os.cpu_count() or 1) // 2)
        self._limiter = CapacityLimiter(self._free)
        self._known: deque[_Waiting] = deque()
        self._unknown: deque[_Waiting] = deque()
        self._sources: Counter[str] = Counter()

    async def run(self, work: Callable[[], T], receive: Receive, source: str, *, is_known: bool) -> T:
        """
        Return the result of *work*, run in a thread when it is its turn.

        Args:
            receive: That of the request, whose body has been read: it tells when the client goes away.
            source: The client's address.
            is_known: True if the client has logged in before.

        Raises:
            TooBusy: Too many wait.
            ClientDisconnect: The client went away before its turn.
        """
        if not self._free:
            await self._wait(receive, source, is_known=is_known)
        else:
            self._free -= 1
        try:
            return await to_thread.run_sync(work, limiter=self._limiter)
        finally:
            self._pass_on()

    async def _wait(self, receive: Receive, source: str, *, is_known: bool) -> None:
        queue = self._known if is_known else self._unknown
        if len(queue) >= MAX_WAITING or (not is_known and self._sources[source] >= MAX_WAITING_OF_SOURCE):
            raise TooBusy("Too many logins are waiting. Try again later.")
        waiting = _Waiting(source)
        queue.append(waiting)
        if not is_known:
            self._sources[source] += 1
        left = asyncio.ensure_future(_client_leaves(receive))
        try:
            await asyncio.wait({waiting.turn, left}, return_when=asyncio.FIRST_COMPLETED)
            if left.done():
                raise ClientDisconnect
        except BaseException:
            if waiting.turn.done():
                self._pass_on()
            else:
                queue.remove(waiting)
            raise
        finally:
            left.cancel()
            if not is_known:
                self._sources -= Counter([source])

    def _pass_on(self) -> None:
        queue = self._known or self._unknown
        if queue:
            queue.popleft().turn.set_result(None)
        else:
            self._free += 1


async def _client_leaves(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
