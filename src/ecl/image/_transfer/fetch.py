"""Fetching an image into a part file: over one connection if that is fast, else over several."""

from __future__ import annotations

import contextvars
import queue
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import nullcontext, suppress

from ecl import exceptions
from ecl._http.stop import Stop
from ecl.image._transfer import spans
from ecl.image._transfer.bandwidth import Bandwidth
from ecl.image._transfer.digest import buffers
from ecl.image._transfer.file_hash import FileHasher
from ecl.image._transfer.part import PartFile
from ecl.image._transfer.ports import Described, RemoteImage
from ecl.image._transfer.progress import Progress
from ecl.image._transfer.spans import Span
from ecl.image._transfer.stream import RangeRefused, Stream

__all__ = ["MAX_CONNECTIONS", "checked_connections", "fetch"]

#: Most connections of one download.
MAX_CONNECTIONS = 16
#: Connections for a slow link, if the caller does not say how many.
CONNECTIONS = 8
#: Bytes of a range, with several connections. Each range is requested, and retried, by itself.
PART = 16 << 20
#: Seconds for which the first connection is measured.
SAMPLE = 1.0
#: Bytes a second from which on one connection is fast enough.
FAST = 100e6
#: Seconds that the connections get together to end when one has failed.
_JOIN_TIMEOUT_SECONDS = 1.0


def fetch(
    remote: RemoteImage,
    image: Described,
    part: PartFile,
    hasher: FileHasher,
    progress: Progress,
    *,
    connections: int | None,
    bandwidth: Bandwidth | None,
    stop: Stop | None = None,
) -> None:
    """
    Fetch what *part* is missing, and let *hasher* hash it. Memory: a block of 1 MiB for each connection, six for
    the hash.

    Args:
        stop: Ends it from another thread, whatever the connections wait for.

    Raises:
        ConnectFailure: The connection broke again and again.
        FileFailure: Writing failed.
        HttpException: The service refused.
        SDKException: *stop* ended it.
    """
    try:
        _Fetch(remote, image, part, hasher, progress, bandwidth, stop).run(connections)
    except RangeRefused:
        # Every range would bring the entire image. So everything from the first gap on is fetched once.
        _Fetch(remote, image, part, hasher, progress, bandwidth, stop).run_in_one()


class _Fetch:
    """One download into a part file."""

    def __init__(
        self,
        remote: RemoteImage,
        image: Described,
        part: PartFile,
        hasher: FileHasher,
        progress: Progress,
        bandwidth: Bandwidth | None,
        stop: Stop | None,
    ) -> None:
        self._remote = remote
        self._image = image
        self._part = part
        self._hasher = hasher
        self._bandwidth = bandwidth
        self._progress = progress
        self._stop = stop
        # True if a full answer in place of a range would bring bytes that other connections fetch, too.
        self._exact = False
        self._lock = threading.Lock()
        self._todo: deque[Span] = deque()
        # Nothing new is started.
        self._is_ending = False
        # The connections that are open, or being opened.
        self._streams: set[Stream] = set()
        self._threads: list[threading.Thread] = []
        # How each thread ended: None, or its error.
        self._ends: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        # When to measure whether more connections would help; None: never, or it is done.
        self._measure_at: float | None = None
        self._bytes_before = 0
        # More connections would help, and the service sends ranges.
        self._should_split = False

    def run(self, connections: int | None) -> None:
        """Fetch what is missing. Raises RangeRefused if only :meth:`run_in_one` makes sense."""
        missing = self._part.missing()
        several = connections is not None and connections > 1
        self._exact = several or len(missing) > 1
        if several or missing != [(0, self._part.size)]:
            self._hasher.read_file()
        self._todo.extend(spans.pieces(missing, PART) if several else missing)
        if connections is None and self._bandwidth is None:
            self._measure_at = time.monotonic() + SAMPLE
            self._bytes_before = self._part.done
        self._fetch(min(connections or 1, len(self._todo)))

    def run_in_one(self) -> None:
        """Fetch everything from the first byte on that is missing, over one connection."""
        self._todo.extend((start, self._part.size) for start, _ in self._part.missing()[:1])
        self._fetch(1)

    def _fetch(self, connections: int) -> None:
        """Fetch what is on the list; raise the first error at once, whatever other connections wait for."""
        work = [self._blocks() for _ in range(connections)]
        try:
            if connections == 1 and self._stop is None:
                work = self._alone(work[0])
            self._side_by_side(work)
        finally:
            self._end()

    def _alone(self, blocks: Iterator[Stream]) -> list[Iterator[Stream]]:
        """Do *blocks* in this thread; if that turns out to be slow, return the work to go on with side by side."""
        for stream in blocks:
            if helpers := self._helpers(stream):
                return [blocks, *helpers]
        return []

    def _side_by_side(self, work: Sequence[Iterator[Stream]]) -> None:
        """
        Do each of *work* in a thread, and wait for all of them or the first error.

        This thread reads nothing from the network itself, so it can raise an error of another one, Ctrl-C or Stop at
        once.
        """
        with nullcontext() if self._stop is None else self._stop.calling(self._ends.put):
            self._start(work)
            ended = 0
            while ended < self._started():
                error = self._ends.get()
                if error is not None:
                    raise error
                ended += 1

    def _start(self, work: Sequence[Iterator[Stream]]) -> None:
        # The lock is taken before a thread is counted as ended, so the new ones are counted first.
        with self._lock:
            if self._is_ending:
                return
            for blocks in work:
                name = f"download-{len(self._threads)}"
                # What ends this thread's requests ends theirs.
                run = contextvars.copy_context().run
                thread = threading.Thread(target=run, args=(self._run, blocks), name=name, daemon=True)
                thread.start()
                self._threads.append(thread)

    def _started(self) -> int:
        with self._lock:
            return len(self._threads)

    def _run(self, blocks: Iterator[Stream]) -> None:
        try:
            for stream in blocks:
                if helpers := self._helpers(stream):
                    self._start(helpers)
        except BaseException as exc:  # noqa: BLE001 - _side_by_side() raises it
            self._ends.put(exc)
        else:
            self._ends.put(None)

    def _end(self) -> None:
        """End all that still runs."""
        with self._lock:
            self._is_ending = True
            streams, threads = [*self._streams], [*self._threads]
        for stream in streams:
            stream.stop()
        deadline = time.monotonic() + _JOIN_TIMEOUT_SECONDS
        for thread in threads:
            # Bytes that have come are still written. A thread without an answer to its request is not waited for;
            # the part file takes nothing from it any more.
            thread.join(max(0.0, deadline - time.monotonic()))

    def _next(self) -> Stream | None:
        """Return what to read next; None if there is nothing left to do."""
        with self._lock:
            if self._is_ending or not self._todo:
                return None
            span = self._todo.popleft()
            stream = Stream(self._remote, self._image, *span, bandwidth=self._bandwidth, exact=self._exact)
            self._streams.add(stream)
            return stream

    def _blocks(self) -> Iterator[Stream]:
        """Fetch span after span until none is left; yield after each block what it came from."""
        while (stream := self._next()) is not None:
            try:
                for block in stream.blocks(buffers(self._hasher.holds)):
                    self._part.write(stream.offset - len(block), block)
                    self._hasher.update(block)
                    self._progress.at(self._part.done)
                    yield stream
            finally:
                self._drop(stream)

    def _drop(self, stream: Stream) -> None:
        stream.close()
        with self._lock:
            self._streams.discard(stream)

    def _helpers(self, stream: Stream) -> list[Iterator[Stream]]:
        """Return work for more threads if *stream*, which is read alone, turned out to be slow; usually none."""
        if self._measure_at is not None and time.monotonic() >= self._measure_at:
            elapsed = time.monotonic() - self._measure_at + SAMPLE
            self._measure_at = None
            self._measure(stream, (self._part.done - self._bytes_before) / elapsed)
        if not self._should_split:
            return []
        self._divide(stream)
        return [self._blocks() for _ in range(min(CONNECTIONS - 1, len(self._todo)))]

    def _measure(self, stream: Stream, rate: float) -> None:
        """If *rate* is slow and much is left, ask in the background whether the service sends ranges."""
        start, end = stream.offset + PART, self._end_of(stream)
        if rate >= FAST or end - start < CONNECTIONS * PART:
            return
        probe = Stream(self._remote, self._image, start, start + PART, exact=True)
        with self._lock:
            self._streams.add(probe)
        threading.Thread(target=self._probe, args=(probe,), name="download-probe", daemon=True).start()

    def _probe(self, probe: Stream) -> None:
        try:
            with suppress(exceptions.SDKException):
                probe.open()
                self._should_split = True
        finally:
            self._drop(probe)

    def _divide(self, stream: Stream) -> None:
        """Leave *stream* one part, and put the rest of its range on the list."""
        self._should_split = False
        end = self._end_of(stream)
        stream.end = min(stream.offset + PART, end)
        self._exact = True
        self._hasher.read_file()
        with self._lock:
            rest = [(stream.end, end), *self._todo]
            self._todo = deque(spans.pieces(rest, PART))

    def _end_of(self, stream: Stream) -> int:
        return stream.end if stream.end is not None else self._part.size


def checked_connections(connections: object) -> None:
    """Raise InvalidRequest if *connections* is not None or a number of connections."""
    if connections is not None and (
        not isinstance(connections, int) or isinstance(connections, bool) or not 1 <= connections <= MAX_CONNECTIONS
    ):
        raise exceptions.InvalidRequest(
            f"connections must be a whole number from 1 to {MAX_CONNECTIONS}, not {connections!r}"
        )
