"""IDs of images, tasks and jobs: UUIDs in lower case."""

from __future__ import annotations

import re

__all__ = ["is_uuid"]

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_uuid(text: str) -> bool:
    """Return True if *text* is a UUID in its canonical form, which has lower-case digits."""
    return _UUID.fullmatch(text) is not None
