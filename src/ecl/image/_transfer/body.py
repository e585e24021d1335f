"""The body of a request that sends an image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ecl.image._transfer.bandwidth import Bandwidth
from ecl.image._transfer.digest import Digest
from ecl.image._transfer.progress import Progress, ProgressCallback
from ecl.image._transfer.source import Source

__all__ = ["Body"]


class Body:
    """The blocks of a source, hashed and counted as they are sent. Each iteration starts from the beginning."""

    def __init__(
        self,
        source: Source,
        *,
        algorithms: Sequence[str] = (),
        progress: ProgressCallback | None = None,
        bandwidth: Bandwidth | None = None,
    ) -> None:
        """
        Describe the body; nothing is read.

        Args:
            algorithms: Hashes to compute.
        """
        self._source = source
        self._algorithms = algorithms
        self._progress = Progress(progress, source.size)
        self._bandwidth = bandwidth
        self._digest: Digest | None = None
        #: Bytes in all; None if that is known only at the end.
        self.size = source.size
        #: True if it can be iterated again.
        self.rewindable = source.rewindable
        #: Bytes sent so far.
        self.done = 0
        #: True when every byte was taken.
        self.is_complete = False
        #: What the source or the progress callback raised: no fault of the connection, so nothing is sent again.
        self.error: Exception | None = None
        if source.size is not None:
            # requests takes Content-Length from here; without it the body is sent in chunks.
            self.len = source.size

    def __iter__(self) -> Iterator[bytes]:
        self.close()
        self._digest = Digest(*self._algorithms, size=self.size) if self._algorithms else None
        self.done = 0
        self.is_complete = False
        try:
            for block in self._source.blocks():
                if self._digest is not None:
                    self._digest.update(block)
                for piece in self._limited(block):
                    yield piece
                    self.done += len(piece)
                    self._progress.at(self.done)
            self.is_complete = True
            self._progress.end(self.done)
        except Exception as exc:
            self.error = exc
            raise

    def _limited(self, block: bytes) -> Iterator[bytes]:
        """Yield *block* as fast as the limit allows."""
        if self._bandwidth is None:
            yield block
            return
        most = self._bandwidth.piece
        for start in range(0, len(block), most):
            piece = block[start : start + most]
            self._bandwidth.take(len(piece))
            yield piece

    def close(self) -> None:
        """End the hashing threads."""
        if self._digest is not None:
            self._digest.close()

    def digests(self) -> dict[str, str]:
        """Return the hashes of what was sent; none if nothing was."""
        return self._digest.hexdigests() if self._digest is not None else {}
