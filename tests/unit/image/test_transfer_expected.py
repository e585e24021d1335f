"""What the user expects of the data: a disk, a size, hashes. Anything else never becomes an active image."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import tarfile
import zipfile

import pytest

from ecl import exceptions
from support.http_stub import Answer
from support.upload_stub import DATA, IMAGE, described, script_upload, sent

PAGE = b"\n<!DOCTYPE html><html><body>404 Not Found</body></html>"
SHA256, SHA512, MD5 = (hashlib.new(name, DATA).hexdigest() for name in ("sha256", "sha512", "md5"))


def _zip() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("disk.raw", DATA)
    return file.getvalue()


def _tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("disk.raw"))
    return file.getvalue()


#: What is no disk, and what it is said to be.
FOREIGN = [
    (gzip.compress(DATA), "is compressed with gzip: give decompress=True"),
    (bz2.compress(DATA), "is compressed with bzip2: give decompress=True"),
    (lzma.compress(DATA), "is compressed with xz: give decompress=True"),
    (b"\x28\xb5\x2f\xfd" + DATA, "is compressed with zstd: give decompress=True"),
    (_zip(), "is a zip archive, not a disk: unpack it"),
    (_tar(), "is a tar archive, not a disk: unpack it"),
    (b"7z\xbc\xaf\x27\x1c" + DATA, "is a 7z archive"),
    (PAGE, "is a web page or XML, not a disk"),
]
TEXTS = [b"hello\n", "Grüße\n".encode() * 1000, b"a" * 5000]


def script(stub, data=DATA, image=IMAGE):
    """Script a service that takes what is sent, for a new image and for one that is there."""
    stub.on("POST", "/v2/images", Answer.json(IMAGE, 201))
    stub.on("DELETE", "/v2/images/abc", Answer(204))
    script_upload(stub, images=[image, described(data)])
    stub.on("PUT", "/v2/images/abc/stage", Answer(204))


@pytest.mark.parametrize(("data", "words"), FOREIGN)
@pytest.mark.parametrize("once", [False, True])
def test_no_disk(data, words, once, proxy, stub):
    """What is no disk is named for what it is by create, upload and stage, whatever disk it is said to be; not sent."""
    script(stub, image={**IMAGE, "disk_format": "qcow2"})
    calls = [
        lambda data: proxy.create_image(data=data),
        lambda data: proxy.create_image(data=data, disk_format="raw"),
        lambda data: proxy.upload_image("abc", data),
        lambda data: proxy.stage_image("abc", data),
    ]
    for call in calls:
        script(stub, image={**IMAGE, "disk_format": "qcow2"})
        with pytest.raises(exceptions.InvalidRequest, match=words):
            call(iter([data]) if once else data)

    assert {request.method for request in stub.requests} == {"GET"}


@pytest.mark.parametrize(("data", "words"), FOREIGN)
def test_no_disk_is_forced(data, words, proxy, stub):
    """force sends it as it is."""
    script(stub, data, image=described(data))
    proxy.create_image(data=data, force=True)

    assert sent(stub)[0].body == data


@pytest.mark.parametrize("data", TEXTS)
def test_text(data, proxy, stub):
    """Text is refused unless the user says what disk it is: then it can be right."""
    with pytest.raises(exceptions.InvalidRequest, match="is text, not a disk: if it is one all the same, give disk_f"):
        proxy.create_image(data=data)
    assert stub.requests == []

    script(stub, data, image=described(data))
    proxy.create_image(data=data, disk_format="raw")
    assert sent(stub)[0].body == data


@pytest.mark.parametrize("formats", [{"disk_format": "ari", "container_format": "ari"}, {"disk_format": "aki"},
                                     {"disk_format": "raw", "container_format": "compressed"}])  # fmt: skip
def test_what_may_be_compressed(formats, proxy, stub):
    """A kernel, a RAM disk and a compressed container are compressed by right."""
    data = gzip.compress(DATA)
    script(stub, data, image=described(data))

    assert proxy.create_image(data=data, **formats).image_status == "active"


def test_archive_in_a_compressed_file(proxy, stub):
    """What is seen is what would be sent."""
    with pytest.raises(exceptions.InvalidRequest, match="is a tar archive"):
        proxy.create_image(data=gzip.compress(_tar()), decompress=True)

    assert stub.requests == []


@pytest.mark.parametrize("expected", [{"size": len(DATA)}, {"sha256": SHA256.upper()}, {"sha512": SHA512},
                                      {"md5": MD5}, {"size": len(DATA), "sha256": SHA256, "md5": MD5}])  # fmt: skip
@pytest.mark.parametrize("once", [False, True])
def test_as_expected(expected, once, proxy, stub):
    """Data with the expected size and hashes is sent whole."""
    script(stub)
    proxy.upload_image("abc", iter([DATA]) if once else DATA, **expected)

    assert sent(stub)[0].body == DATA


@pytest.mark.parametrize("put", ["upload", "stage", "create"])
@pytest.mark.parametrize("expected", [{"sha256": "0" * 64}, {"sha512": "0" * 128}, {"md5": "0" * 32},
                                      {"size": len(DATA) + 1}, {"size": len(DATA) - 1}])  # fmt: skip
@pytest.mark.parametrize("once", [False, True])
def test_not_as_expected(put, expected, once, proxy, stub):
    """Of other data the service never gets the last block; an image that was created is deleted."""
    script(stub)
    data = iter([DATA[:2_000_000], DATA[2_000_000:]]) if once else DATA
    calls = {
        "upload": lambda: proxy.upload_image("abc", data, **expected),
        "stage": lambda: proxy.stage_image("abc", data, **expected),
        "create": lambda: proxy.create_image(data=data, **expected),
    }
    (name,) = expected
    with pytest.raises(exceptions.FileFailure, match=rf"has .*{'bytes, not' if name == 'size' else name}"):
        calls[put]()
    made = [request.method for request in stub.requests if request.method in ("POST", "DELETE")]
    stub.hang_up()

    assert sent(stub) == []
    assert made in ([], ["POST", "DELETE"])


def test_declared_size(proxy, stub):
    """A size that the source cannot say itself is declared to the service, and no chunks are sent."""
    script(stub)
    proxy.upload_image("abc", iter([DATA]), size=len(DATA))
    (request,) = sent(stub)

    assert request.headers["content-length"] == str(len(DATA))
    assert request.headers["x-openstack-image-size"] == str(len(DATA))
    assert "transfer-encoding" not in request.headers


@pytest.mark.parametrize("expected", [{"sha256": "0"}, {"sha256": "x" * 64}, {"md5": 5}, {"size": -1},
                                      {"size": "5"}, {"size": True}])  # fmt: skip
def test_expectation_that_is_none(expected, proxy, stub):
    """What cannot be a size or a hash is refused before anything is sent."""
    (name,) = expected
    for call in (proxy.upload_image, proxy.stage_image):
        with pytest.raises(exceptions.InvalidRequest, match=f"{name} must be"):
            call("abc", DATA, **expected)
    with pytest.raises(exceptions.InvalidRequest, match=f"{name} must be"):
        proxy.create_image(data=DATA, **expected)

    assert stub.requests == []


@pytest.mark.parametrize("expected", [{"sha256": SHA256}, {"size": 5}, {"md5": MD5}, {"sha512": SHA512}])
def test_expectation_without_data(expected, proxy, stub):
    """Without data there is nothing to expect: no image is made."""
    with pytest.raises(exceptions.InvalidRequest, match="is about the data: give data as well"):
        proxy.create_image(name="x", **expected)

    assert stub.requests == []


@pytest.mark.parametrize("data", [b"", [], iter([]), list])
def test_empty_is_not_created(data, proxy, stub):
    """No bytes make no image."""
    with pytest.raises(exceptions.InvalidRequest, match="is empty; give allow_empty=True"):
        proxy.create_image(data=data)

    assert stub.requests == []


def test_stage_again(proxy, stub, pauses):
    """Staging is tried again as an upload is, as long as the image is queued."""
    stub.on("GET", "/v2/images/abc", Answer.json(IMAGE), Answer.json(IMAGE),
            Answer.json({**IMAGE, "status": "uploading", "size": len(DATA)}))  # fmt: skip
    stub.on("PUT", "/v2/images/abc/stage", Answer.drop(), Answer(204))

    assert proxy.stage_image("abc", DATA).image_status == "uploading"
    assert [request.body for request in sent(stub)] == [DATA, DATA]
