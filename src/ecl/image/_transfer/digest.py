"""Hashes of a stream, computed in threads while the stream moves on."""

from __future__ import annotations

import hashlib
import itertools
import os
import queue
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Self

__all__ = ["BLOCK", "Block", "Digest", "buffers"]

#: Bytes that are read, hashed and sent at a time.
BLOCK = 1 << 20
#: Blocks that may wait for a hash. One more is being hashed and one is being read: a transfer holds DEPTH + 2.
DEPTH = 4

Block = bytes | memoryview

# A thread for a hash helps only while a processor is idle. A transfer with such a thread keeps two busy, so half as
# many transfers as there are processors have one; the others hash in their own thread.
_with_threads = threading.BoundedSemaphore(max(1, (os.cpu_count() or 1) // 2))


def buffers(count: int) -> Iterator[memoryview]:
    """Yield *count* buffers of BLOCK bytes in turn, without end."""
    return itertools.cycle([memoryview(bytearray(BLOCK)) for _ in range(count)])


class Digest:
    """
    Hashes of the blocks given to :meth:`update`, each algorithm in a thread of its own.

    hashlib lets other threads run while it hashes, so a hash costs no time while a core is free. If other transfers
    use the cores, the thread that calls update() computes the hashes.
    """

    def __init__(self, *algorithms: str, size: int | None = None) -> None:
        """
        Start hashing.

        Args:
            algorithms: Names that hashlib knows: ``md5``, ``sha512`` …
            size: Bytes in all, if known. A single block gets no thread: starting one takes longer than hashing it.
        """
        self._hashes = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
        self._queues: list[queue.Queue[Block | None]] = []
        self._threads: list[threading.Thread] = []
        if (size is not None and size <= BLOCK) or not _with_threads.acquire(blocking=False):
            return
        for name in self._hashes:
            waiting: queue.Queue[Block | None] = queue.Queue(DEPTH)
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

    @property
    def holds(self) -> int:
        """How many of the last blocks are still in use after :meth:`update`; those before may be overwritten."""
        return DEPTH + 2 if self._threads else 1

    def update(self, block: Block) -> None:
        """Hash *block* after those before it; waits while too many are ahead."""
        if not self._threads:
            for total in self._hashes.values():
                total.update(block)
        for waiting in self._queues:
            waiting.put(block)

    def close(self) -> None:
        """Wait until all is hashed, and end the threads; later blocks are hashed without them."""
        for waiting in self._queues:
            waiting.put(None)
        for thread in self._threads:
            thread.join()
        if self._threads:
            self._queues.clear()
            self._threads.clear()
            _with_threads.release()

    def hexdigests(self) -> dict[str, str]:
        """Return algorithm to hexadecimal hash, after :meth:`close`."""
        self.close()
        return {name: total.hexdigest() for name, total in self._hashes.items()}

    def _run(self, name: str, waiting: queue.Queue[Block | None]) -> None:
        update = self._hashes[name].update
        while (block := waiting.get()) is not None:
            update(block)
