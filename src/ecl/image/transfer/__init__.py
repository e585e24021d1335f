"""Bytes in and out: one pass, in constant memory, verified."""

from __future__ import annotations

from ecl.image.transfer.download import download
from ecl.image.transfer.upload import upload

__all__ = ["download", "upload"]
