"""Sending data: what goes over the wire, what is tried again, what is verified."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from functools import partial

import pytest

from ecl import exceptions
from ecl.image.transfer import upload as upload_function
from ecl.image.v2.image import Image
from support.http_stub import Answer
from support.upload_stub import BACKED, DATA, IMAGE, QCOW2, described, script_upload, sent

FILE = "/v2/images/abc/file"


@pytest.fixture
def service(stub):
    """A function that scripts the image before and after, and the answers to the upload."""
    return partial(script_upload, stub)


@pytest.fixture(autouse=True)
def no_threads_left():
    """Whatever happens, no thread of an upload is left, not even a daemon."""
    before = {thread for thread in threading.enumerate() if thread.name.startswith("digest")}
    yield
    assert {thread for thread in threading.enumerate() if thread.name.startswith("digest")} == before


# --- what goes over the wire ------------------------------------------------------------------------------


def test_known_size(proxy, stub, service):
    """Data of known size is declared, in both headers that services look at."""
    service()
    proxy.upload_image("abc", DATA)
    (request,) = sent(stub)

    assert request.body == DATA
    assert request.headers["content-length"] == str(len(DATA))
    assert request.headers["x-openstack-image-size"] == str(len(DATA))
    assert request.headers["content-type"] == "application/octet-stream"
    assert request.headers["accept"] == "application/json"
    assert "transfer-encoding" not in request.headers


def test_unknown_size(proxy, stub, service):
    """Data of unknown size is sent in chunks."""
    service()
    proxy.upload_image("abc", (DATA[start : start + 99_999] for start in range(0, len(DATA), 99_999)))
    (request,) = sent(stub)

    assert request.body == DATA
    assert request.headers["transfer-encoding"] == "chunked"
    assert "content-length" not in request.headers
    assert "x-openstack-image-size" not in request.headers


@pytest.mark.parametrize("data", [b"", io.BytesIO(), [], iter([b""])])
def test_empty(data, proxy, stub, service):
    """Nothing is refused, and no image is active without a byte; it is one if that is allowed."""
    service(images=[IMAGE])
    with pytest.raises(exceptions.InvalidRequest, match="is empty; give allow_empty=True"):
        proxy.upload_image("abc", data if not hasattr(data, "__next__") else iter([]))
    stub.hang_up()
    assert sent(stub) == []

    service(images=(IMAGE, described(b"")))
    assert proxy.upload_image("abc", data, allow_empty=True).size == 0
    assert sent(stub)[0].body == b""


def test_pipe(proxy, stub, service):
    """A pipe can be sent."""
    service()
    reading, writing = os.pipe()
    writer = threading.Thread(target=lambda: (os.write(writing, DATA[:1000]), os.close(writing)))
    writer.start()
    service(images=(IMAGE, described(DATA[:1000])))
    with os.fdopen(reading, "rb") as file:
        proxy.upload_image("abc", file)
    writer.join()

    assert sent(stub)[0].body == DATA[:1000]


def test_result(proxy, service, conn):
    """The image is returned as it is then; the same by the function and by the image's own method."""
    service()
    assert dict(proxy.upload_image(Image.existing(id="abc"), DATA)) == described()
    service()
    assert dict(upload_function(conn.session, "abc", DATA)) == described()
    service()
    image = Image()
    assert image.upload(conn.session, "abc", DATA) is image
    assert dict(image) == described()


def test_progress(proxy, service):
    """Progress ends with everything."""
    service()
    told = []
    proxy.upload_image("abc", DATA, progress=lambda done, total: told.append((done, total)))

    assert told[-1] == (len(DATA), len(DATA))
    assert all(total == len(DATA) for _, total in told)


# --- before the first byte --------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["active", "saving", "deactivated", "importing"])
def test_image_is_not_queued(status, proxy, stub, service):
    """Only a queued image takes data; nothing is sent to another."""
    service(images=[{**IMAGE, "status": status}])
    with pytest.raises(exceptions.ConflictException, match=f"is {status}; .* only while it is queued"):
        proxy.upload_image("abc", DATA)

    assert sent(stub) == []


@pytest.mark.parametrize(
    ("content", "declared", "words"),
    [
        (BACKED, "qcow2", "not safe"),
        (BACKED, "raw", "not safe"),
        (DATA, "qcow2", "is raw, but the image says disk_format qcow2"),
        (QCOW2, "vmdk", "is qcow2, but the image says disk_format vmdk"),
    ],
)
def test_content_is_refused(content, declared, words, proxy, stub, service):
    """Dangerous content, and content of another format, is refused before it is sent; force sends it."""
    service(images=[{**IMAGE, "disk_format": declared}])
    with pytest.raises(exceptions.InvalidRequest, match=words):
        proxy.upload_image("abc", content)
    assert sent(stub) == []

    service(images=[{**IMAGE, "disk_format": declared}, described(content)])
    proxy.upload_image("abc", content, force=True)
    assert sent(stub)[0].body == content


@pytest.mark.parametrize("image", [{"disk_format": "ami"}, {"container_format": "ovf", "disk_format": "qcow2"}])
def test_content_that_nobody_looks_at(image, proxy, stub, service):
    """What the inspector does not know, or what is wrapped, is sent as it is."""
    service(images=[{**IMAGE, **image}, described()])
    proxy.upload_image("abc", DATA)

    assert sent(stub)[0].body == DATA


# --- what is tried again ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "trouble", [Answer(429), Answer(503), Answer(502), Answer.drop(), Answer.drop(reads=1_000_000)]
)
def test_second_try(trouble, proxy, stub, service, pauses):
    """A source that can be read again is sent again, from its start."""
    service(trouble, Answer(204), images=(IMAGE, IMAGE, described()))

    assert proxy.upload_image("abc", DATA).image_status == "active"
    assert sent(stub)[-1].body == DATA
    assert len(sent(stub)) == 2


def test_last_try(proxy, stub, service, pauses):
    """After four tries the failure is raised."""
    service(Answer(503, b"busy"), images=[IMAGE])
    with pytest.raises(exceptions.ServerException, match="busy"):
        proxy.upload_image("abc", DATA)

    assert len(sent(stub)) == 4


def test_service_that_takes_its_time(proxy, stub, service, pauses):
    """While the service still counts on the first try, the second one waits."""
    saving = {**IMAGE, "status": "saving"}
    service(Answer.drop(), Answer(204), images=(IMAGE, saving, saving, IMAGE, described()))
    proxy.upload_image("abc", DATA)

    assert pauses[:2] == [0.5, 1.0]


@pytest.mark.parametrize("trouble", [Answer(503, b"busy"), Answer.drop()])
def test_source_that_can_be_read_once(trouble, proxy, stub, service, pauses):
    """What can be read once is sent once."""
    service(trouble, images=[IMAGE])
    with pytest.raises((exceptions.ServerException, exceptions.ConnectFailure)):
        proxy.upload_image("abc", iter([DATA]))

    assert len(sent(stub)) == 1


@pytest.mark.parametrize(
    ("status", "cls"),
    [
        (409, exceptions.ConflictException),
        (413, exceptions.TooLargeException),
        (403, exceptions.ForbiddenException),
        (415, exceptions.UnsupportedMediaException),
        (410, exceptions.GoneException),
        (500, exceptions.ServerException),
    ],
)
@pytest.mark.parametrize("reads", [None, 0, 100_000])
@pytest.mark.parametrize("once", [False, True])
def test_refused(status, cls, reads, once, proxy, stub, service, pauses):
    """A refusal is raised and not tried again, also when it comes before all has been sent."""
    service(Answer(status, b"no", reads=reads), images=[IMAGE])
    with pytest.raises(cls, match="no"):
        proxy.upload_image("abc", iter([DATA]) if once else DATA)

    assert len(sent(stub)) == 1


def test_lost_answer(proxy, stub, service, pauses):
    """If only the answer was lost, the image is active; it is verified and not sent again."""
    service(Answer.drop(), images=(IMAGE, described()))

    assert proxy.upload_image("abc", DATA).size == len(DATA)
    assert len(sent(stub)) == 1


def test_lost_answer_to_other_bytes(proxy, stub, service, pauses):
    """An image that is active after a lost answer, but with other bytes, is a mismatch."""
    service(Answer.drop(), images=(IMAGE, described(DATA[:-1] + b"x")))
    with pytest.raises(exceptions.DigestMismatch):
        proxy.upload_image("abc", DATA)


def test_deleted_meanwhile(proxy, stub, service, pauses):
    """An image that was deleted meanwhile is ResourceNotFound, not a try after the other."""
    stub.on("GET", "/v2/images/abc", Answer.json(IMAGE), Answer(404))
    stub.on("PUT", FILE, Answer.drop())
    with pytest.raises(exceptions.ResourceNotFound):
        proxy.upload_image("abc", DATA)

    assert len(sent(stub)) == 1


def test_redirected(proxy, stub, service):
    """A redirect is no success: nothing was taken."""
    service(Answer(302, headers={"Location": "/elsewhere"}), images=[IMAGE])
    with pytest.raises(exceptions.InvalidResponse, match="302"):
        proxy.upload_image("abc", DATA)


def test_not_active_afterwards(proxy, service, pauses):
    """An image that is not active after all was taken is an error, not a result."""
    service(images=[IMAGE])
    with pytest.raises(exceptions.InvalidResponse, match="is queued, not active"):
        proxy.upload_image("abc", DATA)


def test_slow_upload(proxy, stub, service, pauses):
    """A limited upload sleeps for short times only, so that the connection is not silent and Ctrl-C is heard."""
    service()
    told = []
    proxy.upload_image("abc", DATA, max_bandwidth=400_000, progress=lambda done, total: told.append(done))

    assert sent(stub)[0].body == DATA
    assert max(pauses) <= 0.25
    assert sum(pauses) > len(DATA) / 400_000 - 1


# --- sources that fail ------------------------------------------------------------------------------------


def test_source_that_fails(proxy, stub, service, pauses):
    """What goes wrong in the source is raised as it is, not as a broken connection; and not tried again."""

    def blocks():
        yield DATA
        yield "text"

    service(Answer(204), images=[{**IMAGE, "container_format": "ovf"}])
    with pytest.raises(exceptions.InvalidRequest, match="yields str"):
        proxy.upload_image("abc", blocks())


@pytest.mark.parametrize("change", [-100_000, 100_000])
def test_file_that_changes(change, proxy, stub, service, tmp_path, pauses):
    """Of a file that changes while it is sent, the service never gets a whole image."""
    path = tmp_path / "disk"
    path.write_bytes(DATA * 4)
    service(Answer(204), images=[{**IMAGE, "container_format": "ovf"}])
    told = []

    def shrink(done, total):
        if not told:
            os.truncate(path, total + change)
        told.append(done)

    with pytest.raises(exceptions.FileFailure, match="changed while it was read"):
        proxy.upload_image("abc", path, progress=shrink)

    stub.hang_up()
    assert sent(stub) == []


# --- verification -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"os_hash_algo": "sha256", "os_hash_value": hashlib.sha256(DATA).hexdigest()},
        {"os_hash_algo": None, "os_hash_value": None},
        {"os_hash_algo": "whirlpool-9", "os_hash_value": "0"},
        {"os_hash_algo": "shake_128", "os_hash_value": "0"},
        {"os_hash_algo": None, "os_hash_value": None, "checksum": None},
    ],
    ids=["sha512", "sha256", "md5 only", "unknown", "no length", "no hash"],
)
@pytest.mark.parametrize("once", [False, True])
def test_hashes_of_clouds(more, once, proxy, service):
    """Whatever hash a cloud has is compared; a cloud without any has at least a size."""
    for _ in range(2):
        service(images=(IMAGE, described(**more)))
        assert proxy.upload_image("abc", iter([DATA]) if once else DATA).size == len(DATA)


@pytest.mark.parametrize(
    "more",
    [
        {"os_hash_value": "0" * 128},
        {"os_hash_algo": "sha256", "os_hash_value": "0" * 64},
        {"os_hash_algo": None, "os_hash_value": None, "checksum": "0" * 32},
        {"size": len(DATA) - 1},
    ],
    ids=["sha512", "sha256", "md5 only", "size"],
)
def test_mismatch(more, proxy, service):
    """A hash or size that differs is a DigestMismatch that names the image."""
    service(images=(IMAGE, described(**more)))
    with pytest.raises(exceptions.DigestMismatch, match="abc"):
        proxy.upload_image("abc", DATA)


def test_mismatch_of_what_is_read_once(proxy, service):
    """What can be read once is compared by md5, where the cloud's other hash was not expected."""
    service(images=(IMAGE, described(os_hash_algo="sha256", os_hash_value="0" * 64, checksum="0" * 32)))
    with pytest.raises(exceptions.DigestMismatch, match="md5"):
        proxy.upload_image("abc", iter([DATA]))
