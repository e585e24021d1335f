"""The transfer engine's ports, bound to version 2 of the image API; and the engine's verbs for its images."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any, Generic, Literal, Protocol, Self, TypeVar

from ecl import _http
from ecl._http.sessions import renew_token_before_long_call
from ecl._http.stop import Stop, current
from ecl.image._transfer import download as _download
from ecl.image._transfer import stage as _stage
from ecl.image._transfer import upload as _upload
from ecl.image._transfer.bandwidth import Bandwidth, limit_of
from ecl.image._transfer.body import Body
from ecl.image._transfer.digest import BLOCK
from ecl.image._transfer.options import UploadOptions
from ecl.image._transfer.ports import Described
from ecl.image._transfer.progress import ProgressCallback
from ecl.image._transfer.reader import DataStream, RangeReader
from ecl.image._transfer.signature import Certificate, PemOrPath, Signature
from ecl.image._transfer.source import ImageData, Source

if TYPE_CHECKING:
    import requests

    from ecl._http.sessions import SessionLike
    from ecl.service_filter import ServiceFilter

__all__ = ["BoundImage", "download", "open_file", "stage", "stream", "upload", "verified_blocks"]


class _Image(Described, Protocol):
    """An image of version 2, as far as its data is concerned."""

    @property
    def service(self) -> ServiceFilter:
        """Which service of the catalog has it."""

    @property
    def properties(self) -> dict[str, str]:
        """The properties, among them those of a signature."""

    @classmethod
    def existing(cls, /, **kwargs: Any) -> Self:
        """Make an instance; nothing is sent."""

    def get(self, session: SessionLike) -> Self:
        """Read the image from the service."""

    def _path(self) -> str: ...


I = TypeVar("I", bound=_Image)  # noqa: E741 - an image


class BoundImage(Generic[I]):
    """An image, and the session that reaches its service: a :class:`~ecl.image._transfer.ports.RemoteImage`."""

    def __init__(self, session: SessionLike, image: I) -> None:
        """
        Bind an image, of which the ID is enough; nothing is sent.

        Raises:
            InvalidRequest: It has no ID.
        """
        _http.text(image.id, "image ID")
        self._session = session
        #: The image as the service described it last.
        self.known = image

    @property
    def cloud(self) -> object:
        """The session: it reaches one cloud."""
        return self._session

    @property
    def patience(self) -> float:
        """Seconds that the answer to an upload is waited for."""
        return _http.seconds_for(self._session, _http.DATA_TIMEOUT)

    def describe(self) -> I:
        """Read the image. Operation: GET /v2/images/{image_id}."""
        self.known = type(self.known).existing(id=self.known.id).get(self._session)
        return self.known

    def renew_token(self) -> None:
        """Get a new token if the present one ends soon."""
        renew_token_before_long_call(self._session)

    def open(self, byte_range: str | None, cancelled: threading.Event) -> requests.Response:
        """Ask for the data, or for a range of it. Operation: GET /v2/images/{image_id}/file."""
        # A compressed body has other offsets than the image, and its hash.
        headers = {"Accept": "application/octet-stream", "Accept-Encoding": "identity"}
        if byte_range is not None:
            headers["Range"] = byte_range
        return _http.request(
            self._session,
            "GET",
            f"{self.known._path()}/file",
            service=self.known.service,
            headers=headers,
            stream=True,
            timeout=_http.DATA_TIMEOUT,
            cancelled=cancelled,
        )

    def send(self, body: Body, to: Literal["file", "stage"]) -> None:
        """Send the data. Operation: PUT /v2/images/{image_id}/file, or …/stage."""
        headers = {"Content-Type": "application/octet-stream"}
        if body.size is not None:
            # What was declared counts: a service that gets fewer bytes refuses the upload.
            headers["X-OpenStack-Image-Size"] = str(body.size)
        response = _http.request(
            self._session,
            "PUT",
            f"{self.known._path()}/{to}",
            service=self.known.service,
            headers=headers,
            # requests would send an iterable of no bytes in chunks, which some gateways refuse.
            data=b"" if body.size == 0 else body,
            # A new log-in sends the body again, which works only from its start.
            allow_reauth=body.rewindable,
            timeout=_http.DATA_TIMEOUT,
        )
        response.close()


def upload(session: SessionLike, image: I, data: ImageData | Source, options: UploadOptions | None = None) -> I:
    """Send *data* into a queued image; return the image, active and verified."""
    remote = BoundImage(session, image)
    _upload.upload(remote, data, options or UploadOptions())
    return remote.known


def stage(session: SessionLike, image: I, data: ImageData | Source, options: UploadOptions) -> tuple[I, Body]:
    """Send *data* to the staging area; return the image, which is ``uploading`` then, and what was sent."""
    remote = BoundImage(session, image)
    body = _stage.stage(remote, data, options)
    return remote.known, body


def download(
    session: SessionLike,
    image: _Image,
    output: str | os.PathLike[str] | IO[bytes] | None = None,
    *,
    progress: ProgressCallback | None = None,
    connections: int | None = None,
    max_bandwidth: float | Bandwidth | None = None,
    stop: Stop | None = None,
    certificate: PemOrPath | None = None,
) -> Any:
    """Receive the data of an image, verified; return *output*, or the data if that is None."""
    remote = BoundImage(session, image)
    return _download.download(
        remote,
        output,
        progress=progress,
        connections=connections,
        max_bandwidth=max_bandwidth,
        stop=stop or current(),
        signature=_signature(remote, certificate),
    )


def _signature(remote: BoundImage[Any], certificate: PemOrPath | None) -> Signature | None:
    """Return the signature to verify *remote* by; None without a certificate. Raises SignatureMismatch."""
    if certificate is None:
        return None
    trusted = Certificate(certificate)
    _download.with_data(remote)
    return Signature(remote.known.id, remote.known.properties, trusted)


def stream(
    session: SessionLike,
    image: _Image,
    chunk_size: int | None = None,
    *,
    progress: ProgressCallback | None = None,
    max_bandwidth: float | Bandwidth | None = None,
    certificate: PemOrPath | None = None,
) -> DataStream:
    """Return the data of an image, to be iterated over; verified before its last chunk."""
    remote = BoundImage(session, image)
    return DataStream(remote, chunk_size, progress, limit_of(max_bandwidth), _signature(remote, certificate))


def open_file(session: SessionLike, image: _Image) -> io.BufferedReader:
    """Return the data of an image as a file that reads ranges."""
    return io.BufferedReader(RangeReader(BoundImage(session, image)), BLOCK)


def verified_blocks(session: SessionLike, image: _Image) -> Iterator[bytes]:
    """Yield the data of an image that the service has described; the last block only when all of it is verified."""
    return _download.verified_blocks(BoundImage(session, image))
