"""
A slow and distant link to a service on this machine: each connection has its own rate, and everything arrives late.

What comes from the service is counted. The link is a process of its own, so that it takes no time from whoever
measures; `SlowLink` starts it.
"""

from __future__ import annotations

import argparse
import contextlib
import queue
import select
import socket
import subprocess
import sys
import threading
import time
from types import TracebackType

__all__ = ["SlowLink"]

_BLOCK = 1 << 18
#: Bytes of the small pieces in which loopback may give a block.
_PIECE = 1 << 14
#: Seconds that a thread may wake up late without the rate suffering.
_LATE = 0.02
#: Bytes a second, one connection, and seconds from one end to the other: what the README calls the slow link.
RATE = 50_000_000
DELAY = 0.05


class SlowLink:
    """
    A link to *target* (host, port) while the block lasts.

    Args:
        rate: Bytes a second and connection, in each direction.
        delay: Seconds that each byte is on its way, in each direction.
    """

    def __init__(self, target: tuple[str, int], rate: float = RATE, delay: float = DELAY) -> None:
        words = [sys.executable, "-I", __file__, target[0], str(target[1]), str(rate), str(delay)]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.address = ("127.0.0.1", int(self._process.stdout.readline()))

    def __enter__(self) -> SlowLink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    @property
    def url(self) -> str:
        """The address at this end."""
        return f"http://{self.address[0]}:{self.address[1]}"

    def delivered(self) -> int:
        """Return how many bytes have come out at this end so far, over all connections."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


# --- the process ----------------------------------------------------------------------------------------------


class _Counter:
    """Bytes delivered to clients."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.bytes = 0

    def add(self, number: int) -> None:
        with self._lock:
            self.bytes += number


class _Pipe:
    """One direction of one connection: a thread that reads, one that delivers when it is time."""

    def __init__(
        self, source: socket.socket, sink: socket.socket, rate: float, delay: float, counter: _Counter | None
    ) -> None:
        self._source, self._sink = source, sink
        self._rate, self._delay = rate, delay
        self._counter = counter
        # What is on its way: what the link carries in the time of the delay, even in small pieces, and a little.
        self._way: queue.Queue[tuple[float, bytes] | None] = queue.Queue(64 + int(rate * delay / _PIECE))
        for run in (self._read, self._deliver):
            threading.Thread(target=run, daemon=True).start()

    def _read(self) -> None:
        free = 0.0
        with contextlib.suppress(OSError):
            while block := self._source.recv(_BLOCK):
                # The link is busy with what went before; then this block takes its time.
                free = max(time.monotonic() - _LATE, free) + len(block) / self._rate
                self._way.put((free + self._delay, block))
                # No more is taken in than the link carries: whoever sends feels it.
                time.sleep(max(0.0, free - time.monotonic()))
        self._way.put(None)

    def _deliver(self) -> None:
        with contextlib.suppress(OSError):
            while (entry := self._way.get()) is not None:
                due, block = entry
                time.sleep(max(0.0, due - time.monotonic()))
                self._sink.sendall(block)
                if self._counter is not None:
                    self._counter.add(len(block))
        for end, how in ((self._sink, socket.SHUT_WR), (self._source, socket.SHUT_RD)):
            with contextlib.suppress(OSError):
                end.shutdown(how)


def _accept(listener: socket.socket, target: tuple[str, int], rate: float, delay: float, counter: _Counter) -> None:
    while True:
        client, _ = listener.accept()
        try:
            service = socket.create_connection(target)
        except OSError:
            client.close()
            continue
        for end in (client, service):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _Pipe(client, service, rate, delay, None)
        _Pipe(service, client, rate, delay, counter)


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("rate", type=float)
    parser.add_argument("delay", type=float)
    options = parser.parse_args()
    counter = _Counter()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        target = (options.host, options.port)
        threading.Thread(
            target=_accept, args=(listener, target, options.rate, options.delay, counter), daemon=True
        ).start()
        # Each line asks for the counter; the end of the input is the end of the link.
        while select.select([sys.stdin], [], [])[0] and sys.stdin.readline():
            print(counter.bytes, flush=True)


if __name__ == "__main__":
    _main()
