"""One stream of blocks to several consumers that share two threads."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from ecl.server.data.fanout import DEPTH, THREADS, Block, Fanout
from ecl.server.data.store.folder import FolderStore

BLOCKS = [random.Random(number).randbytes(100) for number in range(200)]


class Consumer:
    """Notes its blocks and the threads that brought them."""

    def __init__(self) -> None:
        self.blocks: list[bytes] = []
        self.threads: set[int] = set()

    def __call__(self, block: Block) -> None:
        self.threads.add(threading.get_ident())
        self.blocks.append(bytes(block))


async def _pass(consumers: list[Callable[[Block], None]], blocks: list[bytes]) -> None:
    fanout = Fanout(consumers)
    try:
        for block in blocks:
            await fanout.put(block)
        await fanout.join()
        fanout.pass_rest()
    finally:
        await fanout.close()


@pytest.mark.parametrize("count", [0, 1, 2, 3, len(BLOCKS)])
@pytest.mark.parametrize("width", [1, 2, 3, 5])
def test_each_consumer_gets_each_block_in_order(width: int, count: int) -> None:
    """However many consumers and blocks there are; all of them together run in two threads at most."""
    consumers = [Consumer() for _ in range(width)]

    asyncio.run(_pass([*consumers], BLOCKS[:count]))

    assert [consumer.blocks for consumer in consumers] == [BLOCKS[:count]] * width
    assert len(set[int]().union(*(consumer.threads for consumer in consumers))) <= THREADS == 2


def test_a_single_block_starts_no_thread() -> None:
    """The caller's thread passes it on."""
    consumer = Consumer()

    asyncio.run(_pass([consumer, consumer], BLOCKS[:1]))

    assert consumer.threads == {threading.get_ident()}


def test_a_consumer_that_waits_does_not_stop_the_others() -> None:
    """The other thread serves all of them, as far as the blocks may run ahead."""
    released, others = threading.Event(), [Consumer(), Consumer()]
    both = threading.Barrier(2, timeout=20)

    def waits(_block: Block) -> None:
        released.wait(20)

    def last(block: Block) -> None:
        others[1](block)
        if len(others[1].blocks) == DEPTH:
            both.wait()

    async def scenario() -> None:
        passing = asyncio.ensure_future(_pass([waits, others[0], last], BLOCKS))
        await asyncio.to_thread(both.wait)
        assert others[0].blocks[: DEPTH - 1] == BLOCKS[: DEPTH - 1]
        released.set()
        await passing

    asyncio.run(scenario())
    assert [other.blocks for other in others] == [BLOCKS, BLOCKS]


@pytest.mark.parametrize("count", [1, 2, len(BLOCKS)])
def test_an_error_of_a_consumer_ends_the_stream(count: int) -> None:
    """The one who puts the blocks gets it, and no thread stays."""

    def fails(block: Block) -> None:
        if block == BLOCKS[count - 1]:
            raise ValueError("this one")

    with pytest.raises(ValueError, match="this one"):
        asyncio.run(_pass([Consumer(), fails, Consumer()], BLOCKS[:count]))

    assert not [thread for thread in threading.enumerate() if thread.name == "ecl-upload"]


def test_a_folder_writes_without_a_thread(tmp_path: Path) -> None:
    """Bringing a large file to the disk takes no thread besides the caller's."""
    started: list[str] = []
    threading.setprofile(lambda *_: started.append(threading.current_thread().name))
    try:
        writer = FolderStore(tmp_path / "store").writer("0b0b2a0e-6f0c-4d7b-9f64-0f8a3c1d9a11")
        for _ in range(40):
            writer.write(bytes(1 << 20))
        writer.commit()
    finally:
        threading.setprofile(None)

    assert started == []
