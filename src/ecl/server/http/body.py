"""The body of a request: in chunks as they come, or into the handler's own buffers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope

from ecl.server.errors import BadRequest, TooLarge
from ecl.server.http.body_protocol import DirectBody, direct_body

__all__ = ["IDLE_TIMEOUT", "Body", "read_body"]

#: Seconds without a byte after which an upload is given up: the image must not stay saving for a dead client.
IDLE_TIMEOUT = 600


class Body:
    """The body of one request. Read it once, by one method or the other."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._receive = receive
        self._direct = direct_body(scope)
        self._chunk = memoryview(b"")
        self._begun = False
        self._more = True

    async def chunks(self) -> AsyncIterator[bytes]:
        """
        Yield the body as it arrives, without empty chunks.

        Raises:
            ClientDisconnect: The client went away.
            BadRequest: Nothing came for `IDLE_TIMEOUT` seconds.
        """
        while self._more:
            if chunk := await self._next():
                yield chunk

    async def readinto(self, buffer: memoryview) -> int:
        """
        Fill *buffer*; return the number of bytes, which is less than its length only at the end.

        Raises:
            ClientDisconnect: The client went away.
            BadRequest: Nothing came for `IDLE_TIMEOUT` seconds.
        """
        filled = 0
        while filled < len(buffer):
            if self._chunk:
                count = min(len(self._chunk), len(buffer) - filled)
                buffer[filled : filled + count], self._chunk = self._chunk[:count], self._chunk[count:]
                filled += count
            elif not self._more:
                break
            elif self._begun and self._direct is not None:
                filled += await self._read_direct(self._direct, buffer[filled:])
            else:
                self._chunk = memoryview(await self._next())
        return filled

    async def _next(self) -> bytes:
        """Wait for a message; return its bytes, perhaps none."""
        try:
            async with asyncio.timeout(IDLE_TIMEOUT):
                message = await self._receive()
        except TimeoutError as exc:
            raise _nothing_came() from exc
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        self._begun = True
        self._more = message.get("more_body", False)
        chunk: bytes = message.get("body", b"")
        return chunk

    async def _read_direct(self, direct: DirectBody, buffer: memoryview) -> int:
        try:
            count = await direct.readinto(buffer, IDLE_TIMEOUT)
        except TimeoutError as exc:
            raise _nothing_came() from exc
        except ConnectionError as exc:
            raise ClientDisconnect from exc
        self._more = count == len(buffer)
        return count


def _nothing_came() -> BadRequest:
    return BadRequest(f"Nothing came for {IDLE_TIMEOUT} seconds.")


async def read_body(request: Request, max_bytes: int) -> bytearray:
    """
    Return the whole body of *request*.

    Raises:
        TooLarge: It has more than *max_bytes*; no more than that is ever held.
        BadRequest: Nothing came for `IDLE_TIMEOUT` seconds.
    """
    too_large = TooLarge(f"A request body may have at most {max_bytes} bytes.")
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared[:20]) > max_bytes:
        raise too_large
    body = bytearray()
    async for chunk in Body(request.scope, request.receive).chunks():
        body += chunk
        if len(body) > max_bytes:
            raise too_large
    return body
