"""
Web download: fetch the data at a URL from a client, within limits.

Proxies of the environment are not used: behind one, the service would not connect to the address that it checked.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from urllib.parse import urljoin

from ecl.server.errors import TooLarge
from ecl.server.jobs.imports.addresses import Address, Target, parse_target, resolve
from ecl.server.settings.model import ImportSettings

__all__ = ["FetchError", "fetch"]

_BLOCK = 1 << 20
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
    deadline = time.monotonic() + settings.timeout
    for _hop in range(settings.max_redirects + 1):
        target = parse_target(uri, settings)
        with _request(target, settings, deadline) as response:
            if response.status not in _REDIRECTS:
                yield from _body(response, max_bytes, is_stopping)
                return
            location = urljoin(uri, response.getheader("Location") or "")
            if target.scheme == "https" and not location.startswith("https:"):
                raise FetchError("The server redirects from https to something else.")
            uri = location
    raise FetchError(f"The server redirects more than {settings.max_redirects} times.")


@contextmanager
def _request(target: Target, settings: ImportSettings, deadline: float) -> Iterator[http.client.HTTPResponse]:
    """Send the request and yield the response. The connection is cut at *deadline* in any case."""
    try:
        addresses = resolve(target, settings)
    except OSError as exc:
        raise FetchError(f"The host {target.host} is not known.") from exc
    with closing(_connect(target, addresses, settings, deadline)) as connection:
        cut = threading.Event()
        watchdog = threading.Timer(deadline - time.monotonic(), _cut, (connection.sock, cut))
        watchdog.daemon = True
        watchdog.start()
        try:
            connection.putrequest("GET", target.path, skip_host=True, skip_accept_encoding=True)
            for name, value in {"Host": target.host_header, **_HEADERS}.items():
                connection.putheader(name, value)
            connection.endheaders()
            with closing(connection.getresponse()) as response:
                yield response
            if cut.is_set():
                # Without a Content-Length, a cut connection looks like the end of the data.
                raise FetchError(_too_slow(settings))
        except (OSError, http.client.HTTPException) as exc:
            reason = _too_slow(settings) if cut.is_set() else f"{target.host} did not answer as it should: {_why(exc)}."
            raise FetchError(reason) from exc
        finally:
            watchdog.cancel()


def _connect(target: Target, addresses: Sequence[Address], settings: ImportSettings, deadline: float) -> _Connection:
    failure: OSError | None = None
    for address in addresses:
        left = deadline - time.monotonic()
        if left <= 0:
            raise FetchError(_too_slow(settings))
        connection = _Connection(target, address, min(settings.idle_timeout, left))
        try:
            connection.connect()
        except OSError as exc:
            failure = exc
            connection.close()
        else:
            return connection
    raise FetchError(f"{target.host} does not answer: {_why(failure)}.") from failure


class _Connection(http.client.HTTPConnection):
    """A connection to one checked address of a host."""

    def __init__(self, target: Target, address: Address, timeout: float) -> None:
        super().__init__(target.host, target.port, timeout=timeout)
        self._target = target
        self._address = address

    def connect(self) -> None:
        """Connect to the address; with TLS, the certificate must match the host."""
        self.sock = socket.create_connection((str(self._address), self._target.port), self.timeout)
        if self._target.scheme == "https":
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self._target.host)


def _cut(connection: socket.socket, cut: threading.Event) -> None:
    cut.set()
    with suppress(OSError):
        # Not the shutdown() of a TLS socket, after which a reader would continue without TLS.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _body(response: http.client.HTTPResponse, max_bytes: int, is_stopping: Callable[[], bool]) -> Iterator[bytes]:
    if response.status != 200:
        raise FetchError(f"The server answers with status {response.status}.")
    declared = response.length
    too_large = TooLarge(f"The image has more than the {max_bytes} bytes that there is room for.")
    if declared is not None and declared > max_bytes:
        raise too_large
    done = 0
    while not is_stopping() and (block := response.read(_BLOCK)):
        done += len(block)
        if done > max_bytes:
            raise too_large
        yield block
    if declared is not None and done < declared and not is_stopping():
        raise FetchError(f"The server sent {done} of {declared} bytes.")


def _why(exc: BaseException | None) -> str:
    return str(getattr(exc, "strerror", None) or exc or "no address").rstrip(".")


def _too_slow(settings: ImportSettings) -> str:
    return f"The download takes longer than {settings.timeout} seconds."
