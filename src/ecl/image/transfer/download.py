"""Receiving the data of an image: hashed while it arrives, verified before it has its final name."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar, overload

import requests

from ecl import _http, exceptions
from ecl.image.transfer import _verify
from ecl.image.transfer._digest import BLOCK, Digest
from ecl.image.transfer._progress import Progress, ProgressCallback
from ecl.image.transfer._source import is_text
from ecl.image.v2.image import Image
from ecl.session import renew_token_before_long_call

if TYPE_CHECKING:
    from ecl._http import SessionLike

__all__ = ["download", "verified_blocks"]

Target = TypeVar("Target", str, Path, IO[bytes])


@overload
def download(
    session: SessionLike, image: Image | str, output: None = None, *, progress: ProgressCallback | None = None
) -> bytes: ...
@overload
def download(
    session: SessionLike, image: Image | str, output: Target, *, progress: ProgressCallback | None = None
) -> Target: ...
@overload
def download(
    session: SessionLike, image: Image | str, output: Any, *, progress: ProgressCallback | None = None
) -> Any: ...
def download(
    session: SessionLike,
    image: Image | str,
    output: Any = None,
    *,
    progress: ProgressCallback | None = None,
) -> Any:
    """
    Receive the data of an image, and verify it against the service's hash.

    Operation: GET /v2/images/{image_id}/file.

    A connection that fails on the way is taken up again where it broke off. Memory: six blocks of 1 MiB, and the
    data itself where it is returned as bytes.

    Args:
        output: A path: the file is written beside it as ``NAME.part`` and gets its name when it is verified; an
            existing file is replaced then. A binary file: it is written in order, and verified at the end. None:
            the data is returned.
        progress: Called with bytes done and bytes in all at most ten times a second.

    Returns:
        *output*, or the data.

    Raises:
        NotFoundException: There is no such image.
        InvalidRequest: The image has no data, or *output* cannot be written.
        DigestMismatch: What arrived is not what the service has a hash of; no file has its name.
        FileFailure: Writing failed; the disk may be full.
        HttpException: The service refused.
    """
    renew_token_before_long_call(session)
    source = _described(session, image)
    if output is None:
        buffer = io.BytesIO()
        _receive(session, source, buffer, "memory", progress)
        return buffer.getvalue()
    if isinstance(output, (str, os.PathLike)):
        path = Path(output).expanduser()
        with _part(path) as file:
            _receive(session, source, file, str(path), progress)
        return output
    if not hasattr(output, "write") or is_text(output):
        raise exceptions.InvalidRequest(
            f"output must be a path or a file opened for writing in binary mode, not {type(output).__name__}"
        )
    _receive(session, source, output, str(getattr(output, "name", "the output")), progress)
    return output


def _described(session: SessionLike, image: Image | str) -> Image:
    """Return the image with the hash to expect; it is asked for unless *image* has it already."""
    if isinstance(image, Image) and image.image_status == "active" and (image.os_hash_value or image.checksum):
        return image
    return Image.existing(id=_http.text(Image._get_id(image), "image ID")).get(session)


@contextmanager
def _part(path: Path) -> Iterator[IO[bytes]]:
    """Give a file beside *path*, which gets that name if all goes well, and is gone otherwise."""
    part = path.with_name(path.name + ".part")
    if path.is_dir():
        raise exceptions.InvalidRequest(f"{path} is a folder; name a file")
    try:
        file = part.open("wb", buffering=0)
    except OSError as exc:
        raise exceptions.InvalidRequest(f"{part} cannot be written: {exc.strerror or exc}") from exc
    try:
        with file:
            yield file
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def _receive(session: SessionLike, image: Image, file: IO[bytes], name: str, callback: ProgressCallback | None) -> None:
    """Write the data of *image* to *file*, and compare it with the service's hash."""
    meter = Progress(callback, image.size)
    done = 0
    with Digest(_algorithm(image)) as digest:
        for block in _blocks(session, image):
            digest.update(block)
            _write(file, block, name)
            done += len(block)
            meter.at(done)
    _verify.verify(image, done, digest.hexdigests())
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
        ConnectFailure: The connection failed again and again.
    """
    algorithm = _algorithm(image)
    done = 0
    held = b""
    with Digest(algorithm) as digest:
        for block in _blocks(session, image):
            digest.update(block)
            done += len(block)
            if held:
                yield held
            held = block
        _verify.verify(image, done, digest.hexdigests())
    if held:
        yield held


def _algorithm(image: Image) -> str:
    """Return the hash to verify *image* by."""
    return (_verify.usable(image.os_hash_algo) if image.os_hash_value else None) or "md5"


def _blocks(session: SessionLike, image: Image) -> Iterator[bytes]:
    """Yield the data of *image*; a connection that breaks is taken up again at the byte where it broke."""
    offset = 0
    failures = 0
    while True:
        before = offset
        try:
            with _open(session, image, offset) as response:
                for block in response.iter_content(BLOCK):
                    yield block
                    offset += len(block)
                return
        except requests.exceptions.RequestException as exc:
            failures = 1 if offset > before else failures + 1
            if failures >= _http.ATTEMPTS:
                raise exceptions.ConnectFailure(
                    f"The connection broke {failures} times at byte {offset} of image {image.id}: {exc}", cause=exc
                ) from exc
            _http.pause(failures)


def _open(session: SessionLike, image: Image, offset: int) -> requests.Response:
    """Ask for the data of *image* from *offset* on."""
    headers = {"Accept": "application/octet-stream"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
    response = _http.request(
        session,
        "GET",
        image._path() + "/file",
        service=Image.service,
        headers=headers,
        stream=True,
        timeout=_http.DATA_TIMEOUT,
    )
    if response.status_code == 204:
        response.close()
        raise exceptions.InvalidRequest(f"Image {image.id} has no data to download: its status is {image.image_status}")
    if offset and not _begins_at(response, offset):
        _skip(response, offset)
    return response


def _begins_at(response: requests.Response, offset: int) -> bool:
    """Tell whether an answer has the range that was asked for; some services send the whole image all the same."""
    match = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return response.status_code == 206 and match is not None and int(match.group(1)) == offset


def _skip(response: requests.Response, offset: int) -> None:
    """Drop the first *offset* bytes of an answer that has them again."""
    left = offset
    while left:
        dropped = response.raw.read(min(left, BLOCK))
        if not dropped:
            raise requests.exceptions.ConnectionError("the answer ended too early")
        left -= len(dropped)
