"""What every identity handler needs: the database in a worker thread, the caller's token, bodies in and out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias, TypeVar

from anyio import CapacityLimiter, to_thread
from msgspec import json
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ecl.server.db.engine import Database
from ecl.server.errors import TooLarge, Unauthorized
from ecl.server.http.public_url import public_url
from ecl.server.identity.local.documents import Document
from ecl.server.identity.local.tokens import Token, read_token
from ecl.server.settings.model import Settings

__all__ = ["MAX_BODY", "MAX_PASSWORD_CHECKS", "Handler", "IdentityService", "read_body", "reply", "route"]

#: Most bytes of a request body: Keystone's own limit.
MAX_BODY = 114_688
#: Passwords that are checked at once. Each check takes 16 MiB and a core; further ones wait for their turn.
MAX_PASSWORD_CHECKS = 4

T = TypeVar("T")
Handler: TypeAlias = Callable[[Request], Awaitable[Response]]


class IdentityService:
    """What the handlers share."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database = database
        self.settings = settings
        self._password_checks = CapacityLimiter(MAX_PASSWORD_CHECKS)

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Return the result of *query*, run in a reading transaction in a worker thread."""

        def run() -> T:
            with self.database.read() as connection:
                return query(connection)

        return await to_thread.run_sync(run)

    async def write(self, change: Callable[[Connection], T]) -> T:
        """Return the result of *change*, run in a writing transaction in a worker thread."""

        def run() -> T:
            with self.database.write() as connection:
                return change(connection)

        return await to_thread.run_sync(run)

    async def slowly(self, work: Callable[[], T]) -> T:
        """Return the result of *work*, which computes a password's hash: only a few of these run at once."""
        return await to_thread.run_sync(work, limiter=self._password_checks)

    async def caller(self, request: Request) -> Token:
        """
        Return the token that *request* came with.

        Raises:
            Unauthorized: There is none, or it is not valid.
        """
        token = await self.read(partial(read_token, text=request.headers.get("x-auth-token")))
        if token is None:
            raise Unauthorized("The request you have made requires authentication.")
        return token

    def base(self, request: Request) -> str:
        """Return the service's URL as the client knows it."""
        return public_url(self.settings, request.scope)


async def read_body(request: Request) -> bytes:
    """
    Return the whole body of *request*.

    Raises:
        TooLarge: It has more than `MAX_BODY` bytes; no more than that is ever held.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise TooLarge(f"The request body has more than {MAX_BODY} bytes.")
    return bytes(body)


def reply(status: int, document: Document, headers: dict[str, str] | None = None) -> Response:
    """Return *document* as JSON."""
    return Response(json.encode(document), status, headers, media_type="application/json")


def route(path: str, **handlers: Handler) -> Route:
    """Return the route of *path* with one handler for each method: ``route("/v3", GET=show)``. GET serves HEAD."""

    async def endpoint(request: Request) -> Response:
        return await handlers["GET" if request.method == "HEAD" else request.method](request)

    return Route(path, endpoint, methods=list(handlers))
