"""The regions of a real Keystone's projects, and copies between them."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from ecl.testing import ImageService
from support.keystone_cloud import Cloud, keystone_service
from support.region_service import poll

JOBS = "/v2/extension/image_replicator/jobs"
DATA = os.urandom(100_000)


@pytest.fixture(scope="module")
def tagged(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImageService]:
    """A service that reads the tags of projects, as a user with the role admin."""
    folder = tmp_path_factory.mktemp("tagged")
    with keystone_service(cloud, folder, cloud.service_user("admin"), region_tag="ecl:region") as running:
        yield running


def test_tag(cloud, tagged, reach):
    """A project belongs to the region of its tag: in another region its tokens are 403; without a tag it has all."""
    token, _ = cloud.someone("member", project=cloud.project(tags=["other", "ecl:region=jp2"]))
    free, _ = cloud.someone("member", project=cloud.project(tags=["region=jp2"]))

    assert reach(tagged, token, "jp2").get("/v2/images").status_code == 200
    refused = reach(tagged, token, "jp1").get("/v2/images")
    assert refused.status_code == 403
    assert "Your project belongs to region jp2" in refused.json()["message"]
    assert [reach(tagged, free, region).get("/v2/images").status_code for region in ("jp1", "jp2")] == [200, 200]


def test_setting(cloud, tmp_path, reach):
    """The settings can name the region of a project; roles of other names can count as the service's."""
    token, project = cloud.someone("creator")
    boss, _ = cloud.someone("cloud_boss")
    admin, _ = cloud.someone("admin")
    more = {"project_regions": {project["id"]: "jp2"}, "member_roles": ["creator"], "admin_roles": ["cloud_boss"]}
    with keystone_service(cloud, tmp_path, cloud.service_user("service"), **more) as service:
        assert reach(service, token, "jp2").request("POST", "/v2/images", json={}).status_code == 201
        assert reach(service, token, "jp1").get("/v2/images").status_code == 403
        public = {"visibility": "public"}
        assert reach(service, boss).request("POST", "/v2/images", json=public).status_code == 201
        # The Keystone's admin is nobody here: the settings name another role. It is implied by nothing else.
        assert reach(service, admin).request("POST", "/v2/images", json=public).status_code == 403


def test_tags_need_admin(cloud, tmp_path, reach):
    """When the service's user may not read projects, requests are 503, and the log says why."""
    token, _ = cloud.someone("member")
    with keystone_service(cloud, tmp_path, cloud.service_user("service"), region_tag="ecl:region") as service:
        assert reach(service, token).get("/v2/images").status_code == 503
        assert "it does not let the service's own user read projects" in service.log


def test_copy(cloud, tagged, reach):
    """A user with the role member on both projects copies an image from one region to the other."""
    here = cloud.project(tags=["ecl:region=jp1"])
    there = cloud.project(tags=["ecl:region=jp2"])
    user = cloud.user()
    for project in (here, there):
        cloud.grant(user, project, "member")
    source = reach(tagged, cloud.token(user["name"], here["name"]))
    image = source.active(DATA, name="copied")
    answer = source.request("POST", JOBS, json={"image_id": image["id"], "tenant_id_dst": there["id"]})
    assert answer.status_code == 202, answer.text
    job = f"{JOBS}/{answer.json()['job_id']}"
    poll(lambda: source.get(job).json()["status"] in ("replicated", "error"))
    shown = source.get(job).json()
    assert shown["status"] == "replicated", tagged.log
    target = reach(tagged, cloud.token(user["name"], there["name"]), "jp2")
    copy = target.show(shown["destination_image_id"])

    assert (copy["owner"], copy["name"], copy["os_hash_value"]) == (there["id"], "copied", image["os_hash_value"])


def test_copy_to_others(cloud, tagged, reach):
    """Without a role on the destination, or for what is no project, the answer is the same 404."""
    token, _ = cloud.someone("member", project=cloud.project(tags=["ecl:region=jp1"]))
    source = reach(tagged, token)
    image = source.active(DATA)
    others = cloud.project(tags=["ecl:region=jp2"])
    gone = cloud.project(tags=["ecl:region=jp2"], enabled=False)
    answers = [
        source.request("POST", JOBS, json={"image_id": image["id"], "tenant_id_dst": tenant})
        for tenant in (others["id"], gone["id"], "f" * 32, "..", "a/b?c")
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert all("There is no tenant" in answer.json()["message"] for answer in answers)
