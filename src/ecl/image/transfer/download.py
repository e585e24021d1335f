"""Receiving the data of an image: hashed while it arrives, verified before it has its final name."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar, overload

from ecl import _http, exceptions
from ecl.image.transfer import _verify
from ecl.image.transfer._bandwidth import Bandwidth, limit_of
from ecl.image.transfer._digest import Digest
from ecl.image.transfer._fetch import Follower, checked_connections, fetch
from ecl.image.transfer._part import PartFile
from ecl.image.transfer._progress import Progress, ProgressCallback
from ecl.image.transfer._source import is_text
from ecl.image.transfer._stop import Stop
from ecl.image.transfer._stream import Stream
from ecl.image.v2.image import Image
from ecl.session import renew_token_before_long_call

if TYPE_CHECKING:
    from ecl._http import SessionLike

__all__ = ["download", "verified_blocks"]

Target = TypeVar("Target", str, Path, IO[bytes])


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
    output: Any = None,
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
    # What is wrong with the arguments is found before anything is sent.
    _http.text(Image._get_id(image), "image ID")
    checked_connections(connections)
    bandwidth = limit_of(max_bandwidth)
    if output is None:
        buffer = io.BytesIO()
        _in_order(session, image, buffer, "memory", progress, bandwidth)
        return buffer.getvalue()
    if not isinstance(output, (str, os.PathLike)):
        if not hasattr(output, "write") or is_text(output) or getattr(output, "closed", False):
            raise exceptions.InvalidRequest(
                f"output must be a path or a file opened for writing in binary mode, not {output!r}"
            )
        _in_order(session, image, output, str(getattr(output, "name", "the output")), progress, bandwidth)
        return output
    path = _checked_path(output)
    if path.exists() and not path.is_file():
        # A device or a pipe is written to, not replaced.
        with _device(path) as file:
            _in_order(session, image, file, str(path), progress, bandwidth)
    else:
        _to_path(session, image, path, progress, connections, bandwidth, stop)
    return output


def _checked_path(output: str | os.PathLike[str]) -> Path:
    try:
        path = Path(output).expanduser()
        if "\0" in str(path):
            raise ValueError("there is a null character in it")
        if not path.is_dir():
            return path
    except (OSError, RuntimeError, ValueError) as exc:
        raise exceptions.InvalidRequest(f"{output!r} cannot be written: {exc}") from exc
    raise exceptions.InvalidRequest(f"{path} is a folder; name a file")


def _device(path: Path) -> IO[bytes]:
    try:
        return path.open("wb", buffering=0)
    except OSError as exc:
        raise exceptions.InvalidRequest(f"{path} cannot be written: {exc.strerror}") from exc


def _described(session: SessionLike, image: Image | str) -> Image:
    """Return the image with the hash to expect; it is asked for unless *image* has it already."""
    if isinstance(image, Image) and image.image_status == "active" and (image.os_hash_value or image.checksum):
        return image
    return Image.existing(id=Image._get_id(image)).get(session)


def _algorithm(image: Image) -> str:
    """Return the hash to verify *image* by."""
    return (_verify.usable(image.os_hash_algo) if image.os_hash_value else None) or "md5"


# --- to a path ------------------------------------------------------------------------------------------------


def _to_path(
    session: SessionLike,
    image: Image | str,
    path: Path,
    callback: ProgressCallback | None,
    connections: int | None,
    bandwidth: Bandwidth | None,
    stop: Stop | None,
) -> None:
    part = PartFile(path)
    try:
        renew_token_before_long_call(session)
        described = _described(session, image)
        if described.size is None:
            raise exceptions.InvalidRequest(
                f"Image {described.id} has no data to download: its status is {described.image_status}"
            )
        part.bind(described)
        resumed = part.resumed
        try:
            _fill(session, described, part, Progress(callback, described.size), connections, bandwidth, stop)
        except exceptions.DigestMismatch:
            if not resumed:
                raise
            # The fault may lie in what was there before: a machine that lost its power, say. All of it, then.
            part.start_over()
            _fill(session, described, part, Progress(callback, described.size), connections, bandwidth, stop)
        part.finish()
    except exceptions.DigestMismatch:
        part.discard()
        raise
    except BaseException as exc:
        if part.keep() and isinstance(exc, (exceptions.SDKException, KeyboardInterrupt)):
            exc.add_note(f"{part.done} bytes are in {part.path}.part; the same download goes on from there.")
        raise


def _fill(
    session: SessionLike,
    image: Image,
    part: PartFile,
    progress: Progress,
    connections: int | None,
    bandwidth: Bandwidth | None,
    stop: Stop | None,
) -> None:
    algorithm = _algorithm(image)
    follower = Follower(part, algorithm)
    try:
        fetch(session, image, part, follower, progress, connections=connections, bandwidth=bandwidth, stop=stop)
        digest = follower.hexdigest()
    except BaseException:
        part.halt()
        follower.close()
        raise
    _verify.verify(image, part.done, {algorithm: digest})
    progress.end(part.done)


# --- in order -------------------------------------------------------------------------------------------------


def _in_order(
    session: SessionLike,
    image: Image | str,
    file: IO[bytes],
    name: str,
    callback: ProgressCallback | None,
    bandwidth: Bandwidth | None,
) -> None:
    """Write the data of *image* to *file*, and compare it with the service's hash."""
    renew_token_before_long_call(session)
    described = _described(session, image)
    algorithm = _algorithm(described)
    meter = Progress(callback, described.size)
    done = 0
    with Digest(algorithm) as digest, closing(Stream(session, described, bandwidth=bandwidth).blocks()) as blocks:
        for block in blocks:
            digest.update(block)
            _write(file, block, name)
            done += len(block)
            meter.at(done)
    _verify.verify(described, done, digest.hexdigests())
    meter.end(done)


def _write(file: IO[bytes], block: bytes, name: str) -> None:
    view = memoryview(block)
    try:
        while view:
            # An unbuffered file may take a part; other kinds of writers take all, and some say None.
            written: int | None = file.write(view)
            view = view[len(view) if written is None else written :]
    except OSError as exc:
        raise exceptions.FileFailure(
            f"{name} cannot be written: {exc.strerror or exc}; make room, or choose another place", cause=exc
        ) from exc


def verified_blocks(session: SessionLike, image: Image) -> Iterator[bytes]:
    """
    Yield the data of *image*; the last block only when all of it has been verified.

    Whoever passes the blocks on can therefore stop short of a whole but damaged image.

    Raises:
        DigestMismatch: What arrived is not what the service has a hash of.
        ConnectFailure: The connection broke again and again.
    """
    done = 0
    held = b""
    with Digest(_algorithm(image)) as digest, closing(Stream(session, image).blocks()) as blocks:
        for block in blocks:
            digest.update(block)
            done += len(block)
            if held:
                yield held
            held = block
        _verify.verify(image, done, digest.hexdigests())
    if held:
        yield held
