"""The HTTP server: uvicorn with the service's own bodies and signals. Imported late, because uvicorn loads slowly."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import uvicorn
import uvloop
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

    class BoundedLoop(uvloop.Loop):
        # Any: it has two forms in asyncio, with many arguments each; all of them are passed on.
        async def create_server(self, *arguments: Any, **more: Any) -> Any:  # Any: as above
            if more.get("ssl") is not None:
                # uvicorn has no option for it, and a minute is the default.
                more["ssl_handshake_timeout"] = settings.http.head_timeout
            return await super().create_server(*arguments, **more)

    class Config(uvicorn.Config):
        def get_loop_factory(self) -> Callable[[], asyncio.AbstractEventLoop]:
            return BoundedLoop

    config = Config(
        service,
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
