"""
How much of an answer is read, and for how long.

A broken or hostile service must not fill the memory with a list that never ends, nor hold a caller for ever with a byte
a second. Image data has no such bounds: it is streamed, and its size is known.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ecl import exceptions

if TYPE_CHECKING:
    import requests

__all__ = ["bounded", "check_size", "seconds_for", "too_slow"]

#: Bytes of one answer, decoded: a thousand images with everything that Glance allows in their properties.
MOST_BYTES = 64 * 1024 * 1024
#: Bytes that are kept of an error answer.
MOST_ERROR_BYTES = 64 * 1024
#: Seconds from an answer's headers to its end; a longer time-out of the session counts instead, and 0 allows any time.
SECONDS = 600.0

_BLOCK = 64 * 1024


def bounded(session: Any, streamed: bool = False) -> dict[str, list[Callable[..., None]]]:
    """
    Return the hooks for a request of *session*, a keystoneauth1 Session, that read its answer within bounds.

    Hooks run before requests itself reads, and before keystoneauth1 logs a body; so they hold for any session.

    Args:
        streamed: The caller reads the body, but that of an error.
    """
    timeout = getattr(session, "timeout", None)

    # Hooks of a request replace those of the session of requests.
    own = getattr(getattr(session, "session", None), "hooks", {}).get("response", [])

    def read(response: requests.Response, **_: Any) -> None:
        seconds = seconds_for(timeout)
        if response.status_code >= 400:
            _read_error(response, seconds)
        elif not streamed:
            _read(response, seconds)

    return {"response": [read, *own]}


def seconds_for(timeout: float | None) -> float:
    """Return how long an answer may take from its headers to its end, on a session with *timeout*."""
    return math.inf if timeout == 0 else max(SECONDS, timeout or 0)


def _read(response: requests.Response, seconds: float) -> None:
    """
    Read the body of *response*.

    Raises:
        InvalidResponse: It is too long.
        ConnectFailure: It takes too long.
    """
    declared = response.headers.get("Content-Length", "")
    # To HEAD it is the length of what GET would bring.
    if declared.isdecimal() and response.request.method != "HEAD":
        check_size(response, int(declared))
    # Not a list of blocks: they may be of a byte each.
    body = bytearray()
    for block in _blocks(response, seconds):
        body += block
        check_size(response, len(body))
    _fill(response, body)


def check_size(response: Any, size: int) -> None:
    """
    Refuse an answer of more than :data:`MOST_BYTES`, and close its connection.

    Raises:
        InvalidResponse: It is too long.
    """
    if size > MOST_BYTES:
        response.close()
        raise exceptions.InvalidResponse(
            response,
            f"The answer of {response.url} is longer than {MOST_BYTES // 1024**2} MiB, the most that is read: ask for"
            " less at a time (limit), or check that this is the service's address",
        )


def _read_error(response: requests.Response, seconds: float) -> None:
    """Read the beginning of an error: the status counts, even where its body does not end."""
    import requests

    body = bytearray()
    try:
        for block in _blocks(response, seconds):
            body += block
            if len(body) >= MOST_ERROR_BYTES:
                response.close()
                break
    except (exceptions.SDKException, requests.RequestException):
        response.close()
    _fill(response, body[:MOST_ERROR_BYTES])


def _fill(response: requests.Response, body: bytearray) -> None:
    # requests has no public way to give an answer its body.
    response._content = bytes(body)
    response._content_consumed = True  # type: ignore[attr-defined]  # requests' own name for "has been read"


def _blocks(response: requests.Response, seconds: float) -> Iterator[bytes]:
    """Yield a body, decoded, as it comes; raise what requests would, and ConnectFailure after *seconds*."""
    # requests: False until it has been read.
    present: Any = response._content
    if present is not False:
        yield present or b""
        return
    end = time.monotonic() + seconds
    # read() waits until a whole block is there, and each byte of it may take as long as silence is allowed.
    read = getattr(response.raw, "read1", response.raw.read)
    while block := _translated(read):
        yield block
        if time.monotonic() >= end:
            raise too_slow(response, seconds)


def too_slow(response: Any, seconds: float) -> exceptions.ConnectFailure:
    """Close the connection of an answer that takes too long, and return what to raise."""
    import requests

    response.close()
    message = (
        f"The answer of {response.url} did not end within {seconds:.0f} seconds: the service, or what lies before it,"
        " is too slow; try again later, or allow more with a longer timeout"
    )
    failure = exceptions.ConnectFailure(message)
    # As silence, this is not tried again.
    failure.__cause__ = requests.exceptions.ReadTimeout(message)
    return failure


def _translated(read: Callable[..., bytes]) -> bytes:
    """Read a block; raise what requests' own reading would raise."""
    import requests
    import urllib3.exceptions

    try:
        return read(_BLOCK, decode_content=True)
    except urllib3.exceptions.ProtocolError as exc:
        raise requests.exceptions.ChunkedEncodingError(exc) from exc
    except urllib3.exceptions.DecodeError as exc:
        raise requests.exceptions.ContentDecodingError(exc) from exc
    except urllib3.exceptions.SSLError as exc:
        raise requests.exceptions.SSLError(exc) from exc
    except urllib3.exceptions.HTTPError as exc:
        raise requests.exceptions.ConnectionError(exc) from exc
