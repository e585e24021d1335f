"""``/testing``: the kit over HTTP, for tests in other languages, and whom it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from ecl.testing import ImageService, Refused, ServiceFailed

NO_DOOR = "The service does not let tests in"


@pytest.fixture
def http() -> Iterator[requests.Session]:
    """A client that knows nothing of the kit."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


def test_a_project_over_http(service: ImageService, http: requests.Session) -> None:
    """A new project comes with a password, a token, and a catalog that says where its images are."""
    answer = http.post(f"{service.url}/testing/projects", json={"user": "alice", "region": "jp2"})
    made = answer.json()
    image = {entry["type"]: entry for entry in made["access"]["token"]["catalog"]}["image"]["endpoints"][0]

    assert answer.status_code == 201
    assert (image["region"], image["url"]) == ("jp2", f"{service.url}/image/jp2")
    listed = http.get(f"{image['url']}/v2/images", headers={"X-Auth-Token": made["token"]})
    assert listed.json()["images"] == []
    path = f"{service.url}/testing/projects/{made['project']['id']}"
    assert [http.delete(path).status_code for _ in range(2)] == [204, 404]


def test_faults_and_journal_over_http(service: ImageService, http: requests.Session) -> None:
    """A rule, what it met, and the way back."""
    rule = http.post(f"{service.url}/testing/faults", json={"path": "/v3", "status": 418, "times": 1})
    met = [http.get(f"{service.url}/v3").status_code for _ in range(2)]
    journal = http.get(f"{service.url}/testing/requests").json()["requests"]

    assert (rule.status_code, met) == (201, [418, 200])
    assert [(each["path"], each["status"]) for each in journal] == [("/v3", 418), ("/v3", 200)]
    assert http.get(f"{service.url}/testing/faults").json()["faults"][0]["used"] == 1
    assert http.delete(f"{service.url}/testing").status_code == 204
    assert http.get(f"{service.url}/testing/faults").json() == {"faults": []}


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("/faults", {"statos": 500}, "unknown field `statos`"),
        ("/faults", {"status": "500"}, "Expected `int | null`, got `str` - at `$.status`"),
        ("/faults", {}, "A fault needs a delay, a status, cut or flip."),
        ("/clock", {"seconds": -1}, "The clock can be moved by 0 to"),
        ("/clock", {}, "missing required field `seconds`"),
        ("/projects", {"region": "mars"}, "There is no region 'mars'; there are jp1, jp2."),
    ],
)
def test_wrong_bodies(service: ImageService, http: requests.Session, path: str, body: Any, words: str) -> None:
    """A wrong field or value is named in one line."""
    answer = http.post(f"{service.url}/testing{path}", json=body)

    assert answer.status_code == 400
    assert words in answer.json()["error"]


def test_wrong_requests(service: ImageService, http: requests.Session) -> None:
    """What is no JSON, and a path that is not there, are refused."""
    url = f"{service.url}/testing"
    broken = http.post(f"{url}/clock", data="{", headers={"Content-Type": "application/json"})

    assert (broken.status_code, broken.json()["error"][:23]) == (400, "The body is not JSON: I")
    assert http.post(f"{url}/clock", data='{"seconds": 1}').status_code == 415
    assert http.get(f"{url}/nothing").json() == {"error": "There is nothing at this path."}


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"X-Forwarded-For": "192.0.2.1"}],
    ids=lambda headers: next(iter(headers)),
)
def test_pages_and_proxies(service: ImageService, http: requests.Session, headers: dict[str, str]) -> None:
    """A web page, a name that was made to lead here, and a proxy cannot use it."""
    answer = http.delete(f"{service.url}/testing", headers=headers)

    assert answer.status_code == 403
    assert "use a loopback address" in answer.json()["error"]


def test_off_unless_asked_for(http: requests.Session) -> None:
    """A service that was not asked to let tests in has no such path, and the kit says so."""
    with ImageService(["jp1"], testing=False) as service:
        answer = http.delete(f"{service.url}/testing")
        with pytest.raises(Refused, match=NO_DOOR):
            service.reset()
        with pytest.raises(Refused, match=NO_DOOR):
            service.faults.add(cut=True)
        project = service.add_project(user="alice")

        assert answer.status_code == 404
        assert list(service.connect(project=project).image.images()) == []


def test_only_on_a_loopback_address() -> None:
    """A service that others can reach does not start with it."""
    with pytest.raises(ServiceFailed, match=r"must be a loopback address such as 127\.0\.0\.1, not 0\.0\.0\.0"):
        ImageService(["jp1"], host="0.0.0.0", testing=True).__enter__()
