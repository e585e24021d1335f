"""One stream of blocks to several consumers, each in its own thread."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

__all__ = ["BLOCK_SIZE", "DEPTH", "Fanout", "blocks_of"]

#: Bytes of a block: large enough that a thread switch costs nothing beside hashing it.
BLOCK_SIZE = 1 << 20
#: Blocks on their way at once. Memory of one upload: (DEPTH + 2) * BLOCK_SIZE.
DEPTH = 4


class Fanout:
    """
    Give each block to every consumer, in order; consumers work side by side.

    A consumer that raises ends the stream: `put` or `join` raises its exception.
    """

    def __init__(self, consumers: Sequence[Callable[[bytes], None]]) -> None:
        self._lanes = [(ThreadPoolExecutor(1, "ecl-upload"), consumer) for consumer in consumers]
        self._running: deque[list[asyncio.Future[Any]]] = deque()

    async def put(self, block: bytes) -> None:
        """Hand on *block*; wait while `DEPTH` blocks are on their way."""
        loop = asyncio.get_running_loop()
        self._running.append([loop.run_in_executor(pool, consumer, block) for pool, consumer in self._lanes])
        if len(self._running) >= DEPTH:
            await self._wait_for_oldest()

    async def join(self) -> None:
        """Wait until every consumer is done with every block."""
        while self._running:
            await self._wait_for_oldest()

    async def close(self) -> None:
        """Stop. Blocks not yet begun are dropped; afterwards no consumer runs any more."""
        pending = [future for futures in self._running for future in futures]
        self._running.clear()
        for future in pending:
            future.cancel()
        for pool, _consumer in self._lanes:
            pool.shutdown(wait=False, cancel_futures=True)
        # The one block that each lane may be at is short: waiting for it does not hold up anybody for long.
        loop = asyncio.get_running_loop()
        for pool, _consumer in self._lanes:
            await loop.run_in_executor(None, pool.shutdown)
        await asyncio.gather(*pending, return_exceptions=True)

    async def _wait_for_oldest(self) -> None:
        futures = self._running[0]
        await asyncio.gather(*futures)
        self._running.popleft()


async def blocks_of(chunks: AsyncIterable[bytes], size: int = BLOCK_SIZE) -> AsyncIterator[bytes]:
    """Join network *chunks* into blocks of at least *size* bytes, but for the last."""
    parts: list[bytes] = []
    length = 0
    async for chunk in chunks:
        parts.append(chunk)
        length += len(chunk)
        if length >= size:
            yield b"".join(parts)
            parts, length = [], 0
    if parts:
        yield b"".join(parts)
