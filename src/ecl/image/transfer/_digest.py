"""Hashes of a stream, computed in threads while the stream moves on."""

from __future__ import annotations

import hashlib
import queue
import threading
from types import TracebackType
from typing import Self

__all__ = ["BLOCK", "Digest"]

#: Bytes that are read, hashed and sent at a time.
BLOCK = 1 << 20
#: Blocks that may wait for a hash. With one in work and one being read, a transfer holds DEPTH + 2 blocks.
DEPTH = 4


class Digest:
    """
    Hashes of the blocks given to :meth:`update`, each algorithm in a thread of its own.

    hashlib lets other threads run while it hashes, so a hash costs a transfer no time as long as a core is free.
    """

    def __init__(self, *algorithms: str) -> None:
        """
        Start hashing.

        Args:
            algorithms: Names that hashlib knows: ``md5``, ``sha512`` …
        """
        self._hashes = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
        self._queues: list[queue.Queue[bytes | memoryview | None]] = []
        self._threads: list[threading.Thread] = []
        for name in self._hashes:
            waiting: queue.Queue[bytes | memoryview | None] = queue.Queue(DEPTH)
            thread = threading.Thread(target=self._run, args=(name, waiting), name=f"digest-{name}", daemon=True)
            self._queues.append(waiting)
            self._threads.append(thread)
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def update(self, block: bytes | memoryview) -> None:
        """Hash *block* after those before it; waits while too many are ahead. *block* must not change any more."""
        for waiting in self._queues:
            waiting.put(block)

    def close(self) -> None:
        """Wait until all is hashed, and end the threads."""
        for waiting in self._queues:
            waiting.put(None)
        for thread in self._threads:
            thread.join()
        self._queues.clear()
        self._threads.clear()

    def hexdigests(self) -> dict[str, str]:
        """Return algorithm to hexadecimal hash, after :meth:`close`."""
        self.close()
        return {name: each.hexdigest() for name, each in self._hashes.items()}

    def _run(self, name: str, waiting: queue.Queue[bytes | memoryview | None]) -> None:
        update = self._hashes[name].update
        while (block := waiting.get()) is not None:
            update(block)
