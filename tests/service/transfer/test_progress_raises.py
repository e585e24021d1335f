"""A progress callback that raises ends its transfer: its error comes out, and nothing half-made or running is left."""

from __future__ import annotations

import errno
import io
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ecl import exceptions
from ecl.image import transfer
from ecl.image.v2._proxy import Proxy
from ecl.testing import ImageService
from support.faulty_proxy import FaultyProxy
from support.transfers import DATA, NewImage, left_threads

NAME = "raises"
#: Raised by the first call, and by the last one.
WHEN = pytest.mark.parametrize("last", [False, True], ids=["first", "last"])


@pytest.fixture(autouse=True)
def _nothing_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for an answer to half a body fails, instead of hanging for ten minutes."""
    monkeypatch.setattr("ecl._http.DATA_TIMEOUT", (20.0, 20.0))


@pytest.fixture(autouse=True)
def _nothing_runs() -> Iterator[None]:
    """When the error has come out, the transfer's threads have ended."""
    yield
    assert left_threads() == []


@pytest.fixture(
    params=[
        lambda: ValueError("mine"),
        # A connection raises these, too.
        lambda: BrokenPipeError(errno.EPIPE, "mine"),
        lambda: TimeoutError("mine"),
        lambda: exceptions.ConnectFailure("mine"),
        lambda: exceptions.ConflictException("mine"),
        lambda: KeyboardInterrupt("mine"),
    ],
    ids=["ValueError", "BrokenPipeError", "TimeoutError", "ConnectFailure", "ConflictException", "KeyboardInterrupt"],
)
def error(request: pytest.FixtureRequest) -> BaseException:
    """What the callback raises."""
    made: BaseException = request.param()
    return made


@pytest.fixture
def there(service: ImageService) -> Proxy:
    """The image service of the other region."""
    return service.connect("jp2").image


def raising(error: BaseException, last: bool = False) -> Callable[[int, int | None], None]:
    """Return a callback that raises *error*."""

    def at(done: int, total: int | None) -> None:
        if not last or done == total:
            raise error

    return at


def check_raises(error: BaseException, call: Callable[[], object]) -> None:
    """The very error comes out of *call*, which does not wait for the end of another."""
    with pytest.raises(type(error)) as raised:
        call()
    assert raised.value is error


def puts(link: FaultyProxy) -> int:
    """Return how many uploads came by."""
    return sum(each.method == "PUT" for each in link.requests)


@WHEN
@pytest.mark.parametrize("size_known", [True, False], ids=["sized", "chunked"])
def test_create(
    behind: Proxy, direct: Proxy, link: FaultyProxy, error: BaseException, last: bool, size_known: bool
) -> None:
    """The image is deleted again, and its data is not sent again."""
    # What has no size has no total until its last call, which names the bytes that there were.
    data = DATA if size_known else (lambda: iter([DATA]))

    check_raises(error, lambda: behind.create_image(name=NAME, data=data, progress=raising(error, last)))

    assert list(direct.images(name=NAME)) == []
    assert puts(link) == 1


def test_upload(behind: Proxy, direct: Proxy, link: FaultyProxy, new_image: NewImage, error: BaseException) -> None:
    """The image is queued again, and its data was sent once."""
    image = new_image()

    check_raises(error, lambda: behind.upload_image(image, DATA, progress=raising(error)))

    link.until(lambda: direct.get_image(image).image_status == "queued")
    assert puts(link) == 1


def test_stage(behind: Proxy, direct: Proxy, link: FaultyProxy, new_image: NewImage, error: BaseException) -> None:
    """The image is queued again, and its data was sent once."""
    image = new_image()

    check_raises(error, lambda: behind.stage_image(image, DATA, progress=raising(error)))

    link.until(lambda: direct.get_image(image).image_status == "queued")
    assert puts(link) == 1


def test_upload_of_several(behind: Proxy, direct: Proxy, error: BaseException) -> None:
    """The image is deleted again; the other one may have come to its end."""
    images = [{"name": NAME, "data": DATA} for _ in range(2)]

    check_raises(error, lambda: behind.upload_images(images, workers=2, progress=raising(error)))

    left = list(direct.images(name=NAME))
    for image in left:
        direct.delete_image(image)
    assert [image.image_status for image in left] in ([], ["active"])


@WHEN
@pytest.mark.parametrize("connections", [None, 2], ids=["one", "two"])
@pytest.mark.usefixtures("small_parts")
def test_download_to_a_path(
    behind: Proxy, shared_id: str, target: Path, error: BaseException, last: bool, connections: int | None
) -> None:
    """There is no file of that name; the next download brings it."""
    check_raises(
        error,
        lambda: behind.download_image(shared_id, output=target, progress=raising(error, last), connections=connections),
    )

    assert not target.exists()
    behind.download_image(shared_id, output=target)
    is_right = target.read_bytes() == DATA
    assert is_right


@WHEN
@pytest.mark.parametrize("output", [None, io.BytesIO], ids=["bytes", "file"])
def test_download_in_order(
    behind: Proxy, link: FaultyProxy, shared_id: str, error: BaseException, last: bool, output: Any
) -> None:
    """The error comes out, and the data is asked for once."""
    check_raises(
        error,
        lambda: behind.download_image(shared_id, output=output and output(), progress=raising(error, last)),
    )

    assert len(link.data_requests) == 1


def test_download_of_several(direct: Proxy, shared_id: str, tmp_path: Path, error: BaseException) -> None:
    """The one that ended has no file of its name; the other one may have come to its end."""
    paths = [tmp_path / "one", tmp_path / "two"]

    check_raises(
        error,
        lambda: direct.download_images([(shared_id, path) for path in paths], workers=2, progress=raising(error)),
    )

    whole = [path.read_bytes() == DATA for path in paths if path.exists()]
    assert whole in ([], [True])


@WHEN
def test_copy(behind: Proxy, there: Proxy, link: FaultyProxy, shared_id: str, error: BaseException, last: bool) -> None:
    """The half-made copy is deleted again, and the source was read once."""
    check_raises(error, lambda: transfer.copy(behind, shared_id, there, progress=raising(error, last)))

    assert list(there.images(name="shared")) == []
    assert len(link.data_requests) == 1


def test_data_that_is_made_has_ended(direct: Proxy) -> None:
    """A generator that was made for an upload is closed with it, so that its files and connections are."""
    closed = threading.Event()

    def blocks() -> Iterator[bytes]:
        try:
            yield DATA
            yield DATA
        finally:
            closed.set()

    # Kept, for it keeps the generator from being collected.
    with pytest.raises(ValueError, match="mine") as raised:
        direct.create_image(name=NAME, data=blocks, progress=raising(ValueError("mine")))

    assert raised.tb is not None
    assert closed.is_set()
