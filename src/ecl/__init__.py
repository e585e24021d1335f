"""
VM images in a cloud: SDK, command and embedded service.

``import ecl`` loads nothing else; modules and :func:`connect` are loaded when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ecl.version import __version__

if TYPE_CHECKING:
    from ecl.connection import connect as connect

__all__ = ["__version__", "connect"]

_MODULES = frozenset(
    {
        "config", "connection", "exceptions", "image", "profile", "proxy2", "resource2", "service_filter",
        "session", "testing", "utils",
    }
)  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "connect":
        from ecl.connection import connect

        return connect
    if name in _MODULES:
        return importlib.import_module(f"ecl.{name}")
    raise AttributeError(f"module 'ecl' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})
