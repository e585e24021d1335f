"""A store under a prefix in a bucket: one object for each key."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

import obstore
from obstore.exceptions import AlreadyExistsError, NotSupportedError

from ecl.server.data.store.base import DataMissing, Store, Stored, StoreError, StoreTaken, checked_key
from ecl.server.data.store.marker import NAME, Marker, check_marker, encode_marker
from ecl.server.data.store.objects.bucket import Bucket
from ecl.server.data.store.objects.failures import BucketDataMissing, BucketUnavailable, translated_errors
from ecl.server.data.store.objects.multipart import NotAllowed, abort_unfinished, can_list_unfinished, unfinished
from ecl.server.data.store.objects.parts import parts_for
from ecl.server.data.store.objects.read_ahead import ReadAhead
from ecl.server.data.store.objects.reader import ObjectReader
from ecl.server.data.store.objects.writer import ObjectWriter

__all__ = ["ObjectStore"]

_log = logging.getLogger(__name__)

#: Glance's names for the kinds of object storage, and ours where it has none.
_KINDS = {"s3": "s3", "gs": "gcs", "az": "azure"}
#: Seconds that an object which must be there gets to appear, in pauses: not every storage shows it at once.
_PAUSES = (0.1, 0.2, 0.4)
#: Attempts to read a range whose data was cut off.
_ATTEMPTS = 3
#: Objects of one page of a list.
_PAGE = 1000
_REMOVAL_DELAY = 3600.0


class ObjectStore(Store):
    """
    A store in *bucket*.

    Args:
        name: The name of the store in the database and for clients.
        description: For people.
        read_only: Nothing is written or removed, not even by `claim`.
        removal_delay: Seconds; None: an hour.
        weight: An image in several stores is read from the one of the largest weight.
        cached: What is downloaded from it is kept in the image cache.
    """

    def __init__(
        self,
        bucket: Bucket,
        name: str,
        description: str | None = None,
        *,
        read_only: bool = False,
        removal_delay: float | None = None,
        weight: int = 0,
        cached: bool = False,
    ) -> None:
        self.name = name
        self.weight = weight
        self.cached = cached
        self.description = description
        self.read_only = read_only
        self.kind = _KINDS[bucket.url.scheme]
        self.removal_delay = _REMOVAL_DELAY if removal_delay is None else removal_delay
        self._bucket = bucket
        self._client = bucket.client
        self._ahead = ReadAhead()
        self._lists_unfinished = can_list_unfinished(bucket)

    @property
    def properties(self) -> Mapping[str, str]:
        """Bucket and prefix, and the address of the object storage."""
        endpoint = self._bucket.settings.endpoint
        return {"url": self._bucket.place, **({} if endpoint is None else {"endpoint": endpoint})}

    def url(self, key: str) -> str:
        """Return the object's URL."""
        return f"{self._bucket.place}/{checked_key(key)}"

    def writer(self, key: str, size: int | None = None) -> ObjectWriter:
        """Start an upload; no request is sent before the first part is full."""
        path = self._path(key)
        return ObjectWriter(
            self._bucket, path, parts_for(size), lambda: self._size(key), lambda: self._abort_unfinished(path)
        )

    def reader(self, key: str) -> ObjectReader:
        """Ask for the size of the object. A delete ends open readers; `removal_delay` is for them."""
        path = self._path(key)

        def fetch(start: int, end: int) -> bytes:
            return self._fetch(key, path, start, end)

        return ObjectReader(self._size(key), fetch, self._ahead)

    def delete(self, key: str) -> None:
        """Remove the object, and the parts of unfinished uploads to it."""
        path = self._path(key)
        # The upload first: one that ends in between is met by the second step.
        self._abort_unfinished(path)
        with suppress(DataMissing), translated_errors(key):
            self._client.delete(path)

    def staging(self) -> ObjectStore:
        """Return a staging area under the same prefix: an import need not move what is staged there."""
        return ObjectStore(self._bucket, "staging", removal_delay=0)

    def has_data_of(self, other: Store) -> bool:
        """Return True for a store under the same prefix."""
        if not isinstance(other, ObjectStore):
            return False
        return self._bucket.url == other._bucket.url and self._bucket.has_same_service(other._bucket)

    def claim(self, database: str, region: str) -> None:
        """Write the marker, or check the existing one; first try all that the service needs to do with objects."""
        if self.read_only:
            return
        place = self._bucket.place
        path = self._bucket.path(NAME)
        marker = Marker(database, region, self.name)
        try:
            if (found := self._content(path)) is None:
                self._try_rights()
                self._create(path, encode_marker(marker))
                found = self._content(path)
            check_marker(found or b"", marker, place, f"{place}/{NAME}", "prefix")
            self._try_rights()
        except StoreTaken as exc:
            exc.place = "bucket"
            raise
        except StoreError as exc:
            raise BucketUnavailable(f"{self._where()}: {exc}") from exc

    def entries(self) -> Iterator[Stored]:
        """Yield the objects, and, where that is possible, the multipart uploads that have not ended."""
        prefix = f"{self._bucket.url.prefix}/" if self._bucket.url.prefix else ""
        with translated_errors():
            for page in obstore.list(self._client, self._bucket.url.prefix or None, chunk_size=_PAGE):
                for each in page:
                    name = each["path"].removeprefix(prefix)
                    with suppress(ValueError):
                        yield Stored(checked_key(name), name, each["size"], each["last_modified"].timestamp())
        if self._lists_unfinished:
            with self._left_to_the_bucket():
                for upload in unfinished(self._bucket, prefix):
                    name = upload.path.removeprefix(prefix)
                    with suppress(ValueError):
                        yield Stored(checked_key(name), f"{name} (unfinished)", 0, upload.begun)

    # --- inside -------------------------------------------------------------------------------------------

    def _path(self, key: str) -> str:
        return self._bucket.path(checked_key(key))

    def _where(self) -> str:
        endpoint = self._bucket.settings.endpoint
        return self._bucket.place + (f" at {endpoint}" if endpoint is not None else "")

    def _size(self, key: str) -> int:
        """Return the bytes of the object. Raises DataMissing or StoreUnavailable."""
        path = self._path(key)
        for pause in (*_PAUSES, None):
            try:
                with translated_errors(key):
                    return self._client.head(path)["size"]
            except DataMissing:
                if pause is None:
                    raise
                time.sleep(pause)
        raise AssertionError

    def _fetch(self, key: str, path: str, start: int, end: int) -> bytes:
        for attempt in range(_ATTEMPTS):
            try:
                with translated_errors(key):
                    data = bytes(self._client.get_range(path, start=start, end=end))
                if len(data) != end - start:
                    raise BucketUnavailable(f"the object storage sent {len(data)} bytes instead of {end - start}")
                return data
            except BucketUnavailable:
                if attempt == _ATTEMPTS - 1:
                    raise
        raise AssertionError

    def _abort_unfinished(self, path: str) -> None:
        if self._lists_unfinished:
            with self._left_to_the_bucket():
                abort_unfinished(self._bucket, path)

    @contextmanager
    def _left_to_the_bucket(self) -> Iterator[None]:
        """Leave unfinished uploads to a rule of the bucket if they cannot be listed or removed here; say so once."""
        try:
            yield
        except NotAllowed as exc:
            self._lists_unfinished = False
            _log.warning("%s: %s; a lifecycle rule of the bucket has to remove them", self._where(), exc)

    def _content(self, path: str) -> bytes | None:
        """Return a small object, None if there is none."""
        try:
            with translated_errors(path):
                return bytes(self._client.get(path).bytes())
        except BucketDataMissing:
            return None

    def _create(self, path: str, content: bytes) -> None:
        """Write an object; one that another service has written meanwhile stays, if the storage can do that."""
        with translated_errors(), suppress(AlreadyExistsError):
            try:
                self._client.put(path, content, mode="create")
            except NotSupportedError:
                self._client.put(path, content)

    def _try_rights(self) -> None:
        """Write, read by a range, list and remove a small object. Raises StoreUnavailable."""
        path = self._bucket.path(f".ecl-check-{uuid.uuid4()}")
        with translated_errors():
            self._client.put(path, b"check", use_multipart=False)
            try:
                if bytes(self._client.get_range(path, start=1, end=3)) != b"he":
                    raise BucketUnavailable("the service answers a range by other bytes, so images cannot be read")
                next(iter(obstore.list(self._client, self._bucket.url.prefix or None, chunk_size=1)), None)
            finally:
                self._client.delete(path)
