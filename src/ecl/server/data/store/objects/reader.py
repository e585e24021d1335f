"""The data of one object, by ranges that are fetched before they are asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future

from ecl.server.data.store.base import Reader
from ecl.server.data.store.objects.read_ahead import ReadAhead

__all__ = ["ObjectReader"]

#: Bytes of a range: of the first one, and at most. Each is twice as large as the one before it.
_FIRST_RANGE = 128 << 10
_LAST_RANGE = 2 << 20
#: Ranges that are fetched ahead at once, over connections of their own, as soon as ranges are that large.
#: Memory of one download: (_AHEAD + 1) * _LAST_RANGE, and the block that is being sent.
_AHEAD = 3
_AHEAD_FROM = 1 << 20


class _Range:
    """Bytes that are fetched, or will be."""

    def __init__(self, start: int, end: int, fetch: Callable[[int, int], bytes]) -> None:
        self.start = start
        self.end = end
        self._fetch = fetch
        self._future: Future[bytes] | None = None
        self._data: bytes | None = None

    def ask(self, ahead: ReadAhead) -> None:
        """Fetch it in another thread."""
        self._future = ahead.submit(lambda: self._fetch(self.start, self.end))

    def data(self) -> bytes:
        """Return its bytes, fetched here if no thread has begun to."""
        if self._data is None:
            if self._future is None or self._future.cancel():
                self._data = self._fetch(self.start, self.end)
            else:
                self._data = self._future.result()
        return self._data

    def drop(self) -> None:
        """Stop, if no thread has begun yet."""
        if self._future is not None:
            self._future.cancel()


class ObjectReader(Reader):
    """
    An object that is read from one offset on; another offset begins again.

    Args:
        fetch: Returns the bytes from the first offset to the second, all of them. Raises StoreError.
    """

    def __init__(self, size: int, fetch: Callable[[int, int], bytes], ahead: ReadAhead) -> None:
        self.size = size
        self._fetch = fetch
        self._ahead = ahead
        self._ranges: deque[_Range] = deque()
        self._next = 0
        self._end = size
        self._range_size = _FIRST_RANGE

    def expect(self, end: int) -> None:
        """Fetch nothing ahead from *end* on."""
        self._end = min(end, self.size)

    def read(self, offset: int, length: int) -> bytes:
        """Return up to *length* bytes from *offset*."""
        end = min(offset + length, self.size)
        if self._ranges and self._ranges[0].start <= offset <= self._next:
            while self._ranges and self._ranges[0].end <= offset:
                self._ranges.popleft()
        elif offset != self._next:
            self._begin(offset)
        found = []
        while offset < end:
            self._fetch_ahead(end)
            first = self._ranges[0]
            block = first.data()[offset - first.start : end - first.start]
            found.append(block)
            offset += len(block)
            if offset == first.end:
                self._ranges.popleft()
        return found[0] if len(found) == 1 else b"".join(found)

    def _begin(self, offset: int) -> None:
        self.close()
        self._next = offset
        self._range_size = _FIRST_RANGE

    def _fetch_ahead(self, needed: int) -> None:
        """Have the next range, and those ahead of it, as far as they are expected."""
        while self._next < max(self._end, needed):
            is_ahead = bool(self._ranges)
            if is_ahead and (self._range_size < _AHEAD_FROM or len(self._ranges) > _AHEAD or self._next >= self._end):
                return
            limit = self._end if self._next < self._end else needed
            following = _Range(self._next, min(self._next + self._range_size, limit), self._fetch)
            if is_ahead:
                following.ask(self._ahead)
            self._ranges.append(following)
            self._next = following.end
            self._range_size = min(2 * self._range_size, _LAST_RANGE)

    def close(self) -> None:
        """Forget what was fetched."""
        while self._ranges:
            self._ranges.pop().drop()
