"""The way in: a connection for async programs."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ecl import exceptions
from ecl.aio._proxy import Proxy
from ecl.aio._threads import Limits, in_thread

if TYPE_CHECKING:
    from ecl.connection import Connection as SyncConnection
    from ecl.profile import Profile

__all__ = ["Connection", "connect"]

#: Short calls at once by default, and calls that wait for a status.
_CALLS = 100
#: Calls at once by default that move data.
_TRANSFERS = 16


class Connection:
    """
    A connection to one cloud, as one user in one project; see :func:`connect`.

    Use it within ``async with``, in one event loop. Any number of tasks may share it.
    """

    def __init__(
        self,
        make: Callable[[], SyncConnection],
        *,
        max_calls: int = _CALLS,
        max_transfers: int = _TRANSFERS,
        own_session: bool = True,
    ) -> None:
        """
        Describe the connection; it is made when the block begins.

        Args:
            make: Makes the SDK's connection.
            max_calls: See :func:`connect`.
            max_transfers: See :func:`connect`.
            own_session: False: the connection's session belongs to somebody else, and is left as it is.

        Raises:
            InvalidRequest: *max_calls* or *max_transfers* is not a positive whole number.
        """
        self._make = make
        self._own_session = own_session
        self._limits = Limits(max_calls, max_transfers)
        self._sync: SyncConnection | None = None

    @property
    def image(self) -> Proxy:
        """The image service. Raises InvalidRequest outside the block."""
        return Proxy(self._opened().image, self._limits)

    async def authorize(self) -> str | None:
        """Log in now, and return the token; see :meth:`ecl.connection.Connection.authorize`."""
        return await in_thread(self._opened().authorize, self._limits.calls)

    async def aclose(self) -> None:
        """Close the connections that are kept for later requests."""
        sync, self._sync = self._sync, None
        if sync is not None and self._own_session:
            sync.close()

    async def __aenter__(self) -> Self:
        self._sync = await in_thread(self._open, self._limits.calls)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.aclose()

    def _opened(self) -> SyncConnection:
        if self._sync is None:
            raise exceptions.InvalidRequest("This connection is not open: use it within 'async with'")
        return self._sync

    def _open(self) -> SyncConnection:
        sync = self._make()
        if self._own_session:
            from ecl import _http
            from ecl._http.stoppable import StoppableAdapter

            inner: Any = _http.below_adapter(sync.session).session
            adapter = StoppableAdapter(pool_maxsize=self._limits.connections)
            for prefix in ("http://", "https://"):
                inner.mount(prefix, adapter)
        return sync


def connect(
    cloud: str | None = None,
    *,
    region_name: str | None = None,
    profile: Profile | None = None,
    max_calls: int = _CALLS,
    max_transfers: int = _TRANSFERS,
    **args: Any,
) -> Connection:
    """
    Connect to a cloud from an async program, by asyncio or trio.

    ::

        async with ecl.aio.connect("jp1") as conn:
            async for image in conn.image.images():
                print(image.name)

    Args:
        cloud: Name in clouds.yaml, as for :func:`ecl.connect`; so are *region_name*, *profile* and the other arguments.
        max_calls: Number of short calls at once, and of calls that wait for a status; more of them wait in line.
        max_transfers: Number of calls at once that move data.
        args: See :func:`ecl.connect`. A call over a *session* of your own that is cancelled waits for the answer to
            its request.

    Raises:
        InvalidRequest: *max_calls* or *max_transfers* is not a positive whole number.
        ConfigException: From ``async with``: no such cloud, or its configuration cannot be used.
    """

    def make() -> SyncConnection:
        from ecl.connection import connect

        return connect(cloud, region_name=region_name, profile=profile, **args)

    return Connection(make, max_calls=max_calls, max_transfers=max_transfers, own_session=args.get("session") is None)
