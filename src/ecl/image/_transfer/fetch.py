"""An image into a part file: over one connection where that is fast, over several where it is not."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING

from ecl import exceptions
from ecl.image._transfer import spans as _spans
from ecl.image._transfer.bandwidth import Bandwidth
from ecl.image._transfer.digest import BLOCK, Block, Digest, buffers
from ecl.image._transfer.part import PartFile
from ecl.image._transfer.progress import Progress
from ecl.image._transfer.spans import Span
from ecl.image._transfer.stop import Stop
from ecl.image._transfer.stream import RangeRefused, Stream
from ecl.image.v2.image import Image

if TYPE_CHECKING:
    from ecl._http.sessions import SessionLike

__all__ = ["MAX_CONNECTIONS", "Follower", "checked_connections", "fetch"]

#: Most connections of one download.
MAX_CONNECTIONS = 16
#: Connections that a slow link gets when the number is left open.
CONNECTIONS = 8
#: Bytes of a range, where there are several connections. Each range is asked for, and retried, alone.
PART = 16 << 20
#: After so many seconds the first connection is judged: below so many bytes a second it gets company.
SAMPLE = 1.0
FAST = 100e6
#: Seconds that the connections get together to end when one has failed.
_PATIENCE = 1.0


def fetch(
    session: SessionLike,
    image: Image,
    part: PartFile,
    follower: Follower,
    progress: Progress,
    *,
    connections: int | None,
    bandwidth: Bandwidth | None,
    stop: Stop | None = None,
) -> None:
    """
    Fetch what *part* is missing, and let *follower* hash it. Memory: a block of 1 MiB for each connection, six for
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
        _Fetch(session, image, part, follower, progress, bandwidth, stop).run(connections)
    except RangeRefused:
        # Each part would bring the whole image. Everything from the first gap on comes once, then.
        _Fetch(session, image, part, follower, progress, bandwidth, stop).run_in_one()


class _Fetch:
    """One download into a part file."""

    def __init__(
        self,
        session: SessionLike,
        image: Image,
        part: PartFile,
        follower: Follower,
        progress: Progress,
        bandwidth: Bandwidth | None,
        stop: Stop | None,
    ) -> None:
        self._session = session
        self._image = image
        self._part = part
        self._follower = follower
        self._bandwidth = bandwidth
        self._progress = progress
        self._stop = stop
        # True where an answer that is not the wanted range would bring bytes that others fetch, too.
        self._exact = False
        self._lock = threading.Lock()
        self._todo: deque[Span] = deque()
        # Nothing new is begun.
        self._over = False
        # What is being read, or waited for.
        self._streams: set[Stream] = set()
        self._threads: list[threading.Thread] = []
        # What each thread came to: None, or what went wrong.
        self._ends: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        # None: it is not asked, or has been, whether more connections would help.
        self._judge_at: float | None = None
        self._began_with = 0
        # More connections would help, and the service sends ranges.
        self._wants_company = False

    def run(self, connections: int | None) -> None:
        """Fetch what is missing. Raises RangeRefused if only :meth:`run_in_one` makes sense."""
        missing = self._part.missing()
        several = connections is not None and connections > 1
        self._exact = several or len(missing) > 1
        if several or missing != [(0, self._part.size)]:
            self._follower.follow()
        self._todo.extend(_spans.pieces(missing, PART) if several else missing)
        if connections is None and self._bandwidth is None:
            self._judge_at = time.monotonic() + SAMPLE
            self._began_with = self._part.done
        self._fetch(min(connections or 1, len(self._todo)))

    def run_in_one(self) -> None:
        """Fetch everything from the first byte on that is missing, over one connection."""
        self._todo.extend((start, self._part.size) for start, _ in self._part.missing()[:1])
        self._fetch(1)

    def _fetch(self, connections: int) -> None:
        """Fetch what is to do; the first error is raised as soon as it is met, whatever others wait for."""
        work = [self._blocks() for _ in range(connections)]
        try:
            if connections == 1 and self._stop is None:
                work = self._alone(work[0])
            self._side_by_side(work)
        finally:
            self._end()

    def _alone(self, blocks: Iterator[Stream]) -> list[Iterator[Stream]]:
        """Do *blocks* in this thread; where that turns out to be slow, return what is to go on side by side."""
        for stream in blocks:
            if company := self._company(stream):
                return [blocks, *company]
        return []

    def _side_by_side(self, work: Sequence[Iterator[Stream]]) -> None:
        """
        Do each of *work* in a thread, and wait for all of them or the first error.

        This thread reads from no network itself: no error of another one, nor Ctrl-C, nor Stop has to wait for that.
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
        # Whoever has ended has had the lock in between, and has been counted.
        with self._lock:
            for blocks in () if self._over else work:
                name = f"download-{len(self._threads)}"
                thread = threading.Thread(target=self._run, args=(blocks,), name=name, daemon=True)
                thread.start()
                self._threads.append(thread)

    def _started(self) -> int:
        with self._lock:
            return len(self._threads)

    def _run(self, blocks: Iterator[Stream]) -> None:
        try:
            for stream in blocks:
                if company := self._company(stream):
                    self._start(company)
        except BaseException as exc:  # noqa: BLE001 - whatever it is, it is raised where all are waited for
            self._ends.put(exc)
        else:
            self._ends.put(None)

    def _end(self) -> None:
        """End all that still runs."""
        with self._lock:
            self._over = True
            streams, threads = [*self._streams], [*self._threads]
        for stream in streams:
            stream.stop()
        patience = time.monotonic() + _PATIENCE
        for thread in threads:
            # Bytes that have come are still written. Nobody waits for one that has no answer to its request yet;
            # the part file takes nothing from it any more.
            thread.join(max(0.0, patience - time.monotonic()))

    def _next(self) -> Stream | None:
        """Return what to read next; None if there is nothing left to do."""
        with self._lock:
            if self._over or not self._todo:
                return None
            span = self._todo.popleft()
            stream = Stream(self._session, self._image, *span, bandwidth=self._bandwidth, exact=self._exact)
            self._streams.add(stream)
            return stream

    def _blocks(self) -> Iterator[Stream]:
        """Fetch span after span until none is left; yield after each block what it came from."""
        while (stream := self._next()) is not None:
            try:
                for block in stream.blocks(buffers(self._follower.holds)):
                    self._part.write(stream.offset - len(block), block)
                    self._follower.update(block)
                    self._progress.at(self._part.done)
                    yield stream
            finally:
                self._drop(stream)

    def _drop(self, stream: Stream) -> None:
        stream.close()
        with self._lock:
            self._streams.discard(stream)

    def _company(self, stream: Stream) -> list[Iterator[Stream]]:
        """Return what others are to do from now on, because *stream*, which is read alone, turned out to be slow."""
        if self._judge_at is not None and time.monotonic() >= self._judge_at:
            elapsed = time.monotonic() - self._judge_at + SAMPLE
            self._judge_at = None
            self._judge(stream, (self._part.done - self._began_with) / elapsed)
        if not self._wants_company:
            return []
        self._divide(stream)
        return [self._blocks() for _ in range(min(CONNECTIONS - 1, len(self._todo)))]

    def _judge(self, stream: Stream, rate: float) -> None:
        """If *rate* is slow, and much is left, ask whether the service sends ranges; nothing waits for the answer."""
        start, end = stream.offset + PART, self._end_of(stream)
        if rate >= FAST or end - start < CONNECTIONS * PART:
            return
        probe = Stream(self._session, self._image, start, start + PART, exact=True)
        with self._lock:
            self._streams.add(probe)
        threading.Thread(target=self._ask, args=(probe,), name="download-probe", daemon=True).start()

    def _ask(self, probe: Stream) -> None:
        try:
            with suppress(exceptions.SDKException):
                probe.open()
                self._wants_company = True
        finally:
            self._drop(probe)

    def _divide(self, stream: Stream) -> None:
        """Leave *stream* a part, and put the rest of what it was to bring on the list."""
        self._wants_company = False
        end = self._end_of(stream)
        stream.end = min(stream.offset + PART, end)
        self._exact = True
        self._follower.follow()
        with self._lock:
            rest = [(stream.end, end), *self._todo]
            self._todo = deque(_spans.pieces(rest, PART))

    def _end_of(self, stream: Stream) -> int:
        return stream.end if stream.end is not None else self._part.size


class Follower:
    """
    The hash of a part file.

    It is given the blocks that are written, as long as each comes behind the one before; from :meth:`follow` on, a
    thread reads from the file what has been written without a gap.
    """

    def __init__(self, part: PartFile, algorithm: str) -> None:
        self._part = part
        self._algorithm = algorithm
        self._digest = Digest(algorithm)
        self._hashed = 0
        self._error: OSError | None = None
        self._thread: threading.Thread | None = None

    @property
    def holds(self) -> int:
        """How many of the last blocks are still in use after :meth:`update`; those before may be overwritten."""
        return self._digest.holds

    def update(self, block: Block) -> None:
        """
        Take the block that was written last, unless a thread reads the file.

        Raises:
            FileFailure: That thread could not read it.
        """
        self._check()
        if self._thread is None:
            self._digest.update(block)
            self._hashed += len(block)

    def follow(self) -> None:
        """Read from the file from now on: blocks are going to be written in any order."""
        if self._thread is None:
            # This one thread is enough.
            self._digest.close()
            self._thread = threading.Thread(target=self._run, name=f"follow-{self._algorithm}", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Wait until all is hashed, and end the threads; the part file has to be whole, or halted."""
        if self._thread is not None:
            self._thread.join()
        self._digest.close()

    def hexdigest(self) -> str:
        """
        Wait until all is hashed, and return the hash.

        Raises:
            FileFailure: The file could not be read.
        """
        self.close()
        self._check()
        return self._digest.hexdigests()[self._algorithm]

    def _check(self) -> None:
        if self._error is not None:
            raise exceptions.FileFailure(f"What was written cannot be read again: {self._error}", cause=self._error)

    def _run(self) -> None:
        try:
            while (reached := self._part.wait_beyond(self._hashed)) > self._hashed:
                block = self._part.read(self._hashed, min(BLOCK, reached - self._hashed))
                if not block:
                    raise OSError("it became shorter")
                self._digest.update(block)
                self._hashed += len(block)
        except OSError as exc:
            self._error = exc


def checked_connections(connections: object) -> None:
    """Raise InvalidRequest if *connections* is not None or a number of connections."""
    if connections is not None and (
        not isinstance(connections, int) or isinstance(connections, bool) or not 1 <= connections <= MAX_CONNECTIONS
    ):
        raise exceptions.InvalidRequest(
            f"connections must be a whole number from 1 to {MAX_CONNECTIONS}, not {connections!r}"
        )
