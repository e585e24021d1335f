"""The token by which the service calls its own API: it never leaves the process, and the Keystone is not asked."""

from __future__ import annotations

import hmac
import secrets

from ecl.server.domain.caller import Caller

__all__ = ["OwnToken"]


class OwnToken:
    """A token that only this process knows, with the role admin."""

    caller = Caller("replicator", "service", None, frozenset({"admin", "member", "reader"}))

    def __init__(self) -> None:
        self.text = secrets.token_urlsafe(32)

    def is_token(self, text: str) -> bool:
        """Return True if *text* is the token."""
        return hmac.compare_digest(text.encode("utf-8", "surrogateescape"), self.text.encode())
