"""The caller behind a token of the Keystone."""

from __future__ import annotations

import asyncio
from datetime import datetime

from ecl.server import threads
from ecl.server.clock import MICROSECONDS
from ecl.server.domain.caller import Caller
from ecl.server.errors import Unauthorized, Unavailable
from ecl.server.identity.keystone.client import Document, KeystoneClient
from ecl.server.identity.keystone.mapping import IdentityMapping
from ecl.server.identity.keystone.own_token import OwnToken
from ecl.server.identity.keystone.token_cache import Known, TokenCache, token_key
from ecl.server.settings.model import KeystoneSettings

__all__ = ["KeystoneAuthenticator"]

#: Seconds for which a token that the Keystone does not know is refused without asking again.
_REFUSED_SECONDS = 3
#: Longest token that is looked up, in characters.
_MAX_TOKEN = 16 << 10


class KeystoneAuthenticator:
    """
    Authenticates tokens of the Keystone.

    Its word on a token is kept for a while; while it is asked about one, further requests with the same token wait for
    the same answer.
    """

    def __init__(
        self, settings: KeystoneSettings, client: KeystoneClient, mapping: IdentityMapping, own: OwnToken
    ) -> None:
        self._settings = settings
        self._client = client
        self._mapping = mapping
        self._own = own
        self._cache = TokenCache(settings.cache_tokens)
        self._asking: dict[bytes, asyncio.Future[Known]] = {}

    async def authenticate(self, token: str | None, service_token: str | None = None) -> Caller:
        """
        Return the caller of *token*.

        With the *service_token* of a user with the role service, *token* may have expired a while ago, so that work
        that another service does for the user can end.

        Raises:
            Unauthorized: There is no token, or it is not valid.
            Unavailable: The Keystone does not answer.
        """
        if not token or not _may_be_token(token):
            raise Unauthorized
        if self._own.is_token(token):
            return self._own.caller
        caller = await self._known(token)
        if caller is None and service_token and await self._is_service(service_token):
            caller = await self._known(token, allow_expired=True)
        if caller is None:
            raise Unauthorized
        return caller

    async def _is_service(self, token: str) -> bool:
        caller = await self._known(token) if _may_be_token(token) else None
        return caller is not None and "service" in caller.roles

    async def _known(self, token: str, *, allow_expired: bool = False) -> Caller | None:
        """Return the caller of *token*; None if it is not valid."""
        key = token_key(token, allow_expired=allow_expired)
        known = self._cache.get(key)
        if known is None:
            known = await self._asked_once(key, token, allow_expired)
        return known.caller

    async def _asked_once(self, key: bytes, token: str, allow_expired: bool) -> Known:
        asking = self._asking.get(key)
        if asking is None:
            asking = self._asking[key] = asyncio.ensure_future(self._ask(key, token, allow_expired))
            asking.add_done_callback(lambda done: self._end(key, done))
        try:
            # It goes on when one of those who wait for it is gone.
            async with asyncio.timeout(2 * self._settings.timeout):
                return await asyncio.shield(asking)
        except TimeoutError:
            raise Unavailable("The identity service does not answer; try again later.") from None

    async def _ask(self, key: bytes, token: str, allow_expired: bool) -> Known:
        known = await threads.verify(self._look_up, token, allow_expired)
        seconds = _REFUSED_SECONDS if known.caller is None else self._settings.cache_seconds
        self._cache.put(key, known, min(seconds, self._settings.cache_seconds))
        return known

    def _end(self, key: bytes, done: asyncio.Future[Known]) -> None:
        del self._asking[key]
        if not done.cancelled():
            # Nobody may be left who waits for it.
            done.exception()

    def _look_up(self, token: str, allow_expired: bool) -> Known:
        document = self._client.token(token, allow_expired=allow_expired)
        if document is None:
            return Known(None)
        try:
            return Known(self._caller(document), None if allow_expired else _expiry(document))
        except (KeyError, TypeError, ValueError) as exc:
            raise Unavailable("The identity service's answer cannot be read; try again later.") from exc

    def _caller(self, document: Document) -> Caller:
        user_id = str(document["user"]["id"])
        project = document.get("project")
        if project is None:
            # Roles on a domain, or on the whole system, are no roles on images.
            return Caller(user_id, None, None, frozenset())
        project_id = str(project["id"])
        roles = self._mapping.roles(str(role["name"]) for role in document.get("roles", ()))
        return Caller(user_id, project_id, self._mapping.region(project_id), roles)


def _may_be_token(text: str) -> bool:
    return len(text) <= _MAX_TOKEN and text.isascii() and text.isprintable()


def _expiry(document: Document) -> int:
    return round(datetime.fromisoformat(document["expires_at"]).timestamp() * MICROSECONDS)
