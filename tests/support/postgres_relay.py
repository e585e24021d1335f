"""A relay in front of PostgreSQL that loses one answer: the server commits, and the client never learns it."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

__all__ = ["PostgresRelay"]


class PostgresRelay:
    """
    Relays every connection to the server in *folder*.

    Once `lose_next_commit` is called, the next COMMIT reaches the server, and its answer is thrown away with the
    connection.
    """

    def __init__(self, folder: Path) -> None:
        self._server = str(folder / ".s.PGSQL.5432")
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._armed = threading.Event()
        #: Set when an answer was lost.
        self.has_lost = threading.Event()
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, name="relay", daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in (self._listener, *self._sockets):
            _close(each)

    def lose_next_commit(self) -> None:
        """Lose the answer to the next COMMIT of any connection."""
        self._armed.set()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._server)
                self._sockets += [client, server]
                loses = threading.Event()
                for source, target, is_client in ((client, server, True), (server, client, False)):
                    arguments = (source, target, loses, is_client)
                    threading.Thread(target=self._relay, args=arguments, name="relay", daemon=True).start()

    def _relay(self, source: socket.socket, target: socket.socket, loses: threading.Event, is_client: bool) -> None:
        with suppress(OSError):
            while block := source.recv(65536):
                if is_client and b"COMMIT\0" in block and self._armed.is_set():
                    self._armed.clear()
                    loses.set()
                if not is_client and loses.is_set():
                    # The server has answered, so it has committed.
                    self.has_lost.set()
                    break
                target.sendall(block)
        _close(source)
        _close(target)


def _close(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
