"""Several requests at once: what the rules say of one after the other holds, on either database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ecl.server.settings.model import ImageLimits
from support.region_service import Client, RegionService, run_region

RAW = {"disk_format": "raw", "container_format": "bare"}
MIB = 1 << 20
#: Requests sent together, each by a client of its own.
TOGETHER = 6


def _together(region: RegionService, call: Callable[[Client, int], Any]) -> list[Any]:
    """Return what *call* returned to each of several clients of one project, which all called at once."""
    clients = [region.client() for _ in range(TOGETHER)]
    start = threading.Barrier(TOGETHER)

    def one(number: int) -> Any:
        start.wait()
        return call(clients[number], number)

    with ThreadPoolExecutor(TOGETHER) as pool:
        return list(pool.map(one, range(TOGETHER)))


def test_patches_of_one_image(region: RegionService, alpha: Client) -> None:
    """No patch undoes what another one did meanwhile."""
    image = alpha.create()

    def patch(client: Client, number: int) -> int:
        name = {"op": "add", "path": f"/p{number}", "value": "x"}
        tags = {"op": "add", "path": f"/q{number}", "value": "y"}
        return client.patch(image["id"], name, tags).status_code

    assert _together(region, patch) == [200] * TOGETHER
    after = alpha.show(image["id"])
    assert {name for name in after if name[0] in "pq" and name[1:].isdigit()} == {
        f"{letter}{number}" for letter in "pq" for number in range(TOGETHER)
    }


def test_one_tag_of_one_image(region: RegionService, alpha: Client) -> None:
    """A tag that everybody adds is there once."""
    image = alpha.create()

    def tag(client: Client, number: int) -> int:
        return client.request("PUT", f"/v2/images/{image['id']}/tags/same").status_code

    assert _together(region, tag) == [204] * TOGETHER
    assert alpha.show(image["id"])["tags"] == ["same"]


def test_uploads_to_one_image(region: RegionService, alpha: Client) -> None:
    """One upload gets hold of an image; the others are 409."""
    image = alpha.create(**RAW)

    def upload(client: Client, number: int) -> int:
        return client.upload(image["id"], bytes([number]) * MIB).status_code

    assert sorted(_together(region, upload)) == [204] + [409] * (TOGETHER - 1)
    assert alpha.show(image["id"])["status"] == "active"
    assert len(region.data_files()) == 1


def test_images_of_one_id(region: RegionService, alpha: Client) -> None:
    """One client gets an ID that several ask for; the others are 409."""
    identifier = "6a9c4f5e-54e5-4d6b-9b0b-5f60a6b5b2b1"

    def create(client: Client, number: int) -> int:
        return client.request("POST", "/v2/images", json={"id": identifier}).status_code

    assert sorted(_together(region, create)) == [201] + [409] * (TOGETHER - 1)


def test_share_of_images(tmp_path: Path) -> None:
    """A project that may have two images has two, however many it asks for at once."""
    with run_region(tmp_path, limits=ImageLimits(image_count_total=2)) as region:

        def create(client: Client, number: int) -> int:
            return client.request("POST", "/v2/images", json={}).status_code

        assert sorted(_together(region, create)) == [201] * 2 + [413] * (TOGETHER - 2)


def test_share_of_bytes(tmp_path: Path) -> None:
    """Uploads that each fit alone take together no more than the project's share."""
    with run_region(tmp_path, limits=ImageLimits(image_size_total=2)) as region:
        alpha = region.client()
        images = [alpha.create(**RAW)["id"] for _ in range(TOGETHER)]
        all_begun = threading.Barrier(TOGETHER)

        def data() -> Iterator[bytes]:
            yield b"x" * (MIB - 1)
            # Nobody's upload ends before everybody's has begun.
            all_begun.wait()
            yield b"x"

        def upload(client: Client, number: int) -> int:
            return client.upload(images[number], data()).status_code

        assert sorted(_together(region, upload)) == [204] * 2 + [413] * (TOGETHER - 2)
        assert alpha.get("/v2/info/usage").json()["usage"]["image_size_total"]["usage"] == 2
        assert len(region.data_files()) == 2


def test_members_of_one_image(region: RegionService, alpha: Client) -> None:
    """A member that everybody adds is there once; the others are 409."""
    image = alpha.create(visibility="shared")

    def share(client: Client, number: int) -> int:
        body = {"member": "a" * 32}
        return client.request("POST", f"/v2/images/{image['id']}/members", json=body).status_code

    assert sorted(_together(region, share)) == [200] + [409] * (TOGETHER - 1)


def test_namespaces_of_one_name(region: RegionService) -> None:
    """One administrator makes a namespace; the others are 409."""
    admins = [region.admin() for _ in range(TOGETHER)]

    def create(_: Client, number: int) -> int:
        body = {"namespace": "OS::One"}
        return admins[number].request("POST", "/v2/metadefs/namespaces", json=body).status_code

    assert sorted(_together(region, create)) == [201] + [409] * (TOGETHER - 1)
