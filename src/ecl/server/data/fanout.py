"""Pass one stream of blocks to several consumers, which share two threads."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import cycle

__all__ = ["BLOCK_SIZE", "DEPTH", "THREADS", "Block", "Fanout", "buffers"]

#: Bytes of a block: so many that a thread switch costs little compared to hashing, even with many uploads at once.
BLOCK_SIZE = 2 << 20
#: Bytes of the first blocks: an upload that has only begun holds little, and no thread.
_FIRST_SIZES = (64 << 10, 256 << 10, 1 << 20)
#: Most blocks in the queues at once. Memory of one upload: (DEPTH + 1) * BLOCK_SIZE.
DEPTH = 3
#: Most threads of one upload. The hashes keep two of them busy; a third one for the file would mostly wait.
THREADS = 2

Block = bytes | memoryview


class _Shared:
    """A block, and how many consumers have not finished it."""

    __slots__ = ("data", "left")

    def __init__(self, data: Block, left: int) -> None:
        self.data = data
        self.left = left


class _Consumer:
    """A consumer and the blocks that wait for it."""

    __slots__ = ("blocks", "consume", "is_busy")

    def __init__(self, consume: Callable[[Block], None]) -> None:
        self.consume = consume
        self.blocks: deque[_Shared] = deque()
        #: True while it waits for a thread, or runs in one.
        self.is_busy = False


class Fanout:
    """
    Passes each block to every consumer, in order. The consumers share `THREADS` threads, a block at a time.

    The first block starts no thread: if it stays the only one, `pass_rest` passes it on in the caller's thread.

    It uses plain threads and queues: a future for each block and consumer would cost the event loop more than the block
    itself. When a consumer raises, the stream ends: `put`, `join` or `pass_rest` raises its exception.
    """

    def __init__(self, consumers: Sequence[Callable[[Block], None]]) -> None:
        self._loop = asyncio.get_running_loop()
        self._slots = asyncio.Semaphore(DEPTH)
        self._lock = threading.Lock()
        self._error: BaseException | None = None
        self._closed = False
        self._consumers = [_Consumer(consume) for consume in consumers]
        #: The consumers that have a block and no thread; None ends a thread.
        self._ready: queue.SimpleQueue[_Consumer | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._first: Block | None = None

    @property
    def has_threads(self) -> bool:
        """True from the second block to the end of `join`."""
        return bool(self._threads)

    async def put(self, block: Block) -> None:
        """Pass on *block*; wait while `DEPTH` blocks are in the queues."""
        if not self._threads:
            if self._first is None:
                self._first = block
                return
            self._start()
            first, self._first = self._first, None
            await self._pass_on(first)
        await self._pass_on(block)

    def _start(self) -> None:
        for _ in range(min(THREADS, len(self._consumers))):
            thread = threading.Thread(target=self._run, name="ecl-upload", daemon=True)
            thread.start()
            self._threads.append(thread)

    async def _pass_on(self, block: Block) -> None:
        await self._slots.acquire()
        if self._error is not None:
            raise self._error
        shared = _Shared(block, len(self._consumers))
        with self._lock:
            for consumer in self._consumers:
                consumer.blocks.append(shared)
                if not consumer.is_busy:
                    consumer.is_busy = True
                    self._ready.put(consumer)

    async def join(self) -> None:
        """Wait until the threads have finished every block, and end. After that no block can be put."""
        if not self._threads:
            return
        for _ in range(DEPTH):
            await self._slots.acquire()
        if self._error is not None:
            raise self._error
        self._end()
        self._threads = []

    def pass_rest(self) -> None:
        """Pass on the block that no thread was started for, after `join`. Blocks."""
        block, self._first = self._first, None
        if block is not None:
            for consumer in self._consumers:
                consumer.consume(block)

    async def close(self) -> None:
        """Stop: drop the blocks in the queues, and return when no consumer runs any more."""
        if self._threads:
            self._closed = True
            self._end()
            # Each thread has at most one block to finish, so this does not take long.
            await asyncio.to_thread(self._wait)

    def _end(self) -> None:
        for _ in self._threads:
            self._ready.put(None)

    def _wait(self) -> None:
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while (consumer := self._ready.get()) is not None:
            block = consumer.blocks.popleft()
            try:
                if self._error is None and not self._closed:
                    consumer.consume(block.data)
            except BaseException as exc:  # noqa: BLE001 - put() or join() raises it
                self._error = self._error or exc
            with self._lock:
                block.left -= 1
                is_finished = not block.left
                consumer.is_busy = bool(consumer.blocks)
                if consumer.is_busy:
                    # Behind the others, so that the one that lags comes first.
                    self._ready.put(consumer)
            if is_finished:
                # The loop is closed if it was torn down during an upload; then nothing waits in it.
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
