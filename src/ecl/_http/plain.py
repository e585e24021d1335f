"""
Requests and answers of a few kilobytes, by the standard library alone.

Importing requests takes longer than a short command does. What is here is for the plain case only: no proxy, no
client certificate, no redirect, no stream; TLS as requests has it.
"""

from __future__ import annotations

import http.client
import math
import os
import re
import selectors
import sys
from typing import TYPE_CHECKING

from ecl._http.answer import ENCODINGS, Answer
from ecl.version import __version__

if TYPE_CHECKING:
    import ssl

__all__ = ["ConnectTimeout", "NotSent", "PlainHttp", "is_behind_a_proxy"]

#: Addresses that every HTTP library reads in the same way and sends as they are.
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9.-]+|\[[0-9a-f:]+\])(?::(?P<port>\d{1,5}))?"
    r"(?P<target>/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-F]{2})*)"
)
_HEADERS = {
    "User-Agent": f"ecl-image/{__version__} CPython/{'.'.join(map(str, sys.version_info[:3]))}",
    "Accept-Encoding": ", ".join(ENCODINGS),
    "Connection": "keep-alive",
}


class NotSent(Exception):
    """The request did not leave this machine: it is not a plain one, or there is no connection."""


class ConnectTimeout(TimeoutError):
    """No connection was made in time."""


class PlainHttp:
    """Connections that are kept for the next request. Threads may share it."""

    def __init__(self, verify: bool | str = True, seconds: float = math.inf) -> None:
        """
        Connect to nothing yet.

        Args:
            verify: True, or the path of a CA bundle.
            seconds: Time from an answer's headers to its end.
        """
        self._seconds = seconds
        self._verify = verify
        self._context: ssl.SSLContext | None = None
        self._idle: list[tuple[str, http.client.HTTPConnection]] = []

    def send(
        self, method: str, url: str, headers: dict[str, str], body: bytes | None, timeout: tuple[float, float]
    ) -> Answer:
        """
        Send a request, and read its answer.

        Args:
            timeout: Seconds to connect, and seconds of silence to allow.

        Raises:
            NotSent: The request is not a plain one, or no connection was made.
            ConnectTimeout: No connection was made in time.
            InvalidResponse, ConnectFailure: The answer is too long, or takes too long.
            TimeoutError: The service was silent for too long.
            OSError, HTTPException: The connection broke.
        """
        parts = _URL.fullmatch(url)
        if parts is None or "/." in parts["target"]:
            raise NotSent(url)
        origin = url[: parts.start("target")]
        connection = self._kept(origin) or self._connected(parts, timeout[0])
        try:
            connection.sock.settimeout(timeout[1])
            length = {} if body or method in ("GET", "HEAD") else {"Content-Length": "0"}
            try:
                connection.request(method, parts["target"], body, {**_HEADERS, **length, **headers})
            except ValueError as exc:
                # A header that cannot be sent: they are checked before the first byte goes.
                raise NotSent(url) from exc
            answer = Answer(url, connection, self._seconds)
        except BaseException:
            connection.close()
            raise
        if connection.sock is not None:
            self._idle.append((origin, connection))
        return answer

    def close(self) -> None:
        """Close the connections that are kept."""
        while self._idle:
            self._idle.pop()[1].close()

    def _kept(self, origin: str) -> http.client.HTTPConnection | None:
        """Return a connection that the service has not closed."""
        while self._idle:
            found, connection = self._idle.pop()
            if found == origin and not _has_ended(connection):
                return connection
            connection.close()
        return None

    def _connected(self, parts: re.Match[str], timeout: float) -> http.client.HTTPConnection:
        port = int(parts["port"]) if parts["port"] else None
        try:
            if parts["scheme"] == "http":
                connection = http.client.HTTPConnection(parts["host"], port, timeout=timeout)
            else:
                connection = http.client.HTTPSConnection(parts["host"], port, timeout=timeout, context=self._trusted())
            connection.connect()
        except TimeoutError as exc:
            raise ConnectTimeout(parts[0]) from exc
        except (OSError, OverflowError) as exc:
            raise NotSent(parts[0]) from exc
        return connection

    def _trusted(self) -> ssl.SSLContext:
        """Return the TLS settings, which trust the certificates that requests does. Raises OSError."""
        if self._context is None:
            import ssl

            trusted = self._verify
            if trusted is True:
                trusted = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or _shipped()
            is_folder = os.path.isdir(trusted)
            self._context = ssl.create_default_context(
                cafile=None if is_folder else str(trusted), capath=str(trusted) if is_folder else None
            )
            self._context.set_alpn_protocols(["http/1.1"])
            self._context.hostname_checks_common_name = False
        return self._context


def _has_ended(connection: http.client.HTTPConnection) -> bool:
    """Tell whether the service has closed *connection*: after an answer, nothing else is to be read from it."""
    with selectors.DefaultSelector() as selector:
        selector.register(connection.sock, selectors.EVENT_READ)
        return bool(selector.select(0))


def is_behind_a_proxy() -> bool:
    """Tell whether requests may have to go through a proxy."""
    if sys.platform in ("win32", "darwin"):
        # It may be in the settings of the system.
        from urllib.request import getproxies

        return bool(getproxies())
    names = (name.lower() for name, value in os.environ.items() if value)
    return any(name.endswith("_proxy") and name != "no_proxy" for name in names)


def _shipped() -> str:
    """Return the path of the CA bundle that comes with requests."""
    import certifi

    return certifi.where()
