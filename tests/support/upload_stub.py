"""A queued image on a scripted HTTP server, and what becomes of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from support.http_stub import Answer, HttpStub, Reply, Request

__all__ = ["BACKED", "DATA", "IMAGE", "QCOW2", "described", "script_upload", "sent"]

DATA = bytes(range(256)) * 9_000
IMAGE = {"id": "abc", "name": "disk", "status": "queued", "disk_format": "raw", "container_format": "bare"}
#: An image in a format of its own, and one that needs another file.
QCOW2 = b"QFI\xfb" + (3).to_bytes(4, "big") + bytes(12) + (16).to_bytes(4, "big") + bytes(480 + 3600)
BACKED = b"QFI\xfb" + (3).to_bytes(4, "big") + (104).to_bytes(8, "big") + (4).to_bytes(4, "big") + bytes(4076)


def described(data: bytes = DATA, **more: Any) -> dict[str, Any]:
    """Return the image as the service has it when all of *data* has come."""
    return {
        **IMAGE,
        "status": "active",
        "size": len(data),
        "checksum": hashlib.md5(data).hexdigest(),
        "os_hash_algo": "sha512",
        "os_hash_value": hashlib.sha512(data).hexdigest(),
        **more,
    }


def script_upload(stub: HttpStub, *answers: Reply, images: Sequence[dict[str, Any]] | None = None) -> None:
    """Script the image, as it is each time that it is asked for, and the answers to the upload of its data."""
    stub.on("GET", "/v2/images/abc", *[Answer.json(each) for each in images or (IMAGE, described())])
    stub.on("PUT", "/v2/images/abc/file", *(answers or (Answer(204),)))


def sent(stub: HttpStub) -> list[Request]:
    """Return the uploads that came."""
    return [request for request in stub.requests if request.method == "PUT"]
