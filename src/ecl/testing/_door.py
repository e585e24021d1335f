"""The way into a running service: requests to its ``/testing``."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
from typing import Any
from urllib.parse import urlsplit

from ecl.exceptions import SDKException

__all__ = ["Door", "Refused"]

#: Seconds of silence after which a request has failed: a reset may have much to remove.
_TIMEOUT = 60


class Refused(SDKException):
    """The service, or this kit, refused what a test asked for; the message says why."""


class Door:
    """
    Sends requests to ``/testing`` of one service, over one connection that is kept. For use from any thread.

    It uses no proxy and no session of the SDK, so that it works whatever a test has set.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._address, self._is_tls = parts.netloc, parts.scheme == "https"
        self._connection: http.client.HTTPConnection | None = None
        self._lock = threading.Lock()

    def call(self, method: str, path: str = "", body: Any = None) -> Any:  # Any: JSON
        """
        Send one request, and return the JSON of the answer, None if it has no body.

        Args:
            path: What follows ``/testing``.

        Raises:
            Refused: The service does not do it, or does not answer.
        """
        data = None if body is None else json.dumps(body).encode()
        with self._lock:
            try:
                status, text = self._send(method, path, data)
            except (OSError, http.client.HTTPException) as exc:
                self._drop()
                raise Refused(f"The image service at {self._address} does not answer: {exc}.") from exc
        answer = json.loads(text) if text else None
        if status >= 400:
            raise Refused(answer["error"] if isinstance(answer, dict) else f"status {status}")
        return answer

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._drop()

    def _send(self, method: str, path: str, data: bytes | None) -> tuple[int, bytes]:
        headers = {} if data is None else {"Content-Type": "application/json"}
        is_new = self._connection is None
        if self._connection is None:
            self._connection = self._open()
        try:
            self._connection.request(method, f"/testing{path}", data, headers)
            answer = self._connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionError):
            if is_new:
                raise
            # An idle connection that the service has closed meanwhile: the request was not handled.
            self._drop()
            return self._send(method, path, data)
        return answer.status, answer.read()

    def _open(self) -> http.client.HTTPConnection:
        if not self._is_tls:
            return http.client.HTTPConnection(self._address, timeout=_TIMEOUT)
        # Whatever certificate a test has given to the service: it is on this host.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return http.client.HTTPSConnection(self._address, timeout=_TIMEOUT, context=context)

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
