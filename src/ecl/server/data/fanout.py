"""One stream of blocks to several consumers, each in its own thread."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import cycle

__all__ = ["BLOCK_SIZE", "DEPTH", "Block", "Fanout", "buffers"]

#: Bytes of a block: large enough that a thread switch costs little beside hashing it, also among many uploads at once.
BLOCK_SIZE = 2 << 20
#: Blocks on their way at once. Memory of one upload: (DEPTH + 1) * BLOCK_SIZE.
DEPTH = 3

Block = bytes | memoryview


class _Shared:
    """A block, and how many consumers still have to see it."""

    __slots__ = ("data", "left")

    def __init__(self, data: Block, left: int) -> None:
        self.data = data
        self.left = left


class Fanout:
    """
    Give each block to every consumer, in order; consumers work side by side.

    Plain threads and queues: a future for each block and consumer would cost the event loop more than the block does.
    A consumer that raises ends the stream: `put` or `join` raises its exception.
    """

    def __init__(self, consumers: Sequence[Callable[[Block], None]]) -> None:
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Semaphore(DEPTH)
        self._lock = threading.Lock()
        self._error: BaseException | None = None
        self._closed = False
        self._joined = False
        self._queues: list[queue.SimpleQueue[_Shared | None]] = [queue.SimpleQueue() for _ in consumers]
        self._threads = [
            threading.Thread(target=self._run, args=(consumer, waiting), name="ecl-upload", daemon=True)
            for consumer, waiting in zip(consumers, self._queues, strict=True)
        ]
        for thread in self._threads:
            thread.start()

    async def put(self, block: Block) -> None:
        """Hand on *block*; wait while `DEPTH` blocks are on their way."""
        await self._room.acquire()
        if self._error is not None:
            raise self._error
        shared = _Shared(block, len(self._queues))
        for waiting in self._queues:
            waiting.put(shared)

    async def join(self) -> None:
        """Wait until every consumer is done with every block. No block can be put after that."""
        for _ in range(DEPTH):
            await self._room.acquire()
        if self._error is not None:
            raise self._error
        self._joined = True
        self._end()

    async def close(self) -> None:
        """Stop. Blocks not yet begun are dropped; afterwards no consumer runs any more."""
        if self._joined:
            return
        self._closed = True
        self._end()
        # The one block that each consumer may be at is short: waiting for it does not hold up anybody for long.
        await asyncio.to_thread(self._wait)

    def _end(self) -> None:
        for waiting in self._queues:
            waiting.put(None)

    def _wait(self) -> None:
        for thread in self._threads:
            thread.join()

    def _run(self, consumer: Callable[[Block], None], waiting: queue.SimpleQueue[_Shared | None]) -> None:
        while (block := waiting.get()) is not None:
            try:
                if self._error is None and not self._closed:
                    consumer(block.data)
            except BaseException as exc:  # noqa: BLE001 - whatever it is, put() or join() raises it
                self._error = self._error or exc
            with self._lock:
                block.left -= 1
                seen_by_all = not block.left
            if seen_by_all:
                # Only a loop that was torn down under an upload is closed here, and nobody waits in it any more.
                with suppress(RuntimeError):
                    self._loop.call_soon_threadsafe(self._room.release)


def buffers() -> Iterator[memoryview]:
    """Yield buffers of `BLOCK_SIZE` bytes for ever; each may be filled when `put` has returned for the one before."""
    made: list[memoryview] = []
    while len(made) <= DEPTH:
        made.append(memoryview(bytearray(BLOCK_SIZE)))
        yield made[-1]
    yield from cycle(made)
