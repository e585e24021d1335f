"""
VM images in a cloud: SDK, command and embedded service.

``import ecl`` loads nothing else; modules and :func:`connect` are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecl.version import __version__

if TYPE_CHECKING:
    from ecl import aio as aio
    from ecl import config as config
    from ecl import connection as connection
    from ecl import exceptions as exceptions
    from ecl import format as format  # noqa: A004 - eclsdk's name
    from ecl import image as image
    from ecl import profile as profile
    from ecl import proxy2 as proxy2
    from ecl import resource2 as resource2
    from ecl import service_filter as service_filter
    from ecl import session as session
    from ecl import testing as testing
    from ecl import utils as utils
    from ecl.connection import connect as connect

__all__ = ["__version__", "connect"]

# By this the command knows its own package: eclsdk has one of that name.
_DISTRIBUTION = "ecl-image"

_MODULES = frozenset(
    {
        "aio", "config", "connection", "exceptions", "format", "image", "profile", "proxy2", "resource2",
        "service_filter", "session", "testing", "utils",
    }
)  # fmt: skip

# Hidden from type checkers, which would accept any name for it.
if not TYPE_CHECKING:

    def __getattr__(name):
        import importlib

        if name == "connect":
            return importlib.import_module("ecl.connection").connect
        if name in _MODULES:
            return importlib.import_module(f"ecl.{name}")
        raise AttributeError(f"module 'ecl' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})
