"""
Bytes in and out: one pass, in constant memory, verified.

:func:`upload` and :func:`download` do what the proxy's methods do, for any session; :func:`copy` streams an image from
one cloud to another; a :class:`Bandwidth` limits several transfers together.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar, overload

from ecl._http.stop import Stop
from ecl.image._transfer.bandwidth import Bandwidth
from ecl.image._transfer.options import UploadOptions
from ecl.image._transfer.progress import ProgressCallback
from ecl.image._transfer.reader import DataStream
from ecl.image._transfer.source import ImageData, Source
from ecl.image.copying import copy
from ecl.image.v2 import _data
from ecl.image.v2.image import Image

if TYPE_CHECKING:
    from ecl._http.sessions import SessionLike

__all__ = ["Bandwidth", "DataStream", "ImageData", "ProgressCallback", "UploadOptions", "copy", "download", "upload"]

Target = TypeVar("Target", str, Path, IO[bytes])


def upload(
    session: SessionLike,
    image: Image | str,
    data: ImageData | Source,
    options: UploadOptions | None = None,
) -> Image:
    """
    Send *data* into a queued image; return the image, active and with the hashes that were verified.

    Operation: PUT /v2/images/{image_id}/file.

    A source that can be read again (a path, bytes, a seekable file) is sent again when the connection fails or the
    service answers 502, 503 or 504, as long as the image is still queued. Memory: six blocks of 1 MiB.

    Raises:
        InvalidRequest: The source cannot be read, is dangerous, or is not what the image's disk_format says.
        ConflictException: The image is not queued.
        FileFailure: Reading the source failed on the way.
        DigestMismatch: What arrived is not what was sent; the image is active with the wrong bytes.
        HttpException: The service refused.
    """
    return _data.upload(session, Image._of(image), data, options)


@overload
def download(
    session: SessionLike,
    image: Image | str,
    output: None = None,
    *,
    progress: ProgressCallback | None = None,
    connections: int | None = None,
    max_bandwidth: float | Bandwidth | None = None,
) -> bytes: ...
@overload
def download(
    session: SessionLike,
    image: Image | str,
    output: Target,
    *,
    progress: ProgressCallback | None = None,
    connections: int | None = None,
    max_bandwidth: float | Bandwidth | None = None,
    stop: Stop | None = None,
) -> Target: ...
@overload
def download(
    session: SessionLike,
    image: Image | str,
    output: Any,
    *,
    progress: ProgressCallback | None = None,
    connections: int | None = None,
    max_bandwidth: float | Bandwidth | None = None,
) -> Any: ...
def download(
    session: SessionLike,
    image: Image | str,
    output: str | os.PathLike[str] | IO[bytes] | None = None,
    *,
    progress: ProgressCallback | None = None,
    connections: int | None = None,
    max_bandwidth: float | Bandwidth | None = None,
    stop: Stop | None = None,
) -> Any:
    """
    Receive the data of an image, and verify it against the service's hash.

    Operation: GET /v2/images/{image_id}/file.

    A connection that breaks is taken up again where it broke. Memory: a block of 1 MiB for each connection and a few
    for the hash; the data itself where it is returned as bytes.

    Args:
        output: A path: the file is written beside it as ``NAME.part`` and gets its name when it is verified; an
            existing file is replaced then. What an earlier download of the same data left there is used again.
            Zeros become holes. A binary file, or the path of a pipe or device: it is written in order, and verified
            at the end. None: the data is returned.
        progress: Called with bytes done and bytes in all at most ten times a second; where there are several
            connections, from their threads, one at a time. What it raises ends the download.
        connections: How many ranges are fetched side by side into a path; by default one, and eight when that turns
            out to be slow.
        max_bandwidth: Bytes a second, at most; a :class:`Bandwidth` is shared by all that are given it.
        stop: Ends a download to a file from another thread, though its connections may be silent; what was written
            is kept.

    Returns:
        *output*, or the data.

    Raises:
        NotFoundException: There is no such image.
        InvalidRequest: The image has no data, or *output* cannot be written.
        DigestMismatch: What arrived is not what the service has a hash of; no file has its name.
        FileFailure: Writing failed; the disk may be full. What was written of a path is kept for the next time.
        ConnectFailure: The connection broke again and again; what was written of a path is kept.
        HttpException: The service refused.
        SDKException: *stop* ended it.
    """
    return _data.download(
        session,
        Image._of(image),
        output,
        progress=progress,
        connections=connections,
        max_bandwidth=max_bandwidth,
        stop=stop,
    )
