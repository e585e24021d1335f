"""Pass one stream of blocks to several consumers, each in its own thread."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import cycle

__all__ = ["BLOCK_SIZE", "DEPTH", "Block", "Fanout", "buffers"]

#: Bytes of a block: so many that a thread switch costs little compared to hashing, even with many uploads at once.
BLOCK_SIZE = 2 << 20
#: Bytes of the first blocks: an upload that has only begun holds little, and no thread.
_FIRST_SIZES = (64 << 10, 256 << 10, 1 << 20)
#: Most blocks in the queues at once. Memory of one upload: (DEPTH + 1) * BLOCK_SIZE.
DEPTH = 3

Block = bytes | memoryview


class _Shared:
    """A block, and how many consumers have not finished it."""

    __slots__ = ("data", "left")

    def __init__(self, data: Block, left: int) -> None:
        self.data = data
        self.left = left


class Fanout:
    """
    Passes each block to every consumer, in order. The consumers run in parallel.

    It uses plain threads and queues: a future for each block and consumer would cost the event loop more than the block
    itself. When a consumer raises, the stream ends: `put` or `join` raises its exception.
    """

    def __init__(self, consumers: Sequence[Callable[[Block], None]]) -> None:
        self._loop = asyncio.get_running_loop()
        self._slots = asyncio.Semaphore(DEPTH)
        self._lock = threading.Lock()
        self._error: BaseException | None = None
        self._closed = False
        self._joined = False
        self._queues: list[queue.SimpleQueue[_Shared | None]] = [queue.SimpleQueue() for _ in consumers]
        self._threads = [
            threading.Thread(target=self._run, args=(consumer, blocks), name="ecl-upload", daemon=True)
            for consumer, blocks in zip(consumers, self._queues, strict=True)
        ]
        self._started = False

    async def put(self, block: Block) -> None:
        """Pass on *block*; wait while `DEPTH` blocks are in the queues."""
        if not self._started:
            self._started = True
            for thread in self._threads:
                thread.start()
        await self._slots.acquire()
        if self._error is not None:
            raise self._error
        shared = _Shared(block, len(self._queues))
        for blocks in self._queues:
            blocks.put(shared)

    async def join(self) -> None:
        """Wait until every consumer has finished every block. After that no block can be put."""
        for _ in range(DEPTH):
            await self._slots.acquire()
        if self._error is not None:
            raise self._error
        self._joined = True
        self._end()

    async def close(self) -> None:
        """Stop: drop the blocks in the queues, and return when no consumer runs any more."""
        if self._joined or not self._started:
            return
        self._closed = True
        self._end()
        # Each consumer has at most one block to finish, so this does not take long.
        await asyncio.to_thread(self._wait)

    def _end(self) -> None:
        for blocks in self._queues:
            blocks.put(None)

    def _wait(self) -> None:
        for thread in self._threads:
            thread.join()

    def _run(self, consumer: Callable[[Block], None], blocks: queue.SimpleQueue[_Shared | None]) -> None:
        while (block := blocks.get()) is not None:
            try:
                if self._error is None and not self._closed:
                    consumer(block.data)
            except BaseException as exc:  # noqa: BLE001 - put() or join() raises it
                self._error = self._error or exc
            with self._lock:
                block.left -= 1
                is_finished = not block.left
            if is_finished:
                # The loop is closed if it was torn down during an upload; then nobody waits in it.
                with suppress(RuntimeError):
                    self._loop.call_soon_threadsafe(self._slots.release)


def buffers() -> Iterator[memoryview]:
    """
    Yield buffers for ever, after some smaller ones of `BLOCK_SIZE` bytes.

    Fill one only after `put` has returned for the one before it.
    """
    for size in _FIRST_SIZES:
        yield memoryview(bytearray(size))
    allocated: list[memoryview] = []
    while len(allocated) <= DEPTH:
        allocated.append(memoryview(bytearray(BLOCK_SIZE)))
        yield allocated[-1]
    yield from cycle(allocated)
