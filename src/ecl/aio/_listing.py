"""Lists: one page of the service for each thread call, not one item."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Generic, Self, TypeVar

import anyio

from ecl._http import paging
from ecl.aio._threads import in_thread

__all__ = ["Listing"]

T = TypeVar("T")


class Listing(AsyncIterator[T], Generic[T]):
    """The items of a list. Nothing is sent before the first one is asked for."""

    def __init__(self, items: Callable[[], Iterator[T]], limiter: anyio.CapacityLimiter) -> None:
        """
        Describe the list.

        Args:
            items: Returns the items as the SDK has them.
        """
        self._start = items
        self._limiter = limiter
        self._items: Iterator[T] | None = None
        self._page: deque[T] = deque()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        if not self._page:
            self._page.extend(await in_thread(self._next_page, self._limiter))
            if not self._page:
                raise StopAsyncIteration
        return self._page.popleft()

    def _next_page(self) -> list[T]:
        """Return the items up to the end of the page that comes next; all items of a list without pages."""
        if self._items is None:
            self._items = self._start()
        counts: list[int] = []
        found: list[T] = []
        with paging.counting(counts.append):
            for item in self._items:
                found.append(item)
                if counts and len(found) >= sum(counts):
                    break
        return found
