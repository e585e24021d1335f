"""PATCH, DELETE, tags and actions."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from support.region_service import Client, RegionService, poll, project_id

V20 = "application/openstack-images-v2.0-json-patch"


def test_a_patch_is_applied_whole_and_in_order(alpha: Client) -> None:
    """Later operations see earlier ones; values of every kind are stored."""
    image = alpha.create(name="old", keep="1", drop="2", tags=["t"])
    response = alpha.patch(
        image["id"],
        {"op": "replace", "path": "/name", "value": None},
        {"op": "add", "path": "/tags", "value": ["b", "a", "b"]},
        {"op": "add", "path": "/min_ram", "value": 512},
        {"op": "add", "path": "/new~1one", "value": "x"},
        {"op": "replace", "path": "/new~1one", "value": "y"},
        {"op": "remove", "path": "/drop"},
        {"op": "add", "path": "/.os.type", "value": "linux"},
    )

    body = response.json()
    assert response.status_code == 200
    assert body["name"] is None
    assert (sorted(body["tags"]), body["min_ram"]) == (["a", "b"], 512)
    assert list(body)[:3] == ["keep", "new/one", ".os.type"]
    assert body["new/one"] == "y"
    assert body == alpha.show(image["id"])


def test_nothing_is_stored_if_one_operation_fails(alpha: Client) -> None:
    """A patch that fails in its last operation leaves the image as it was."""
    image = alpha.create(name="old")
    operations = (
        {"op": "replace", "path": "/name", "value": "new"},
        {"op": "remove", "path": "/missing"},
    )
    assert alpha.patch(image["id"], *operations).status_code == 409
    assert alpha.show(image["id"]) == image


@pytest.mark.parametrize("content_type", ["application/json", "", V20.upper(), "text/plain"])
def test_other_media_types_are_415(alpha: Client, content_type: str) -> None:
    """Only the two patch types are taken, and the answer names them."""
    image = alpha.create()
    headers = {"Content-Type": content_type}
    response = alpha.request("PATCH", image["self"], data=b"[]", headers=headers)
    assert response.status_code == 415
    assert V20 in response.headers["Accept-Patch"]


def test_the_older_dialect(alpha: Client) -> None:
    """In 2.0 the verb is the key, and add on what is there is a conflict."""
    image = alpha.create(there="1")

    def patch(*operations: dict[str, Any]) -> int:
        body = msgspec.json.encode(operations)
        headers = {"Content-Type": f"{V20}; charset=utf-8"}
        return alpha.request("PATCH", image["self"], data=body, headers=headers).status_code

    assert patch({"add": "/new", "value": "x"}, {"replace": "/name", "value": "n"}) == 200
    assert patch({"add": "/there", "value": "x"}) == 409
    assert patch({"add": "/name", "value": "x"}) == 409
    assert patch({"remove": "/there"}) == 200
    assert patch({"add": "/x", "remove": "/y", "value": "x"}) == 400


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{}", 400),
        (b"[1]", 400),
        (b'[{"op":"test","path":"/name","value":"x"}]', 400),
        (b'[{"op":"add","value":"x"}]', 400),
        (b'[{"op":"add","path":"name","value":"x"}]', 400),
        (b'[{"op":"add","path":"/name/","value":"x"}]', 400),
        (b'[{"op":"add","path":"/a~2","value":"x"}]', 400),
        (b'[{"op":"add","path":"/a/b","value":"x"}]', 400),
        (b'[{"op":"add","path":"/tags/0","value":"x"}]', 400),
        (b'[{"op":"add","path":"/name"}]', 400),
        (b'[{"op":"add","path":"/name","value":5}]', 400),
        (b'[{"op":"add","path":"/custom","value":5}]', 400),
        (b'[{"op":"add","path":"/min_ram","value":-1}]', 400),
        (b'[{"op":"replace","path":"/visibility","value":"secret"}]', 400),
        (b'[{"op":"replace","path":"/id","value":"x"}]', 403),
        (b'[{"op":"remove","path":"/status"}]', 403),
        (b'[{"op":"add","path":"/deleted","value":"x"}]', 403),
        (b'[{"op":"add","path":"/os_glance_x","value":"x"}]', 403),
        (b'[{"op":"add","path":"/locations/-","value":{}}]', 403),
        (b'[{"op":"remove","path":"/name"}]', 403),
        (b'[{"op":"replace","path":"/visibility","value":"public"}]', 403),
        (b'[{"op":"replace","path":"/owner","value":"someone"}]', 403),
        (b'[{"op":"add","path":"/owner","value":"someone"}]', 403),
        (b'[{"op":"replace","path":"/missing","value":"x"}]', 409),
        (b'[{"op":"remove","path":"/missing"}]', 409),
    ],
)
def test_refused_operations(alpha: Client, body: bytes, status: int) -> None:
    """Each wrong operation has its status, and changes nothing."""
    image = alpha.create()
    headers = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
    assert alpha.request("PATCH", image["self"], data=body, headers=headers).status_code == status
    assert alpha.show(image["id"]) == image


def test_formats_are_fixed_once_there_is_data(alpha: Client) -> None:
    """disk_format changes while queued, and never after."""
    image = alpha.create(disk_format="qcow2", container_format="bare")
    operation = {"op": "replace", "path": "/disk_format", "value": "raw"}
    assert alpha.patch(image["id"], operation).status_code == 200
    alpha.upload(image["id"], b"x")
    assert alpha.patch(image["id"], operation).status_code == 403


def test_an_administrator_changes_owner_and_visibility(alpha: Client, admin: Client) -> None:
    """Only an administrator gives an image away or makes it public; its owner may make it shared again."""
    image = alpha.create()
    assert admin.patch(image["id"], {"op": "replace", "path": "/visibility", "value": "public"}).ok
    assert alpha.patch(image["id"], {"op": "replace", "path": "/visibility", "value": "shared"}).ok
    assert admin.patch(image["id"], {"op": "replace", "path": "/owner", "value": project_id("beta")}).ok
    assert alpha.get(image["self"]).status_code == 404


def test_empty_patch(alpha: Client, beta: Client) -> None:
    """An empty patch changes nothing, and whoever sees the image may send it."""
    image = alpha.create(visibility="community")
    assert beta.patch(image["id"]).json() == image
    assert alpha.create(visibility="private")["id"] not in beta.list_ids()


@pytest.mark.parametrize("visibility", ["private", "shared", "community"])
def test_unseen_is_404_and_foreign_is_403(alpha: Client, beta: Client, visibility: str) -> None:
    """What a caller does not see does not exist; what it sees but does not own it cannot change."""
    image = alpha.create(visibility=visibility, disk_format="raw", container_format="bare")
    status = 403 if visibility == "community" else 404
    path = image["self"]
    assert beta.patch(image["id"], {"op": "add", "path": "/a", "value": "b"}).status_code == status
    assert beta.request("DELETE", path).status_code == status
    assert beta.upload(image["id"], b"x").status_code == status
    assert beta.request("PUT", f"{path}/tags/x").status_code == status
    assert beta.request("POST", f"{path}/actions/deactivate").status_code == status
    assert beta.get(path).status_code == (200 if status == 403 else 404)
    assert alpha.show(image["id"]) == image


def test_readers_only_look(alpha: Client, region: RegionService) -> None:
    """The role reader lists and shows, and does nothing else; no role at all sees nothing."""
    image = alpha.active()
    reader = region.client("alpha", roles=("reader",))
    assert reader.show(image["id"])
    for status in (
        reader.get(image["file"]).status_code,
        reader.upload(image["id"], b"x").status_code,
        reader.request("DELETE", image["self"]).status_code,
    ):
        assert status == 403
    nobody = region.client("alpha", roles=())
    assert nobody.get("/v2/images").status_code == 403
    assert nobody.get(image["self"]).status_code == 404
    assert nobody.get("/v2/schemas/image").status_code == 200


def test_delete(alpha: Client, admin: Client, region: RegionService) -> None:
    """A deleted image is gone for everyone, and so are its bytes; a protected one stays."""
    image = alpha.active(protected=True)
    assert alpha.request("DELETE", image["self"]).status_code == 403
    assert alpha.patch(image["id"], {"op": "replace", "path": "/protected", "value": False}).ok
    assert alpha.request("DELETE", image["self"], data=b"x").status_code == 400
    assert len(region.data_files()) == 1

    response = alpha.request("DELETE", image["self"])
    assert (response.status_code, response.content) == (204, b"")
    assert region.data_files() == []
    assert alpha.request("DELETE", image["self"]).status_code == 404
    assert admin.get(image["self"]).status_code == 404
    assert admin.list_ids("?visibility=all") == []


def test_tags(alpha: Client) -> None:
    """A tag is put once however often it is put; a path is decoded once, as UTF-8."""
    image = alpha.create()
    path = image["self"] + "/tags/"
    for tag in ("plain", "plain", "q%20%2B%2C%3A%25", "%C3%A9", "%F0%9F%92%BD", "%2E%2E"):
        assert alpha.request("PUT", path + tag).status_code == 204
    assert sorted(alpha.show(image["id"])["tags"]) == sorted(["plain", "q +,:%", "é", "💽", ".."])
    assert alpha.request("DELETE", path + "plain").status_code == 204
    assert alpha.request("DELETE", path + "plain").status_code == 404
    assert alpha.request("PUT", path + "%FF").status_code == 400
    assert alpha.request("PUT", path + "%00").status_code == 400
    assert alpha.request("PUT", path + "a%2Fb").status_code == 404
    assert alpha.request("PUT", path + "x" * 256).status_code == 400
    assert alpha.request("DELETE", path + "x" * 256).status_code == 404
    assert alpha.request("PUT", path + "body", data=b"x").status_code == 400
    response = alpha.get(path + "plain")
    assert (response.status_code, response.headers["Allow"]) == (405, "DELETE, PUT")
    assert alpha.get(image["self"] + "/tags").status_code == 404


def test_tag_quota(alpha: Client) -> None:
    """The tag after the last allowed one is 413; putting one that is there is fine."""
    image = alpha.create(tags=[f"t{number}" for number in range(128)])
    assert alpha.request("PUT", f"{image['self']}/tags/one-more").status_code == 413
    assert alpha.request("PUT", f"{image['self']}/tags/t5").status_code == 204


def test_updated_at(alpha: Client) -> None:
    """A tag put again and a patch that changes nothing count as changes; an empty patch does not."""
    image = alpha.create(tags=["t"])

    def updated_by(action: Any) -> bool:
        before = alpha.show(image["id"])["updated_at"]
        poll(lambda: alpha.create()["created_at"] > before)
        assert action().ok
        return bool(alpha.show(image["id"])["updated_at"] > before)

    assert updated_by(lambda: alpha.request("PUT", image["self"] + "/tags/t"))
    assert updated_by(lambda: alpha.patch(image["id"], {"op": "replace", "path": "/min_ram", "value": 0}))
    assert not updated_by(lambda: alpha.patch(image["id"]))


def test_deactivate_and_reactivate(alpha: Client, admin: Client) -> None:
    """A deactivated image is downloaded by administrators only; both actions may be repeated."""
    image = alpha.active()
    for _ in range(2):
        assert alpha.request("POST", image["self"] + "/actions/deactivate").status_code == 204
    assert alpha.show(image["id"])["status"] == "deactivated"
    assert alpha.get(image["file"]).status_code == 403
    assert admin.get(image["file"]).content == b"0123456789"
    assert alpha.upload(image["id"], b"x").status_code == 409
    for _ in range(2):
        assert alpha.request("POST", image["self"] + "/actions/reactivate").status_code == 204
    assert alpha.get(image["file"]).content == b"0123456789"
    assert alpha.request("POST", image["self"] + "/actions/explode").status_code == 404
    assert alpha.get(image["self"] + "/actions/deactivate").status_code == 405
    assert alpha.request("POST", image["self"] + "/actions/deactivate", data=b"{}").status_code == 400
    assert alpha.request("POST", alpha.create()["self"] + "/actions/deactivate").status_code == 403
