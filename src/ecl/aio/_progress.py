"""Progress as an async iterator."""

from __future__ import annotations

from typing import Self

import anyio

__all__ = ["Progress"]

#: Seconds between two looks; the SDK reports no more often.
_INTERVAL = 0.1


class Progress:
    """
    How far a transfer is: iterate over it in one task while another one awaits the call.

    ::

        progress = ecl.aio.Progress()
        async with anyio.create_task_group() as group:
            group.start_soon(show, progress)
            await conn.image.upload_image(image, "disk.qcow2", progress=progress)

    It yields bytes done and bytes in all (None: not known), the newest values only, at most ten times a second. It
    ends with the call. Use one object for each call.
    """

    def __init__(self) -> None:
        self._newest: tuple[int, int | None] | None = None
        self._seen: tuple[int, int | None] | None = None
        self._ended = anyio.Event()

    def __call__(self, done: int, total: int | None) -> None:
        """Take a report of the SDK, from any thread."""
        self._newest = (done, total)

    def end(self) -> None:
        """End the iteration after the newest report."""
        self._ended.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> tuple[int, int | None]:
        while self._newest == self._seen or self._newest is None:
            if self._ended.is_set():
                raise StopAsyncIteration
            with anyio.move_on_after(_INTERVAL):
                await self._ended.wait()
        self._seen = self._newest
        return self._newest
