"""IDs of what has only a name."""

from __future__ import annotations

import hashlib

__all__ = ["stable_id"]


def stable_id(kind: str, name: str) -> str:
    """Return the ID (32 hex digits) of something that has only a name: a role or a catalog entry."""
    return hashlib.sha256(f"{kind}:{name}".encode()).hexdigest()[:32]
