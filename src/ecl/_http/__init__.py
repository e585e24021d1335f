"""
What it takes to speak to a service: one request, its endpoint, retries and errors; lists of several pages; polling.

No resource and no image is known here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecl._http.body import as_json, json_of
from ecl._http.endpoint import endpoint
from ecl._http.errors import is_silence, reason, translated
from ecl._http.paging import pages
from ecl._http.path import fill, segment, text
from ecl._http.retry import pause
from ecl._http.sending import DATA_TIMEOUT, TIMEOUT, check, request, seconds_for
from ecl._http.sessions import below_adapter

if TYPE_CHECKING:
    from ecl._http.sessions import SessionLike as SessionLike

__all__ = [
    "DATA_TIMEOUT",
    "TIMEOUT",
    "as_json",
    "below_adapter",
    "check",
    "endpoint",
    "fill",
    "is_silence",
    "json_of",
    "pages",
    "pause",
    "reason",
    "request",
    "seconds_for",
    "segment",
    "text",
    "translated",
]
