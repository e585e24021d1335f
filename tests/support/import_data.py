"""What tests of imports import."""

from __future__ import annotations

__all__ = ["DATA"]

DATA = bytes(range(256)) * 10_000
