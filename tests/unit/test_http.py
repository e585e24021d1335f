"""Sending one request: addresses, retries, time-outs, failures."""

from __future__ import annotations

import contextlib
import email.utils
import socket
import string
import threading
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keystoneauth1.adapter import Adapter
from keystoneauth1.noauth import NoAuth
from keystoneauth1.session import Session as KeystoneSession

import ecl
from ecl import _http, exceptions
from ecl.image.image_service import ImageService
from ecl.image.v2._proxy import Proxy
from ecl.image.v2.image import Image
from support.http_stub import Answer, HttpStub, Keystone, make_certificate

IMAGE = {"id": "abc", "name": "debian", "status": "active"}


@pytest.fixture
def proxy(reach, stub):
    """The image service at the stub, by each kind of session."""
    return reach(stub.url)


def get(proxy):
    """Read an image."""
    return proxy.get_image("abc")


# --- retries ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", [Answer(502), Answer(503), Answer(504), Answer.drop()])
def test_get_is_repeated(trouble, proxy, stub, pauses):
    """A GET is sent again after 502, 503, 504 and a dropped connection, after longer and longer pauses."""
    stub.on("GET", "/v2/images/abc", trouble, trouble, trouble, Answer.json(IMAGE))

    assert get(proxy).name == "debian"
    assert stub.lines == ["GET /v2/images/abc"] * 4
    assert [0.375 <= pauses[0] <= 0.5, 0.75 <= pauses[1] <= 1, 1.5 <= pauses[2] <= 2, len(pauses)] == [True] * 3 + [3]


def test_get_is_not_repeated_for_ever(proxy, stub, pauses):
    """After four attempts the last answer counts."""
    stub.on("GET", "/v2/images/abc", Answer(503, b"busy"))
    with pytest.raises(exceptions.ServerException, match="busy") as caught:
        get(proxy)

    assert caught.value.http_status == 503
    assert len(stub.requests) == 4


def test_dropped_connections_end_in_a_failure(proxy, stub, pauses):
    """A connection that is dropped each time ends in ConnectFailure, which names the address."""
    stub.on("GET", "/v2/images/abc", Answer.drop())
    with pytest.raises(exceptions.ConnectFailure, match=f"127.0.0.1:{stub.port}"):
        get(proxy)

    assert len(stub.requests) == 4


@pytest.mark.parametrize("status", [400, 401, 404, 409, 500, 501])
def test_other_errors_are_not_repeated(status, proxy, stub, pauses):
    """An answer that means what it says is not asked for again."""
    stub.on("GET", "/v2/images/abc", Answer(status))
    with pytest.raises(exceptions.HttpException):
        get(proxy)

    assert len(stub.requests) == 1
    assert pauses == []


#: What changes something, and how the SDK asks for it.
CHANGES = {
    ("POST", "/v2/images"): lambda proxy: proxy.create_image(name="x"),
    ("PATCH", "/v2/images/abc"): lambda proxy: proxy.update_image("abc", {"name": "y"}),
    ("DELETE", "/v2/images/abc"): lambda proxy: proxy.delete_image("abc"),
    ("PUT", "/v2/images/abc/tags/t"): lambda proxy: proxy.add_tag("abc", "t"),
    ("PUT", "/v2/images/abc/members/m"): lambda proxy: proxy.update_member("abc", "m", "accepted"),
    ("POST", "/v2/extension/image_replicator/jobs"): lambda proxy: proxy.copy_image("abc", "t"),
}


@pytest.mark.parametrize("trouble", [Answer(503), Answer.drop()])
def test_what_changes_things_is_not_repeated(trouble, proxy, stub, pauses):
    """POST, PUT, PATCH and DELETE are sent once: nobody knows whether the first one worked."""
    for (method, path), call in CHANGES.items():
        stub.on(method, path, trouble)
        with pytest.raises((exceptions.ServerException, exceptions.ConnectFailure)):
            call(proxy)

    assert [(each.method, each.path) for each in stub.requests] == list(CHANGES)
    assert pauses == []


@pytest.mark.parametrize(
    ("refusal", "seconds"),
    [(Answer(429, headers={"Retry-After": "7"}), 7.0), (Answer(503, headers={"Retry-After": "90"}), 60.0)],
)
def test_refusal_is_obeyed_for_every_method(refusal, seconds, proxy, stub, pauses):
    """After 429, and 503 with Retry-After, any request is sent again when the service says, four times in all."""
    for (method, path), call in CHANGES.items():
        stub.on(method, path, refusal)
        with pytest.raises(exceptions.HttpException):
            call(proxy)

    assert [(each.method, each.path) for each in stub.requests] == [each for each in CHANGES for _ in range(4)]
    assert pauses == [seconds] * 3 * len(CHANGES)


def test_too_many_requests(proxy, stub, pauses):
    """After a refusal comes the answer; without Retry-After the pause is the usual one."""
    stub.on("PATCH", "/v2/images/abc", Answer(429), Answer.json(IMAGE))

    assert proxy.update_image("abc", {"name": "y"}).name == "debian"
    assert [0.375 <= pause <= 0.5 for pause in pauses] == [True]


def test_retry_after_in_seconds(proxy, stub, pauses):
    """Retry-After says how long to wait; not longer than a minute."""
    stub.on(
        "GET", "/v2/images/abc", Answer(503, headers={"Retry-After": "7"}),
        Answer(503, headers={"Retry-After": "86400"}), Answer.json(IMAGE),
    )  # fmt: skip
    get(proxy)

    assert pauses == [7.0, 60.0]


def test_retry_after_as_a_date(proxy, stub, pauses):
    """Retry-After may be a date; one in the past is now."""
    later = email.utils.format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    stub.on(
        "GET", "/v2/images/abc", Answer(503, headers={"Retry-After": later}),
        Answer(503, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}), Answer.json(IMAGE),
    )  # fmt: skip
    get(proxy)

    assert 15 < pauses[0] <= 20
    assert pauses[1] == 0


@pytest.mark.parametrize("trouble", [Answer(503, b"busy"), Answer.drop()])
@pytest.mark.parametrize("stream", [False, True])
def test_nobody_needs_it_any_more(trouble, stream, proxy, stub):
    """A request that has become needless is not sent again, and nobody pauses for that."""
    over = threading.Event()
    over.set()
    stub.on("GET", "/v2/images/abc", trouble)
    with pytest.raises((exceptions.ServerException, exceptions.ConnectFailure)):
        _http.request(proxy.session, "GET", "/v2/images/abc", service=ImageService(), stream=stream, cancelled=over)

    assert len(stub.requests) == 1


@pytest.mark.parametrize("value", ["soon", "-5", "1.5", "²", ""])
def test_retry_after_that_means_nothing(value, pauses):
    """A Retry-After that is neither seconds nor a date is not there."""
    _http.pause(1, value)

    assert 0.375 <= pauses[0] <= 0.5


# --- time-outs --------------------------------------------------------------------------------------------


class Recording(KeystoneSession):
    """A session that notes the time-out of each request."""

    timeouts: list[object]

    def request(self, url, method, **kwargs):
        self.timeouts = [*getattr(self, "timeouts", []), kwargs.get("timeout", "the session's")]
        return super().request(url, method, **kwargs)


@pytest.mark.parametrize(
    ("own", "seen"), [(None, (10.0, 60.0)), (5, "the session's"), (0.5, "the session's"), (0, None)]
)
def test_timeout(own, seen, stub):
    """A session's own time-out counts, 0 waits for ever, and without one there is a default."""
    stub.on("GET", "/v2/images/abc", Answer.json(IMAGE))
    session = Recording(auth=NoAuth(endpoint=stub.url), timeout=own)
    get(Proxy(session))
    get(Proxy(Adapter(session)))

    assert session.timeouts == [seen, seen]


def calls_of(listener: socket.socket) -> int:
    """Return how often a server that answers nobody was connected to."""
    listener.setblocking(False)
    count = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            listener.accept()[0].close()
            count += 1
    return count


def test_timeout_of_a_connection(reach, stub, pauses):
    """A service that is silent for longer than *timeout* is given up, and not asked again."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        proxy = reach(url, timeout=0.05)
        with pytest.raises(exceptions.ConnectFailure, match=f"{url}.*(in time|timed out)"):
            get(proxy)
        assert calls_of(silent) == 1


def test_timeout_holds_for_downloads(reach, stub, pauses):
    """A connection's own time-out counts for data, too."""
    image = Image.existing(**IMAGE, checksum="0" * 32, size=1)
    proxy = reach(stub.url, timeout=0.05)
    stub.on("GET", "/v2/images/abc/file", lambda request: (threadsafe_wait(), Answer.data(b"x"))[1])
    with pytest.raises(exceptions.ConnectFailure):
        proxy.download_image(image)

    assert {request.path for request in stub.requests} == {"/v2/images/abc/file"}


def threadsafe_wait() -> None:
    """Be silent for longer than the client listens, without time.sleep, which tests replace."""
    import threading

    threading.Event().wait(0.3)


def test_no_timeout(stub):
    """Time-out 0 is no time-out, for the log-in as well."""
    keystone = Keystone(stub)
    stub.on("GET", "/v2/images/abc", Answer.json(IMAGE))
    conn = ecl.connect(**keystone.options(timeout=0))

    assert get(conn.image).name == "debian"


@pytest.mark.parametrize("path", ["", "/v3"])
def test_timeout_of_a_login(pauses, caplog, path):
    """A Keystone that is silent is given up as well: the first time of silence ends the log-in and what needed it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        conn = ecl.connect(auth_url=url + path, username="u", password="p", project_id="i", timeout=0.05)
        with pytest.raises(exceptions.ConnectFailure, match=f"Cannot reach {url}: no answer in time"):
            get(conn.image)
        assert calls_of(silent) == 1
        with pytest.raises(exceptions.ConnectFailure, match=f"Cannot reach {url}: no answer in time"):
            conn.authorize()
        assert calls_of(silent) == 1
    assert caplog.records == []


# --- where it goes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["", "/", "/v2", "/v2/", "/v2.7/", "/v2.0"])
@pytest.mark.parametrize("prefix", ["", "/ecl-glance", "/image/jp1"])
def test_endpoint_with_and_without_version(prefix, suffix, reach, stub):
    """A catalog may name the endpoint with or without its version and a slash."""
    stub.on("GET", f"{prefix}/v2/images/abc", Answer.json(IMAGE))

    assert get(reach(stub.url + prefix + suffix)).id == "abc"


def test_no_endpoint(stub):
    """A catalog without an image service in the region asked for is an error that says what was looked for."""
    conn = ecl.connect(**Keystone(stub).options(region_name="jp9"))
    with pytest.raises(exceptions.EndpointNotFound, match=r"'image'.*region_name 'jp9'; .* the regions jp1"):
        get(conn.image)


def test_region(stub):
    """The region chooses among the catalog's endpoints."""
    with HttpStub() as other:
        keystone = Keystone(stub)
        keystone.regions["jp2"] = other.url + "/v2"
        other.on("GET", "/v2/images/abc", Answer.json(IMAGE))
        get(ecl.connect(**keystone.options(region_name="jp2")).image)

    assert other.lines == ["GET /v2/images/abc"]


def test_unreachable(reach, pauses):
    """Nobody listens: one error that names the address and what to check."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(exceptions.ConnectFailure) as caught:
        get(reach(url))

    assert str(caught.value) == f"Cannot reach {url}: Connection refused. Check the address and that the service is up."


def test_keystone_unreachable(pauses):
    """The same for a Keystone that is not there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(exceptions.ConnectFailure, match=f"Cannot reach {url}"):
        get(ecl.connect(auth_url=url + "/v3", username="u", password="p", project_id="i").image)


def test_untrusted_certificate(reach, tmp_path, pauses):
    """A certificate that nobody vouches for is refused at once, and said so."""
    trouble = pytest.raises(exceptions.ConnectFailure, match=r"(?i)certificate")
    with HttpStub(make_certificate(tmp_path)) as stub, trouble:
        get(reach(stub.url))

    assert stub.requests == []
    assert pauses == []


def test_trusted_certificate(reach, tmp_path):
    """*verify* is the CA to trust, or False."""
    certificate = make_certificate(tmp_path)
    with HttpStub(certificate) as stub:
        stub.on("GET", "/v2/images/abc", Answer.json(IMAGE))
        get(reach(stub.url, verify=str(certificate[0])))

    assert len(stub.requests) == 1


def test_accept_json(proxy, stub):
    """Each request says that it wants JSON: a Glance would send errors as HTML otherwise."""
    stub.on("GET", "/v2/images/abc", Answer.json(IMAGE))
    stub.on("PATCH", "/v2/images/abc", Answer.json(IMAGE))
    stub.on("DELETE", "/v2/images/abc", Answer(204))
    stub.on("POST", "/v2/images", Answer.json(IMAGE, 201))
    get(proxy)
    proxy.update_image("abc", [])
    proxy.delete_image("abc")
    proxy.create_image(name="x", id=uuid.UUID(int=5), when=datetime(2026, 1, 2, tzinfo=UTC))

    assert {request.headers["accept"] for request in stub.requests} == {"application/json"}
    assert stub.requests[1].headers["content-type"] == "application/openstack-images-v2.1-json-patch"
    assert stub.last.headers["content-type"] == "application/json"
    assert stub.last.json == {"name": "x", "id": str(uuid.UUID(int=5)), "when": "2026-01-02T00:00:00+00:00"}


def test_user_agent(stub):
    """The library says who it is, after whom the application is."""
    stub.on("GET", "/v2/images/abc", Answer.json(IMAGE))
    get(ecl.connect(auth_type="none", endpoint=stub.url, user_agent="backup/3").image)

    assert stub.last.headers["user-agent"].startswith(f"backup/3 ecl-image/{ecl.__version__}")


# --- paths ------------------------------------------------------------------------------------------------

AWKWARD = [
    "/",
    "a/b",
    "?",
    "a?b=c",
    "#",
    "a#b",
    "%",
    "%2e%2e",
    "..a",
    "a..",
    "...",
    " ",
    "ü",
    "画像",
    "\n",
    "\x00",
    ";",
    "\\",
    "&",
]


@pytest.mark.parametrize("value", AWKWARD)
def test_ids_are_quoted(value, proxy, stub):
    """Whatever is in an ID, it is one segment of the path."""
    proxy_path = "/v2/images/" + _http.segment(value, "ID")
    stub.on("GET", proxy_path, Answer.json(IMAGE))
    stub.on("DELETE", proxy_path, Answer(204))
    stub.on("GET", proxy_path + "/members/" + _http.segment(value, "ID"), Answer.json({"member_id": "m"}))
    proxy.get_image(value)
    proxy.delete_image(value)
    proxy.get_member(value, value)

    assert all(each.target.count("/") in (3, 5) and "?" not in each.target for each in stub.requests)


@pytest.mark.parametrize("value", [".", ".."])
def test_steps_are_no_ids(value, proxy, stub):
    """What would be a step in the path is refused before anything is sent."""
    for call in (proxy.get_image, proxy.delete_image, proxy.get_image_copy_job, lambda x: list(proxy.members(x))):
        with pytest.raises(exceptions.InvalidRequest, match="cannot be part of a URL"):
            call(value)

    assert stub.requests == []


@pytest.fixture(scope="module")
def catch_all():
    """A service that answers anything below its root with an image, and the proxy for it."""
    with HttpStub() as server:
        server.reply_to = lambda request: (server.requests.append(request), Answer.json(IMAGE))[1]
        yield server, ecl.connect(auth_type="none", endpoint=server.url + "/prefix").image


@settings(max_examples=150, deadline=None)
@given(st.text(min_size=1) | st.text(alphabet="./%?#2eEfF\\ ;" + string.ascii_letters, min_size=1))
def test_every_id_stays_below_images(catch_all, value):
    """No ID gets a request out of /v2/images/: it arrives as exactly one segment, or is refused."""
    stub, proxy = catch_all
    stub.requests.clear()
    try:
        proxy.get_image(value)
        proxy.get_member("x", value)
    except (exceptions.InvalidRequest, UnicodeEncodeError):
        assert value in (".", "..") or not value.isprintable()
        assert stub.requests == []
        return
    image, member = stub.requests

    assert image.path.startswith("/prefix/v2/images/")
    assert "/" not in image.path.removeprefix("/prefix/v2/images/")
    assert image.query == {}
    assert member.path.startswith("/prefix/v2/images/x/members/")
    assert "/" not in member.path.removeprefix("/prefix/v2/images/x/members/")


def test_uuid_objects_are_ids(proxy, stub):
    """An ID may be a UUID object, as it may in eclsdk."""
    stub.on("GET", f"/v2/images/{uuid.UUID(int=1)}", Answer.json(IMAGE))

    assert proxy.get_image(uuid.UUID(int=1)).id == "abc"
