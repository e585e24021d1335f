"""What the identity handlers share: the database in a worker thread, the caller's token, and routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from ipaddress import ip_network
from typing import TypeVar

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ecl.server import threads
from ecl.server.db.engine import Database, retried
from ecl.server.errors import Forbidden, Unauthorized
from ecl.server.http.client_address import client_address
from ecl.server.http.public_url import public_url
from ecl.server.http.routing import Resource, json_response
from ecl.server.identity.local import documents
from ecl.server.identity.local.failures import Failures
from ecl.server.identity.local.login_queue import LoginQueue
from ecl.server.identity.local.tokens import Token, read_token
from ecl.server.settings.model import Settings

__all__ = ["MAX_BODY", "IdentityService", "route"]

#: Most bytes of a request body: Keystone's own limit.
MAX_BODY = 114_688

T = TypeVar("T")


class IdentityService:
    """What the handlers share."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database = database
        self.settings = settings
        self.failures = Failures()
        self._logins = LoginQueue()
        self._trusted = [ip_network(network) for network in settings.trusted_proxies]

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Return the result of *query*, run in a reading transaction in a worker thread."""

        def run() -> T:
            with self.database.read() as connection:
                return query(connection)

        return await threads.query(run)

    async def write(self, change: Callable[[Connection], T]) -> T:
        """Return the result of *change*, run in a writing transaction in a worker thread."""

        @retried
        def run() -> T:
            with self.database.write() as connection:
                return change(connection)

        return await threads.change(run)

    async def hash_in_turn(self, work: Callable[[], T], request: Request, *, is_known: bool) -> T:
        """
        Return the result of *work*, which computes a password's hash, when it is the turn of *request*.

        Args:
            is_known: True for a client that has logged in before; see `LoginQueue`.

        Raises:
            TooBusy: Too many wait.
            ClientDisconnect: The client went away before that.
        """
        return await self._logins.run(work, request.receive, self.source(request), is_known=is_known)

    def source(self, request: Request) -> str:
        """Return the address of the client of *request*."""
        return client_address(request.scope, self._trusted)

    async def caller(self, request: Request) -> Token:
        """
        Return the token of *request*.

        Raises:
            Unauthorized: It has no token, or one that is not valid.
        """
        token = await self.read(partial(read_token, text=request.headers.get("x-auth-token")))
        if token is None:
            raise Unauthorized("The request you have made requires authentication.")
        return token

    async def admin(self, request: Request, refusal: str = "Only an admin may do this.") -> Token:
        """
        Return the token of *request*, which must have the role admin.

        Raises:
            Unauthorized: It has no token, or one that is not valid.
            Forbidden: It is not an admin's; the message is *refusal*.
        """
        token = await self.caller(request)
        if "admin" not in token.roles:
            raise Forbidden(refusal)
        return token

    def one_page(self, request: Request, name: str, found: list[documents.Document]) -> Response:
        """Reply with a list of one page; the query chooses by name, type, domain, or whether it is enabled."""
        query = request.query_params
        wanted: documents.Document = {key: query[key] for key in ("name", "type", "domain_id") if key in query}
        if "enabled" in query:
            wanted["enabled"] = query["enabled"].lower() not in ("0", "false")
        chosen = [entry for entry in found if all(entry.get(key) == value for key, value in wanted.items())]
        url = f"{self.base(request)}{request.scope['path']}"
        if request.url.query:
            url += f"?{request.url.query}"
        return json_response({name: chosen, "links": documents.links(url)})

    def base(self, request: Request) -> str:
        """Return the service's URL as the client of *request* knows it."""
        return public_url(self.settings, request.scope)


def route(path: str, **handlers: Callable[[Request], Awaitable[Response]]) -> Route:
    """Return the route of *path* with one handler for each method: ``route("/v3", GET=show)``. GET serves HEAD."""
    if "GET" in handlers:
        handlers["HEAD"] = handlers["GET"]
    return Route(path, Resource(Request, handlers))
