"""The SDK's suite (images, data, lists, members, imports) by the async SDK, against the embedded service."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import test_sdk_data
from anyio.from_thread import start_blocking_portal
from clouds import EmbeddedCloud
from test_sdk import *  # noqa: F403
from test_sdk_data import *  # noqa: F403
from test_sdk_import import *  # noqa: F403
from test_sdk_listing import *  # noqa: F403
from test_sdk_members import *  # noqa: F403

from ecl.image.v2.image import Image
from support.aio import PlainProxy


class AioCloud:
    """The embedded service, reached by the async SDK."""

    def __init__(self, cloud: EmbeddedCloud, backend: str, stack: ExitStack) -> None:
        self._cloud = cloud
        self._stack = stack
        self._portal = stack.enter_context(start_blocking_portal(backend))
        self._proxies: dict[str, PlainProxy] = {}

    def connect(self, identity: str = "member") -> PlainProxy:
        """Return the image service as *identity* sees it."""
        if identity not in self._proxies:
            login = self._cloud.login(identity)
            auth = login.pop("auth")
            self._proxies[identity] = PlainProxy(self._portal, self._stack, **auth, **login)
        return self._proxies[identity]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cloud, name)


@pytest.fixture(scope="session", params=["asyncio", "trio"])
def cloud(request: pytest.FixtureRequest, embedded: EmbeddedCloud) -> Iterator[AioCloud]:
    """The embedded service by asyncio, then by trio."""
    with ExitStack() as stack:
        yield AioCloud(embedded, request.param, stack)


def test_stream(proxy: PlainProxy, active: Image) -> None:
    """An image comes block by block, each of the size that was asked for."""
    chunks = list(proxy.download_image(active, stream=True, chunk_size=65_536))

    assert b"".join(chunks) == test_sdk_data.DATA
    assert {len(chunk) for chunk in chunks[:-1]} == {65_536}


def test_open(proxy: PlainProxy, active: Image) -> None:
    """An image is a file that reads at any offset, and as a whole."""
    with proxy.opened(proxy.open_image(active)) as file:
        file.seek(-1000, io.SEEK_END)
        assert file.read() == test_sdk_data.DATA[-1000:]
        file.seek(0)
        assert file.read() == test_sdk_data.DATA
