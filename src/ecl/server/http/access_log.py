"""Count every request, and write the access log."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network
from typing import Literal

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ecl.server.http.body_protocol import direct_body
from ecl.server.http.client_address import client_address
from ecl.server.http.metrics import Metrics
from ecl.server.http.send_file import file_sender

__all__ = ["ACCESS_LOG", "Accounting"]

#: Name of the access log's logger.
ACCESS_LOG = "ecl.access"
_access = logging.getLogger(ACCESS_LOG)

#: The region label of requests that are for no region.
_IDENTITY = "identity"


class Accounting:
    """
    Middleware that counts requests and bytes and writes the access log. It needs the request ID of `RequestIds`.

    Args:
        regions: Names of the regions; other paths are counted as "identity".
        access_log: Format of the log; None: no log.
        trusted: Networks of the proxies whose ``X-Forwarded-For`` is believed.
    """

    def __init__(
        self,
        app: ASGIApp,
        metrics: Metrics,
        regions: frozenset[str],
        access_log: Literal["text", "json"] | None,
        trusted: Sequence[IPv4Network | IPv6Network] = (),
    ) -> None:
        self._trusted = trusted
        self._app = app
        self._metrics = metrics
        self._regions = regions
        self._access_log = access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        region = self._region(scope["path"])
        started = time.monotonic()
        status = received = sent = 0

        async def counting_receive() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            return message

        async def counting_send(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)
            # Counted after sending: bytes that the client did not take do not count.
            sent += len(message.get("body", b""))

        self._metrics.begin(region)
        try:
            await self._app(scope, counting_receive, counting_send)
        finally:
            seconds = time.monotonic() - started
            if (direct := direct_body(scope)) is not None:
                received += direct.received
            if (sender := file_sender(scope)) is not None:
                sent += sender.sent
            self._metrics.end(region, scope["method"], status, seconds, received, sent)
            if self._access_log is not None:
                self._log(scope, status, seconds, received, sent)

    def _region(self, path: str) -> str:
        name = path.removeprefix("/image/").partition("/")[0] if path.startswith("/image/") else ""
        return name if name in self._regions else _IDENTITY

    def _log(self, scope: Scope, status: int, seconds: float, received: int, sent: int) -> None:
        request_id, method = scope.get("ecl.request_id", "-"), scope["method"]
        # The raw path is still percent-encoded, so no client can write lines of its own into the log. The query is left
        # out: it may contain secrets.
        path = scope.get("raw_path", b"").partition(b"?")[0].decode("ascii", "backslashreplace")
        if self._access_log == "text":
            _access.info("%s %s %s %d %.0f ms", request_id, method, path, status, seconds * 1000)
            return
        line = {
            "time": time.time(),
            "request_id": request_id,
            "client": client_address(scope, self._trusted) or "-",
            "method": method,
            "path": path,
            "status": status,
            "seconds": round(seconds, 6),
            "received_bytes": received,
            "sent_bytes": sent,
        }
        _access.info("%s", msgspec.json.encode(line).decode())
