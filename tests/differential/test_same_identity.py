"""Users, projects, roles and grants: the embedded service answers administrators as a real Keystone does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from keystone_backend import keystone_is_installed
from keystones import Keystones, run_keystones


@pytest.fixture(scope="module")
def keystones() -> Iterator[Keystones]:
    """Both services, for the tests of this module; each test makes things with names of its own."""
    if not keystone_is_installed():
        pytest.skip("no Keystone in .venvs (scripts/test-inputs)")
    with run_keystones() as running:
        yield running


def user(keystones: Keystones, name: str, **more: Any) -> None:
    keystones.same("POST", "/v3/users", body={"user": {"name": name, "password": "Pa55-word", **more}})


def project(keystones: Keystones, name: str, **more: Any) -> None:
    keystones.same("POST", "/v3/projects", body={"project": {"name": name, **more}})


def grant(keystones: Keystones, user: str, role: str, project: str) -> str:
    path = f"/v3/projects/{{project:{project}}}/users/{{user:{user}}}/roles/{{role:{role}}}"
    assert keystones.same("PUT", path).status == 204
    return path


def test_life_of_a_user(keystones: Keystones) -> None:
    """Create, show, list by name, change and delete a user, with fields that have no meaning kept as they are."""
    user(keystones, "ann", email="ann@example.org", description="first", domain_id="default", phone=["1", {"x": None}])
    keystones.same("GET", "/v3/users/{user:ann}")
    keystones.same("HEAD", "/v3/users/{user:ann}")
    assert len(keystones.same("GET", "/v3/users?name=ann&domain_id=default").body["users"]) == 1
    assert keystones.same("GET", "/v3/users?name=nobody").body["users"] == []
    assert keystones.same("GET", "/v3/users?name=ann&enabled=false").body["users"] == []
    keystones.same("PATCH", "/v3/users/{user:ann}", body={"user": {"email": "x@example.org", "description": None}})
    keystones.same("PATCH", "/v3/users/{user:ann}", body={"user": {"name": "anne", "phone": 7}})
    keystones.same("GET", "/v3/users/{user:ann}")
    assert keystones.same("DELETE", "/v3/users/{user:ann}").status == 204
    assert keystones.same("GET", "/v3/users/{user:ann}").status == 404
    assert keystones.same("DELETE", "/v3/users/{user:ann}").status == 404


def test_life_of_a_project(keystones: Keystones) -> None:
    """Create, show, list by name, change and delete a project."""
    project(keystones, "one", description="first", tags=["blue"], colour="red")
    keystones.same("GET", "/v3/projects/{project:one}")
    assert len(keystones.same("GET", "/v3/projects?name=one").body["projects"]) == 1
    keystones.same("PATCH", "/v3/projects/{project:one}", body={"project": {"name": "uno", "description": "2"}})
    keystones.same("PATCH", "/v3/projects/{project:one}", body={"project": {"enabled": False}})
    assert keystones.same("GET", "/v3/projects?name=uno&enabled=true").body["projects"] == []
    keystones.same("GET", "/v3/projects/{project:one}")
    assert keystones.same("DELETE", "/v3/projects/{project:one}").status == 204
    assert keystones.same("GET", "/v3/projects/{project:one}").status == 404


def test_second_of_a_name(keystones: Keystones) -> None:
    """A name that is taken is 409, for a new user or project and for a changed one."""
    for kind, make in (("user", user), ("project", project)):
        make(keystones, "twin")
        assert keystones.same("POST", f"/v3/{kind}s", body={kind: {"name": "twin"}}).status == 409
        assert keystones.same("POST", f"/v3/{kind}s", body={kind: {"name": " twin "}}).status == 409
    user(keystones, "twin-2")
    # Keystone answers 500 where a project is renamed so.
    assert keystones.same("PATCH", "/v3/users/{user:twin-2}", body={"user": {"name": "twin"}}).status == 409


@pytest.mark.parametrize("change", [{"id": "x"}, {"domain_id": "other"}, {"name": ""}, {"enabled": "maybe"}])
def test_bad_change(keystones: Keystones, change: dict[str, Any]) -> None:
    """What cannot be changed, or has a wrong type, is 400."""
    assert keystones.same("PATCH", "/v3/users/{user:admin}", body={"user": change}).status == 400
    assert keystones.same("PATCH", "/v3/projects/{project:admin}", body={"project": change}).status == 400


def test_user_of_another_domain(keystones: Keystones) -> None:
    """A domain that does not exist is 404 for a new user."""
    assert keystones.same("POST", "/v3/users", body={"user": {"name": "far", "domain_id": "other"}}).status == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"user": {}},
        {"user": {"name": ""}},
        {"user": {"name": 5}},
        {"user": {"name": "x" * 256}},
        {"user": {"name": "bad", "enabled": "maybe"}},
        {"user": {"name": "   "}},
        {"user": {"name": "bad", "options": {"x": 1}}},
        {"user": {"name": "bad", "password": 5}},
        {"user": {"name": "bad", "default_project_id": 5}},
        {"user": []},
        {"project": {"name": "bad"}},
    ],
)
def test_bad_user(keystones: Keystones, body: dict[str, Any]) -> None:
    """A user without a name, or with a value of a wrong type, is 400."""
    assert keystones.same("POST", "/v3/users", body=body).status == 400


@pytest.mark.parametrize(
    "body",
    [
        {"project": {}},
        {"project": {"name": ""}},
        {"project": {"name": 5}},
        {"project": {"name": "bad", "enabled": "maybe"}},
        {"project": {"name": "bad", "description": 5}},
        {"project": {"name": "bad", "tags": "x"}},
        {"project": {"name": "bad", "domain_id": "other"}},
        {"project": {"name": "bad", "parent_id": "other"}},
    ],
)
def test_bad_project(keystones: Keystones, body: dict[str, Any]) -> None:
    """A project without a name, or with a value of a wrong type, is 400."""
    assert keystones.same("POST", "/v3/projects", body=body).status == 400


def test_life_of_a_grant(keystones: Keystones) -> None:
    """Grant, grant again, check, list and revoke a role; what is not granted is 404."""
    user(keystones, "gus")
    project(keystones, "granted")
    path = grant(keystones, "gus", "member", "granted")
    grant(keystones, "gus", "member", "granted")
    assert keystones.same("HEAD", path).status == 204
    assert keystones.same("GET", path).status == 204
    granted = keystones.same("GET", "/v3/projects/{project:granted}/users/{user:gus}/roles").body["roles"]
    assert [role["name"] for role in granted] == ["member"]
    assert keystones.same("DELETE", path).status == 204
    assert keystones.same("HEAD", path).status == 404
    assert keystones.same("DELETE", path).status == 404
    assert keystones.same("GET", "/v3/projects/{project:granted}/users/{user:gus}/roles").body["roles"] == []


@pytest.mark.parametrize("method", ["PUT", "HEAD", "GET", "DELETE"])
@pytest.mark.parametrize(
    "path",
    [
        "projects/none/users/{user:admin}/roles/{role:member}",
        "projects/{project:admin}/users/none/roles/{role:member}",
        "projects/{project:admin}/users/{user:admin}/roles/none",
    ],
)
def test_grant_of_what_is_not_there(keystones: Keystones, method: str, path: str) -> None:
    """An unknown project, user or role is 404."""
    assert keystones.same(method, f"/v3/{path}").status == 404


def test_role_assignments(keystones: Keystones) -> None:
    """Assignments are listed by user, project and role, with names and with included roles on request."""
    user(keystones, "pat")
    project(keystones, "assigned")
    grant(keystones, "pat", "member", "assigned")
    base = "/v3/role_assignments?user.id={user:pat}"
    for more in (
        "",
        "&scope.project.id={project:assigned}",
        "&role.id={role:member}",
        "&role.id={role:admin}",
        "&include_names",
        "&include_names=false",
        "&include_names=0",
        "&scope.domain.id=default",
    ):
        keystones.same("GET", base + more)
    effective = keystones.same("GET", base + "&effective&include_names").body["role_assignments"]
    assert {entry["role"]["name"] for entry in effective} == {"member", "reader"}


def test_roles(keystones: Keystones) -> None:
    """A role is found by its name and shown by its ID."""
    assert len(keystones.same("GET", "/v3/roles?name=member").body["roles"]) == 1
    keystones.same("GET", "/v3/roles?name=unknown")
    keystones.same("GET", "/v3/roles/{role:member}")
    assert keystones.same("GET", "/v3/roles/unknown").status == 404


def test_what_a_member_may_not(keystones: Keystones) -> None:
    """All of this is for administrators; users see themselves, and nobody sees anything without a token."""
    user(keystones, "mia")
    project(keystones, "plain")
    path = grant(keystones, "mia", "member", "plain")
    assert keystones.login("mia", "Pa55-word", "plain", "mia") == 201
    assert keystones.same("GET", "/v3/users/{user:mia}", "mia").status == 200
    for method, other, body in (
        ("GET", "/v3/users", None),
        ("POST", "/v3/users", {"user": {"name": "x"}}),
        ("PATCH", "/v3/users/{user:mia}", {"user": {"email": "x"}}),
        ("DELETE", "/v3/users/{user:mia}", None),
        ("GET", "/v3/users/{user:admin}", None),
        ("POST", "/v3/projects", {"project": {"name": "x"}}),
        ("PATCH", "/v3/projects/{project:plain}", {"project": {"description": "x"}}),
        ("DELETE", "/v3/projects/{project:plain}", None),
        ("PUT", path, None),
        ("DELETE", path, None),
        ("HEAD", path, None),
        ("GET", "/v3/projects/{project:plain}/users/{user:mia}/roles", None),
        ("GET", "/v3/roles", None),
        ("GET", "/v3/roles/{role:member}", None),
        ("GET", "/v3/role_assignments", None),
    ):
        assert keystones.same(method, other, "mia", body).status == 403
        assert keystones.same(method, other, None, body).status == 401


def test_user_changes_their_password(keystones: Keystones) -> None:
    """The old password is needed, a token is not; old tokens end."""
    user(keystones, "pam")
    project(keystones, "pams")
    grant(keystones, "pam", "member", "pams")
    assert keystones.login("pam", "Pa55-word", "pams", "pam") == 201
    path = "/v3/users/{user:pam}/password"
    wrong = {"user": {"password": "N3w-word", "original_password": "wrong"}}
    assert keystones.same("POST", path, None, wrong).status == 401
    assert keystones.same("POST", path, None, {"user": {"password": "N3w-word"}}).status == 400
    right = {"user": {"password": "N3w-word", "original_password": "Pa55-word"}}
    assert keystones.same("POST", path, None, right).status == 204
    assert keystones.same("GET", "/v3/users/{user:pam}", "pam").status == 401
    assert keystones.login("pam", "Pa55-word") == 401
    assert keystones.login("pam", "N3w-word", "pams") == 201
    assert keystones.same("POST", "/v3/users/unknown/password", None, right).status == 401


@pytest.mark.parametrize("change", [{"password": "0ther-word"}, {"enabled": False}])
def test_changes_that_end_tokens(keystones: Keystones, change: dict[str, Any]) -> None:
    """A new password, or disabling the user, ends the user's tokens."""
    name = f"end-{next(iter(change))}"
    user(keystones, name)
    project(keystones, name)
    grant(keystones, name, "member", name)
    assert keystones.login(name, "Pa55-word", name, name) == 201
    keystones.same("PATCH", f"/v3/users/{{user:{name}}}", body={"user": change})
    assert keystones.same("GET", f"/v3/users/{{user:{name}}}", name).status == 401
    assert keystones.login(name, "Pa55-word", name) == 401


def test_default_project(keystones: Keystones) -> None:
    """A login that names no project gets the default one, once the user has a role there; a deleted one is none."""
    project(keystones, "home")
    user(keystones, "deb", default_project_id="{project:home}")
    own = "/v3/auth/projects"
    assert keystones.login("deb", "Pa55-word", None, "deb") == 201
    assert keystones.same("GET", own, "deb").body["projects"] == []
    grant(keystones, "deb", "member", "home")
    assert keystones.login("deb", "Pa55-word", None, "deb") == 201
    # Only a token of a project may list the user's roles elsewhere as its own catalog.
    assert keystones.same("GET", "/v3/projects/{project:home}", "deb").status == 200
    keystones.same("DELETE", "/v3/projects/{project:home}")
    keystones.same("GET", "/v3/users/{user:deb}")
