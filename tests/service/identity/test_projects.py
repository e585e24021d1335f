"""The catalog, and who sees which project."""

from __future__ import annotations


def test_own_projects(identity):
    """``/v3/auth/projects`` lists the projects that one has a role on, also for an unscoped token."""
    text = identity.login(identity.password()).headers["X-Subject-Token"]
    body = identity.call("GET", "/v3/auth/projects", text).json()

    found = {project["name"]: project for project in body["projects"]}
    assert {"demo-jp1", "demo-jp2"} <= set(found)
    assert found["demo-jp1"]["id"] == identity.project("jp1")
    assert found["demo-jp1"]["domain_id"] == "default"
    assert found["demo-jp1"]["enabled"] is True
    assert body["links"]["next"] is None


def test_catalog(identity):
    """``/v3/auth/catalog`` is the catalog of the token; an unscoped one has none."""
    text = identity.token(region="jp2")
    body = identity.call("GET", "/v3/auth/catalog", text).json()
    shown = identity.call("GET", "/v3/auth/tokens", text, text).json()["token"]
    unscoped = identity.login(identity.password()).headers["X-Subject-Token"]

    assert body["catalog"] == shown["catalog"]
    assert identity.call("GET", "/v3/auth/catalog", unscoped).status_code == 403
    assert identity.call("GET", "/v3/auth/catalog").status_code == 401


def test_member_sees_own_projects_alone(identity, add_user):
    """A member gets its own projects, 403 for any other ID, there or not, and 403 for lists."""
    text = identity.token()
    own = identity.call("GET", f"/v3/projects/{identity.project('jp2')}", text)

    assert own.status_code == 200
    assert own.json()["project"]["name"] == "demo-jp2"
    assert identity.call("GET", f"/v3/projects/{add_user('jp1').id}", text).status_code == 403
    assert identity.call("GET", "/v3/projects/unknown", text).status_code == 403
    assert identity.call("GET", "/v3/projects", text).status_code == 403
    assert identity.call("GET", "/v3/projects?name=demo-jp1", text).status_code == 403


def test_admin_sees_every_project(identity, add_user):
    """An admin gets any project by ID, 404 for none, and lists with a filter by name."""
    text = identity.token("admin")
    other = add_user("jp1")

    assert identity.call("GET", f"/v3/projects/{other.id}", text).json()["project"]["name"] == other.name
    assert identity.call("GET", "/v3/projects/unknown", text).status_code == 404
    everything = identity.call("GET", "/v3/projects", text).json()["projects"]
    assert {"demo-jp1", "demo-jp2", "admin", "service", other.name} <= {item["name"] for item in everything}
    named = identity.call("GET", f"/v3/projects?name={other.name}", text).json()["projects"]
    assert [item["id"] for item in named] == [other.id]
    assert identity.call("GET", "/v3/projects?name=unknown%00", text).json()["projects"] == []
