"""Calls of the async SDK: what they return and raise, how many run, and how they are cancelled."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest

import ecl.aio
from ecl import exceptions
from ecl.image.v2.image import Image
from support.http_stub import Answer, HttpStub, Keystone, Request
from support.upload_stub import IMAGE

pytestmark = pytest.mark.anyio


def pages(stub: HttpStub, *names: list[str]) -> None:
    """Script a list of images, page by page."""
    answers = []
    for number, page in enumerate(names):
        following = {"next": f"/v2/images?marker={number}"} if number + 1 < len(names) else {}
        answers.append(Answer.json({"images": [{"id": name, "name": name} for name in page], **following}))
    stub.on("GET", "/v2/images", *answers)


async def test_a_call(opener: Any, stub: HttpStub) -> None:
    """A method returns what the SDK's returns."""
    stub.on("GET", "/v2/images/abc", Answer.json(IMAGE))

    async with opener() as conn:
        image = await conn.image.get_image("abc")

    assert isinstance(image, Image)
    assert image.name == "disk"


async def test_an_error(opener: Any, stub: HttpStub) -> None:
    """A method raises what the SDK's raises, not a group of exceptions."""
    stub.on("GET", "/v2/images/abc", Answer.json({}, 404))

    async with opener() as conn:
        with pytest.raises(exceptions.ResourceNotFound):
            await conn.image.get_image("abc")


async def test_a_list(opener: Any, stub: HttpStub) -> None:
    """A list is an async iterator over all pages."""
    pages(stub, ["a", "b"], ["c"])

    async with opener() as conn:
        assert [image.id async for image in conn.image.images()] == ["a", "b", "c"]


async def test_the_next_page_waits(opener: Any, stub: HttpStub) -> None:
    """A page is asked for when all of the page before was taken."""
    pages(stub, ["a", "b"], ["c"])

    async with opener() as conn:
        listing = conn.image.images()
        assert stub.lines == []
        for expected in ("a", "b"):
            assert (await anext(listing)).id == expected
            assert len(stub.lines) == 1
        await anext(listing)
        assert len(stub.lines) == 2


async def test_a_page_for_each_thread_call(opener: Any, stub: HttpStub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of many items does not change threads for each."""
    pages(stub, [f"a{number}" for number in range(50)], [f"b{number}" for number in range(50)])
    hops = []
    run_sync = anyio.to_thread.run_sync

    async def counted(*args: Any, **kwargs: Any) -> Any:
        hops.append(args)
        return await run_sync(*args, **kwargs)

    async with opener() as conn:
        monkeypatch.setattr(anyio.to_thread, "run_sync", counted)
        assert len([image async for image in conn.image.images()]) == 100
    assert len(hops) == 3


async def test_a_list_with_a_limit(opener: Any, stub: HttpStub) -> None:
    """A limit holds, and no page more is asked for."""
    pages(stub, ["a", "b"], ["c", "d"], ["e"])

    async with opener() as conn:
        assert [image.id async for image in conn.image.images(limit=3)] == ["a", "b", "c"]
    assert len(stub.lines) == 2


async def test_many_calls_at_once(opener: Any, stub: HttpStub) -> None:
    """As many calls as are allowed run at the same time, each over a connection of its own."""
    together = threading.Barrier(20)

    def answer(request: Request) -> Answer:
        together.wait()
        return Answer.json(IMAGE)

    stub.on("GET", "/v2/images/abc", answer)
    async with opener(max_calls=20) as conn, anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(conn.image.get_image, "abc")

    assert len({request.port for request in stub.requests}) == 20


async def test_a_wait_keeps_no_call_from_running(opener: Any, stub: HttpStub) -> None:
    """Waiting for a status has threads of its own."""
    stub.on("GET", "/v2/images/abc", Answer.json(IMAGE))
    stub.on("GET", "/v2/images/def", Answer.json({**IMAGE, "id": "def"}))

    async with opener(max_calls=1) as conn, anyio.create_task_group() as group:
        group.start_soon(conn.image.wait_for_status, Image.existing(id="abc"), "active")
        assert (await conn.image.get_image("def")).id == "def"
        group.cancel_scope.cancel()


async def test_cancelling_a_call(opener: Any, stub: HttpStub, silence: Any) -> None:
    """A call whose service says nothing ends at once, and the others go on."""
    stub.on("GET", "/v2/images/abc", silence)
    stub.on("GET", "/v2/images/def", Answer.json({**IMAGE, "id": "def"}))

    async with opener() as conn:
        async with anyio.create_task_group() as group:
            group.start_soon(conn.image.get_image, "abc")
            await silence.reached()
            group.cancel_scope.cancel()
        assert (await conn.image.get_image("def")).id == "def"


async def test_cancelling_before_a_call_begins(opener: Any, stub: HttpStub) -> None:
    """A call of a cancelled task sends nothing."""
    async with opener() as conn:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await conn.image.get_image("abc")
    assert stub.requests == []


async def test_cancelling_a_log_in(stub: HttpStub, silence: Any) -> None:
    """A log-in without an answer ends, too."""
    keystone = Keystone(stub)
    stub.on("POST", "/v3/auth/tokens", silence)

    async with ecl.aio.connect(**keystone.options()) as conn, anyio.create_task_group() as group:
        group.start_soon(conn.authorize)
        await silence.reached()
        group.cancel_scope.cancel()


def test_asyncio_cancels_in_its_own_way(opener: Any, stub: HttpStub, silence: Any) -> None:
    """Task.cancel() ends a call, which has cleaned up when the task ends."""
    stub.on("POST", "/v2/images", Answer.json(IMAGE, 201))
    stub.on("PUT", "/v2/images/abc/file", silence)
    stub.on("DELETE", "/v2/images/abc", Answer(204))

    async def main() -> None:
        async with opener() as conn:
            task = asyncio.ensure_future(conn.image.create_image(name="disk", disk_format="raw", data=b"data"))
            await silence.reached()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert stub.last.method == "DELETE"

    asyncio.run(main())


@pytest.mark.parametrize("name", ["max_calls", "max_transfers"])
@pytest.mark.parametrize("value", [0, -1, 1.5, "10", True])
async def test_bad_limits(opener: Any, name: str, value: object) -> None:
    """A limit that is not a positive whole number is refused at once, by name."""
    with pytest.raises(exceptions.InvalidRequest, match=f"{name} must be a positive whole number, not {value!r}"):
        opener(**{name: value})


async def test_a_connection_that_is_not_open(opener: Any) -> None:
    """A connection outside its block says what to do."""
    conn = opener()
    with pytest.raises(exceptions.InvalidRequest, match="use it within 'async with'"):
        _ = conn.image
    async with conn:
        pass
    with pytest.raises(exceptions.InvalidRequest, match="use it within 'async with'"):
        _ = conn.image


async def test_a_session_of_the_caller_stays_as_it_is(stub: HttpStub) -> None:
    """A session that was given is neither changed nor closed."""
    stub.on("GET", "/v2/images/abc", Answer.json(IMAGE))
    with ecl.connect(auth_type="none", endpoint=stub.url) as own:
        adapters = dict(own.session.session.adapters)
        async with ecl.aio.connect(session=own.session) as conn:
            await conn.image.get_image("abc")

        assert dict(own.session.session.adapters) == adapters
        own.image.get_image("abc")
        assert len({request.port for request in stub.requests}) == 1


def test_the_async_proxy_is_fresh() -> None:
    """_proxy.py has every method of the SDK's proxy, with its signature."""
    script = Path(__file__).parents[3] / "scripts/generate-aio"

    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")


def test_without_anyio() -> None:
    """Without the extra, the import says what to install."""
    code = "import sys; sys.modules['anyio'] = None; import ecl.aio"

    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True)

    assert done.stderr.splitlines()[-1] == ("ModuleNotFoundError: ecl.aio needs anyio: pip install 'ecl-image[aio]'")
