"""The hashes of a file that is being written, in order or not."""

from __future__ import annotations

import threading

from ecl import exceptions
from ecl.image._transfer.digest import BLOCK, Block, Digest
from ecl.image._transfer.part import PartFile

__all__ = ["FileHasher"]


class FileHasher:
    """
    The hashes of a part file.

    As long as blocks are written in order, :meth:`update` hashes them. After :meth:`read_file` a thread hashes what
    has been written without a gap, and reads it from the file.
    """

    def __init__(self, part: PartFile, *algorithms: str) -> None:
        self._part = part
        self._digest = Digest(*algorithms)
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

    def read_file(self) -> None:
        """Read from the file from now on: blocks are written in any order."""
        if self._thread is None:
            # The thread that reads hashes as well.
            self._digest.close()
            self._thread = threading.Thread(target=self._run, name="file-hash", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Wait until all is hashed, and end the threads. The part file must be complete, or halted."""
        if self._thread is not None:
            self._thread.join()
        self._digest.close()

    def hexdigests(self) -> dict[str, str]:
        """
        Wait until all is hashed, and return algorithm to hexadecimal hash.

        Raises:
            FileFailure: The file could not be read.
        """
        self.close()
        self._check()
        return self._digest.hexdigests()

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
