"""The service and a real Glance with one real Keystone: who may do what, by Glance's default policies."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from glance_backend import glance_is_installed, run_glance
from keystone_backend import PASSWORD, keystone_is_installed, run_keystone
from twin import OCTETS, REGION, STORES, Twin, twin_of

from support.keystone_cloud import Cloud, keystone_service

_AUTHTOKEN = """
[keystone_authtoken]
auth_type = v3password
auth_url = {url}/v3
www_authenticate_uri = {url}/v3
username = {user}
password = {password}
user_domain_id = default
project_domain_id = default
project_name = service
"""


class Callers:
    """Tokens of one Keystone, by what their user is."""

    def __init__(self, cloud: Cloud) -> None:
        self.project = cloud.project()
        other = cloud.project()
        self.tokens = {
            role: cloud.someone(role, project=self.project)[0]
            for role in ("admin", "manager", "member", "reader", "service", "auditor")
        }
        self.tokens["other"] = cloud.someone("member", project=other)[0]
        user = cloud.user()
        admin = cloud.roles["admin"]
        cloud.call("PUT", f"/v3/domains/default/users/{user['id']}/roles/{admin}")
        cloud.call("PUT", f"/v3/system/users/{user['id']}/roles/{admin}")
        self.tokens["unscoped"] = cloud.login(user["name"], "unscoped")
        self.tokens["domain admin"] = cloud.login(user["name"], {"domain": {"id": "default"}})
        self.tokens["system admin"] = cloud.login(user["name"], {"system": {"all": True}})


WITH_ROLE = ("admin", "manager", "member", "reader", "other")
WITHOUT_ROLE = ("service", "auditor", "unscoped", "domain admin", "system admin")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twin]:
    """Both services with one Keystone."""
    if not (glance_is_installed() and keystone_is_installed()):
        pytest.skip("no Glance or no Keystone in .venvs (scripts/test-inputs)")
    with run_keystone() as url:
        cloud = Cloud(url, PASSWORD)
        try:
            # Glance looks for the Keystone in its own catalog.
            cloud.add_endpoint("identity", url)
            own, callers = cloud.service_user("service"), Callers(cloud)
            config = _AUTHTOKEN.format(url=url, user=cloud.service_user("service"), password="a-password")
            glance = run_glance(more_config=config, tokens="keystonemiddleware.auth_token:filter_factory")
            folder = tmp_path_factory.mktemp("twin")
            region = {"name": REGION, "stores": STORES}
            with keystone_service(cloud, folder, own, regions=[region]) as service, glance as glance_url:
                yield twin_of(f"{service.url}/image/{REGION}", glance_url, callers.tokens)
        finally:
            cloud.close()


@pytest.mark.parametrize("who", WITH_ROLE + WITHOUT_ROLE)
def test_who_may_what(both, who):
    """Each kind of caller gets the same answer from both to each operation."""
    private = both.active(visibility="private")
    shared = both.active(visibility="shared")
    public = both.active(b"0123456789", "admin", visibility="public")
    hidden = both.active(os_hidden=True)
    for image in (private, shared, public, hidden):
        both.send("GET", f"/v2/images/{image}", who=who)
        both.send("GET", f"/v2/images/{image}/file", who=who)
        seen = (public,) if who == "unscoped" else (private, public) if who in WITHOUT_ROLE else ()
        members = f"/v2/images/{image}/members"
        both.send("GET", members, who=who, differs="members-without-role" if image in seen else None)
        both.send("PUT", f"/v2/images/{image}/tags/a", who=who)
        both.send("POST", f"/v2/images/{image}/actions/deactivate", who=who)
        both.send("POST", f"/v2/images/{image}/actions/reactivate", who=who)
        both.send("DELETE", f"/v2/stores/cheap/{image}", who=who)
        both.patch(image, {"op": "replace", "path": "/name", "value": "new"}, who=who)
    both.send("GET", "/v2/images?sort=created_at:asc", who=who)
    both.send("GET", "/v2/images?visibility=all&sort=created_at:asc", who=who)
    for body in ({}, {"visibility": "public"}, {"visibility": "community"}, {"owner": "c" * 32}):
        both.send("POST", "/v2/images", {**body, "id": both.new_id()}, who=who)
    both.send("PUT", f"/v2/images/{both.create()}/file", data=b"0123456789", who=who, Content_Type=OCTETS)
    both.send("PUT", f"/v2/images/{both.create()}/stage", data=b"0123456789", who=who, Content_Type=OCTETS)
    both.send("POST", f"/v2/images/{shared}/members", {"member": "d" * 32}, who=who)
    for method, body in (("GET", None), ("POST", {"namespace": f"of-{who.replace(' ', '-')}"})):
        path = "/v2/metadefs/namespaces"
        both.send(method, path, body, who=who, differs="metadef-without-role" if who in WITHOUT_ROLE else None)
    both.send("GET", "/v2/info/stores", who=who)
    is_detailed = who in ("admin", "service")
    both.send("GET", "/v2/info/stores/detail", who=who, differs="stores-detail" if is_detailed else None)
    both.send("GET", "/v2/info/import", who=who)
    both.send("GET", "/v2/tasks", who=who)
    both.send("DELETE", f"/v2/images/{private}", who=who)
    both.clear()
    both.check()


@pytest.mark.parametrize("who", [None, "unknown"])
def test_no_token(both, who):
    """Without a valid token both answer 401."""
    answer = both.send("GET", "/v2/images", who=who, differs="unauthorized-body")
    both.check()

    assert answer.status == 401
