"""Services, regions, domains and the projects of a user: who may look them up, and what is there."""

from __future__ import annotations

import pytest


def listed(identity, path, text, by="name"):
    """Return one member of each entry of a list."""
    answer = identity.call("GET", f"/v3/{path}", text)
    assert answer.status_code == 200, answer.text
    (name,) = answer.json().keys() - {"links"}
    return [entry[by] for entry in answer.json()[name]]


def test_admin_reads_all(identity):
    """An admin lists the services of the catalog and the one domain, and filters them."""
    text = identity.token("admin")

    assert listed(identity, "services", text, "type") == ["image", "identity"]
    assert listed(identity, "services?type=image", text) == ["glance"]
    assert listed(identity, "services?name=nova", text) == []
    assert listed(identity, "domains", text) == ["Default"]
    assert listed(identity, "domains?name=Default", text, "id") == ["default"]
    assert listed(identity, "domains?name=other", text) == []


def test_what_everybody_reads(identity):
    """Regions and one's own domain are for every user; roles on domains, which do not exist, are an empty list."""
    text = identity.token()

    assert listed(identity, "regions", text, "id") == ["jp1", "jp2"]
    assert identity.call("GET", "/v3/domains/default", text).json()["domain"]["name"] == "Default"
    assert listed(identity, "auth/domains", text) == []


@pytest.mark.parametrize("path", ["services", "domains"])
def test_what_a_member_may_not_read(identity, path):
    """Services and the list of domains are for admins."""
    assert identity.call("GET", f"/v3/{path}", identity.token()).status_code == 403


@pytest.mark.parametrize("path", ["services", "regions", "domains"])
def test_one_by_its_link(identity, path):
    """Each entry is found again by its own link; an unknown ID is 404."""
    text = identity.token("admin")
    body = identity.call("GET", f"/v3/{path}", text).json()

    for entry in body[path]:
        address = entry["links"]["self"].removeprefix(identity.service.url)
        assert identity.call("GET", address, text).json() == {path[:-1]: entry}
    assert identity.call("GET", f"/v3/{path}/unknown", text).status_code == 404


@pytest.mark.parametrize(
    "path", ["services", "regions", "domains", "domains/default", "auth/domains", "users/x/projects"]
)
def test_nobody_reads_without_a_token(identity, path):
    """A token is needed, and nothing can be changed."""
    assert identity.call("GET", f"/v3/{path}").status_code == 401
    assert identity.call("DELETE", f"/v3/{path}", identity.token("admin")).status_code == 405


def test_projects_of_a_user(identity):
    """Users list their own projects by their ID; another user's only an admin."""
    token = identity.login(identity.password(), {"project": {"id": identity.project()}})
    text, user = token.headers["X-Subject-Token"], token.json()["token"]["user"]["id"]
    admin = identity.token("admin")
    other = identity.call("GET", "/v3/auth/tokens", admin, admin).json()["token"]["user"]["id"]

    assert {"demo-jp1", "demo-jp2"} <= set(listed(identity, f"users/{user}/projects", text))
    assert listed(identity, f"users/{user}/projects", admin) == listed(identity, f"users/{user}/projects", text)
    assert identity.call("GET", f"/v3/users/{other}/projects", text).status_code == 403
    assert identity.call("GET", "/v3/users/unknown/projects", admin).status_code == 404
