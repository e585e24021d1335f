"""GET /v2/images: filters, order, pages, and who sees what."""

from __future__ import annotations

import itertools
from typing import Any
from urllib.parse import quote

import pytest

from support.region_service import Client, RegionService, project_id


def follow(client: Client, query: str) -> tuple[list[str], int]:
    """Return the IDs of every page from *query* on, and how many requests it took."""
    ids: list[str] = []
    path, requests = "/v2/images" + query, 0
    while path:
        body = client.get(path).json()
        ids += [image["id"] for image in body["images"]]
        path, requests = body.get("next"), requests + 1
        assert requests < 50
    return ids, requests


def test_newest_first(alpha: Client) -> None:
    """Without a sort key the newest image comes first."""
    ids = [alpha.create()["id"] for _ in range(3)]
    body = alpha.get("/v2/images").json()
    assert [image["id"] for image in body["images"]] == ids[::-1]
    assert (body["first"], body["schema"]) == ("/v2/images", "/v2/schemas/images")
    assert "next" not in body


def test_a_listed_image_looks_as_when_shown(alpha: Client) -> None:
    """Tags and properties of a list's images are complete and in order."""
    images = [alpha.create(name=f"n{n}", tags=["b", "a"], z="1", y="2", x=str(n)) for n in range(3)]
    listed = alpha.get("/v2/images?sort=name:asc").json()["images"]
    assert listed == [alpha.show(image["id"]) for image in images]
    assert list(listed[0])[:3] == ["z", "y", "x"]


@pytest.mark.parametrize("key", ["name", "size", "disk_format", "container_format", "status", "id", "updated_at"])
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_paging_is_total_in_every_order(alpha: Client, key: str, direction: str) -> None:
    """Following next gives every image exactly once, in order, with nulls lowest and ties broken."""
    for name, size in itertools.product((None, "a", "b"), (None, 0, 3)):
        if size is None:
            alpha.create(name=name)
        else:
            alpha.active(b"x" * size, name=name)

    everything = alpha.get(f"/v2/images?limit=100&sort={key}:{direction}").json()["images"]
    ids, _ = follow(alpha, f"?limit=2&sort={key}:{direction}")

    assert len(everything) == 9
    assert ids == [image["id"] for image in everything]
    ranks = [(image[key] is not None, image[key] if image[key] is not None else 0) for image in everything]
    assert ranks == sorted(ranks, reverse=direction == "desc")


def test_links_keep_the_whole_query(alpha: Client) -> None:
    """next and first repeat every parameter, repeated ones too; a page that is exactly full has a next."""
    for _ in range(2):
        alpha.create(tags=["a", "b & c"], name="x y")
    body = alpha.get("/v2/images?tag=a&tag=b+%26+c&name=x%20y&limit=1").json()
    assert body["first"] == "/v2/images?tag=a&tag=b+%26+c&name=x+y&limit=1"
    assert body["next"].startswith(body["first"] + "&marker=")
    assert len(follow(alpha, "?tag=a&tag=b+%26+c&limit=1")[0]) == 2


def test_limits(alpha: Client) -> None:
    """No limit means 25; zero is an empty page; more than 1000 is as 1000."""
    for _ in range(26):
        alpha.create()
    assert len(alpha.list_ids()) == 25
    assert "next" in alpha.get("/v2/images").json()
    assert len(alpha.list_ids("?limit=5000")) == 26
    empty = alpha.get("/v2/images?limit=0").json()
    assert empty["images"] == []
    assert "next" not in empty


def test_markers(alpha: Client, beta: Client) -> None:
    """A marker need not match the filters; unknown is 400, unseen is 403."""
    first, second = alpha.create(name="a"), alpha.create(name="b")
    assert alpha.list_ids(f"?name=a&marker={second['id']}") == [first["id"]]
    assert beta.get(f"/v2/images?marker={first['id']}").status_code == 403
    for marker in ("", "zzz", "00000000-0000-0000-0000-000000000000"):
        assert alpha.get(f"/v2/images?marker={marker}").status_code == 400
    alpha.request("DELETE", second["self"])
    assert alpha.get(f"/v2/images?marker={second['id']}").status_code == 400


def test_filters(alpha: Client) -> None:
    """Every documented filter finds what it should and nothing else."""
    one = alpha.active(b"12345", name="one, two", tags=["x", "y"], os_distro="debian", **{".os.type": "linux"})
    two = alpha.create(name="two", tags=["x"], min_ram=5, protected=True, os_distro="ubuntu")
    one_id, two_id = one["id"], two["id"]
    expected = {
        "name=two": [two_id],
        "name=eq:two": [two_id],
        "name=TWO": [],
        'name=in:"one, two",three': [one_id],
        "name=in:two,one": [two_id],
        f"id={one_id.upper()}": [one_id],
        f"id=in:{one_id},{two_id}": [two_id, one_id],
        "status=active": [one_id],
        "status=in:active,queued": [two_id, one_id],
        "disk_format=raw": [one_id],
        "container_format=ovf": [],
        "size=5": [one_id],
        "size=gt:5": [],
        "size_min=5&size_max=5": [one_id],
        "size_min=6": [],
        "min_ram=5": [two_id],
        "min_ram_min=1": [two_id],
        f"checksum={one['checksum']}": [one_id],
        f"os_hash_value={one['os_hash_value']}": [one_id],
        f"owner={project_id('alpha')}": [two_id, one_id],
        "owner=other": [],
        "protected=true": [two_id],
        "protected=false": [one_id],
        "tag=x": [two_id, one_id],
        "tag=x&tag=%20y%20": [one_id],
        "tag=x,y": [],
        "os_distro=debian": [one_id],
        ".os.type=linux&os_distro=debian": [one_id],
        "os_distro=eq:debian": [],
        "nothing=x": [],
        "locations=x": [],
        "visibility=shared": [two_id, one_id],
        "visibility=": [],
        "deleted=true": [two_id, one_id],
        "created_at=gte:2020-01-01": [two_id, one_id],
        "created_at=lt:2020-01-01T00:00:00Z": [],
        f"created_at={one['created_at']}&name=in:{quote(chr(34) + 'one, two' + chr(34))}": [one_id],
        f"updated_at=lte:{two['updated_at']}&id={two_id}": [two_id],
        f"updated_at=gt:{two['updated_at']}&id={two_id}": [],
        f"updated_at=neq:{two['updated_at']}&id={two_id}": [],
    }
    assert {query: alpha.list_ids("?" + query) for query in expected} == expected


@pytest.mark.parametrize(
    "query",
    [
        "limit=-1",
        "limit=x",
        "limit=",
        "limit=99999999999999999999999",
        "name=like:x",
        "name=http://x",
        'name=in:"x',
        'name=in:x"y"',
        "name=in:" + ",".join("x" * 1100),
        "size_min=x",
        "size_max=999999999999999999999999",
        "created_at=in:2020-01-01",
        "created_at=gt:yesterday",
        "created_at=2020-13-01",
        "protected=True",
        "os_hidden=maybe",
        "visibility=secret",
        "member_status=x",
        "changes-since=2020-01-01",
        "sort_key=owner",
        "sort_key=",
        "sort_dir=up",
        "sort=name:up",
        "sort=",
        "sort=name&sort_key=size",
        "sort_key=name&sort_key=size&sort_key=id&sort_dir=asc&sort_dir=desc",
        "name=%FF",
        "name=%00",
        "&".join(f"tag={number}" for number in range(201)),
    ],
)
def test_bad_parameters_are_400(alpha: Client, query: str) -> None:
    """A parameter that cannot be understood, or is too much, is 400."""
    assert alpha.get("/v2/images?" + query).status_code == 400


def test_huge_exact_numbers_match_nothing(alpha: Client) -> None:
    """A number beyond the database's range in an exact filter finds nothing, without an error."""
    alpha.create()
    assert alpha.list_ids("?size=99999999999999999999999999") == []


def test_hidden_images(alpha: Client) -> None:
    """A hidden image is in no list that does not ask for hidden ones, and then alone."""
    hidden, seen = alpha.create(os_hidden=True), alpha.create()
    assert alpha.list_ids() == [seen["id"]]
    assert alpha.list_ids("?os_hidden=True") == [hidden["id"]]


def test_who_sees_what(region: RegionService, alpha: Client, beta: Client, admin: Client) -> None:
    """Each visibility and each caller, by the table of the reference."""
    made = {v: alpha.create(visibility=v)["id"] for v in ("private", "shared", "community")}
    made["public"] = admin.create(visibility="public")["id"]
    made["ownerless"] = admin.create(owner=None, visibility="private")["id"]
    names = {image_id: name for name, image_id in made.items()}

    def seen(client: Client, query: str = "") -> set[str]:
        return {names[image_id] for image_id in client.list_ids(query)}

    own = {"private", "shared", "community", "public"}
    assert seen(alpha) == own
    assert seen(beta) == {"public"}
    assert seen(beta, "?visibility=all") == {"public", "community"}
    assert seen(beta, "?visibility=community") == {"community"}
    assert seen(beta, "?visibility=private") == set()
    assert seen(beta, f"?owner={project_id('alpha')}") == set()
    assert seen(admin) == {"private", "shared", "public", "ownerless"}
    assert seen(admin, "?visibility=all") == {*own, "ownerless"}
    assert seen(admin, "?visibility=private") == {"private", "ownerless"}
    assert seen(region.client("gamma", roles=("reader",))) == {"public"}
    unscoped = region.client("none", roles=("reader",))
    region.tokens.callers.update(
        {
            token: type(caller)("u", None, None, caller.roles)
            for token, caller in region.tokens.callers.items()
            if caller.project_id == unscoped.project_id
        }
    )
    assert seen(unscoped, "?visibility=all") == {"public", "community"}
    assert alpha.get(f"/v2/images/{made['ownerless']}").status_code == 404
    assert unscoped.get(f"/v2/images/{made['ownerless']}").status_code == 404

    path = f"/v2/images/{made['shared']}/members"
    alpha.request("POST", path, json={"member": beta.project_id})
    assert seen(beta, "?visibility=shared") == set()
    assert seen(beta, "?visibility=shared&member_status=all") == {"shared"}
    beta.request("PUT", f"{path}/{beta.project_id}", json={"status": "accepted"})
    assert seen(beta) == {"public", "shared"}
    assert seen(beta, "?visibility=shared") == {"shared"}


def test_a_page_of_1000_takes_few_statements(region: RegionService, alpha: Client) -> None:
    """The number of statements does not grow with the page."""
    from sqlalchemy import event, insert

    from ecl.server.db.schema import image_properties, image_tags, images

    rows: list[dict[str, Any]] = [
        {
            "region": "jp1",
            "id": f"00000000-0000-0000-0000-{number:012}",
            "status": "queued",
            "visibility": "shared",
            "owner": alpha.project_id,
            "created_at": number,
            "updated_at": number,
        }
        for number in range(1000)
    ]
    with region.database.write() as connection:
        connection.execute(insert(images), rows)
        keys = [{"region": "jp1", "image_id": row["id"]} for row in rows]
        connection.execute(insert(image_tags), [{**key, "tag": "t"} for key in keys])
        values = {"name": "p", "value": "v", "position": 0}
        connection.execute(insert(image_properties), [{**key, **values} for key in keys])
    statements: list[str] = []
    event.listen(region.database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))

    body = alpha.get("/v2/images?limit=1000&sort_dir=asc").json()

    assert len(body["images"]) == 1000
    assert {(*image["tags"], image["p"]) for image in body["images"]} == {("t", "v")}
    # Of which one counts the images that others share with the caller. PostgreSQL gives tags, properties and stores
    # by one statement.
    expected = 5 if region.database.is_sqlite else 3
    assert len([text for text in statements if text.startswith("SELECT")]) == expected
