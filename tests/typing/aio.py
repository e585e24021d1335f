"""User code of async programs that a strict type checker must accept. It is checked, not run."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from pathlib import Path
from typing import assert_type

import anyio

import ecl.aio
from ecl.aio import Connection, Download, OpenImage, Progress, Proxy
from ecl.image import Image, Member


async def program(blocks: AsyncIterable[bytes], stream: anyio.abc.ByteSendStream, target: Path) -> None:
    """Every way to call: awaited, iterated over, with async sources, targets and progress."""
    async with ecl.aio.connect("jp1", region_name="jp2", max_calls=200, max_transfers=4) as conn:
        assert_type(conn, Connection)
        assert_type(conn.image, Proxy)
        assert_type(await conn.authorize(), str | None)
        assert_type(conn.image.images(limit=3), AsyncIterator[Image])
        assert_type([member async for member in conn.image.members("id")], list[Member])
        assert_type(await conn.image.find_image("name"), Image | None)
        assert_type(await conn.image.find_image("name", False), Image)
        progress = Progress()
        image = await conn.image.create_image(name="disk", data=blocks, progress=progress)
        assert_type(image, Image)
        async with await anyio.open_file(target, "rb") as file:
            await conn.image.upload_image(image, file)
        assert_type([each async for each in progress], list[tuple[int, int | None]])
        assert_type(conn.image.download_image(image), Download[bytes])
        assert_type(await conn.image.download_image(image), bytes)
        assert_type(await conn.image.download_image(image, output=target), Path)
        assert_type(await conn.image.download_image(image, output=stream), anyio.abc.ByteSendStream)
        assert_type([block async for block in conn.image.download_image(image)], list[bytes])
        assert_type(await conn.image.open_image(image), OpenImage)
        assert_type(await conn.image.wait_for_status(image, "active"), Image)
        await conn.image.get_imgae("id")  # type: ignore[attr-defined]
