"""``/metrics``: for the monitoring system and administrators."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address, ip_network

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from ecl.server import threads
from ecl.server.domain.caller import Caller
from ecl.server.errors import ServiceError
from ecl.server.http.client_address import came_through_proxy
from ecl.server.http.metrics import CONTENT_TYPE, Metrics

__all__ = ["MetricsApp"]

Authenticate = Callable[[str | None], Awaitable[Caller]]


class MetricsApp:
    """
    Shows the metrics to the monitoring system, and to administrators.

    Args:
        more: Returns the text of what is not counted in memory. It blocks.
        authenticate: Returns the caller of a token. Raises ServiceError.
        token: The bearer token of the monitoring system; None: it has none.
        networks: Clients that connect directly from these need no token.
    """

    def __init__(
        self,
        metrics: Metrics,
        more: Callable[[], str],
        authenticate: Authenticate,
        token: str | None,
        networks: Sequence[str],
    ) -> None:
        self._bearer = None if token is None else f"Bearer {token}".encode()
        self._metrics = metrics
        self._more = more
        self._authenticate = authenticate
        self._networks = [ip_network(network) for network in networks]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response: Response
        if scope["method"] != "GET":
            response = PlainTextResponse("Only GET.\n", 405, {"Allow": "GET"})
        elif self._has_bearer(scope) or self._is_in_networks(scope) or await self._is_admin(Headers(scope=scope)):
            # The counters may be read in the event loop only.
            text = self._metrics.text() + await threads.query(self._more)
            response = Response(text, headers={"Content-Type": CONTENT_TYPE})
        else:
            response = PlainTextResponse("The metrics are for administrators.\n", 403)
        await response(scope, receive, send)

    def _has_bearer(self, scope: Scope) -> bool:
        sent = Headers(scope=scope).get("authorization", "").encode()
        return self._bearer is not None and hmac.compare_digest(sent, self._bearer)

    def _is_in_networks(self, scope: Scope) -> bool:
        client = scope.get("client")
        if not client or came_through_proxy(scope):
            return False
        try:
            address = ip_address(client[0])
        except ValueError:
            return False
        return any(address in network for network in self._networks)

    async def _is_admin(self, headers: Headers) -> bool:
        try:
            return (await self._authenticate(headers.get("x-auth-token"))).is_admin
        except ServiceError:
            # Also while a Keystone does not answer: nothing says that it is an administrator.
            return False
