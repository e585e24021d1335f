"""
The yardstick: a service in Python that does nothing but take uploads in. ``bare_service.py FOLDER``.

Receives by `recv_into`, hashes with md5 and sha512 and writes in a thread each, syncs, answers 204. No parser, no
token, no database; one connection after the other. Prints its port, and ends with standard input.
"""

import hashlib
import os
import queue
import re
import socket
import sys
import threading
from pathlib import Path

_BLOCK = 2 << 20
_PIECE = 256 << 10
_LENGTH = re.compile(rb"(?i)content-length: *([0-9]+)")


def main() -> None:
    """Serve until nobody wants it any more."""
    folder = Path(sys.argv[1])
    threading.Thread(target=end_with_input, daemon=True).start()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        number = 0
        while True:
            connection, _ = listener.accept()
            with connection:
                while receive(connection, folder / str(number)):
                    number += 1


def end_with_input() -> None:
    """End the process when standard input does."""
    sys.stdin.read()
    os._exit(0)


def receive(connection, path) -> bool:
    """Take in one upload; False if there is none."""
    head = b""
    while b"\r\n\r\n" not in head:
        more = connection.recv(64 << 10)
        if not more:
            return False
        head += more
    head, _, early = head.partition(b"\r\n\r\n")
    left = int(_LENGTH.search(head)[1])
    with open(path, "wb", buffering=0) as opened:
        file = File(opened)
        md5, sha512 = hashlib.md5(usedforsecurity=False), hashlib.sha512()
        consumers = [md5.update, sha512.update, file.write]
        queues = [queue.SimpleQueue() for _ in consumers]
        threads = [threading.Thread(target=consume, args=pair) for pair in zip(consumers, queues, strict=True)]
        for thread in threads:
            thread.start()
        free = queue.SimpleQueue()
        for _ in range(4):
            free.put(Block(free, len(consumers)))
        while left:
            block = free.get()
            view = memoryview(block.buffer)[: min(left, _BLOCK)]
            filled = len(early[: len(view)])
            view[:filled], early = early[:filled], early[filled:]
            while filled < len(view):
                filled += connection.recv_into(view[filled:])
            left -= filled
            block.lend(view)
            for waiting in queues:
                waiting.put(block)
        for waiting in queues:
            waiting.put(None)
        threads[-1].join()
        file.sync()
        for thread in threads:
            thread.join()
    connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
    return True


class File:
    """Writes in pieces that the system has memory for at hand, and syncs while more comes."""

    def __init__(self, file) -> None:
        self._file = file
        self._written, self._sync_at = 0, 4 << 20
        self._syncing = threading.Thread()

    def write(self, block) -> None:
        """Append *block*."""
        self._written += len(block)
        while block:
            block = block[self._file.write(block[:_PIECE]) :]
        if self._written >= self._sync_at and not self._syncing.is_alive():
            self._sync_at = self._written + min(self._written, 32 << 20)
            self._syncing = threading.Thread(target=os.fdatasync, args=[self._file.fileno()])
            self._syncing.start()

    def sync(self) -> None:
        """Bring the rest to the disk."""
        if self._syncing.ident:
            self._syncing.join()
        os.fsync(self._file.fileno())


class Block:
    """A buffer that is free again when every consumer has seen it."""

    def __init__(self, free, consumers) -> None:
        self.buffer = bytearray(_BLOCK)
        self.view = memoryview(b"")
        self._free, self._consumers, self._left = free, consumers, 0
        self._lock = threading.Lock()

    def lend(self, view) -> None:
        """Say what is in it."""
        self.view, self._left = view, self._consumers

    def seen(self) -> None:
        """Take note that one more is done with it."""
        with self._lock:
            self._left -= 1
            if not self._left:
                self._free.put(self)


def consume(consumer, waiting) -> None:
    """Hand on what comes, until there is no more."""
    while (block := waiting.get()) is not None:
        consumer(block.view)
        block.seen()


main()
