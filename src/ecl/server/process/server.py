"""The HTTP server: uvicorn with the service's own bodies and signals. Imported late, because uvicorn loads slowly."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from ecl.server.http.bounded_protocol import bounded_protocol
from ecl.server.process.listen import BACKLOG
from ecl.server.process.messages import say
from ecl.server.settings.model import Settings

__all__ = ["build_server"]

#: Seconds that an idle connection is kept for the client's next request.
_KEEP_ALIVE = 75
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def build_server(
    settings: Settings, service: ASGIApp, on_ready: Callable[[], None], on_stop: Callable[[], None]
) -> uvicorn.Server:
    """
    Return the HTTP server of *service*.

    Args:
        on_ready: Called when it answers requests.
        on_stop: Called at the first signal, before requests in flight have finished.
    """

    class ReadyServer(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets=sockets)
            on_ready()

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            # Unlike uvicorn's own: a requested stop is a success, and the second signal stops at once.
            before = {number: signal.signal(number, self.handle_exit) for number in _STOP_SIGNALS}
            try:
                yield
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
            if self.should_exit:
                # Everything acknowledged is on disk; the next start cleans up the rest.
                os._exit(130)
            self.should_exit = True
            # Jobs have requests in flight, too; they go on at the next start.
            on_stop()
            say("Stopping: requests in flight may finish. Ctrl-C again stops at once.")

    config = uvicorn.Config(
        service,
        loop="uvloop",
        http=bounded_protocol(settings.http),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=settings.shutdown_timeout,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
    )
    return ReadyServer(config)
