"""The async SDK as the plain one, so that tests of the plain one run against it, too."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from anyio.from_thread import BlockingPortal

import ecl.aio
from ecl.aio import Download, OpenImage

__all__ = ["PlainProxy"]


class PlainProxy:
    """An async connection's image service with plain methods. An event loop in another thread runs it."""

    def __init__(self, portal: BlockingPortal, stack: ExitStack, **login: Any) -> None:
        """Connect; *stack* closes the connection."""
        conn = portal.call(lambda: _made(**login))
        stack.enter_context(portal.wrap_async_context_manager(conn))
        self._portal = portal
        self._proxy = conn.image

    @contextmanager
    def opened(self, file: OpenImage) -> Iterator[Any]:
        """Yield *file* with plain methods, and close it."""

        class Plain:
            def __getattr__(_, name: str) -> Any:
                return lambda *args: self._portal.call(getattr(file, name), *args)

        with self._portal.wrap_async_context_manager(file):
            yield Plain()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._proxy, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            # One method takes its name by position, as in openstacksdk.
            if name == "create_image" and args:
                kwargs["name"], *args = args  # type: ignore[assignment]
            is_stream = name == "download_image" and kwargs.pop("stream", False)
            return self._plain(method, args, kwargs, is_stream)

        return call

    def _plain(self, method: Any, args: Any, kwargs: Any, is_stream: bool) -> Any:
        async def start() -> Any:
            result = method(*args, **kwargs)
            if isinstance(result, Download) and not is_stream:
                return await result
            return result if isinstance(result, AsyncIterator) else await result

        result = self._portal.call(start)
        return self._items(result) if isinstance(result, AsyncIterator) else result

    def _items(self, found: AsyncIterator[Any]) -> Iterator[Any]:
        async def following() -> list[Any]:
            return [item async for item in _first(found)]

        while items := self._portal.call(following):
            yield from items


async def _made(**login: Any) -> ecl.aio.Connection:
    return ecl.aio.connect(**login)


async def _first(found: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """Yield the next item, if there is one."""
    try:
        yield await anext(found)
    except StopAsyncIteration:
        return
