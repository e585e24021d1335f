"""Creating an image together with its data: both, or nothing."""

from __future__ import annotations

from functools import partial

import pytest

from ecl import exceptions
from support.http_stub import Answer
from support.upload_stub import BACKED, DATA, IMAGE, QCOW2, described, script_upload, sent


@pytest.fixture
def service(stub):
    """A function that scripts the image before and after, and the answers to the upload."""
    return partial(script_upload, stub)


@pytest.fixture
def creation(stub, service):
    """A function that scripts the creation of an image with data."""

    def script(*answers, images=None):
        stub.on("POST", "/v2/images", Answer.json(IMAGE, 201))
        stub.on("DELETE", "/v2/images/abc", Answer(204))
        service(*answers, images=images or [described()])

    return script


@pytest.mark.parametrize(
    ("data", "attrs", "sent_formats"),
    [
        (DATA, {}, ("raw", "bare")),
        (QCOW2, {}, ("qcow2", "bare")),
        (DATA, {"disk_format": "raw", "container_format": "ovf"}, ("raw", "ovf")),
        (DATA, {"disk_format": "ami"}, ("ami", "bare")),
    ],
)
def test_create(data, attrs, sent_formats, proxy, stub, creation):
    """The formats are those of the content unless they are given; the image is returned active."""
    creation(images=[described(data)])
    image = proxy.create_image(name="disk", data=data, **attrs)
    created = stub.requests[0].json

    assert (created["disk_format"], created["container_format"]) == sent_formats
    assert "data" not in created
    assert image.image_status == "active"
    assert stub.lines == ["POST /v2/images", "PUT /v2/images/abc/file", "GET /v2/images/abc"]


def test_create_from_what_is_read_once(proxy, stub, creation):
    """The format is found without losing a byte."""
    creation()
    proxy.create_image(data=iter([DATA[:10], DATA[10:]]))

    assert sent(stub)[0].body == DATA


@pytest.mark.parametrize("content", [BACKED])
def test_create_of_refused_content(content, proxy, stub):
    """What is refused here makes no image at all."""
    with pytest.raises(exceptions.InvalidRequest, match="not safe"):
        proxy.create_image(data=content)

    assert stub.requests == []


@pytest.mark.parametrize("answer", [Answer(413, b"no"), Answer(409, b"no"), Answer(500, b"no")])
def test_create_is_taken_back(answer, proxy, stub, creation):
    """An image whose upload fails is deleted again."""
    creation(answer, images=[IMAGE])
    with pytest.raises(exceptions.HttpException, match="no") as caught:
        proxy.create_image(data=DATA)

    assert stub.last.line == "DELETE /v2/images/abc"
    assert not hasattr(caught.value, "__notes__")


def test_create_is_taken_back_after_a_mismatch(proxy, stub, creation):
    """An image with damaged data is deleted again."""
    creation(images=[described(os_hash_value="0" * 128)])
    with pytest.raises(exceptions.DigestMismatch):
        proxy.create_image(data=DATA)

    assert stub.last.line == "DELETE /v2/images/abc"


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ZeroDivisionError])
def test_create_is_taken_back_after_anything(error, proxy, stub, creation):
    """Ctrl-C takes the image back, too."""

    def interrupt(done, total):
        raise error

    creation()
    with pytest.raises(error):
        proxy.create_image(data=DATA, progress=interrupt)

    assert stub.last.line == "DELETE /v2/images/abc"


def test_create_is_gone_already(proxy, stub, creation):
    """An image that is gone needs not be taken back."""
    creation(Answer(413, b"no"), images=[IMAGE])
    stub.on("DELETE", "/v2/images/abc", Answer(404))
    with pytest.raises(exceptions.TooLargeException) as caught:
        proxy.create_image(data=DATA)

    assert not hasattr(caught.value, "__notes__")


def test_create_cannot_be_taken_back(proxy, stub, creation, pauses):
    """If the image cannot be deleted again, the error says which one is left."""
    creation(Answer(413, b"no"), images=[IMAGE])
    stub.on("DELETE", "/v2/images/abc", Answer(500, b"sorry"))
    with pytest.raises(exceptions.TooLargeException) as caught:
        proxy.create_image(data=DATA)

    (note,) = caught.value.__notes__
    assert "Image abc could not be deleted again" in note
    assert "delete it by hand" in note
