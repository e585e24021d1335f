"""A bound on how many requests of one kind run at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from anyio import CapacityLimiter

from ecl.server.http.errors import TooBusy

__all__ = ["Slots", "TransferSlots"]


#: Most threads that wait for servers elsewhere.
_ELSEWHERE = 16


class Slots:
    """
    Counts the requests of one kind that run. Use it in the event loop only.

    Args:
        most: Most of them at once.
        what: What they are, for the message: "uploads".
    """

    def __init__(self, most: int, what: str) -> None:
        self._free = most
        self._what = what

    def take(self) -> None:
        """Take a slot; `free` gives it back. Raises TooBusy if none is left."""
        if not self._free:
            raise TooBusy(f"The service has as many {self._what} as it can serve at once. Try again later.")
        self._free -= 1

    def free(self) -> None:
        """Give a slot back."""
        self._free += 1

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold a slot during the block. Raises TooBusy if none is left."""
        self.take()
        try:
            yield
        finally:
            self.free()


class TransferSlots:
    """
    The slots of one process for image data.

    Args:
        uploads: Most uploads at once, stages included.
        downloads: Most downloads at once.
    """

    def __init__(self, uploads: int, downloads: int) -> None:
        self.uploads = Slots(uploads, "uploads")
        self.downloads = Slots(downloads, "downloads")
        #: Threads that wait for servers elsewhere: so many slow ones hold up no request that needs none of them.
        self.elsewhere = CapacityLimiter(_ELSEWHERE)
