"""The store for data at addresses elsewhere: the service keeps the address, and reads there at each use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from ecl.server.data.store.base import DataMissing, Reader, Store, Stored, StoreUnavailable, Writer
from ecl.server.data.web.fetch import FetchError, open_address, translated_errors
from ecl.server.db.engine import Database
from ecl.server.db.locations import address_of
from ecl.server.domain.location import ELSEWHERE
from ecl.server.errors import BadRequest
from ecl.server.settings.model import ImportSettings

__all__ = ["HttpReader", "HttpStore"]


class HttpReader(Reader):
    """
    The data at an http or https address. Reading on from where the last read ended costs no new request.

    Args:
        settings: Which addresses may be asked, and for how long.

    Raises:
        BadRequest: The address, or one that it redirects to, is not allowed.
        StoreUnavailable: The server does not answer as it should, or does not say how many bytes there are.
    """

    def __init__(self, url: str, settings: ImportSettings) -> None:
        self._url = url
        self._settings = settings
        self._stack = ExitStack()
        self._buffer = bytearray()
        self._position = 0
        length = self._open(0)
        if length is None:
            self.close()
            raise StoreUnavailable("The server does not say how many bytes the data has.")
        self.size = length

    def read(self, offset: int, length: int) -> bytes:
        """Return up to *length* bytes from *offset*. Raises StoreUnavailable, or BadRequest as when it was opened."""
        if offset != self._position:
            self._open(offset)
        with _unavailable(), translated_errors(self._target):
            while len(self._buffer) < length and (block := next(self._blocks, b"")):
                self._buffer += block
        found = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._position += len(found)
        return found

    def close(self) -> None:
        """Close the connection."""
        self._stack.close()

    def _open(self, offset: int) -> int | None:
        """Ask for the data from *offset* on. Return how many bytes follow, None if the server does not say."""
        self.close()
        wanted = {"Range": f"bytes={offset}-"} if offset else {}
        with _unavailable():
            response, self._target = open_address(self._url, self._settings, self._stack, wanted)
            with translated_errors(self._target):
                response.check_framing()
            is_part = offset > 0 and response.status == 206 and response.content_range.startswith(f"bytes {offset}-")
            if response.status != 200 and not is_part:
                self.close()
                raise FetchError(f"The server answers with status {response.status}.")
        self._blocks: Iterator[bytes] = response.blocks()
        self._buffer.clear()
        self._position = offset
        if offset and not is_part:
            self._skip(offset)
        return response.length

    def _skip(self, count: int) -> None:
        """Read *count* bytes for nothing: the server has no ranges."""
        with _unavailable(), translated_errors(self._target):
            while count and (block := next(self._blocks, b"")):
                self._buffer += block[count:]
                count -= min(count, len(block))


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except FetchError as exc:
        raise StoreUnavailable(str(exc)) from exc


class HttpStore(Store):
    """
    Addresses of images of *region*. Nothing is uploaded to it; images get an address by an update of their locations.

    Args:
        database: Has the addresses.
        settings: Which addresses may be asked, and for how long.
    """

    kind = "http"
    name = ELSEWHERE
    read_only = True
    cached = True

    def __init__(self, region: str, database: Database, settings: ImportSettings) -> None:
        self._region = region
        self._database = database
        self._settings = settings

    def url(self, key: str) -> str:
        """Return the address, an empty text if there is none any more."""
        with self._database.read() as connection:
            return address_of(connection, self._region, self.name, key) or ""

    def reader(self, key: str) -> Reader:
        """Ask the server of the address. Raises DataMissing, or StoreUnavailable if it does not answer."""
        url = self.url(key)
        if not url:
            raise DataMissing(f"no address is known under {key}")
        try:
            return HttpReader(url, self._settings)
        except BadRequest as exc:
            raise StoreUnavailable(exc.message) from exc

    def writer(self, key: str, size: int | None = None) -> Writer:  # noqa: ARG002
        """Raise StoreUnavailable: nothing is written to other people's addresses."""
        raise StoreUnavailable(f"nothing can be stored at an address, so not {key}")

    def delete(self, key: str) -> None:
        """Do nothing: what is there is not this service's."""

    def claim(self, database: str, region: str) -> None:
        """Do nothing: there is no place to mark."""

    def entries(self) -> Iterator[Stored]:
        """Yield nothing: what is at the addresses is not stored here."""
        return iter(())
