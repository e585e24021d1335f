"""Receiving the data of an image: hashed while it arrives, verified before it has its final name."""

from __future__ import annotations

import io
import os
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import IO, Any

from ecl import exceptions
from ecl._http.stop import Stop
from ecl.image._transfer import verify
from ecl.image._transfer.bandwidth import Bandwidth, limit_of
from ecl.image._transfer.digest import Digest
from ecl.image._transfer.fetch import checked_connections, fetch
from ecl.image._transfer.file_hash import FileHasher
from ecl.image._transfer.part import PartFile
from ecl.image._transfer.ports import Described, RemoteImage
from ecl.image._transfer.progress import Progress, ProgressCallback
from ecl.image._transfer.signature import Signature
from ecl.image._transfer.source import is_text
from ecl.image._transfer.stream import Stream

__all__ = ["algorithm_of", "download", "verified_blocks", "with_data"]


def download(
    remote: RemoteImage,
    output: Any = None,
    *,
    progress: ProgressCallback | None = None,
    connections: int | None = None,
    max_bandwidth: float | Bandwidth | None = None,
    stop: Stop | None = None,
    signature: Signature | None = None,
) -> Any:
    """
    Receive the data of an image, and verify it; :func:`ecl.image.transfer.download` says what becomes of *output*.

    Memory: a block of 1 MiB for each connection and a few for the hash; the data itself if it is returned as bytes.

    Args:
        stop: Ends a download to a file from another thread, even if its connections are silent.
        signature: Verified as well.

    Raises:
        InvalidRequest: The image has no data, or *output* cannot be written.
        DigestMismatch: The received data does not match the service's hash; no file gets the name.
        SignatureMismatch: *signature* is not of the data; no file gets the name.
        FileFailure: Writing failed. What was written to a path is kept for the next time.
        ConnectFailure: The connection broke again and again; what was written to a path is kept.
        SDKException: *stop* ended it.
    """
    # What is wrong with the arguments is found before anything is sent.
    checked_connections(connections)
    bandwidth = limit_of(max_bandwidth)
    if output is None:
        buffer = io.BytesIO()
        _in_order(remote, buffer, "memory", progress, bandwidth, signature)
        return buffer.getvalue()
    if not isinstance(output, (str, os.PathLike)):
        if not hasattr(output, "write") or is_text(output) or getattr(output, "closed", False):
            raise exceptions.InvalidRequest(
                f"output must be a path or a file opened for writing in binary mode, not {output!r}"
            )
        _in_order(remote, output, str(getattr(output, "name", "the output")), progress, bandwidth, signature)
        return output
    path = _checked_path(output)
    if path.exists() and not path.is_file():
        # A device or a pipe is written to, not replaced.
        with _device(path) as file:
            _in_order(remote, file, str(path), progress, bandwidth, signature)
    else:
        _to_path(remote, path, progress, connections, bandwidth, stop, signature)
    return output


def _checked_path(output: str | os.PathLike[str]) -> Path:
    try:
        path = Path(output).expanduser()
        if "\0" in str(path):
            raise ValueError("there is a null character in it")
        if not path.is_dir():
            # A link stays, and what it leads to gets the data.
            return path.resolve() if path.is_symlink() else path
    except (OSError, RuntimeError, ValueError) as exc:
        raise exceptions.InvalidRequest(f"{output!r} cannot be written: {exc}") from exc
    raise exceptions.InvalidRequest(f"{path} is a folder; name a file")


def _device(path: Path) -> IO[bytes]:
    try:
        return path.open("wb", buffering=0)
    except OSError as exc:
        raise exceptions.InvalidRequest(f"{path} cannot be written: {exc.strerror}") from exc


def _described(remote: RemoteImage) -> Described:
    """Return the image with the hash to expect; the service is asked only if it is not known yet."""
    known = remote.known
    return known if known.status == "active" and (known.os_hash_value or known.checksum) else remote.describe()


def with_data(remote: RemoteImage) -> Described:
    """Return the image, which has data, with a token that lasts. Raises InvalidRequest if it has none."""
    remote.renew_token()
    image = _described(remote)
    if image.size is None:
        raise exceptions.InvalidRequest(f"Image {image.id} has no data to download: its status is {image.status}")
    return image


def algorithm_of(image: Described) -> str:
    """Return the hash to verify *image* by."""
    return (verify.usable(image.os_hash_algo) if image.os_hash_value else None) or "md5"


def _algorithms(image: Described, signature: Signature | None) -> list[str]:
    """Return the hashes to compute, each once."""
    return list(dict.fromkeys([algorithm_of(image), *([signature.algorithm] if signature else [])]))


def _verify(image: Described, size: int, digests: dict[str, str], signature: Signature | None) -> None:
    verify.verify(image, size, digests)
    if signature is not None:
        signature.verify(digests)


# --- to a path ------------------------------------------------------------------------------------------------


def _to_path(
    remote: RemoteImage,
    path: Path,
    callback: ProgressCallback | None,
    connections: int | None,
    bandwidth: Bandwidth | None,
    stop: Stop | None,
    signature: Signature | None,
) -> None:
    part = PartFile(path)
    try:
        described = with_data(remote)
        part.bind(described)
        resumed = part.resumed
        try:
            _fill(remote, described, part, Progress(callback, described.size), connections, bandwidth, stop, signature)
        except exceptions.DigestMismatch:
            if not resumed:
                raise
            # What an earlier download left may be damaged, by a power cut for example: fetch all of it again.
            part.start_over()
            _fill(remote, described, part, Progress(callback, described.size), connections, bandwidth, stop, signature)
        part.finish()
    except (exceptions.DigestMismatch, exceptions.SignatureMismatch):
        part.discard()
        raise
    except BaseException as exc:
        if part.keep() and isinstance(exc, (exceptions.SDKException, KeyboardInterrupt)):
            exc.add_note(f"{part.done} bytes are in {part.path}.part; the same download goes on from there.")
        raise


def _fill(
    remote: RemoteImage,
    image: Described,
    part: PartFile,
    progress: Progress,
    connections: int | None,
    bandwidth: Bandwidth | None,
    stop: Stop | None,
    signature: Signature | None,
) -> None:
    hasher = FileHasher(part, *_algorithms(image, signature))
    try:
        fetch(remote, image, part, hasher, progress, connections=connections, bandwidth=bandwidth, stop=stop)
        digests = hasher.hexdigests()
    except BaseException:
        part.halt()
        hasher.close()
        raise
    _verify(image, part.done, digests, signature)
    progress.end(part.done)


# --- in order -------------------------------------------------------------------------------------------------


def _in_order(
    remote: RemoteImage,
    file: IO[bytes],
    name: str,
    callback: ProgressCallback | None,
    bandwidth: Bandwidth | None,
    signature: Signature | None,
) -> None:
    """Write the data to *file*, and compare it with the service's hash."""
    remote.renew_token()
    described = _described(remote)
    algorithms = _algorithms(described, signature)
    meter = Progress(callback, described.size)
    done = 0
    with Digest(*algorithms) as digest, closing(Stream(remote, described, bandwidth=bandwidth).blocks()) as blocks:
        for block in blocks:
            digest.update(block)
            _write(file, block, name)
            done += len(block)
            meter.at(done)
    _verify(described, done, digest.hexdigests(), signature)
    meter.end(done)


def _write(file: IO[bytes], block: bytes, name: str) -> None:
    view = memoryview(block)
    try:
        while view:
            # An unbuffered file may take a part; other kinds of writers take all, and some say None.
            written: int | None = file.write(view)
            view = view[len(view) if written is None else written :]
    except exceptions.FileFailure:
        raise
    except OSError as exc:
        raise exceptions.FileFailure(
            f"{name} cannot be written: {exc.strerror or exc}; make room, or choose another place", cause=exc
        ) from exc


def verified_blocks(
    remote: RemoteImage,
    progress: ProgressCallback | None = None,
    bandwidth: Bandwidth | None = None,
    signature: Signature | None = None,
) -> Generator[bytes, None, None]:
    """
    Yield the data of an image that is known; the last block only when all of it has been verified.

    So a receiver of the blocks never has all bytes of a damaged image.

    Raises:
        DigestMismatch: What arrived is not what the service has a hash of.
        SignatureMismatch: *signature* is not of what arrived.
        ConnectFailure: The connection broke again and again.
    """
    image = remote.known
    meter = Progress(progress, image.size)
    done = 0
    held = b""
    algorithms = _algorithms(image, signature)
    with Digest(*algorithms) as digest, closing(Stream(remote, image, bandwidth=bandwidth).blocks()) as blocks:
        for block in blocks:
            digest.update(block)
            done += len(block)
            meter.at(done)
            if held:
                yield held
            held = block
        _verify(image, done, digest.hexdigests(), signature)
        meter.end(done)
    if held:
        yield held
