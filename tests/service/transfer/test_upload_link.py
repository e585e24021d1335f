"""Uploads over a network that breaks: the image is active with the right bytes, or queued and empty."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ecl import _http, exceptions
from ecl.image.v2._proxy import Proxy
from ecl.image.v2.image import Image
from ecl.testing import ImageService
from support.faulty_proxy import Fault, FaultyProxy
from support.transfers import DATA, NewImage, left_threads

_MIB = 1 << 20


def _as_bytes(folder: Path) -> Any:
    return DATA


def _as_path(folder: Path) -> Any:
    path = folder / "disk.raw"
    path.write_bytes(DATA)
    return path


def _as_file(folder: Path) -> Any:
    file = io.BytesIO(b"before" + DATA)
    file.seek(6)
    return file


def _as_callable(folder: Path) -> Any:
    return lambda: iter([DATA[:3_000_000], DATA[3_000_000:]])


def _as_iterator(folder: Path) -> Any:
    return (DATA[at : at + 100_000] for at in range(0, len(DATA), 100_000))


REWINDABLE = [_as_bytes, _as_path, _as_file, _as_callable]


def check_active(proxy: Proxy, image: Image | str, data: bytes = DATA) -> None:
    """The image is active, with these bytes."""
    seen = proxy.get_image(image)
    assert (seen.image_status, seen.size) == ("active", len(data))
    assert seen.checksum == hashlib.md5(data).hexdigest()


@pytest.mark.parametrize("source", [*REWINDABLE, _as_iterator])
def test_one_pass(
    behind: Proxy, direct: Proxy, link: FaultyProxy, new_image: NewImage, tmp_path: Path,
    source: Callable[[Path], Any],
) -> None:  # fmt: skip
    """Every kind of source is sent once; its size is declared where it is known."""
    image = new_image()

    assert behind.upload_image(image, source(tmp_path)).image_status == "active"

    check_active(direct, image)
    (put,) = [each for each in link.requests if each.method == "PUT"]
    size = str(len(DATA)) if source in (_as_bytes, _as_path, _as_file) else None
    assert (put.headers.get("content-length"), put.headers.get("x-openstack-image-size")) == (size, size)


@pytest.mark.parametrize("source", REWINDABLE)
@pytest.mark.parametrize("at", [0, 3_000_000, len(DATA) - 1])
def test_cut_upload(
    behind: Proxy, direct: Proxy, link: FaultyProxy, new_image: NewImage, tmp_path: Path,
    source: Callable[[Path], Any], at: int,
) -> None:  # fmt: skip
    """What can be read again is sent again from its start when the connection breaks."""
    image = new_image()
    link.add(Fault("PUT", cut_request_at=max(at, 1)))

    behind.upload_image(image, source(tmp_path))

    check_active(direct, image)
    # One more where the service hears of the broken attempt only after it has refused the next.
    assert [each.method for each in link.requests].count("PUT") in (2, 3)


def test_cut_upload_that_is_noticed_late(
    behind: Proxy, direct: Proxy, link: FaultyProxy, new_image: NewImage, tmp_path: Path
) -> None:
    """Where the service begins with the attempt that broke only when the next one comes, a third is made."""
    image = new_image()
    link.add(Fault("PUT", cut_request_at=1), Fault("PUT", answer=409))

    behind.upload_image(image, _as_bytes(tmp_path))

    check_active(direct, image)
    assert [each.method for each in link.requests].count("PUT") == 3


def test_conflict_at_first_is_no_late_notice(
    behind: Proxy, direct: Proxy, link: FaultyProxy, new_image: NewImage, tmp_path: Path
) -> None:
    """A conflict that no attempt of ours can have caused is the answer."""
    image = new_image()
    link.add(Fault("PUT", answer=409))

    with pytest.raises(exceptions.ConflictException):
        behind.upload_image(image, _as_bytes(tmp_path))

    assert direct.get_image(image).image_status == "queued"


def test_cut_upload_of_what_is_read_once(
    behind: Proxy, direct: Proxy, link: FaultyProxy, new_image: NewImage, tmp_path: Path
) -> None:
    """What can be read only once is an error then, and the image is queued and without data."""
    image = new_image()
    link.add(Fault("PUT", cut_request_at=3_000_000))

    with pytest.raises(exceptions.ConnectFailure):
        behind.upload_image(image, _as_iterator(tmp_path))

    assert direct.wait_for_image(image, "queued").size is None
    assert left_threads() == []


@pytest.mark.parametrize("declared", [True, False])
def test_short_upload_is_refused(service: ImageService, direct: Proxy, new_image: NewImage, declared: bool) -> None:
    """The service takes no upload for whole that brings fewer bytes than were declared."""
    image = new_image()
    headers = {"X-OpenStack-Image-Size": str(len(DATA) + 1)} if declared else {"Content-Length": str(len(DATA) - 1)}

    with pytest.raises((exceptions.BadRequestException, exceptions.ConnectFailure)):
        _http.request(
            direct.session,
            "PUT",
            f"/v2/images/{image.id}/file",
            service=Image.service,
            headers={"Content-Type": "application/octet-stream", **headers},
            data=iter([DATA[:-2]]) if not declared else DATA,
            timeout=(5, 5),
        )

    assert direct.wait_for_image(image, "queued").size is None


@pytest.mark.parametrize("source", [*REWINDABLE, _as_iterator])
def test_lost_answer(
    behind: Proxy, direct: Proxy, link: FaultyProxy, new_image: NewImage, tmp_path: Path,
    source: Callable[[Path], Any],
) -> None:  # fmt: skip
    """An upload whose answer is lost, but which arrived, is a success; nothing is sent twice."""
    image = new_image()
    link.add(Fault("PUT", lose_answer=True))

    assert behind.upload_image(image, source(tmp_path)).image_status == "active"

    check_active(direct, image)
    assert [each.method for each in link.requests].count("PUT") == 1


@pytest.mark.parametrize("source", REWINDABLE)
def test_lost_answer_to_the_last_attempt(
    behind: Proxy, direct: Proxy, link: FaultyProxy, new_image: NewImage, tmp_path: Path,
    source: Callable[[Path], Any],
) -> None:  # fmt: skip
    """Where the last attempt arrives and its answer is lost, that is a success, too, and there is no attempt more."""
    image = new_image()
    link.add(Fault("PUT", times=3, answer=503), Fault("PUT", times=None, lose_answer=True))

    assert behind.upload_image(image, source(tmp_path)).image_status == "active"

    check_active(direct, image)
    assert [each.method for each in link.requests].count("PUT") == 4


def test_overloaded_service(
    behind: Proxy, direct: Proxy, link: FaultyProxy, new_image: NewImage, pauses: list[float]
) -> None:
    """After 503 the upload waits as long as the service asks, and is sent again."""
    image = new_image()
    link.add(Fault("PUT", answer=503, headers={"Retry-After": "9"}))

    behind.upload_image(image, DATA)

    check_active(direct, image)
    assert 9.0 in pauses


def test_broken_for_good(behind: Proxy, direct: Proxy, link: FaultyProxy, new_image: NewImage) -> None:
    """An upload that breaks each time ends with an error after four attempts; the image is queued."""
    image = new_image()
    link.add(Fault("PUT", times=None, cut_request_at=100_000))

    with pytest.raises(exceptions.ConnectFailure):
        behind.upload_image(image, DATA)

    assert direct.wait_for_image(image, "queued").size is None
    assert [each.method for each in link.requests].count("PUT") == 4
    assert left_threads() == []


@pytest.mark.parametrize("progress", [None, lambda done, total: None])
def test_damaged_on_the_way(
    behind: Proxy, link: FaultyProxy, new_image: NewImage, monkeypatch: pytest.MonkeyPatch, progress: Any
) -> None:
    """Other bytes at the service than were read are noticed, whoever watches; the created image goes."""
    receive = FaultyProxy._send_body

    def damage(self: FaultyProxy, client: Any, service: Any, seen: Any, fault: Fault) -> None:
        body = client.body
        client.body = lambda *a, **k: (block[:-1] + bytes([block[-1] ^ 1]) for block in body(*a, **k))
        receive(self, client, service, seen, fault if seen.method == "PUT" else Fault())

    monkeypatch.setattr(FaultyProxy, "_send_body", lambda self, client, service, seen, fault: (
        damage if seen.method == "PUT" else receive)(self, client, service, seen, fault))  # fmt: skip

    with pytest.raises(exceptions.DigestMismatch):
        behind.create_image(name="damaged on the way", data=DATA, progress=progress)

    assert list(behind.images(name="damaged on the way")) == []


def test_standard_input(behind: Proxy, direct: Proxy, new_image: NewImage) -> None:
    """A pipe is sent as it comes, verified, with an unknown total."""
    image = new_image()
    reading, writing = os.pipe()
    seen: list[tuple[int, int | None]] = []

    def give() -> None:
        with os.fdopen(writing, "wb") as file:
            file.write(DATA)

    thread = threading.Thread(target=give)
    thread.start()
    with os.fdopen(reading, "rb", buffering=0) as file:
        behind.upload_image(image, file, progress=lambda *at: seen.append(at))
    thread.join()

    check_active(direct, image)
    assert seen[-1] == (len(DATA), len(DATA))
    assert {total for _, total in seen[:-1]} <= {None}


def test_early_refusal(behind: Proxy, link: FaultyProxy, new_image: NewImage) -> None:
    """A service that refuses at once is heard at once, not after the last byte."""
    image = new_image()
    link.add(Fault("PUT", answer=413))

    with pytest.raises(exceptions.TooLargeException):
        behind.upload_image(image, DATA)


def test_not_queued(behind: Proxy, link: FaultyProxy, shared_id: str) -> None:
    """An image that has data already is refused before a byte is sent."""
    with pytest.raises(exceptions.ConflictException, match="is active"):
        behind.upload_image(shared_id, DATA)

    assert [each.method for each in link.requests] == ["GET"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("no more")])
def test_source_fails(behind: Proxy, direct: Proxy, link: FaultyProxy, error: Any) -> None:
    """When the source fails in the middle, or Ctrl-C comes, the created image is deleted again, and no thread stays."""

    def blocks() -> Iterator[bytes]:
        yield DATA
        raise error

    with pytest.raises((KeyboardInterrupt, exceptions.FileFailure)):
        behind.create_image(name="failing", data=blocks(), disk_format="raw", force=True)

    assert list(direct.images(name="failing")) == []
    assert left_threads() == []


def test_max_bandwidth(direct: Proxy, new_image: NewImage, pauses: list[float]) -> None:
    """A limit makes the upload wait as long as its bytes take at that rate."""
    direct.upload_image(new_image(), DATA, max_bandwidth=_MIB)

    assert sum(pauses) >= 3


def test_every_problem_at_once(behind: Proxy, link: FaultyProxy, real_image: Any) -> None:
    """What is wrong with the content is named in one error, before anything is made or sent."""
    header = bytearray(real_image("backed").path.read_bytes())
    # The virtual size, of a qcow2.
    header[24:32] = (3 << 30).to_bytes(8, "big")

    with pytest.raises(exceptions.InvalidRequest) as caught:
        behind.create_image(data=bytes(header), disk_format="vmdk", min_disk=1)

    assert all(word in str(caught.value) for word in ("backing", "vmdk", "3 GB", "min_disk 1", "force"))
    assert [each.method for each in link.requests] == []
