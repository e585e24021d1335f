"""
A real image service for tests, in one line: ``with ImageService() as service: conn = service.connect()``.

It runs in a process of its own, on a free port of this machine, with everything that it keeps in a temporary folder,
and it ends with the tests, even if these are killed. It needs the extra ``[server]``. `docs/testing.md` describes it,
and the fixtures of the pytest plugin.

Each name is loaded from its module when it is first used, so that pytest sessions without a service pay nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ecl.testing._door import Refused
    from ecl.testing._process import ServiceFailed
    from ecl.testing.controls import Clock, Fault, Faults, RecordedRequest, Requests
    from ecl.testing.own import EclProject
    from ecl.testing.projects import TestProject
    from ecl.testing.service import ImageService

__all__ = [
    "Clock",
    "EclProject",
    "Fault",
    "Faults",
    "ImageService",
    "RecordedRequest",
    "Refused",
    "Requests",
    "ServiceFailed",
    "TestProject",
]

# Module to the names that are loaded from it.
_MODULES = {
    "_door": ("Refused",),
    "controls": ("Clock", "Fault", "Faults", "RecordedRequest", "Requests"),
    "own": ("EclProject",),
    "projects": ("TestProject",),
    "_process": ("ServiceFailed",),
    "service": ("ImageService",),
}

# Hidden from type checkers, which would accept any name for it.
if not TYPE_CHECKING:

    def __getattr__(name):
        import importlib

        for module, names in _MODULES.items():
            if name in names:
                return getattr(importlib.import_module(f"ecl.testing.{module}"), name)
        raise AttributeError(f"module 'ecl.testing' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
