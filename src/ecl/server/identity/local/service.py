"""What the identity handlers share: the database in a worker thread, the caller's token, and routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ecl.server.db.engine import Database
from ecl.server.errors import Unauthorized
from ecl.server.http.public_url import public_url
from ecl.server.http.routing import Resource
from ecl.server.identity.local.tokens import Token, read_token
from ecl.server.settings.model import Settings

__all__ = ["MAX_BODY", "MAX_PASSWORD_CHECKS", "IdentityService", "route"]

#: Most bytes of a request body: Keystone's own limit.
MAX_BODY = 114_688
#: Most passwords that are checked at once. Each check takes 16 MiB and a core; further checks wait.
MAX_PASSWORD_CHECKS = 4

T = TypeVar("T")


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

    async def hash_in_thread(self, work: Callable[[], T]) -> T:
        """Return the result of *work*, which computes a password's hash: at most `MAX_PASSWORD_CHECKS` run at once."""
        return await to_thread.run_sync(work, limiter=self._password_checks)

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

    def base(self, request: Request) -> str:
        """Return the service's URL as the client of *request* knows it."""
        return public_url(self.settings, request.scope)


def route(path: str, **handlers: Callable[[Request], Awaitable[Response]]) -> Route:
    """Return the route of *path* with one handler for each method: ``route("/v3", GET=show)``. GET serves HEAD."""
    if "GET" in handlers:
        handlers["HEAD"] = handlers["GET"]
    return Route(path, Resource(Request, handlers))
