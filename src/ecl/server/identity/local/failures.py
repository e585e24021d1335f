"""
Failed logins slow the next ones down: of one user from one address, of one address, and of one user.

The table is in memory and bounded; it knows nothing about whether a user exists.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ecl.server.http.errors import TooManyFailures

__all__ = ["FREE_FAILURES", "LONGEST_WAIT", "MAX_ENTRIES", "Failures"]

#: Failures before the first wait: of a user from an address, of an address, of a user from any address.
FREE_FAILURES = (10, 100, 200)
#: Most seconds of a wait; each failure doubles the wait from one second on.
LONGEST_WAIT = 60
#: Seconds without a failure after which the ones before are forgotten.
_MEMORY = 900
#: Most entries of each table. Of more, the oldest is forgotten.
MAX_ENTRIES = 10_000

_Key = tuple[str, str]
_T = TypeVar("_T")


@dataclass(slots=True)
class _Entry:
    failures: int = 0
    last: float = 0.0
    until: float = 0.0


class Failures:
    """
    The failed logins of late. Use it in the event loop only.

    A user who has logged in from an address is known there: failures of others, from that address or for that user,
    do not make them wait.

    Args:
        clock: Returns seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._entries: OrderedDict[_Key, _Entry] = OrderedDict()
        self._known: OrderedDict[_Key, None] = OrderedDict()

    def is_known(self, user: str, source: str) -> bool:
        """Return True if *user* has logged in from the address *source*."""
        return (user, source) in self._known

    def check(self, user: str, source: str) -> None:
        """Raise TooManyFailures if a login of *user* from *source* has to wait."""
        keys = self._keys(user, source)[: 1 if self.is_known(user, source) else 3]
        now = self._clock()
        wait = max(self._entries[key].until - now if key in self._entries else 0 for key in keys)
        if wait > 0:
            raise TooManyFailures("Too many logins have failed. Try again later.", seconds=int(wait) + 1)

    def failed(self, user: str, source: str) -> None:
        """Count a failed login."""
        now = self._clock()
        for key, free in zip(self._keys(user, source), FREE_FAILURES, strict=True):
            entry = self._entries.pop(key, None) or _Entry()
            if now - entry.last > _MEMORY:
                entry = _Entry()
            entry.failures, entry.last = entry.failures + 1, now
            over = entry.failures - free
            if over > 0:
                entry.until = now + min(LONGEST_WAIT, 2 ** min(over - 1, 10))
            _put(self._entries, key, entry)

    def succeeded(self, user: str, source: str) -> None:
        """Forget the failures of *user* from *source*, and know them from now on."""
        self._entries.pop(self._keys(user, source)[0], None)
        self._known.pop((user, source), None)
        _put(self._known, (user, source), None)

    @staticmethod
    def _keys(user: str, source: str) -> tuple[_Key, _Key, _Key]:
        return (user, source), ("", source), (user, "")


def _put(table: OrderedDict[_Key, _T], key: _Key, value: _T) -> None:
    table[key] = value
    if len(table) > MAX_ENTRIES:
        table.popitem(last=False)
