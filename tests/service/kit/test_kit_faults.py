"""Faults by rule and the journal, as a client and its test see them."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

import pytest

from ecl import exceptions
from ecl.image import Image
from ecl.image.v2._proxy import Proxy
from ecl.testing import ImageService, Refused

DATA = bytes(range(256)) * 2048
FILE = "/v2/images/*/file"


@pytest.fixture
def proxy(service: ImageService) -> Proxy:
    return service.connect().image


@pytest.fixture
def image(proxy: Proxy) -> Image:
    return proxy.create_image(name="kit", data=DATA, disk_format="raw", container_format="bare")


def raw(service: ImageService, image: Image, method: str = "GET", body: bytes | None = None) -> tuple[int, bytes]:
    """Send one request for the data of *image* without the SDK, which would repeat it; return status and body."""
    token = service.connect().authorize()
    connection = http.client.HTTPConnection(urlsplit(service.url).netloc, timeout=30)
    headers = {"X-Auth-Token": token or "", "Content-Type": "application/octet-stream"}
    try:
        connection.request(method, f"/image/jp1/v2/images/{image.id}/file", body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_status(service: ImageService, proxy: Proxy) -> None:
    """The service answers with that status and those headers, so often, and does not get the request."""
    service.faults.add("POST", "/v2/images", status=403, headers={"X-Why": "test"}, times=1)

    with pytest.raises(exceptions.ForbiddenException):
        proxy.create_image(name="kit", disk_format="raw")
    assert list(proxy.images()) == []
    assert proxy.create_image(name="kit", disk_format="raw").name == "kit"


@pytest.mark.parametrize("after", [0, 1, 100_000, len(DATA) - 1])
def test_download_cut(service: ImageService, image: Image, after: int) -> None:
    """So many bytes of the answer arrive, then the connection ends."""
    service.faults.add("GET", FILE, after=after)

    with pytest.raises(http.client.IncompleteRead) as caught:
        raw(service, image)
    assert caught.value.partial == DATA[:after]


def test_the_sdk_resumes(service: ImageService, proxy: Proxy, image: Image) -> None:
    """A download that is cut once goes on where it was, and the journal shows both requests."""
    service.faults.add("GET", FILE, after=100_000, times=1)
    service.requests.clear()

    assert proxy.download_image(image) == DATA
    seen = [(each.status, each.sent) for each in service.requests if each.path.endswith("/file")]
    assert seen == [(200, 100_000), (206, len(DATA) - 100_000)]


def test_cut_before_the_answer(service: ImageService, image: Image) -> None:
    """Without *after* the client gets no answer at all, and the service no request."""
    service.faults.add("GET", FILE, cut=True)

    with pytest.raises(http.client.RemoteDisconnected):
        raw(service, image)
    assert service.requests[-1].status == 0
    assert "ASGI" not in service.log


@pytest.mark.parametrize("after", [None, 0, 255, len(DATA) - 1])
def test_flip(service: ImageService, image: Image, after: int | None) -> None:
    """One byte of the answer differs from the image's data, in one bit."""
    service.faults.add("GET", FILE, flip=True, after=after)
    status, data = raw(service, image)
    place = after or 0

    assert status == 200
    assert [at for at, (one, other) in enumerate(zip(DATA, data, strict=True)) if one != other] == [place]
    assert (data[place] ^ DATA[place]).bit_count() == 1


def test_the_sdk_finds_a_flipped_bit(service: ImageService, proxy: Proxy, image: Image) -> None:
    """A download whose bytes are not the image's is an error."""
    service.faults.add("GET", FILE, flip=True, after=5000)

    with pytest.raises(exceptions.DigestMismatch):
        proxy.download_image(image)


def test_upload_cut(service: ImageService, proxy: Proxy) -> None:
    """An upload that is cut in the middle leaves no data, and can be repeated."""
    image = proxy.create_image(name="kit", disk_format="raw", container_format="bare")
    service.faults.add("PUT", FILE, after=100_000, times=1)

    with pytest.raises((ConnectionError, http.client.HTTPException)):
        raw(service, image, "PUT", DATA)
    assert service.requests[-1].received < len(DATA)
    proxy.upload_image(image, DATA)
    assert proxy.download_image(image) == DATA


def test_upload_flipped(service: ImageService, proxy: Proxy) -> None:
    """A bit that is changed on the way is found by the client's own hash."""
    service.faults.add("PUT", FILE, flip=True, after=70_000)

    with pytest.raises(exceptions.DigestMismatch):
        proxy.create_image(name="kit", data=DATA, disk_format="raw")


def test_status_in_an_upload(service: ImageService, proxy: Proxy) -> None:
    """The service can refuse an upload after so many bytes."""
    image = proxy.create_image(name="kit", disk_format="raw", container_format="bare")
    service.faults.add("PUT", FILE, status=413, after=1000)

    assert raw(service, image, "PUT", DATA)[0] == 413
    assert proxy.get_image(image.id or "").status == "queued"


def test_delay(service: ImageService, proxy: Proxy, image: Image) -> None:
    """A request waits, and is answered as ever."""
    service.faults.add("GET", FILE, delay=0.2, after=10)

    assert proxy.download_image(image) == DATA
    assert service.requests[-1].seconds >= 0.2


def test_a_region_of_its_own(service: ImageService) -> None:
    """A path with its region fails in that region only."""
    service.faults.add("GET", "/image/jp2/*", status=403)

    assert list(service.connect("jp1").image.images()) == []
    with pytest.raises(exceptions.ForbiddenException):
        list(service.connect("jp2").image.images())


def test_rules_seen_from_the_test(service: ImageService) -> None:
    """Rules can be listed and removed; what makes no sense, or is gone, is refused."""
    fault = service.faults.add("GET", FILE, after=5)

    assert fault.cut
    assert service.faults.list() == [fault]
    service.faults.remove(fault)
    assert service.faults.list() == []
    with pytest.raises(Refused, match=f"There is no fault {fault.id}"):
        service.faults.remove(fault)
    with pytest.raises(Refused, match="A fault needs a delay"):
        service.faults.add("GET")


def test_journal(service: ImageService, proxy: Proxy) -> None:
    """The journal has each request with what it was and what became of it, and none of the kit's own."""
    image = proxy.create_image(name="kit", data=DATA, disk_format="raw", container_format="bare")
    service.requests.clear()
    list(proxy.images(name="kit", limit=5))
    raw(service, image)
    listing, *_, download = service.requests

    assert (listing.method, listing.path, listing.status) == ("GET", "/image/jp1/v2/images", 200)
    assert "name=kit" in listing.query
    assert listing.user_agent.startswith("ecl-image/")
    assert listing.request_id.startswith("req-")
    assert (download.sent, download.received, download.ended, download.fault) == (len(DATA), 0, True, None)
    service.requests.clear()
    assert len(service.requests) == 0
