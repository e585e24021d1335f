"""One upload to a bucket: a single request for what fits one part, else a multipart upload."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress

import obstore
from obstore.exceptions import BaseError

from ecl.server.data.store.base import StoreError, Writer
from ecl.server.data.store.objects.bucket import Bucket
from ecl.server.data.store.objects.failures import BucketFull, BucketUnavailable, translated_errors
from ecl.server.data.store.objects.parts import Parts

__all__ = ["ObjectWriter"]

_log = logging.getLogger(__name__)


class ObjectWriter(Writer):
    """
    One upload.

    Args:
        path: The object's full name in the bucket.
        size_of: Returns the bytes of the object as the bucket has it now. Raises StoreError.
        clean_up: Removes the parts of an upload that is given up. Raises StoreError.
    """

    def __init__(
        self,
        bucket: Bucket,
        path: str,
        parts: Parts,
        size_of: Callable[[], int],
        clean_up: Callable[[], None],
    ) -> None:
        self._parts = parts
        self._size_of = size_of
        self._clean_up = clean_up
        self._size = 0
        self._pending = True
        with translated_errors():
            self._file: obstore.WritableFile | None = obstore.open_writer(
                bucket.client, path, buffer_size=parts.size, max_concurrency=parts.at_once
            )

    def write(self, block: bytes | bytearray | memoryview) -> None:
        """Append the whole *block*; wait while as many parts are on their way as may be."""
        assert self._file is not None
        self._size += len(block)
        if self._size > self._parts.most_bytes:
            raise BucketFull(f"data of a size that was not declared may have at most {self._parts.most_bytes} bytes")
        # A copy: the parts keep what they are given, and the caller uses its buffer again.
        data = block if isinstance(block, bytes) else bytes(block)
        with translated_errors():
            if data and self._file.write(data) != len(data):
                raise BucketUnavailable("the object storage took a part of a block only")

    def flush(self) -> None:
        """Do nothing: the parts are on their way as they are filled, and `commit` ends the upload."""

    def commit(self) -> None:
        """Send the last part and complete the object, which is durable then. Check that it has all bytes."""
        file, self._file = self._file, None
        assert file is not None
        try:
            file.close()
        except (BaseError, OSError) as exc:
            # The answer may be lost, or the answer to an attempt that came after the one that was successful.
            if not self._has_come():
                with translated_errors():
                    raise exc
            _log.info("an upload is complete, though its end was answered by an error: %s", type(exc).__name__)
        else:
            found = self._size_of()
            if found != self._size:
                raise BucketUnavailable(f"the object storage has {found} bytes of {self._size}")
        self._pending = False

    def _has_come(self) -> bool:
        try:
            return self._size_of() == self._size
        except StoreError:
            return False

    def abort(self) -> None:
        """Stop the upload and remove its parts; an object that is complete already is left to `Store.delete`."""
        if not self._pending:
            return
        self._pending = False
        # Parts that are on their way are stopped with it.
        self._file = None
        if self._size > self._parts.size:
            with suppress(StoreError):
                self._clean_up()
