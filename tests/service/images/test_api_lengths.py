"""How long what a client writes into an image may be, on both sides of each limit."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from ecl.server.domain.image import Image, check_quotas
from ecl.server.domain.import_request import adopt_metadata
from ecl.server.errors import TooLarge
from ecl.server.settings.model import ImageLimits
from support.region_service import Client, RegionService, run_region

VALUE = 64 << 10


def test_longest_value_at_creation(alpha: Client) -> None:
    """64 KiB are stored, a byte more is 413; bytes count, not characters."""
    assert alpha.create(p="é" * (VALUE // 2))["p"] == "é" * (VALUE // 2)
    for value in ("x" * (VALUE + 1), "é" * (VALUE // 2) + "x"):
        refused = alpha.request("POST", "/v2/images", json={"p": value})
        assert refused.status_code == 413
        assert "property 'p'" in refused.json()["message"]


def test_longest_value_in_a_patch(alpha: Client) -> None:
    """The same for an update, which then changes nothing."""
    image = alpha.create()
    assert alpha.patch(image["id"], {"op": "add", "path": "/p", "value": "x" * VALUE}).status_code == 200
    refused = alpha.patch(image["id"], {"op": "replace", "path": "/p", "value": "x" * (VALUE + 1)})
    assert refused.status_code == 413
    assert alpha.show(image["id"])["p"] == "x" * VALUE


def test_all_metadata_together(tmp_path: Path) -> None:
    """Name, tags, properties and their names count; what makes it less is always allowed."""
    with run_region(tmp_path, limits=ImageLimits(image_metadata_bytes=100)) as region:
        alpha = region.client("alpha")
        image = alpha.create(name="n" * 10, tags=["t" * 10], **{"p" * 10: "v" * 70})
        for body in ({"name": "n" * 11}, {"name": "n" * 10, "tags": ["t"]}):
            assert alpha.request("POST", "/v2/images", json={**body, "p" * 10: "v" * 80}).status_code == 413
        assert alpha.request("PUT", f"/v2/images/{image['id']}/tags/x").status_code == 413
        assert alpha.patch(image["id"], {"op": "add", "path": "/x", "value": ""}).status_code == 413
        assert alpha.patch(image["id"], {"op": "replace", "path": "/name", "value": "n"}).status_code == 200
        assert alpha.request("PUT", f"/v2/images/{image['id']}/tags/x").status_code == 204


def test_what_was_too_long_before_may_stay(region: RegionService, alpha: Client) -> None:
    """An image from before the limit can still be changed, though no value of it can be made longer."""
    image = alpha.create(p="x")
    with region.database.write() as connection:
        connection.execute(text("UPDATE image_properties SET value = :value"), {"value": "x" * (2 * VALUE)})
    assert alpha.patch(image["id"], {"op": "replace", "path": "/name", "value": "new"}).status_code == 200
    longer = {"op": "replace", "path": "/p", "value": "y" * (2 * VALUE)}
    assert alpha.patch(image["id"], longer).status_code == 413
    assert alpha.patch(image["id"], {"op": "remove", "path": "/p"}).status_code == 200


def test_adopted_properties_are_limited() -> None:
    """What another region says of its image is not stored without limit either."""
    image = Image("i", "queued", "private", 0, 0)
    after = image.copy()
    adopt_metadata(after, {"disk_format": "raw", "container_format": "bare", "hw_x": "x" * (VALUE + 1)})
    with pytest.raises(TooLarge, match="hw_x"):
        check_quotas(after, ImageLimits(), image)


def test_a_task_keeps_what_means_something(region: RegionService, alpha: Client) -> None:
    """Unknown fields of an import request are accepted, and not stored."""
    image = alpha.create(disk_format="raw", container_format="bare")
    staged = alpha.request(
        "PUT", f"/v2/images/{image['id']}/stage", data=b"1", headers={"Content-Type": "application/octet-stream"}
    )
    assert staged.status_code == 204
    padding = "x" * 900_000
    body = {"method": {"name": "glance-direct", "more": padding}, "all_stores": True, "more": padding[:1000]}
    assert alpha.request("POST", f"/v2/images/{image['id']}/import", json=body).status_code == 202
    (task,) = alpha.get(f"/v2/images/{image['id']}/tasks").json()["tasks"]
    assert task["input"]["import_req"] == {"method": {"name": "glance-direct"}, "all_stores": True}
    with region.database.read() as connection:
        assert len(connection.execute(text("SELECT input FROM tasks")).scalar_one()) < 1000
