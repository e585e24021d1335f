"""What a thread says and does while the database is away: one line, then longer and longer pauses without a word."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from ecl.server.db.engine import DatabaseError, first_line

__all__ = ["Outage"]

#: Most seconds of a pause.
_LONGEST_PAUSE = 60.0


class Outage:
    """
    The times at which the database is away, for threads that do the same work.

    Args:
        who: Does the work, for the log.
        pause: Seconds of the first pause. The later ones are as long as the outage so far, up to a minute.
        clock: In seconds; for tests.
    """

    def __init__(
        self, log: logging.Logger, who: str, pause: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = log
        self._who = who
        self._pause = pause
        self._clock = clock
        self._lock = threading.Lock()
        self._since: float | None = None

    def failed(self, error: DatabaseError) -> float:
        """Note that the database failed with *error*. Return the seconds to wait until the next attempt."""
        with self._lock:
            is_first = self._since is None
            since = self._since = self._clock() if self._since is None else self._since
        if is_first:
            self._log.warning("%s waits for the database: %s", self._who, first_line(error))
        return max(self._pause, min(self._clock() - since, _LONGEST_PAUSE))

    def worked(self) -> None:
        """Note that the database answers."""
        if self._since is None:
            return
        with self._lock:
            since, self._since = self._since, None
        if since is not None:
            self._log.warning("%s goes on after %.0f seconds without the database", self._who, self._clock() - since)
