"""The sources of a manifest: their data, and how to tell whether it has changed."""

from __future__ import annotations

import contextlib
import functools
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecl import exceptions
from ecl.cli.image._advice import manifest_advice
from ecl.cli.image._manifest import FINGERPRINT, Entry

if TYPE_CHECKING:
    import requests

    from ecl.image._transfer.source import Source
    from ecl.image.v2.image import Image

__all__ = ["Content"]

_BLOCK = 1 << 20
#: Seconds to connect, and to wait for data, while fetching a source.
_TIMEOUT_SECONDS = (10, 60)


class Content:
    """The data of one entry; read at most once per hash algorithm, for any number of clouds."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        self._hashes: dict[tuple[str, bool], str] = {}

    @property
    def decompress(self) -> bool:
        """True if the source is decoded during the upload."""
        return self._entry.decompress

    @functools.cached_property
    def fingerprint(self) -> str | None:
        """
        The value that marks an image made from this source; None for a file that is uploaded as it is: its hash does.

        Raises:
            FileFailure: A file cannot be read; the address cannot be fetched, or its server sends neither ETag nor
                Last-Modified and the manifest has no checksum.
        """
        entry = self._entry
        if not entry.is_url:
            # Reading a file costs less than decoding it.
            return f"sha256:{self._hash_of(Path(entry.source), 'sha256')}" if entry.decompress else None
        if entry.checksum is not None:
            return ":".join(entry.checksum)
        with self._get("HEAD") as response:
            version = response.headers.get("ETag") or response.headers.get("Last-Modified")
        if not version:
            raise exceptions.FileFailure(
                f"{entry.source} has no ETag or Last-Modified to show changes; add its checksum to the manifest"
            )
        return f"{entry.source} {version}"[:255]

    def is_in(self, image: Image) -> bool:
        """
        Tell whether *image* has this data.

        Raises:
            FileFailure: A file cannot be read.
        """
        if self._entry.is_url:
            known = {(image.os_hash_algo, image.os_hash_value), ("md5", image.checksum)}
            return self._entry.checksum in known or image.properties.get(FINGERPRINT) == self.fingerprint
        path = Path(self._entry.source)
        algorithm = (image.os_hash_algo if image.os_hash_value else None) or "md5"
        expected = image.os_hash_value or image.checksum
        if self.decompress:
            made_from = image.properties.get(FINGERPRINT)
            return made_from == self.fingerprint or self._hash_of(path, algorithm, decoded=True) == expected
        try:
            if path.stat().st_size != image.size:
                return False
        except OSError as exc:
            raise exceptions.FileFailure(f"{path} cannot be read: {exc.strerror}", cause=exc) from exc
        return self._hash_of(path, algorithm) == expected

    @functools.cached_property
    def problem(self) -> str:
        """Why this source cannot be uploaded: a file is missing or has another format. Empty if all is well."""
        from ecl.image._transfer.check import check_source
        from ecl.image._transfer.options import UploadOptions

        if self._entry.is_url:
            return ""
        wanted = [self._entry.attributes.get(key) for key in ("disk_format", "container_format", "min_disk")]
        try:
            with self._opened(Path(self._entry.source)) as source:
                check_source(source, UploadOptions(), *wanted)
        except (exceptions.FileFailure, exceptions.InvalidRequest) as exc:
            return manifest_advice(str(exc))
        return ""

    def data(self) -> str | Callable[[], Iterator[bytes]]:
        """
        Return what the SDK can upload.

        Raises:
            FileFailure: The file does not have the checksum of the manifest.
        """
        entry = self._entry
        if entry.is_url:
            return self._fetch
        if entry.checksum is not None:
            algorithm, expected = entry.checksum
            self._compare(algorithm, self._hash_of(Path(entry.source), algorithm), expected)
        return entry.source

    @contextmanager
    def _opened(self, path: Path, decoded: bool | None = None) -> Iterator[Source]:
        """Open a file, by default as it is uploaded."""
        from ecl.image._transfer.expand import expanded
        from ecl.image._transfer.options import MAX_EXPANDED
        from ecl.image._transfer.source import Source

        with Source(path) as source:
            yield expanded(source, MAX_EXPANDED) if (self.decompress if decoded is None else decoded) else source

    def _hash_of(self, path: Path, algorithm: str, *, decoded: bool = False) -> str:
        """Return the hash of a file, as it lies or as it is decoded. Raises FileFailure."""
        if (algorithm, decoded) not in self._hashes:
            digest = hashlib.new(algorithm, usedforsecurity=False)
            try:
                with self._opened(path, decoded) as source:
                    for block in source.blocks():
                        digest.update(block)
            except exceptions.InvalidRequest as exc:
                raise exceptions.FileFailure(str(exc), cause=exc) from exc
            self._hashes[algorithm, decoded] = digest.hexdigest()
        return self._hashes[algorithm, decoded]

    def _fetch(self) -> Iterator[bytes]:
        """Fetch the address and yield its data; the last block only after the checksum was compared."""
        algorithm, expected = self._entry.checksum or ("md5", None)
        digest = hashlib.new(algorithm, usedforsecurity=False)
        held = b""
        with _explained(self._entry.source), self._get("GET") as response:
            for block in response.iter_content(_BLOCK):
                digest.update(block)
                if held:
                    yield held
                held = block
        if expected is not None:
            self._compare(algorithm, digest.hexdigest(), expected)
        if held:
            yield held

    def _compare(self, algorithm: str, found: str, expected: str) -> None:
        if found != expected:
            raise exceptions.FileFailure(
                f"{self._entry.source} differs from the manifest: its {algorithm} is {found}, not {expected}"
            )

    def _get(self, method: str) -> requests.Response:
        import requests

        with _explained(self._entry.source):
            response: Any = requests.request(
                method,
                self._entry.source,
                stream=True,
                headers={"Accept-Encoding": "identity"},
                timeout=_TIMEOUT_SECONDS,
                allow_redirects=True,
            )
            response.raise_for_status()
        return response  # type: ignore[no-any-return]  # requests has no types for its context manager


@contextlib.contextmanager
def _explained(address: str) -> Iterator[None]:
    """Turn what requests raises into one sentence on *address*. Raises FileFailure."""
    import requests

    from ecl import _http

    try:
        yield
    except requests.HTTPError as exc:
        reason = f"the server answered {exc.response.status_code} {exc.response.reason}; correct the source"
    except requests.exceptions.SSLError as exc:
        reason = f"its certificate is not accepted: {_http.reason(exc)}; REQUESTS_CA_BUNDLE can name the CA's file"
    except requests.Timeout:
        reason = "no answer in time; check the address and that its server is up"
    except (requests.exceptions.InvalidURL, requests.TooManyRedirects):
        reason = "it is not a valid address, or redirects without end; correct the source"
    except requests.RequestException as exc:
        why = _http.reason(exc) or "the connection was dropped"
        reason = f"{why}; check the address and that its server is up"
    else:
        return
    raise exceptions.FileFailure(f"{address} cannot be fetched: {reason}")
