"""
Threads for what blocks, apart by what it waits for: one kind of waiting never stops another.

Forty writers that wait for the database's lock must not keep a download from its next block, nor a region that does not
answer a list of images.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import ParamSpec, Protocol, TypeVar

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

from ecl.server.errors import Unavailable

__all__ = ["Read", "Run", "ask", "change", "fetch", "query", "touch", "verify"]

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Run(Protocol):
    """Runs a function in a thread of one kind: `query`, `touch` …"""

    async def __call__(self, function: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Return the function's result."""


#: Runs a function that reads bytes: `touch` or `fetch`.
Read = Run


class _Kind(Enum):
    """What threads wait for; the value is how many there are at most."""

    QUERY = 16, "query"
    CHANGE = 16, "change"
    TOUCH = 40, "touch"
    FETCH = 16, "fetch"
    ASK = 8, "ask"
    VERIFY = 8, "verify"

    @property
    def threads(self) -> int:
        return self.value[0]


#: Requests that may wait for an answer of other services before one more is refused.
_MOST_WAITING = 8
#: And those that may wait for the Keystone, which each request with a new token needs.
_MOST_UNVERIFIED = 64
#: Those of the event loop, which has its own.
_limiters: RunVar[dict[_Kind, CapacityLimiter]] = RunVar("ecl-threads")


async def query(function: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Run *function*, which reads from the database, in a thread."""
    return await _run(_Kind.QUERY, lambda: function(*args, **kwargs))


async def change(function: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Run *function*, which writes to the database and may wait for other writers, in a thread."""
    return await _run(_Kind.CHANGE, lambda: function(*args, **kwargs))


async def touch(function: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Run *function*, which reads or writes the bytes of a store, in a thread."""
    return await _run(_Kind.TOUCH, lambda: function(*args, **kwargs))


async def fetch(function: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Run *function*, which reads the bytes of an image from a server elsewhere, in a thread."""
    return await _run(_Kind.FETCH, lambda: function(*args, **kwargs))


async def ask(function: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """
    Run *function*, which asks another service, in a thread.

    Raises:
        Unavailable: As many requests as may wait for that do so already.
    """
    if _limiter(_Kind.ASK).statistics().tasks_waiting >= _MOST_WAITING:
        raise Unavailable("Too many requests wait for the answers of other services; try again later.")
    return await _run(_Kind.ASK, lambda: function(*args, **kwargs))


async def verify(function: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """
    Run *function*, which asks the Keystone, in a thread.

    Raises:
        Unavailable: As many requests as may wait for that do so already.
    """
    if _limiter(_Kind.VERIFY).statistics().tasks_waiting >= _MOST_UNVERIFIED:
        raise Unavailable("Too many requests wait for the answers of the identity service; try again later.")
    return await _run(_Kind.VERIFY, lambda: function(*args, **kwargs))


async def _run(kind: _Kind, work: Callable[[], _T]) -> _T:
    return await to_thread.run_sync(work, limiter=_limiter(kind))


def _limiter(kind: _Kind) -> CapacityLimiter:
    try:
        limiters = _limiters.get()
    except LookupError:
        limiters = {each: CapacityLimiter(each.threads) for each in _Kind}
        _limiters.set(limiters)
    return limiters[kind]
