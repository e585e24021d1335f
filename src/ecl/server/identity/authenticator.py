"""What the rest of the service needs of identity: the caller behind a token."""

from __future__ import annotations

from typing import Protocol

from ecl.server.domain.caller import Caller

__all__ = ["Authenticator"]


class Authenticator(Protocol):
    """Turns a token into a caller."""

    async def authenticate(self, token: str | None, service_token: str | None = None) -> Caller:
        """
        Return the caller whose *token* it is.

        Args:
            service_token: That of another service, which sends the request for the caller.

        Raises:
            Unauthorized: There is no token, or it is not valid.
            Unavailable: What knows the tokens does not answer.
        """
