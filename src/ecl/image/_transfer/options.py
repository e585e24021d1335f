"""The options of an upload."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from ecl import exceptions
from ecl.image._transfer.bandwidth import Bandwidth, limit_of
from ecl.image._transfer.progress import ProgressCallback
from ecl.image._transfer.signature import PemOrPath, Signer

__all__ = ["MAX_EXPANDED", "UploadOptions"]

#: Bytes that a compressed source may expand to by default: Glance's own limit for an image.
MAX_EXPANDED = 1 << 40


@dataclass(frozen=True)
class UploadOptions:
    """
    What a caller can say about an upload, beside image and data.

    Raises:
        InvalidRequest: *max_expanded* or *size* is not a positive whole number, or a hash is malformed.
    """

    progress: ProgressCallback | None = None
    #: Send even what the image inspector finds dangerous or of another format than declared.
    force: bool = False
    bandwidth: Bandwidth | None = None
    #: Decode gzip, bzip2, xz and zstd on the way.
    decompress: bool = False
    #: Bytes that decoding may make, at most.
    max_expanded: int = MAX_EXPANDED
    #: Send even no bytes at all.
    allow_empty: bool = False
    #: Bytes that are to be sent, after decoding.
    size: int | None = None
    #: Algorithm to the hexadecimal hash, in lower case, of what is to be sent.
    hashes: Mapping[str, str] = field(default_factory=dict)
    #: Signs the data of an image that is created with it.
    signer: Signer | None = None

    @classmethod
    def of(
        cls,
        progress: ProgressCallback | None = None,
        force: bool = False,
        max_bandwidth: float | Bandwidth | None = None,
        decompress: bool = False,
        max_expanded: int | None = None,
        allow_empty: bool = False,
        size: int | None = None,
        *,
        sign_key: PemOrPath | None = None,
        sign_cert_id: str | None = None,
        sign_key_password: str | bytes | None = None,
        **hashes: str | None,
    ) -> Self:
        """Return what the arguments of the proxy's methods stand for. Raises InvalidRequest."""
        if (sign_key is None) != (sign_cert_id is None):
            raise exceptions.InvalidRequest("sign_key and sign_cert_id go together: give both, or neither")
        signer = None
        if sign_key is not None and sign_cert_id is not None:
            signer = Signer(sign_key, sign_cert_id, sign_key_password)
        limit = MAX_EXPANDED if max_expanded is None else max_expanded
        expected = {name: _hash_text(name, value) for name, value in hashes.items() if value is not None}
        return cls(progress, force, limit_of(max_bandwidth), decompress, limit, allow_empty, size, expected, signer)

    def __post_init__(self) -> None:
        _check_positive("max_expanded", self.max_expanded)
        if self.size is not None and self.size != 0:
            _check_positive("size", self.size)


def _hash_text(name: str, value: object) -> str:
    """Return a hash in lower case. Raises InvalidRequest."""
    digits = hashlib.new(name, usedforsecurity=False).digest_size * 2
    text = value.strip().lower() if isinstance(value, str) else ""
    if len(text) != digits or set(text) - set("0123456789abcdef"):
        raise exceptions.InvalidRequest(f"{name} must be {digits} hexadecimal digits, not {value!r}")
    return text


def _check_positive(name: str, value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise exceptions.InvalidRequest(f"{name} must be a positive whole number of bytes, not {value!r}")
