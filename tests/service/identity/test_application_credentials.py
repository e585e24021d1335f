"""Application credentials: made, used, limited, removed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest


@pytest.fixture
def owner(identity):
    """The token and the path of a user's own application credentials."""
    text = identity.token(region="jp2")
    shown = identity.call("GET", "/v3/auth/tokens", text, text).json()["token"]
    return text, f"/v3/users/{shown['user']['id']}/application_credentials"


def create(identity, owner, **body):
    token, path = owner
    return identity.call("POST", path, token, json={"application_credential": body})


def test_login_by_id(identity, owner):
    """ID and secret log in to the project that the credential was made for, with its user's roles."""
    made = create(identity, owner, name="by-id").json()["application_credential"]
    login = {"application_credential": {"id": made["id"], "secret": made["secret"]}}
    answer = identity.login({"methods": ["application_credential"], **login})

    token = answer.json()["token"]
    assert answer.status_code == 201
    assert token["methods"] == ["application_credential"]
    assert token["project"]["id"] == identity.project("jp2")
    assert [role["name"] for role in token["roles"]] == ["member", "reader"]
    assert token["application_credential"] == {"id": made["id"], "name": "by-id", "restricted": True}


def test_login_by_name_and_user(identity, owner):
    """Name and user log in, too; the name alone does not."""
    secret = create(identity, owner, name="by-name").json()["application_credential"]["secret"]
    wanted = {"name": "by-name", "secret": secret, "user": {"name": "demo", "domain": {"id": "default"}}}
    login = {"methods": ["application_credential"], "application_credential": wanted}

    assert identity.login(login).status_code == 201
    wanted["user"] = {"name": "admin", "domain": {"id": "default"}}
    assert identity.login(login).status_code == 401
    del wanted["user"]
    assert identity.login(login).status_code == 400


def test_refused_login(identity, owner):
    """A wrong secret, an unknown ID and a scope are refused."""
    made = create(identity, owner, name="refused").json()["application_credential"]

    def status(id, secret, scope=None):
        wanted = {"id": id, "secret": secret}
        login = {"methods": ["application_credential"], "application_credential": wanted}
        return identity.login(login, scope).status_code

    assert status(made["id"], "wrong") == 401
    assert status("unknown", made["secret"]) == 401
    assert status(made["id"], made["secret"], {"project": {"id": identity.project("jp1")}}) == 401


def test_its_token_stays_in_its_project(identity, owner):
    """A token of an application credential cannot be exchanged, lists one project, and makes no credentials."""
    made = create(identity, owner, name="confined").json()["application_credential"]
    wanted = {"id": made["id"], "secret": made["secret"]}
    login = {"methods": ["application_credential"], "application_credential": wanted}
    text = identity.login(login).headers["X-Subject-Token"]

    exchange = {"methods": ["token"], "token": {"id": text}}
    assert identity.login(exchange, {"project": {"id": identity.project("jp1")}}).status_code == 403
    listed = identity.call("GET", "/v3/auth/projects", text).json()["projects"]
    assert [project["name"] for project in listed] == ["demo-jp2"]
    assert create(identity, (text, owner[1]), name="child").status_code == 403
    assert identity.call("DELETE", f"{owner[1]}/{made['id']}", text).status_code == 403


def test_delete_ends_its_tokens(identity, owner):
    """With the credential its tokens go."""
    token, path = owner
    made = create(identity, owner, name="short-lived").json()["application_credential"]
    wanted = {"id": made["id"], "secret": made["secret"]}
    login = {"methods": ["application_credential"], "application_credential": wanted}
    text = identity.login(login).headers["X-Subject-Token"]

    assert identity.call("DELETE", f"{path}/{made['id']}", token).status_code == 204

    assert identity.call("GET", "/v3/auth/projects", text).status_code == 401
    assert identity.login(login).status_code == 401
    assert identity.call("GET", f"{path}/{made['id']}", token).status_code == 404
    assert identity.call("DELETE", f"{path}/{made['id']}", token).status_code == 404


def test_list_and_show_without_secret(identity, owner):
    """What was made can be listed and shown, never with its secret."""
    token, path = owner
    made = create(identity, owner, name="shown", secret="own secret").json()["application_credential"]
    shown = identity.call("GET", f"{path}/{made['id']}", token).json()["application_credential"]
    listed = identity.call("GET", f"{path}?name=shown", token).json()["application_credentials"]

    assert made["secret"] == "own secret"
    assert "secret" not in shown
    assert listed == [shown]
    assert shown["project_id"] == identity.project("jp2")
    assert [role["name"] for role in shown["roles"]] == ["member", "reader"]


def test_expiry(identity, owner):
    """A token lives no longer than the credential that made it; one in the past cannot be made."""
    soon = datetime.now(UTC) + timedelta(minutes=5)
    made = create(identity, owner, name="expires", expires_at=soon.isoformat()).json()
    wanted = {key: made["application_credential"][key] for key in ("id", "secret")}
    login = {"methods": ["application_credential"], "application_credential": wanted}
    expires_at = datetime.fromisoformat(identity.login(login).json()["token"]["expires_at"])

    assert expires_at == soon
    assert create(identity, owner, name="past", expires_at="2020-01-01T00:00:00Z").status_code == 400
    assert create(identity, owner, name="nonsense", expires_at="tomorrow").status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {"name": ""},
        {"name": "x" * 256},
        {"name": 1},
        {},
        {"name": "x", "secret": ""},
        {"name": "x", "unrestricted": True},
        {"name": "x", "access_rules": [{"path": "/"}]},
        {"name": "x", "roles": [{"name": "reader"}]},
        {"name": "x", "roles": [{"name": "unknown"}]},
    ],
)
def test_bad_body(identity, owner, body):
    """What this service cannot honour is refused, never ignored."""
    assert create(identity, owner, **body).status_code == 400


def test_whose(identity, owner):
    """Names are unique for a user, and nobody touches another's, nor makes one with an unscoped token."""
    _, path = owner
    unscoped = identity.login(identity.password()).headers["X-Subject-Token"]

    assert create(identity, owner, name="twice", roles=[{"name": "member"}]).status_code == 201
    assert create(identity, owner, name="twice").status_code == 409
    assert identity.call("GET", path, identity.token("admin")).status_code == 403
    assert create(identity, (unscoped, path), name="unscoped").status_code == 403
