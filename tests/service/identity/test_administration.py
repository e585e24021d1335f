"""What only this service decides about users and projects: regions, its own user, the last administrator, images."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ecl.testing import ImageService
from support.identity import Identity


@pytest.fixture
def tenant(identity: Identity) -> Callable[..., tuple[str, str]]:
    """A function that makes a user and a project by the API, with a role; it returns their IDs."""
    admin = identity.token("admin")

    def make(role: str = "member", **project: Any) -> tuple[str, str]:
        name = secrets.token_hex(4)
        body = {"project": {"name": name, **project}}
        answer = identity.call("POST", "/v3/projects", admin, json=body)
        assert answer.status_code == 201, answer.text
        project_id = answer.json()["project"]["id"]
        body = {"user": {"name": name, "password": "a word", "default_project_id": project_id}}
        user_id = identity.call("POST", "/v3/users", admin, json=body).json()["user"]["id"]
        (found,) = identity.call("GET", f"/v3/roles?name={role}", admin).json()["roles"]
        grant = f"/v3/projects/{project_id}/users/{user_id}/roles/{found['id']}"
        assert identity.call("PUT", grant, admin).status_code == 204
        return user_id, project_id

    return make


def log_in(identity: Identity, user_id: str, password: str = "a word") -> str:
    """Return a token of the user, for the default project."""
    user = {"id": user_id, "password": password}
    answer = identity.login({"methods": ["password"], "password": {"user": user}})
    assert answer.status_code == 201, answer.text
    return str(answer.headers["X-Subject-Token"])


def test_a_new_tenant_works_with_images(identity, tenant):
    """A user and project made by the API alone create an image, in each region, and see only their own."""
    token = log_in(identity, tenant()[0])
    other = log_in(identity, tenant()[0])

    for region in ("jp1", "jp2"):
        made = identity.call("POST", f"/image/{region}/v2/images", token, json={"name": "mine"})
        assert made.status_code == 201, made.text
        path = f"/image/{region}/v2/images/{made.json()['id']}"
        assert identity.call("GET", path, token).status_code == 200
        assert identity.call("GET", path, other).status_code == 404


def test_a_project_of_one_region(identity, tenant):
    """With ``region``, a project belongs to that region alone, and the catalog has it first."""
    user, project = tenant(region="jp2")
    token = log_in(identity, user)

    assert identity.call("GET", f"/v3/projects/{project}", token).json()["project"]["region"] == "jp2"
    assert identity.call("GET", "/image/jp2/v2/images", token).status_code == 200
    assert identity.call("GET", "/image/jp1/v2/images", token).status_code == 403
    catalog = identity.call("GET", "/v3/auth/catalog", token).json()["catalog"]
    assert catalog[0]["endpoints"][0]["region"] == "jp2"


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("projects", {"project": {"name": "x", "region": "atlantis"}}, ["project.region", "atlantis", "jp1, jp2"]),
        ("projects", {"project": {"name": "x", "is_domain": True}}, ["project.is_domain", "one domain"]),
        ("projects", {"project": {"name": "x", "parent_id": "abc"}}, ["project.parent_id", "leave it out"]),
        ("projects", {"project": {"name": "x", "tags": [1]}}, ["project.tags", "list of strings"]),
        ("projects", {"project": {"name": "x\n"}, "user": 5}, ["not a project", "object"]),
        ("users", {"user": {"name": "x", "enabled": 1}}, ["user.enabled", "true or false"]),
        ("users", {"user": {"name": "x", "password": "x" * 4097}}, ["user.password", "1 to 4096 characters"]),
        ("users", {"user": {"name": "x", "password": ""}}, ["user.password", "1 to 4096 characters"]),
        ("users", {"user": {"name": "x", "default_project_id": "x" * 65}}, ["user.default_project_id", "1 to 64"]),
        ("users", {"user": {"name": "x\0y"}}, ["user name", "printable"]),
        ("users", {"user": {"password": "x"}}, ["user.name is missing"]),
    ],
)
def test_bad_field(identity, path, body, words):
    """A field that cannot be used is 400, and the sentence names it and says what it may be."""
    answer = identity.call("POST", f"/v3/{path}", identity.token("admin"), json=body)

    assert answer.status_code == 400, answer.text
    message = answer.json()["error"]["message"]
    assert [word for word in words if word not in message] == []
    assert "\n" not in message


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", b'{"user": ' * 50_000, b"\xff"])
@pytest.mark.parametrize(("method", "path"), [("POST", "users"), ("POST", "projects"), ("POST", "users/x/password")])
def test_bad_json(identity, method, path, body):
    """What is not a JSON object of the right form is 400, also when it is nested very deeply."""
    answer = identity.call(method, f"/v3/{path}", identity.token("admin"), data=body[:100_000])

    assert answer.status_code == 400


def test_region_of_a_project_stays(identity, tenant):
    """A PATCH with a project as it was read is accepted; one that changes its region is 400."""
    admin = identity.token("admin")
    path = f"/v3/projects/{tenant(region='jp1')[1]}"
    body = identity.call("GET", path, admin).json()

    assert identity.call("PATCH", path, admin, json=body).json() == body
    body["project"]["region"] = "jp2"
    refused = identity.call("PATCH", path, admin, json=body)
    assert refused.status_code == 400
    assert "project.region cannot be changed" in refused.json()["error"]["message"]


def test_user_as_it_was_read(identity, tenant):
    """A PATCH with a user as it was read changes nothing."""
    admin = identity.token("admin")
    path = f"/v3/users/{tenant()[0]}"
    body = identity.call("GET", path, admin).json()

    assert identity.call("PATCH", path, admin, json=body).json() == body
    assert identity.call("GET", path, admin).json() == body


def test_password_is_nowhere(identity, tenant):
    """No answer has a password, also of a user who was just created or changed."""
    admin = identity.token("admin")
    user, _ = tenant()
    changed = identity.call("PATCH", f"/v3/users/{user}", admin, json={"user": {"password": "s3cret-word"}})
    read = identity.call("GET", f"/v3/users/{user}", admin)

    for answer in (changed, read):
        assert answer.status_code == 200
        assert "password" not in answer.json()["user"]
        assert "s3cret" not in answer.text
    with identity.service.database.read() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM users").all()
    assert "s3cret" not in json.dumps([list(map(str, row)) for row in rows])


def test_images_of_a_deleted_project(identity, tenant):
    """Deleting a project leaves its images to administrators; its user gets no token for it any more."""
    admin = identity.token("admin")
    user, project = tenant()
    token = log_in(identity, user)
    made = identity.call("POST", "/image/jp1/v2/images", token, json={"name": "left"}).json()

    assert identity.call("DELETE", f"/v3/projects/{project}", admin).status_code == 204
    assert identity.call("GET", "/image/jp1/v2/images", token).status_code == 401
    kept = identity.call("GET", f"/image/jp1/v2/images/{made['id']}", admin)
    assert (kept.status_code, kept.json()["owner"]) == (200, project)
    listed = identity.call("GET", f"/image/jp1/v2/images?owner={project}", admin).json()["images"]
    assert [image["id"] for image in listed] == [made["id"]]
    assert "default_project_id" not in identity.call("GET", f"/v3/users/{user}", admin).json()["user"]


def test_disabled_project(identity, tenant):
    """Disabling a project ends its tokens for good; the user logs in to it when it is enabled again."""
    admin = identity.token("admin")
    user, project = tenant()
    token = log_in(identity, user)
    for enabled in (False, True):
        body = {"project": {"enabled": enabled}}
        assert identity.call("PATCH", f"/v3/projects/{project}", admin, json=body).status_code == 200
        assert identity.call("GET", "/image/jp1/v2/images", token).status_code == 401

    assert identity.call("GET", "/image/jp1/v2/images", log_in(identity, user)).status_code == 200


def test_revoked_role_ends_at_once(identity, tenant):
    """A token loses a revoked role at its next use."""
    admin = identity.token("admin")
    user, project = tenant("admin")
    token = log_in(identity, user)
    assert identity.call("GET", "/v3/users", token).status_code == 200
    (role,) = identity.call("GET", f"/v3/projects/{project}/users/{user}/roles", admin).json()["roles"]

    assert identity.call("DELETE", f"/v3/projects/{project}/users/{user}/roles/{role['id']}", admin).status_code == 204
    assert identity.call("GET", "/v3/users", token).status_code == 401


def test_guessing_by_the_password_call(identity, tenant):
    """Wrong old passwords count as failed logins: the user's next attempts have to wait."""
    user, _ = tenant()
    wrong = {"user": {"password": "new", "original_password": "wrong"}}
    statuses = [identity.call("POST", f"/v3/users/{user}/password", json=wrong).status_code for _ in range(12)]

    assert statuses[:10] == [401] * 10
    assert 429 in statuses[10:]


def test_password_of_a_disabled_user(identity, tenant):
    """A disabled user cannot change the password."""
    user, _ = tenant()
    body = {"user": {"enabled": False}}
    assert identity.call("PATCH", f"/v3/users/{user}", identity.token("admin"), json=body).status_code == 200
    right = {"user": {"password": "new", "original_password": "a word"}}

    assert identity.call("POST", f"/v3/users/{user}/password", json=right).status_code == 401


def test_user_without_a_password(identity):
    """A user made without a password, or given null, cannot log in by one."""
    admin = identity.token("admin")
    made = identity.call("POST", "/v3/users", admin, json={"user": {"name": "silent", "password": None}})
    user = {"id": made.json()["user"]["id"], "password": ""}

    assert made.status_code == 201
    assert identity.login({"methods": ["password"], "password": {"user": user}}).status_code == 401


# --- what not even an administrator may do ------------------------------------------------------------------


def test_the_services_own(identity, tenant):
    """The user and project that copies between regions need cannot be changed or deleted, nor their roles."""
    admin = identity.token("admin")
    (own,) = identity.call("GET", "/v3/users?name=replicator", admin).json()["users"]
    (project,) = identity.call("GET", "/v3/projects?name=service", admin).json()["projects"]
    (role,) = identity.call("GET", "/v3/roles?name=admin", admin).json()["roles"]
    user_path, project_path = f"/v3/users/{own['id']}", f"/v3/projects/{project['id']}"
    grant = f"{project_path}/users/{own['id']}/roles/{role['id']}"

    refused = [
        identity.call("PATCH", user_path, admin, json={"user": {"password": "mine now"}}),
        identity.call("DELETE", user_path, admin),
        identity.call("PATCH", project_path, admin, json={"project": {"enabled": False}}),
        identity.call("DELETE", project_path, admin),
        identity.call("DELETE", grant, admin),
        identity.call("PUT", grant, admin),
    ]
    assert [answer.status_code for answer in refused] == [403] * 6
    assert all("the service's own" in answer.json()["error"]["message"] for answer in refused)


@pytest.fixture
def lone(tmp_path) -> Iterator[Identity]:
    """A service with one administrator."""
    with ImageService(("jp1",)) as service:
        client = Identity(service)
        yield client
        client.http.close()


def test_the_last_administrator(lone):
    """Nothing by the API leaves the service without an administrator; with a second one the first may go."""
    admin = lone.token("admin")
    user = lone.call("GET", "/v3/auth/tokens", admin, admin).json()["token"]["user"]["id"]
    project = lone.project(user="admin")
    (role,) = lone.call("GET", "/v3/roles?name=admin", admin).json()["roles"]
    grant = f"/v3/projects/{project}/users/{{}}/roles/{role['id']}"

    refused = [
        lone.call("DELETE", f"/v3/users/{user}", admin),
        lone.call("PATCH", f"/v3/users/{user}", admin, json={"user": {"enabled": False}}),
        lone.call("PATCH", f"/v3/users/{user}", admin, json={"user": {"password": None}}),
        lone.call("DELETE", grant.format(user), admin),
        lone.call("DELETE", f"/v3/projects/{project}", admin),
        lone.call("PATCH", f"/v3/projects/{project}", admin, json={"project": {"enabled": False}}),
    ]
    assert [answer.status_code for answer in refused] == [403] * 6
    assert all("give another user the role admin first" in answer.json()["error"]["message"] for answer in refused)
    # A refused change has changed nothing: the token still works.
    second = lone.call("POST", "/v3/users", admin, json={"user": {"name": "second", "password": "a word"}})
    assert lone.call("PUT", grant.format(second.json()["user"]["id"]), admin).status_code == 204
    assert lone.call("DELETE", f"/v3/users/{user}", admin).status_code == 204
    assert lone.call("GET", "/v3/users", admin).status_code == 401
