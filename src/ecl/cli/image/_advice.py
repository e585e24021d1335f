"""Errors of the SDK and the cloud, with advice that names the command's own options."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ecl.image.v2.image import Image

__all__ = ["force_advice", "format_advice", "manifest_advice", "member_advice"]


#: What the SDK calls a remedy, and what it is here.
_OPTIONS = {
    "or force the upload": "or upload it as it is with --force",
    "decompress=True": "--decompress",
    "allow_empty=True": "--allow-empty",
    "give disk_format": "give --disk-format",
}
#: The same in a manifest, which cannot force an upload.
_IN_A_MANIFEST = {
    "; or force the upload": "",
    "give decompress=True": "give it decompress: true",
    "; give allow_empty=True if that is right": ": an image needs data",
    "give disk_format": "give the image a key 'disk_format'",
}


@contextmanager
def force_advice() -> Iterator[None]:
    """Name ``--force`` and the like if the content of a file is refused."""
    from ecl import exceptions

    try:
        yield
    except exceptions.InvalidRequest as exc:
        for words, own in _OPTIONS.items():
            exc.message = exc.message.replace(words, own)
        raise


def manifest_advice(text: str) -> str:
    """Return an error about the content of a source with what the author of a manifest can do."""
    for words, own in _IN_A_MANIFEST.items():
        text = text.replace(words, own)
    return text


@contextmanager
def format_advice(image: Image) -> Iterator[None]:
    """Name the command that sets the formats if the cloud refuses *image* and it lacks one."""
    from ecl import exceptions

    try:
        yield
    except (exceptions.BadRequestException, exceptions.ConflictException) as exc:
        options = [] if image.disk_format else ["--disk-format FORMAT"]
        options += [] if image.container_format else ["--container-format bare"]
        if options:
            exc.add_note(f"To set them: ecl image update {image.id} {' '.join(options)}")
        raise


@contextmanager
def member_advice() -> Iterator[None]:
    """Let an error about a missing member say so once, in the cloud's words."""
    from ecl import exceptions

    try:
        yield
    except exceptions.ResourceNotFound as exc:
        exc.message = exc.details or exc.message
        raise
