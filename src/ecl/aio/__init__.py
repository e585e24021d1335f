"""
The SDK for async programs, by asyncio or trio: ``async with ecl.aio.connect("jp1") as conn: …``.

It runs the SDK in threads: good for hundreds of calls at once, not for ten thousand. docs/aio.md says more.
"""

from __future__ import annotations

try:
    import anyio as _anyio  # noqa: F401
except ModuleNotFoundError as exc:
    raise ModuleNotFoundError("ecl.aio needs anyio: pip install 'ecl-image[aio]'", name=exc.name) from exc

from ecl.aio._connection import Connection, connect
from ecl.aio._download import Download, OpenImage
from ecl.aio._progress import Progress
from ecl.aio._proxy import Proxy

__all__ = ["Connection", "Download", "OpenImage", "Progress", "Proxy", "connect"]
