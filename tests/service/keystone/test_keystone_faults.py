"""What the service asks a Keystone, how often, and what it does while that does not answer well."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
import requests

from ecl.testing import ImageService
from support.http_stub import Answer, HttpStub
from support.keystone_cloud import settings_for
from support.keystone_stub import TokenKeystone
from support.region_service import Client, poll

_numbers = itertools.count()


@pytest.fixture(scope="module")
def stub() -> Iterator[HttpStub]:
    """A server."""
    with HttpStub() as running:
        yield running


@pytest.fixture(scope="module")
def shared(stub: HttpStub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TokenKeystone, ImageService]]:
    """A Keystone, and a service that gives it half a second to answer."""
    keystone = TokenKeystone(stub)
    folder = tmp_path_factory.mktemp("faults")
    settings = settings_for(stub.url, folder, "image", timeout=0.5, region_tag="region")
    stub.on("GET", f"/v3/projects/{'a' * 32}", Answer.json({"project": {"id": "a" * 32, "tags": []}}))
    with ImageService(data_dir=folder / "data", keystone=settings, job_retry_delay=0.5) as service:
        yield keystone, service


@pytest.fixture
def keystone(shared: tuple[TokenKeystone, ImageService]) -> Iterator[TokenKeystone]:
    """The Keystone, without faults at the start and at the end."""
    found = shared[0]
    yield found
    found.may_answer.set()
    found.reply = None
    found.refuses = False


@pytest.fixture
def service(shared: tuple[TokenKeystone, ImageService]) -> ImageService:
    """The service."""
    return shared[1]


@pytest.fixture
def new_token(keystone: TokenKeystone) -> Callable[..., str]:
    """A function that makes a token which the service does not know yet."""

    def make(*roles: str, **more: Any) -> str:
        return keystone.issue(f"top-secret-token-{next(_numbers)}", *(roles or ("member", "reader")), **more)

    return make


def status(service: ImageService, token: str, path: str = "/v2/images", **headers: str) -> int:
    """Send a GET with *token* over a connection of its own."""
    return get(service, token, path, **headers).status_code


def get(service: ImageService, token: str, path: str = "/v2/images", **headers: str) -> requests.Response:
    client = Client(f"{service.url}/image/jp1", "", token)
    with client.session:
        return client.get(path, headers=headers)


def test_question(service, keystone, new_token):
    """A token is asked about without its catalog, with the token of the service's own user, and only once."""
    token = new_token()
    before = len(keystone.questions)
    assert [status(service, token) for _ in range(5)] == [200] * 5
    (question,) = keystone.questions[before:]

    assert question.headers["x-subject-token"] == token
    assert question.headers["x-auth-token"] == keystone.token
    assert question.query == {"nocatalog": ["1"]}


def test_one_question_at_a_time(service, keystone, new_token):
    """Requests with the same token that come while it is asked about wait for the same answer."""
    token = new_token()
    keystone.may_answer.clear()
    with ThreadPoolExecutor(20) as pool:
        answers = [pool.submit(status, service, token) for _ in range(20)]
        poll(lambda: token in keystone.asked)
        keystone.may_answer.set()
        assert {answer.result() for answer in answers} <= {200, 503}

    assert status(service, token) == 200
    assert keystone.asked.count(token) <= 2


def test_refused_token(service, keystone):
    """A token that the Keystone does not know is refused for a moment without asking again."""
    token = f"unknown-{next(_numbers)}"
    assert {status(service, token) for _ in range(20)} == {401}

    assert 1 <= keystone.asked.count(token) < 20


def test_never_past_expiry(service, keystone, new_token):
    """What a Keystone says of a token is not kept past the token's expiry."""
    token = new_token(seconds=-1)
    assert [status(service, token) for _ in range(3)] == [200] * 3

    assert keystone.asked.count(token) == 3


def test_service_token(service, keystone, new_token):
    """An expired token counts with the token of a user with the role service, and with no other."""
    token, of_service, of_member = new_token(), new_token("service"), new_token()
    keystone.expired.add(token)
    assert status(service, token) == 401
    assert status(service, token, **{"X-Service-Token": of_member}) == 401
    assert status(service, token, **{"X-Service-Token": "unknown"}) == 401
    assert status(service, token, **{"X-Service-Token": of_service}) == 200

    allowed = [question for question in keystone.questions if "allow_expired" in question.query]
    assert {question.headers["x-subject-token"] for question in allowed} == {token}
    # What was allowed to the service is not allowed to the user alone.
    assert status(service, token) == 401


def test_expired_service_token(service, keystone, new_token):
    """A service token that has expired itself lets no other token in."""
    token, of_service = new_token(), new_token("service")
    keystone.expired |= {token, of_service}

    assert status(service, token, **{"X-Service-Token": of_service}) == 401


@pytest.mark.parametrize(
    "reply",
    [
        Answer.drop(),
        Answer(500, b"<html>no</html>"),
        Answer(502),
        Answer(200, b"<html>log in here</html>", {"Content-Type": "text/html"}),
        Answer.json(["a list"]),
        Answer.json({"token": "a text"}),
        Answer.json({"token": {}}),
        Answer.json({"token": {"user": {"id": "u"}, "project": {"id": "p"}, "roles": [], "expires_at": "soon"}}),
        Answer.json({"error": {"code": 403, "message": "no", "title": "Forbidden"}}, 403),
        Answer.json({"error": {"code": 401, "message": "no", "title": "Unauthorized"}}, 401),
        Answer.json({"error": {"code": 429, "message": "no", "title": "Too Many"}}, 429),
    ],
    ids=lambda reply: f"{reply.status} {reply.body[:30].decode()}",
)
def test_bad_answers(service, keystone, new_token, reply):
    """While a Keystone does not answer as one does, unknown tokens are 503, and known ones go on."""
    known, token = new_token(), new_token()
    assert status(service, known) == 200
    keystone.reply = reply
    answer = get(service, token)
    assert (answer.status_code, int(answer.headers["Retry-After"]) > 0) == (503, True)
    assert "identity service" in answer.json()["message"]
    assert status(service, known) == 200
    keystone.reply = None

    assert status(service, token) == 200


def test_redirect(service, keystone, new_token):
    """A redirect is not followed: it could take the tokens to another host."""
    with HttpStub() as elsewhere:
        keystone.reply = Answer(302, headers={"Location": f"{elsewhere.url}/v3/auth/tokens"})
        assert status(service, new_token()) == 503
        assert elsewhere.requests == []


def test_own_token_ends(service, keystone, new_token):
    """When the token of the service's own user is no longer valid, it logs in again, and once only."""
    token = new_token()
    logins = len(keystone.logins)
    refusals = iter([Answer.json({"error": {"code": 401, "message": "no", "title": "Unauthorized"}}, 401)])

    def refuse_once(request: Any) -> Answer:
        answer = next(refusals, None)
        if answer is None:
            keystone.reply = None
            return Answer.json({"token": keystone.documents[token]})
        return answer

    keystone.reply = refuse_once
    assert status(service, token) == 200

    assert len(keystone.logins) == logins + 1


def test_own_user_is_refused(service, keystone, new_token):
    """When the service's own user is refused, requests are 503 until that is mended."""
    token = new_token()
    keystone.reply = Answer.json({"error": {"code": 401, "message": "no", "title": "Unauthorized"}}, 401)
    keystone.refuses = True
    assert status(service, token) == 503
    keystone.reply, keystone.refuses = None, False

    assert status(service, token) == 200


def test_silent_keystone(service, keystone, new_token):
    """While many requests wait for a Keystone that does not answer, others go on; it ends in 503."""
    known = new_token("admin")
    assert status(service, known) == 200
    keystone.may_answer.clear()
    with ThreadPoolExecutor(40) as pool:
        waiting = [pool.submit(get, service, new_token()) for _ in range(100)]
        before = len(keystone.questions)
        poll(lambda: len(keystone.questions) > before)
        assert status(service, known) == 200
        assert requests.get(f"{service.url}/healthcheck", timeout=30).status_code == 200
        assert requests.get(f"{service.url}/image/jp1/", timeout=30).status_code == 300
        assert {answer.result().status_code for answer in waiting} == {503}
    keystone.may_answer.set()

    poll(lambda: status(service, new_token()) == 200)


def test_metrics_without_keystone(service, keystone, new_token):
    """Without an answer of the Keystone the metrics are refused."""
    keystone.reply = Answer(500)
    answer = requests.get(f"{service.url}/metrics", headers={"X-Auth-Token": new_token("admin")}, timeout=30)

    assert answer.status_code == 403


def test_nothing_secret_in_the_log(service, keystone, new_token):
    """Tokens and the password are never in the log; that the Keystone cannot be asked is."""
    keystone.reply = Answer(500, b"top-secret-answer")
    assert status(service, new_token()) == 503

    assert "top-secret" not in service.log
    assert "a-password" not in service.log
    assert "cannot be asked: " in service.log


def test_copy_waits_for_the_keystone(service, keystone, stub, new_token):
    """A copy whose rights cannot be asked is refused when it is posted, and tried again when it runs."""
    here, there = "a" * 32, "b" * 32
    for project, region in ((here, "jp1"), (there, "jp2")):
        document = {"project": {"id": project, "enabled": True, "tags": [f"region={region}"]}}
        stub.on("GET", f"/v3/projects/{project}", Answer.json(document))
    role = {"role_assignments": [{"role": {"id": "m", "name": "member"}}]}
    stub.on("GET", "/v3/role_assignments", Answer.json(role))
    client = Client(f"{service.url}/image/jp1", here, new_token())
    with client.session:
        image = client.active(b"0123456789")
        body = {"image_id": image["id"], "tenant_id_dst": there}
        jobs = "/v2/extension/image_replicator/jobs"
        stub.on("GET", "/v3/users/a-user", Answer(503))
        assert client.request("POST", jobs, json=body).status_code == 503
        user = Answer.json({"user": {"id": "a-user", "enabled": True}})
        # Asked when the job is posted, when it runs, and when it runs again.
        stub.on("GET", "/v3/users/a-user", user, Answer(503), user)
        answer = client.request("POST", jobs, json=body)
        assert answer.status_code == 202, answer.text
        poll(lambda: client.get(f"{jobs}/{answer.json()['job_id']}").json()["status"] == "replicated")
    assert "is tried again in" in service.log


def test_few_tokens_are_kept(keystone, stub, tmp_path, new_token):
    """Of too many tokens the one that was not used for longest is forgotten."""
    settings = settings_for(stub.url, tmp_path, "image", cache_tokens=2)
    with ExitStack() as stack:
        service = stack.enter_context(ImageService(data_dir=tmp_path / "data", keystone=settings))
        one, two, three = new_token(), new_token(), new_token()
        before = len(keystone.questions)
        for token in (one, two, one, three, one, two):
            assert status(service, token) == 200

    assert keystone.asked[before:] == [one, two, three, two]


def test_no_cache(keystone, stub, tmp_path, new_token):
    """With cache_seconds = 0 each request asks, so a revoked token ends at once."""
    settings = settings_for(stub.url, tmp_path, "image", cache_seconds=0)
    with ImageService(data_dir=tmp_path / "data", keystone=settings) as service:
        token = new_token()
        assert status(service, token) == 200
        keystone.expired.add(token)
        assert status(service, token) == 401
