"""A real haproxy in front of a service: it answers 504 itself when the service takes longer than it waits."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["HAPROXY", "Balancer"]

#: Where haproxy is; None if it is not installed.
HAPROXY = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin")

_CONFIG = """
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server {wait_ms}ms
  {option}
listen images
  bind 127.0.0.1:{port}
  server service 127.0.0.1:{service_port}
"""
#: Seconds that haproxy gets to begin and to end.
_LOCK_TIMEOUT_MS = 10.0


class Balancer:
    """haproxy, running from ``with`` on."""

    def __init__(self, folder: Path, service_port: int, *, wait_ms: int, buffers: bool = False) -> None:
        """
        Write its configuration.

        Args:
            wait_ms: Milliseconds of silence from the service after which it answers 504.
            buffers: It waits for the body of a request before it passes anything on.
        """
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self._config = folder / "haproxy.cfg"
        option = "option http-buffer-request" if buffers else ""
        self._config.write_text(
            _CONFIG.format(port=self._port, service_port=service_port, wait_ms=wait_ms, option=option)
        )
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        assert HAPROXY is not None
        self._process = subprocess.Popen([HAPROXY, "-db", "-q", "-f", str(self._config)])
        deadline = time.monotonic() + _LOCK_TIMEOUT_MS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._port)).close()
                return self
            except ConnectionRefusedError:
                assert self._process.poll() is None, "haproxy does not begin"
                assert time.monotonic() < deadline, "haproxy takes too long to begin"
                time.sleep(0.01)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(_LOCK_TIMEOUT_MS)
