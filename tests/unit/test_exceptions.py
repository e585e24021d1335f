"""From an error answer to an exception."""

from __future__ import annotations

import errno
import json
import pickle

import pytest

from ecl import exceptions
from support.http_stub import Answer


def error_of(proxy, stub, answer, call=None):
    """Return what a call raises when the service gives *answer*."""
    stub.on("GET", "/v2/images/abc", answer)
    with pytest.raises(exceptions.SDKException) as caught:
        proxy.get_image("abc")
    return caught.value


def say(body: str | bytes, kind: str, status: int = 400) -> Answer:
    """Return an error answer."""
    return Answer(status, body if isinstance(body, bytes) else body.encode(), {"Content-Type": kind} if kind else {})


GLANCE_HTML = (
    "<html>\n <head>\n  <title>404 Not Found</title>\n </head>\n <body>\n  <h1>404 Not Found</h1>\n"
    "  No image found with ID &#x27;zzz&#x27; &amp; co<br /><br />\n\n\n </body>\n</html>"
)

BODIES = {
    "flat JSON": (
        json.dumps({"message": "Image is protected.<br /><br />\n\n\n", "code": "403 Forbidden", "title": "Forbidden"}),
        "application/json",
        "Image is protected.",
    ),
    "sentence after the break": (
        json.dumps({"message": "The server could not comply.<br /><br />\nBad things: &quot;x&quot;", "code": "400"}),
        "application/json",
        'The server could not comply. Bad things: "x"',
    ),
    "HTML": (GLANCE_HTML, "text/html; charset=UTF-8", "No image found with ID 'zzz' & co"),
    "plain text": ("400 Bad Request\n\nNo such thing.\n\n   ", "text/plain; charset=UTF-8", "No such thing."),
    "plain text without a status": ("Authentication required", "text/plain", "Authentication required"),
    "nested by name": (
        json.dumps({"badRequest": {"message": "Too short.", "code": 400}}),
        "application/json",
        "Too short.",
    ),
    "Keystone": (
        json.dumps({"error": {"code": 401, "message": "No.", "title": "Unauthorized"}}),
        "application/json",
        "No.",
    ),
    "gateway fault": (
        json.dumps({"fault": {"faultstring": "Rate limit", "detail": {"errorcode": "policies.1"}}}),
        "application/json",
        "Rate limit",
    ),
    "IAM": (
        json.dumps({"errorMessage": "Not allowed by IAM", "errorCode": "X"}),
        "application/json",
        "Not allowed by IAM",
    ),
    "JSON with the wrong type": (json.dumps({"message": "As text"}), "text/html", "As text"),
    "no content type": ("Something", "", "Something"),
    "JSON without a message": (json.dumps({"code": 400}), "application/json", "Bad Request"),
    "JSON list": (json.dumps(["a"]), "application/json", "Bad Request"),
    "message is no text": (
        json.dumps({"message": {"deep": {"message": "Down here"}}}),
        "application/json",
        "Down here",
    ),
    "empty": ("", "text/html", "Bad Request"),
    "white space": (" \n ", "text/html", "Bad Request"),
    "not UTF-8": (b"caf\xe9 closed", "text/plain", "caf\ufffd closed"),
    "terminal codes": (json.dumps({"message": "\x1b[31mred\x07"}), "application/json", "[31mred"),
    "broken JSON": ('{"message": "cut o', "application/json", '{"message": "cut o'),
}


@pytest.mark.parametrize("name", BODIES)
def test_message(name, proxy, stub):
    """The service's own sentence is the message, whichever shape the body has."""
    body, kind, message = BODIES[name]

    assert error_of(proxy, stub, say(body, kind)).message.endswith(message)
    assert error_of(proxy, stub, say(body, kind)).message == message


@pytest.mark.parametrize(
    "body",
    [
        "word " * 1_000_000,
        json.dumps({"message": "word " * 1_000_000}),
        "<html><body>" + "<p>word</p>" * 200_000,
        "[" * 60_000,
        '{"a":' * 12_000,
    ],
    ids=["text", "JSON", "HTML", "deep list", "deep object"],
)
def test_huge_body(body, proxy, stub):
    """Of an endless error page the beginning is enough."""
    error = error_of(proxy, stub, say(body, "text/html"))

    assert isinstance(error, exceptions.BadRequestException)
    assert len(str(error)) < 2000


def test_huge_body_of_a_download(proxy, stub):
    """Of an error in place of an image's data no more is read than a message needs."""
    stub.on("GET", "/v2/images/abc", Answer.json({"id": "abc", "status": "active"}))
    stub.on("GET", "/v2/images/abc/file", say("sorry " + "x" * 50_000_000, "text/plain", 403))
    with pytest.raises(exceptions.ForbiddenException, match="sorry") as caught:
        proxy.download_image("abc")

    assert len(caught.value.response.content) <= 64 * 1024


@pytest.mark.parametrize(
    ("status", "cls"),
    [
        (400, exceptions.BadRequestException),
        (401, exceptions.UnauthorizedException),
        (403, exceptions.ForbiddenException),
        (404, exceptions.ResourceNotFound),
        (405, exceptions.ClientException),
        (409, exceptions.ConflictException),
        (410, exceptions.GoneException),
        (413, exceptions.TooLargeException),
        (415, exceptions.UnsupportedMediaException),
        (418, exceptions.ClientException),
        (429, exceptions.ClientException),
        (500, exceptions.ServerException),
        (501, exceptions.ServerException),
        (599, exceptions.ServerException),
    ],
)
def test_class_by_status(status, cls, proxy, stub):
    """Each status has its class, and the rest that of its family."""
    error = error_of(proxy, stub, say("no", "text/plain", status))

    assert type(error) is cls
    assert isinstance(error, exceptions.HttpException)
    assert error.http_status == status


def test_not_found_is_not_always_a_resource(proxy, stub):
    """A 404 of what was not asked for by ID or name is a plain NotFoundException."""
    stub.on("GET", "/v2/schemas/image", say("none", "text/plain", 404))
    with pytest.raises(exceptions.NotFoundException) as caught:
        proxy.get_image_schema()

    assert not isinstance(caught.value, exceptions.ResourceNotFound)


def test_what_an_error_tells(proxy, stub):
    """An error has method, URL, status, request ID and the service's words, and shows them."""
    answer = Answer.json({"message": "It is gone."}, 404, x_openstack_request_id="req-1")
    error = error_of(proxy, stub, answer)

    assert error.message == "No Image found for abc"
    assert error.details == "It is gone."
    assert (error.http_status, error.method, error.request_id) == (404, "GET", "req-1")
    assert error.url == f"{stub.url}/v2/images/abc"
    assert error.response.status_code == 404
    assert str(error) == (
        f"No Image found for abc It is gone. (HTTP 404, GET {stub.url}/v2/images/abc, request ID req-1)"
    )


def test_compute_request_id(proxy, stub):
    """The request ID is found under its old name, too."""
    assert error_of(proxy, stub, Answer(500, headers={"X-Compute-Request-Id": "req-2"})).request_id == "req-2"


def test_redirect_is_no_image(proxy, stub):
    """The versions document that a Glance sends for a path that it does not know is not taken for an image."""
    error = error_of(proxy, stub, Answer.json({"versions": []}, 300))

    assert isinstance(error, exceptions.InvalidResponse)
    assert error.http_status == 300
    assert "image service's address" in str(error)


@pytest.mark.parametrize("body", [b"", b"<html>portal</html>", b"{", b"[" * 100_000, b"\xff"])
def test_body_is_no_json(body, proxy, stub):
    """A success whose body is not JSON is an error that names the address."""
    error = error_of(proxy, stub, Answer(200, body, {"Content-Type": "text/html"}))

    assert isinstance(error, exceptions.InvalidResponse)
    assert f"{stub.url}/v2/images/abc is not JSON (text/html)" in str(error)


@pytest.mark.parametrize("content", [[], "text", 1, None, True])
def test_body_is_no_object(content, proxy, stub):
    """A success whose body is no object is an error."""
    assert isinstance(error_of(proxy, stub, Answer.json(content)), exceptions.InvalidResponse)


@pytest.mark.parametrize("content", [{}, {"images": {}}, {"images": None}, {"images": [1]}, {"images": ["id"]}, "x", 5])
def test_body_is_no_list(content, proxy, stub):
    """A list that is none is an error."""
    stub.on("GET", "/v2/images", Answer.json(content))
    with pytest.raises(exceptions.InvalidResponse, match="not a list"):
        list(proxy.images())


def test_default_messages():
    """An error without words has its name for a message."""
    assert exceptions.SDKException().message == "SDKException"
    assert str(exceptions.HttpException()) == "HttpException"
    assert exceptions.SDKException("a", cause=(cause := ValueError())).cause is cause


def test_method_not_supported():
    """The message names the operation and the class, for a class and for an instance."""
    from ecl.image.v2.tag import Tag

    words = "The create method is not supported for ecl.image.v2.tag.Tag"
    assert str(exceptions.MethodNotSupported(Tag, "create")) == words
    assert str(exceptions.MethodNotSupported(Tag(), "create")) == words


def test_file_failure_is_an_os_error() -> None:
    """FileFailure is an OSError with the system's errno and words, and says its own sentence."""
    cause = OSError(errno.ENOSPC, "No space left on device", "disk.raw")
    error = exceptions.FileFailure("disk.raw cannot be written", cause=cause)

    assert isinstance(error, OSError)
    assert (error.errno, error.strerror, error.filename) == (errno.ENOSPC, "No space left on device", "disk.raw")
    assert str(error) == error.message == "disk.raw cannot be written"
    assert error.cause is cause
    plain = exceptions.FileFailure("disk.raw changed")
    assert (str(plain), plain.errno, plain.cause) == ("disk.raw changed", None, None)


def test_resource_timeout_is_a_timeout_error() -> None:
    """ResourceTimeout is a TimeoutError, and says its own sentence."""
    error = exceptions.ResourceTimeout("Timeout waiting for abc")

    assert isinstance(error, TimeoutError)
    assert str(error) == error.message == "Timeout waiting for abc"


@pytest.mark.parametrize("cls", [exceptions.FileFailure, exceptions.ResourceTimeout])
def test_errors_of_python_survive_pickling(cls: type[exceptions.SDKException]) -> None:
    """An error that comes from another process is the same."""
    made = pickle.loads(pickle.dumps(cls("sentence")))

    assert (type(made), made.message, str(made)) == (cls, "sentence", "sentence")
