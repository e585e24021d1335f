"""
Web download: fetch the data at a URL from a client, within limits.

Proxies of the environment are not used: behind one, the service would not connect to the address that it checked.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from urllib.parse import urljoin

from ecl.server.data.web.addresses import Address, Target, parse_target, resolve
from ecl.server.data.web.response import BadResponse, Response, TooSlow
from ecl.server.domain.text import printable
from ecl.server.errors import TooLarge
from ecl.server.settings.model import ImportSettings

__all__ = ["FetchError", "fetch", "open_address", "translated_errors"]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADERS = {
    "User-Agent": "ecl-image",
    "Accept": "*/*",
    # Never a compressed form of the data.
    "Accept-Encoding": "identity",
    "Connection": "close",
}


class FetchError(Exception):
    """The data could not be fetched; the message is for the client."""


def fetch(uri: str, settings: ImportSettings, max_bytes: int, is_stopping: Callable[[], bool]) -> Iterator[bytes]:
    """
    Yield the data at *uri* in blocks of at most 1 MiB.

    Args:
        max_bytes: More than that is too large, whether the server declares it or just sends it.
        is_stopping: Called at every block; True ends the iteration early. The caller must check it, too.

    Raises:
        BadRequest: *uri*, or a URL that it redirects to, is not allowed.
        FetchError: The server does not answer, returns an error, or takes too long.
        TooLarge: The data has more than *max_bytes*.
    """
    with ExitStack() as stack:
        response, target = open_address(uri, settings, stack)
        with translated_errors(target):
            yield from _body(response, max_bytes, is_stopping)


def open_address(
    uri: str, settings: ImportSettings, stack: ExitStack, headers: Mapping[str, str] | None = None
) -> tuple[Response, Target]:
    """
    Ask for the data at *uri*, or where that redirects to. Return the response, which may be an error, and who sent it.

    Args:
        stack: Closes the connection.
        headers: More than the usual ones.

    Raises:
        BadRequest: *uri*, or a URL that it redirects to, is not allowed.
        FetchError: The server does not answer, or redirects too often.
    """
    deadline = time.monotonic() + settings.timeout
    for _hop in range(settings.max_redirects + 1):
        target = parse_target(uri, settings)
        hop = ExitStack()
        with hop, translated_errors(target):
            response = _ask(target, settings, deadline, hop, headers or {})
            if response.status not in _REDIRECTS:
                stack.push(hop.pop_all())
                return response, target
            location = urljoin(uri, response.location)
        if target.scheme == "https" and not location.startswith("https:"):
            raise FetchError("The server redirects from https to something else.")
        uri = location
    raise FetchError(f"The server redirects more than {settings.max_redirects} times.")


@contextmanager
def translated_errors(target: Target) -> Iterator[None]:
    """Make a FetchError of what is wrong with a response of *target*."""
    try:
        yield
    except TooSlow as exc:
        raise FetchError(str(exc)) from exc
    except (OSError, BadResponse) as exc:
        raise FetchError(f"{target.host} did not answer as it should: {_why(exc)}.") from exc


def _ask(
    target: Target, settings: ImportSettings, deadline: float, stack: ExitStack, more: Mapping[str, str]
) -> Response:
    """Connect, send the request, and return the response."""
    try:
        addresses = resolve(target, settings)
    except OSError as exc:
        raise FetchError(f"The host {target.host} is not known.") from exc
    connection = stack.enter_context(closing(_connect(target, addresses, settings, deadline)))
    sent = {"Host": target.host_header, **_HEADERS, **more}
    headers = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
    connection.sendall(f"GET {target.path} HTTP/1.1\r\n{headers}\r\n".encode("ascii"))
    return Response(connection, deadline, settings)


def _connect(target: Target, addresses: Sequence[Address], settings: ImportSettings, deadline: float) -> socket.socket:
    """Connect to the first of *addresses* that answers; with TLS, the certificate must match the host."""
    failure: OSError | None = None
    for address in addresses:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TooSlow.after(settings)
        try:
            connection = socket.create_connection((str(address), target.port), min(settings.idle_timeout, left))
        except OSError as exc:
            failure = exc
            continue
        if target.scheme == "http":
            return connection
        try:
            # Data without a declared length ends with the connection, so a cut one must be an error.
            return ssl.create_default_context().wrap_socket(
                connection, server_hostname=target.host, suppress_ragged_eofs=False
            )
        except OSError as exc:
            failure = exc
            connection.close()
    raise FetchError(f"{target.host} does not answer: {_why(failure)}.") from failure


def _body(response: Response, max_bytes: int, is_stopping: Callable[[], bool]) -> Iterator[bytes]:
    if response.status != 200:
        raise FetchError(f"The server answers with status {response.status}.")
    response.check_framing()
    too_large = TooLarge(f"The image has more than the {max_bytes} bytes that there is room for.")
    if response.length is not None and response.length > max_bytes:
        raise too_large
    done = 0
    blocks = response.blocks()
    while not is_stopping() and (block := next(blocks, b"")):
        done += len(block)
        if done > max_bytes:
            raise too_large
        yield block


def _why(exc: BaseException | None) -> str:
    return printable(getattr(exc, "strerror", None) or exc or "no address").rstrip(".")
