"""The outermost layer of a service under test: it keeps the journal, and makes requests fail by rule."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ecl.server.http.body_protocol import EXTENSION, close_connection
from ecl.server.http.routing import json_response
from ecl.server.http.send_file import SEND_FILE
from ecl.server.testing.faults import Fault, Faults
from ecl.server.testing.journal import Entry, Journal

__all__ = ["PREFIX", "Injector"]

#: What begins with it is not for the service, but for the door.
PREFIX = "/testing"


class _Ended(Exception):
    """The fault has ended the request."""


class Injector:
    """
    Middleware.

    Args:
        door: Answers requests below `PREFIX`, which have no faults and are not in the journal.
    """

    def __init__(self, app: ASGIApp, faults: Faults, journal: Journal, door: ASGIApp) -> None:
        self._app = app
        self._faults = faults
        self._journal = journal
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        if path == PREFIX or path.startswith(f"{PREFIX}/"):
            await self._door(scope, receive, send)
            return
        entry = self._journal.begin(scope)
        receive, send = _counted(entry, receive, send)
        try:
            fault = self._faults.take(scope["method"], path)
            if fault is None:
                await self._app(scope, receive, send)
            else:
                entry.fault = {name: getattr(fault, name) for name in ("after", "delay", "status", "cut", "flip")}
                await _Failing(fault, scope, receive, send).run(self._app)
        finally:
            entry.end()


def _counted(entry: Entry, receive: Receive, send: Send) -> tuple[Receive, Send]:
    async def counting_receive() -> Message:
        message = await receive()
        entry.received += len(message.get("body", b""))
        return message

    async def counting_send(message: Message) -> None:
        if message["type"] == "http.response.start":
            entry.begin_answer(message["status"], Headers(raw=message["headers"]))
        # Before it is sent: a client that has the whole answer finds it in the journal.
        entry.sent += len(message.get("body", b""))
        await send(message)

    return counting_receive, counting_send


class _Failing:
    """One request with its fault."""

    def __init__(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        self._fault = fault
        self._scope = scope
        self._receive = receive
        self._send = send
        self._passed = 0
        self._is_done = False
        self._ends_next = False
        self._is_over = False

    async def run(self, app: ASGIApp) -> None:
        fault = self._fault
        if fault.after is None and not fault.flip:
            await asyncio.sleep(fault.delay)
            if fault.status is not None or fault.cut:
                await self._end()
            else:
                await app(self._scope, self._receive, self._send)
            return
        # The bytes must come by here.
        hidden = (EXTENSION, SEND_FILE)
        extensions = {name: each for name, each in self._scope["extensions"].items() if name not in hidden}
        scope = {**self._scope, "extensions": extensions}
        try:
            if fault.is_of_request(scope["method"]):
                await app(scope, self._failing_receive, self._guarded_send)
                if self._is_over:
                    # Only now: the client can rely on what the service does after an upload that was cut.
                    await self._end()
            else:
                await app(scope, self._receive, self._failing_send)
        except _Ended:
            pass

    async def _end(self) -> None:
        """Give the answer of the fault, or none."""
        if self._fault.status is None:
            close_connection(self._scope)
            # The server may only see the end of this request when the connection is gone.
            while (await self._receive())["type"] != "http.disconnect":
                pass
            return
        words = {"error": {"code": self._fault.status, "message": "A test asked for this answer."}}
        await json_response(words, self._fault.status, self._fault.headers)(self._scope, self._receive, self._send)

    async def _failing_receive(self) -> Message:
        if self._ends_next:
            self._is_over = True
            return {"type": "http.disconnect"}
        message = await self._receive()
        if message["type"] == "http.request" and (place := self._place(message)) is not None:
            message = await self._failed(message, place)
            if self._fault.status is not None or self._fault.cut:
                self._ends_next = True
                return {**message, "body": message.get("body", b"")[:place], "more_body": True}
        return message

    async def _guarded_send(self, message: Message) -> None:
        if not self._is_over:
            await self._send(message)

    async def _failing_send(self, message: Message) -> None:
        if message["type"] == "http.response.body" and (place := self._place(message)) is not None:
            if self._fault.cut:
                await self._send({**message, "body": message.get("body", b"")[:place], "more_body": True})
            message = await self._failed(message, place)
            if self._fault.cut:
                await self._end()
                raise _Ended
        await self._send(message)

    def _place(self, message: Message) -> int | None:
        """Count the bytes of a message, and return where in it the fault is; None if it is in another one."""
        place = (self._fault.after or 0) - self._passed
        size = len(message.get("body", b""))
        self._passed += size
        # A byte that is changed must be there; anything else may come behind the last one.
        is_here = 0 <= place < size if self._fault.flip else 0 <= place <= size
        if not is_here or self._is_done:
            return None
        self._is_done = True
        return place

    async def _failed(self, message: Message, place: int) -> Message:
        """Wait, and change a byte, as the fault says."""
        await asyncio.sleep(self._fault.delay)
        if not self._fault.flip:
            return message
        body = bytearray(message["body"])
        body[place] ^= 1
        return {**message, "body": bytes(body)}
