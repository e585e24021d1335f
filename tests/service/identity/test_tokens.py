"""Discovery, logging in, and what becomes of tokens."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from sqlalchemy import select, update

from ecl.server.db.identity_schema import tokens, users
from ecl.server.errors import Unauthorized
from ecl.server.identity.local import directory
from ecl.server.identity.local.internal_user import internal_token
from ecl.server.identity.local.service import MAX_BODY
from ecl.server.identity.local.tokens import Authenticator


def test_root_lists_the_version(identity):
    """``GET /`` is a 300 that names v3 with an absolute link, for the address that the client used."""
    answer = identity.call("GET", "/")

    assert answer.status_code == 300
    [version] = answer.json()["versions"]["values"]
    assert version["id"].startswith("v3.")
    assert version["status"] == "stable"
    assert version["links"] == [{"rel": "self", "href": f"{identity.service.url}/v3/"}]
    assert answer.headers["Location"] == f"{identity.service.url}/v3/"


@pytest.mark.parametrize("path", ["/v3", "/v3/"])
def test_v3_shows_the_version(identity, path):
    """The version document is there with and without a slash at the end."""
    answer = identity.call("GET", path)

    assert answer.status_code == 200
    assert answer.json()["version"]["links"][0]["href"] == f"{identity.service.url}/v3/"


def test_links_follow_the_host_header(identity):
    """A client that knows the service by another name gets links with that name; nonsense is not repeated."""
    named = identity.call("GET", "/v3", headers={"Host": "images.example:8443"})
    nonsense = identity.call("GET", "/v3", headers={"Host": 'x"/><script>'})

    assert named.json()["version"]["links"][0]["href"] == "http://images.example:8443/v3/"
    assert nonsense.json()["version"]["links"][0]["href"] == f"{identity.service.url}/v3/"


def test_every_answer_has_an_id_and_varies(identity):
    """Answers carry x-openstack-request-id, a client's own if it is harmless, and Vary."""
    first = identity.call("GET", "/v3")
    own = identity.call("GET", "/v3", headers={"X-Openstack-Request-Id": "abc"})
    long = identity.call("GET", "/v3", headers={"X-Openstack-Request-Id": "a" * 65})

    assert first.headers["x-openstack-request-id"].startswith("req-")
    assert first.headers["Vary"] == "X-Auth-Token"
    assert own.headers["x-openstack-request-id"] == "req-abc"
    assert len(long.headers["x-openstack-request-id"]) == 40


def test_password_by_name(identity):
    """A scoped token says who, where, until when, with which roles, and has the catalog."""
    answer = identity.login(identity.password(), {"project": {"id": identity.project()}})

    assert answer.status_code == 201
    assert len(answer.headers["X-Subject-Token"]) == 43
    token = answer.json()["token"]
    assert token["methods"] == ["password"]
    assert token["user"]["name"] == "demo"
    assert token["user"]["domain"] == {"id": "default", "name": "Default"}
    assert token["project"]["id"] == identity.project()
    assert token["is_domain"] is False
    assert [role["name"] for role in token["roles"]] == ["member", "reader"]
    lives = datetime.fromisoformat(token["expires_at"]) - datetime.fromisoformat(token["issued_at"])
    assert 3590 < lives.total_seconds() <= 3600
    assert len(token["audit_ids"]) == 1


def test_admin_has_the_roles_below(identity):
    """The role admin includes member and reader."""
    answer = identity.login(identity.password("admin"), {"project": {"id": identity.project(user="admin")}})

    assert [role["name"] for role in answer.json()["token"]["roles"]] == ["admin", "member", "reader"]


@pytest.mark.parametrize("domain", [{"id": "default"}, {"name": "Default"}])
def test_names_with_either_form_of_domain(identity, domain):
    """User and project may be named with the domain's ID or its name."""
    login = identity.password(domain=domain)
    answer = identity.login(login, {"project": {"name": "demo-jp2", "domain": domain}})

    assert answer.json()["token"]["project"]["id"] == identity.project("jp2")


def test_password_by_user_id(identity):
    """A user may be named by ID alone."""
    unscoped = identity.login(identity.password()).json()["token"]
    login = identity.password(id=unscoped["user"]["id"])
    del login["password"]["user"]["name"], login["password"]["user"]["domain"]

    assert identity.login(login).json()["token"]["user"]["name"] == "demo"


@pytest.mark.parametrize("scope", [None, "unscoped", {}])
def test_unscoped(identity, scope):
    """A token without a scope has no project, roles or catalog."""
    answer = identity.login(identity.password(), scope)

    assert answer.status_code == 201
    assert not {"project", "roles", "catalog", "is_domain"} & set(answer.json()["token"])


@pytest.mark.parametrize(("region", "other"), [("jp1", "jp2"), ("jp2", "jp1")])
def test_own_region_is_first_in_the_catalog(identity, region, other):
    """The catalog has unversioned image endpoints for each region, of every interface, the project's own first."""
    answer = identity.login(identity.password(), {"project": {"id": identity.project(region)}})
    entries = {entry["type"]: entry["endpoints"] for entry in answer.json()["token"]["catalog"]}

    assert [(end["region"], end["region_id"], end["interface"], end["url"]) for end in entries["image"]] == [
        (name, name, interface, f"{identity.service.url}/image/{name}")
        for name in (region, other)
        for interface in ("public", "internal", "admin")
    ]
    assert {end["url"] for end in entries["identity"]} == {f"{identity.service.url}/v3"}


def test_endpoints_have_ids_of_their_own(identity):
    """No two endpoints of the catalog share an ID, and an endpoint keeps its ID from token to token."""
    tokens = [
        identity.login(identity.password(), {"project": {"id": identity.project(region)}}) for region in ("jp1", "jp2")
    ]
    ids = [
        [end["id"] for entry in answer.json()["token"]["catalog"] for end in entry["endpoints"]] for answer in tokens
    ]

    assert len(set(ids[0])) == len(ids[0])
    assert set(ids[0]) == set(ids[1])


def test_nocatalog(identity):
    """``?nocatalog`` leaves the catalog out, when a token is made and when it is shown."""
    made = identity.login(identity.password(), {"project": {"id": identity.project()}}, "?nocatalog")
    text = made.headers["X-Subject-Token"]
    shown = identity.call("GET", "/v3/auth/tokens?nocatalog", text, text)

    assert "catalog" not in made.json()["token"]
    assert "catalog" not in shown.json()["token"]
    assert shown.json()["token"]["project"]["id"] == identity.project()


WRONG_LOGINS = {
    "wrong password": {"password": "wrong"},
    "empty password": {"password": ""},
    "unknown user": {"name": "nobody"},
    "unknown domain": {"domain": {"id": "other"}},
    "unknown id": {"id": "0" * 32},
    "name with a NUL": {"name": "demo\0"},
    "the service's own user": {"name": "replicator", "password": "!"},
}


@pytest.mark.parametrize("change", WRONG_LOGINS.values(), ids=WRONG_LOGINS)
def test_refused_login(identity, change):
    """Every wrong login gets the same 401, which says where to log in and not what was wrong."""
    answer = identity.login(identity.password(**change))

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == f'Keystone uri="{identity.service.url}/v3"'
    assert answer.json() == {
        "error": {
            "code": 401,
            "message": "The request you have made requires authentication.",
            "title": "Unauthorized",
        }
    }


WRONG_SCOPES = {
    "unknown project": {"project": {"id": "0" * 32}},
    "project without a role": {"project": {"name": "admin", "domain": {"id": "default"}}},
    "unknown domain of the project": {"project": {"name": "demo-jp1", "domain": {"id": "other"}}},
    "domain": {"domain": {"id": "default"}},
    "system": {"system": {"all": True}},
}


@pytest.mark.parametrize("scope", WRONG_SCOPES.values(), ids=WRONG_SCOPES)
def test_refused_scope(identity, scope):
    """A scope where the user has no role is a 401, whether it is there or not."""
    assert identity.login(identity.password(), scope).status_code == 401


BAD_BODIES = {
    "empty": b"",
    "no JSON": b"{",
    "no object": b"[]",
    "no auth": b"{}",
    "not UTF-8": b'{"auth":"\xff"}',
    "lone surrogate": b'{"auth":{"identity":{"methods":["\\ud800"]}}}',
    "no methods": b'{"auth":{"identity":{"methods":[]}}}',
    "unknown method": b'{"auth":{"identity":{"methods":["totp"],"totp":{}}}}',
    "method without data": b'{"auth":{"identity":{"methods":["password"]}}}',
    "user without a name": b'{"auth":{"identity":{"methods":["password"],"password":{"user":{"password":"x"}}}}}',
    "user without a domain": b'{"auth":{"identity":{"methods":["password"],'
    b'"password":{"user":{"name":"x","password":"x"}}}}}',
    "no password": b'{"auth":{"identity":{"methods":["password"],"password":{"user":{"id":"x"}}}}}',
    "deep": b'{"auth":{"x":' + b"[" * 50_000,
}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
def test_bad_body(identity, body):
    """A body that is no login is a 400 in Keystone's form."""
    answer = identity.call("POST", "/v3/auth/tokens", data=body)

    assert answer.status_code == 400
    assert answer.json()["error"]["title"] == "Bad Request"


def test_errors_never_repeat_the_password(identity):
    """A login of the wrong form is explained without its secrets."""
    login = {"methods": ["password"], "password": {"user": {"name": 1, "password": "s3cret-text"}}}

    assert "s3cret-text" not in identity.login(login).text


def test_body_limit(identity):
    """A body of the greatest length is read, one byte more is a 413."""
    fits = identity.call("POST", "/v3/auth/tokens", data=b" " * MAX_BODY)
    over = identity.call("POST", "/v3/auth/tokens", data=b" " * (MAX_BODY + 1))

    assert (fits.status_code, over.status_code) == (400, 413)


def test_show_token(identity):
    """A token shows itself with GET, and with HEAD without a body."""
    text = identity.token()
    shown = identity.call("GET", "/v3/auth/tokens", text, text)
    head = identity.call("HEAD", "/v3/auth/tokens", text, text)

    assert shown.status_code == 200
    assert shown.headers["X-Subject-Token"] == text
    assert shown.json()["token"]["user"]["name"] == "demo"
    assert (head.status_code, head.content) == (200, b"")


def test_who_may_show_a_token(identity, add_user):
    """An admin may look at every token, others at their own."""
    theirs = identity.token()
    other = add_user("jp1")
    login = identity.login(
        {"methods": ["password"], "password": {"user": {"name": other.username, "domain": {"id": "default"},
                                                        "password": other.password}}},
        {"project": {"id": other.id}},
    )  # fmt: skip

    assert identity.call("GET", "/v3/auth/tokens", identity.token("admin"), theirs).status_code == 200
    assert identity.call("GET", "/v3/auth/tokens", login.headers["X-Subject-Token"], theirs).status_code == 403


def test_wrong_subject(identity):
    """No such subject is a 404; without a valid token of one's own it is a 401."""
    text = identity.token()

    for method in ("GET", "DELETE"):
        assert identity.call(method, "/v3/auth/tokens", text, "nonsense").status_code == 404
        assert identity.call(method, "/v3/auth/tokens", text).status_code == 404
        assert identity.call(method, "/v3/auth/tokens", "nonsense", text).status_code == 401
        assert identity.call(method, "/v3/auth/tokens", None, text).status_code == 401


def test_revoke(identity):
    """A revoked token is refused at once, by identity and by the authenticator of the image API."""
    text = identity.token()
    authenticator = Authenticator(identity.service.database)
    assert asyncio.run(authenticator.authenticate(text)).region == "jp1"

    assert identity.call("DELETE", "/v3/auth/tokens", text, text).status_code == 204

    assert identity.call("GET", "/v3/auth/projects", text).status_code == 401
    with pytest.raises(Unauthorized):
        asyncio.run(authenticator.authenticate(text))


def test_rescope(identity):
    """A token can be exchanged for one of another project, which lives no longer."""
    first = identity.login(identity.password()).headers["X-Subject-Token"]
    login = {"methods": ["token"], "token": {"id": first}}
    answer = identity.login(login, {"project": {"id": identity.project("jp2")}})
    before = identity.call("GET", "/v3/auth/tokens", first, first).json()["token"]

    assert answer.status_code == 201
    assert answer.json()["token"]["methods"] == ["token", "password"]
    assert answer.json()["token"]["expires_at"] == before["expires_at"]
    assert identity.login({"methods": ["token"], "token": {"id": "nonsense"}}).status_code == 401


def test_expired_token(identity):
    """A token that has expired is refused, and the next login removes it from the database."""
    text = identity.token()
    with identity.service.database.write() as connection:
        newest = select(tokens.c.token_hash).order_by(tokens.c.issued_at.desc()).limit(1)
        connection.execute(update(tokens).where(tokens.c.token_hash.in_(newest)).values(expires_at=1, audit_id="old"))

    assert identity.call("GET", "/v3/auth/projects", text).status_code == 401
    identity.token()
    with identity.service.database.read() as connection:
        assert connection.execute(select(tokens).where(tokens.c.audit_id == "old")).all() == []


def test_new_password_ends_tokens(identity, add_user):
    """After a new password the old one and all of the user's tokens are worth nothing."""
    other = add_user("jp1")
    person = {"name": other.username, "domain": {"id": "default"}, "password": other.password}
    login = {"methods": ["password"], "password": {"user": person}}
    text = identity.login(login).headers["X-Subject-Token"]
    with identity.service.database.write() as connection:
        user = directory.find_user(connection, other.username)
        directory.set_password(connection, user, "new")

    assert identity.call("GET", "/v3/auth/projects", text).status_code == 401
    assert identity.login(login).status_code == 401
    person["password"] = "new"
    assert identity.login(login).status_code == 201


def test_lost_role_and_disabled_user(identity, add_user):
    """A token ends when its user has no role on its project any more, or is disabled."""
    other = add_user("jp1")
    person = {"name": other.username, "domain": {"id": "default"}, "password": other.password}
    login = {"methods": ["password"], "password": {"user": person}}
    scoped = identity.login(login, {"project": {"id": other.id}}).headers["X-Subject-Token"]
    unscoped = identity.login(login).headers["X-Subject-Token"]
    database = identity.service.database
    with database.write() as connection:
        user, project = directory.find_user(connection, other.username), directory.find_project(connection, other.id)
        directory.revoke_role(connection, user, "member", project)

    assert identity.call("GET", "/v3/auth/projects", scoped).status_code == 401
    assert identity.call("GET", "/v3/auth/projects", unscoped).json()["projects"] == []
    with database.write() as connection:
        connection.execute(update(users).where(users.c.id == user.id).values(enabled=False))
    assert identity.call("GET", "/v3/auth/projects", unscoped).status_code == 401
    assert identity.login(login).status_code == 401


def test_stored_token_is_no_token(identity):
    """What the database holds of a token does not let anybody in."""
    text = identity.token()
    with identity.service.database.read() as connection:
        stored = connection.execute(select(tokens.c.token_hash)).scalars().all()

    assert text not in stored
    for value in stored:
        assert identity.call("GET", "/v3/auth/projects", value).status_code == 401


def test_internal_token(identity):
    """The service's own token is an admin's, and belongs to no region."""
    text, _ = internal_token(identity.service.database)
    caller = asyncio.run(Authenticator(identity.service.database).authenticate(text))

    assert caller.region is None
    assert caller.is_admin


@pytest.mark.parametrize("token", [None, "", "x", "x" * 100_000, "é"])
def test_no_token(identity, token):
    """Whatever is no token is Unauthorized."""
    with pytest.raises(Unauthorized):
        asyncio.run(Authenticator(identity.service.database).authenticate(token))


def test_unknown_user_takes_as_long(identity):
    """A login of an unknown user computes as much, so the time that it takes does not tell which users exist."""

    def computed(**change) -> float:
        """Return the least CPU seconds that a login takes; a clock would also count what else the machine does."""
        taken = []
        for _ in range(5):
            begin = time.process_time()
            identity.login(identity.password(**change))
            taken.append(time.process_time() - begin)
        return min(taken)

    known, unknown = computed(password="wrong"), computed(name="nobody", password="wrong")

    assert 0.5 < known / unknown < 2


def test_many_logins_at_once(identity):
    """More logins than password checks at once all succeed."""
    login = identity.password()
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: identity.login(login).status_code, range(32)))

    assert answers == [201] * 32


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/v3/unknown", 404, None),
        ("GET", "/v2.0/tokens", 404, None),
        ("GET", "/image/unknown/v2/images", 404, None),
        ("PATCH", "/v3/auth/tokens", 405, {"GET", "HEAD", "POST", "DELETE"}),
        ("POST", "/v3/auth/catalog", 405, {"GET", "HEAD"}),
    ],
)
def test_unknown_path_or_method(identity, method, path, status, allow):
    """What is not there is a 404, what cannot be done a 405 with Allow, both in Keystone's form."""
    answer = identity.call(method, path)

    assert answer.status_code == status
    assert answer.json()["error"]["code"] == status
    assert allow is None or set(answer.headers["Allow"].split(", ")) == allow


def test_healthcheck(identity):
    """``/healthcheck`` says OK without a token."""
    answer = identity.call("GET", "/healthcheck")

    assert (answer.status_code, answer.text) == (200, "OK")
