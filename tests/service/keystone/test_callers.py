"""Who the callers are that a real Keystone's tokens stand for."""

from __future__ import annotations

import pytest
import requests

STATUSES = {
    "admin": (200, 201, 200),
    "member": (200, 201, 403),
    "reader": (200, 403, 403),
    "service": (403, 403, 403),
}


@pytest.mark.parametrize("role", STATUSES)
def test_roles(cloud, served, reach, role):
    """The Keystone's roles are the service's: who may list, create, and manage metadata definitions."""
    token, _ = cloud.someone(role)
    here = reach(served, token)
    statuses = (
        here.get("/v2/images").status_code,
        here.request("POST", "/v2/images", json={}).status_code,
        200 if here.request("POST", "/v2/images", json={"visibility": "public"}).status_code == 201 else 403,
    )

    assert statuses == STATUSES[role]


def test_project(cloud, served, reach):
    """An image belongs to the token's project: another user of it sees it, another project does not."""
    token, project = cloud.someone("member")
    image = reach(served, token).create(name="ours")
    same, _ = cloud.someone("reader", project=project)
    other, _ = cloud.someone("member")

    assert image["owner"] == project["id"]
    assert reach(served, same).show(image["id"])["name"] == "ours"
    assert reach(served, other).get(f"/v2/images/{image['id']}").status_code == 404
    assert reach(served, same, "jp2").get("/v2/images").status_code == 200


def test_tokens_without_project(cloud, served, reach):
    """A role on a domain or on the system is no role on images, and a token without scope has none."""
    project = cloud.project()
    user = cloud.user()
    cloud.grant(user, project, "member")
    domain = f"/v3/domains/default/users/{user['id']}/roles/{cloud.roles['admin']}"
    cloud.call("PUT", domain)
    cloud.call("PUT", f"/v3/system/users/{user['id']}/roles/{cloud.roles['admin']}")
    for scope in ("unscoped", {"domain": {"id": "default"}}, {"system": {"all": True}}):
        answer = reach(served, cloud.login(user["name"], scope)).get("/v2/images")
        assert answer.status_code == 403, scope
    assert reach(served, cloud.token(user["name"], project["name"])).get("/v2/images").status_code == 200


@pytest.mark.parametrize("token", [None, "no-token", "x" * 20_000, "é", "two words"])
def test_no_token(cloud, served, reach, token):
    """Without a valid token the answer is 401, and names the Keystone."""
    answer = reach(served, None).get("/v2/images", headers={} if token is None else {"X-Auth-Token": token.encode()})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == f'Keystone uri="{cloud.url}/v3"'


def test_disabled_project(cloud, served, reach):
    """The token of a disabled project is not valid."""
    token, project = cloud.someone("member")
    cloud.call("PATCH", f"/v3/projects/{project['id']}", {"project": {"enabled": False}})

    assert reach(served, token).get("/v2/images").status_code == 401


def test_revoked_token(cloud, served, reach):
    """A token that was revoked before the service knew it is not valid."""
    token, _ = cloud.someone("member")
    cloud.call("DELETE", "/v3/auth/tokens", **{"X-Subject-Token": token})

    assert reach(served, token).get("/v2/images").status_code == 401


def test_no_identity_api(cloud, served):
    """The service has no identity API of its own: the answer says where tokens come from."""
    for path in ("/", "/v3", "/v3/auth/tokens", "/v3/users"):
        answer = requests.post(served.url + path, json={}, timeout=30)
        assert answer.status_code == 404
        assert f"tokens come from {cloud.url}/v3." in answer.json()["error"]["message"]
    assert requests.get(f"{served.url}/image/jp1/", timeout=30).status_code == 300


def test_first_start(cloud, served):
    """A service with a Keystone makes no users and writes no clouds.yaml."""
    assert served.auth_url == f"{cloud.url}/v3"
    assert not served.clouds_yaml.exists()
    assert f"Users, projects and tokens are those of the Keystone at {cloud.url}/v3." in served.log
    assert "demo" not in served.log


def test_metrics(cloud, served):
    """An administrator's token reads the metrics, a member's does not."""
    admin, _ = cloud.someone("admin")
    member, _ = cloud.someone("member")
    statuses = [
        requests.get(f"{served.url}/metrics", headers={"X-Auth-Token": token}, timeout=30).status_code
        for token in (admin, member)
    ]

    assert statuses == [200, 403]
