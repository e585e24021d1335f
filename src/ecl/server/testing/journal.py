"""The journal: the last requests that the service got, and what became of them."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers
from starlette.types import Scope

from ecl.server.clock import now
from ecl.server.http.body_protocol import direct_body
from ecl.server.http.send_file import file_sender

__all__ = ["Entry", "Journal"]

#: Requests that are kept.
_MOST = 10_000
#: Most seconds that a reader waits for answers that are being sent.
_SETTLE = 1.0


class Entry:
    """
    One request.

    Attributes:
        status: Of the answer; 0 until it begins, and if there was none.
        ended: Is set when the request has ended.
    """

    def __init__(self, scope: Scope) -> None:
        self._scope: Scope | None = scope
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query: str = scope.get("query_string", b"").decode("latin-1")
        self.user_agent = Headers(scope=scope).get("user-agent", "")
        self.time = now() / 1_000_000
        self.status = 0
        self.request_id = ""
        self.fault: Mapping[str, Any] | None = None
        self.received = self.sent = 0
        self.seconds = 0.0
        self.ended = asyncio.Event()
        self._began = time.monotonic()

    def begin_answer(self, status: int, headers: Headers) -> None:
        """Note the head of the answer."""
        self.status = status
        self.request_id = headers.get("x-openstack-request-id", "")

    def end(self) -> None:
        """Note the end of the request."""
        scope, self._scope = self._scope, None
        assert scope is not None
        if (direct := direct_body(scope)) is not None:
            self.received += direct.received
        if (sender := file_sender(scope)) is not None:
            self.sent += sender.sent
        self.seconds = time.monotonic() - self._began
        self.ended.set()

    def shown(self) -> dict[str, Any]:
        """Return the entry for JSON."""
        names = (
            "method", "path", "query", "status", "user_agent", "request_id", "received", "sent", "time", "seconds",
            "fault",
        )  # fmt: skip
        return {**{name: getattr(self, name) for name in names}, "ended": self.ended.is_set()}


class Journal:
    """The last requests in the order in which they came. For one event loop."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=_MOST)

    def begin(self, scope: Scope) -> Entry:
        """Add a request."""
        entry = Entry(scope)
        self._entries.append(entry)
        return entry

    async def entries(self) -> list[Entry]:
        """Return the requests; wait a moment for those whose answer is being sent, so that their bytes are complete."""
        running = [entry.ended.wait() for entry in self._entries if entry.status and not entry.ended.is_set()]
        if running:
            _, pending = await asyncio.wait([asyncio.ensure_future(each) for each in running], timeout=_SETTLE)
            for each in pending:
                each.cancel()
        return list(self._entries)

    def clear(self) -> None:
        """Forget all requests."""
        self._entries.clear()
