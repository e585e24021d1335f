"""Asking a service again and again until something is so, or time is up."""

from __future__ import annotations

import time
from collections.abc import Iterator

from ecl._http import stop

__all__ = ["polls"]


def polls(interval: float, wait: float, first_pause: float | None = None) -> Iterator[None]:
    """
    Yield once for each poll: the first at once, the last when *wait* seconds have passed. Pause in between.

    Args:
        interval: Seconds between two polls.
        wait: Seconds for all of them, on the monotonic clock. Time spent in the polls counts.
        first_pause: Seconds of the first pause, if the pauses are to grow: each is twice the one before, up to
            *interval*.
    """
    deadline = time.monotonic() + wait
    pause = interval if first_pause is None else min(first_pause, interval)
    while True:
        yield
        left = deadline - time.monotonic()
        if left <= 0:
            return
        stop.sleep(min(pause, left))
        pause = min(pause * 2, interval)
