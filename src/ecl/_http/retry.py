"""When a request is sent again, and after which pause."""

from __future__ import annotations

import email.utils
import threading
import time

from ecl import exceptions
from ecl._http import stop

__all__ = ["is_passing", "is_refused", "pause", "retry_after_of"]

#: How often a safe request is sent in all.
ATTEMPTS = 4
#: Answers after which a safe request is sent again.
RETRIED_STATUSES = frozenset({429, 502, 503, 504})
_TOO_MANY, _UNAVAILABLE = 429, 503
#: Longest pause between two attempts, in seconds, whatever Retry-After asks for.
LONGEST_PAUSE = 60.0


def pause(attempt: int, retry_after: str | None = None, cancelled: threading.Event | None = None) -> bool:
    """
    Sleep before the next attempt: what the service asked for, else half a second, doubled each time.

    Up to a quarter is random, so that many clients do not come back all at once.

    Args:
        cancelled: Ends the pause when it is set.

    Returns:
        False if *cancelled* is set: there is to be no next attempt.
    """
    # The failure may be that of a connection which was shut to stop the call.
    stop.check()
    seconds = _seconds_of(retry_after)
    if seconds is None:
        import random

        seconds = 0.5 * 2 ** (attempt - 1) * random.uniform(0.75, 1.0)  # noqa: S311 - jitter, not a secret
    _sleep(min(max(seconds, 0.0), LONGEST_PAUSE), cancelled)
    return cancelled is None or not cancelled.is_set()


def is_refused(status: int, retry_after: str | None) -> bool:
    """Tell whether a service did not begin with a request, and asks to send it again later, whatever it does."""
    return status == _TOO_MANY or (status == _UNAVAILABLE and retry_after is not None)


def is_passing(exc: exceptions.SDKException) -> bool:
    """Tell whether what failed so may succeed a moment later, if it can be repeated at all."""
    return isinstance(exc, exceptions.ConnectFailure) or exc.http_status in RETRIED_STATUSES


def retry_after_of(exc: exceptions.SDKException) -> str | None:
    """Return the Retry-After of the answer that *exc* stands for."""
    response = getattr(exc, "response", None)
    return response.headers.get("Retry-After") if response is not None else None


def _sleep(seconds: float, cancelled: threading.Event | None) -> None:
    stop.sleep(seconds, cancelled)


def _seconds_of(retry_after: str | None) -> float | None:
    """Parse Retry-After (RFC 9110, 10.2.3): seconds, or a date."""
    if not retry_after:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        return email.utils.parsedate_to_datetime(retry_after).timestamp() - time.time()
    except (ValueError, TypeError):
        return None
