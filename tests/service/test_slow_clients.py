"""Many slow clients of every kind against a running service: they end, hold little, and honest clients are served."""

from __future__ import annotations

import os
import select
import socket
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ecl.image.v2._proxy import Proxy
from ecl.server.settings.model import HttpSettings
from ecl.testing import ImageService
from support.region_service import poll, run_region

CLIENTS = 200
#: Most bytes that one of them may make the service hold.
HELD = 64 << 10
SIZE = 8 << 20


@pytest.fixture(scope="module")
def service() -> Iterator[ImageService]:
    """A service with short deadlines and room for all of these clients."""
    http = {
        "head_timeout": 1.5,
        "rate_window": 1.5,
        "max_uploads": CLIENTS + 1,
        "max_downloads": CLIENTS + 1,
    }
    with ImageService(("jp1",), http=http) as running:
        yield running


@pytest.fixture(scope="module")
def proxy(service: ImageService) -> Proxy:
    """The image service of a member."""
    return service.connect().image


def _silent(_service: ImageService, _proxy: Proxy) -> list[bytes]:
    return [b""] * CLIENTS


def _half_heads(_service: ImageService, _proxy: Proxy) -> list[bytes]:
    return [b"GET /image/jp1/v2/images HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 4000] * CLIENTS


def _half_logins(_service: ImageService, _proxy: Proxy) -> list[bytes]:
    return [b'POST /v3/auth/tokens HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n{"auth": '] * CLIENTS


def _half_uploads(service: ImageService, proxy: Proxy) -> list[bytes]:
    ids = [str(uuid.uuid4()) for _ in range(CLIENTS)]
    for id in ids:
        proxy.create_image(id=id, disk_format="raw", container_format="bare")
    head = _head(service, "PUT", f"/image/jp1/v2/images/{ids[0]}/file", SIZE)
    return [head.replace(ids[0].encode(), id.encode()) + b"x" * 1000 for id in ids]


def _stalled_downloads(service: ImageService, proxy: Proxy) -> list[bytes]:
    image = proxy.create_image(data=os.urandom(SIZE), disk_format="raw", container_format="bare")
    return [_head(service, "GET", f"/image/jp1/v2/images/{image.id}/file")] * CLIENTS


def _head(service: ImageService, method: str, path: str, size: int | None = None) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: x", f"X-Auth-Token: {service.connect().session.get_token()}"]
    if size is not None:
        lines += ["Content-Type: application/octet-stream", f"Content-Length: {size}"]
    return "\r\n".join([*lines, "", ""]).encode()


def _resident(service: ImageService) -> int:
    """Return the bytes of memory that the process of the service has."""
    pages = Path(f"/proc/{service.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _open_ones(connections: Sequence[socket.socket]) -> int:
    """Return how many of them the service has not ended."""
    poller = select.poll()
    for connection in connections:
        poller.register(connection, select.POLLRDHUP)
    return len(connections) - len(poller.poll(0))


@pytest.mark.parametrize(
    "words_of",
    [
        _silent,
        _half_heads,
        _half_logins,
        _half_uploads,
        # Of a bucket, a range of some 256 KiB is held, not a block.
        pytest.param(_stalled_downloads, marks=pytest.mark.folder_store),
    ],
    ids=lambda kind: kind.__name__,
)
def test_slow_clients(
    service: ImageService, proxy: Proxy, words_of: Callable[[ImageService, Proxy], list[bytes]]
) -> None:
    """Two hundred at once hold at most 64 KiB each; honest clients are served; the service ends the slow ones."""
    image = proxy.create_image(data=b"honest", disk_format="raw", container_format="bare")
    # What the service needs once for every kind of work is there before the measurement.
    assert proxy.download_image(image) == b"honest"
    # So are the threads and the connections to the database, of which there are as many as uploads that begin at once.
    with ThreadPoolExecutor(64) as pool:
        pool.map(lambda _: proxy.create_image(data=b"warm", disk_format="raw", container_format="bare"), range(64))
    words = words_of(service, proxy)
    before, threads = _resident(service), _threads(service)
    host, port = service.url.removeprefix("http://").split(":")
    connections = []
    try:
        for one in words:
            connections.append(socket.create_connection((host, int(port))))
            connections[-1].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connections[-1].sendall(one)
        for _ in range(3):
            assert proxy.get_image(image).name is None
        assert proxy.download_image(image) == b"honest"
        proxy.create_image(data=os.urandom(100_000), disk_format="raw", container_format="bare")
        assert _resident(service) - before < CLIENTS * HELD
        # The limit of the event loop's pool; none for a client.
        assert _threads(service) - threads < CLIENTS
        poll(lambda: not _open_ones(connections), 30)
    finally:
        for connection in connections:
            connection.close()


def _threads(service: ImageService) -> int:
    return len(list(Path(f"/proc/{service.pid}/task").iterdir()))


def test_clients_that_go_away_do_not_fill_the_log(service: ImageService, proxy: Proxy) -> None:
    """Half a login and a closed connection, two hundred times, is a line or two, and no traceback."""
    host, port = service.url.removeprefix("http://").split(":")
    before = len(service.log)
    for words in _half_logins(service, proxy):
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(words)
    deadline = time.monotonic() + 20
    # Perhaps the line of a test before this one: there is one in ten seconds.
    while "went away" not in service.log:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert "Traceback" not in service.log[before:]
    assert len(service.log[before:].splitlines()) < 5


def test_transfers_have_a_cap(tmp_path: Path) -> None:
    """One upload or download more than the settings allow is 503 and changes nothing; then there is room again."""
    with run_region(tmp_path, http=HttpSettings(max_uploads=1, max_downloads=1)) as region:
        alpha = region.client("alpha")
        big = alpha.active(os.urandom(SIZE))
        first, second = (alpha.create(disk_format="raw", container_format="bare") for _ in range(2))
        lines = f"Host: x\r\nX-Auth-Token: {alpha.session.headers['X-Auth-Token']}\r\n"
        sending = f"PUT /v2/images/{first['id']}/file HTTP/1.1\r\n{lines}"
        sending += "Content-Type: application/octet-stream\r\nContent-Length: 100\r\n\r\nhalf"
        with socket.create_connection(region.address) as connection:
            connection.sendall(sending.encode())
            poll(lambda: alpha.show(first["id"])["status"] == "saving")
            refused = alpha.upload(second["id"], b"data")
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
            assert alpha.show(second["id"])["status"] == "queued"
        poll(lambda: alpha.upload(second["id"], b"data").status_code == 204)
        with socket.create_connection(region.address) as connection:
            connection.sendall(f"GET /v2/images/{big['id']}/file HTTP/1.1\r\n{lines}\r\n".encode())
            connection.recv(1)
            refused = alpha.get(f"/v2/images/{second['id']}/file")
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
        poll(lambda: alpha.get(f"/v2/images/{second['id']}/file").content == b"data")
