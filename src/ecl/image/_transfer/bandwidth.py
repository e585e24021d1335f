"""A limit on the speed of one transfer, or of many together."""

from __future__ import annotations

import threading
import time

from ecl import exceptions
from ecl._http import stop
from ecl.image._transfer.digest import BLOCK

__all__ = ["Bandwidth", "limit_of"]

#: Seconds of one sleep: after so long a transfer hears that it is to end, and its connection gets bytes.
_STEP = 0.25
_LEAST_PIECE = 1 << 10


class Bandwidth:
    """
    Maximum number of bytes a second of all transfers that share this object.

    A transfer that is too fast waits. Idle time does not count as credit for later.
    """

    def __init__(self, bytes_per_second: float) -> None:
        """
        Set the limit.

        Raises:
            InvalidRequest: It is not a positive number.
        """
        _check(bytes_per_second)
        self._rate = bytes_per_second
        self._lock = threading.Lock()
        self._free_at = 0.0

    @property
    def piece(self) -> int:
        """The most bytes to move at once, so that a slow transfer moves some again and again."""
        return int(min(BLOCK, max(_LEAST_PIECE, self._rate * _STEP)))

    def take(self, count: int, stopped: threading.Event | None = None) -> None:
        """
        Wait until *count* more bytes may be moved.

        Args:
            stopped: Ends the wait when it is set.
        """
        with self._lock:
            now = time.monotonic()
            starts = max(now, self._free_at)
            self._free_at = starts + count / self._rate
        left = starts - now
        while left > 0 and not (stopped is not None and stopped.is_set()):
            stop.sleep(min(left, _STEP))
            left -= _STEP


def limit_of(max_bandwidth: float | Bandwidth | None) -> Bandwidth | None:
    """Return an argument *max_bandwidth* as a Bandwidth; None stays None: no limit."""
    if max_bandwidth is None or isinstance(max_bandwidth, Bandwidth):
        return max_bandwidth
    return Bandwidth(max_bandwidth)


def _check(rate: object) -> None:
    if not isinstance(rate, (int, float)) or isinstance(rate, bool) or not rate > 0:
        raise exceptions.InvalidRequest(f"max_bandwidth must be a positive number of bytes a second, not {rate!r}")
