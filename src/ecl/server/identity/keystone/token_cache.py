"""What is known of tokens: for a short time, of so many of them, and never past their expiry."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass

from ecl.server.clock import now
from ecl.server.domain.caller import Caller

__all__ = ["Known", "TokenCache", "token_key"]


@dataclass(frozen=True, slots=True)
class Known:
    """The Keystone's word on a token."""

    #: None: it is not valid.
    caller: Caller | None
    #: When it expires, in microseconds since the epoch; None: that does not count.
    expires_at: int | None = None


def token_key(token: str, *, allow_expired: bool) -> bytes:
    """Return what stands for *token* in memory, from which it cannot be recovered."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest() + (b"+" if allow_expired else b"")


class TokenCache:
    """The tokens that were used last. Call it in one thread only."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._entries: OrderedDict[bytes, tuple[float, Known]] = OrderedDict()

    def get(self, key: bytes) -> Known | None:
        """Return what is known; None if nothing is, or not any longer."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        until, known = entry
        # Two clocks: one that nobody sets, and the one in which tokens expire.
        if time.monotonic() >= until or (known.expires_at is not None and now() >= known.expires_at):
            del self._entries[key]
            return None
        self._entries.move_to_end(key)
        return known

    def put(self, key: bytes, known: Known, seconds: float) -> None:
        """Keep *known* for at most *seconds*; of too many, the one that was not used for longest goes."""
        self._entries[key] = (time.monotonic() + seconds, known)
        self._entries.move_to_end(key)
        if len(self._entries) > self._most:
            self._entries.popitem(last=False)
