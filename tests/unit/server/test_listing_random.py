"""Lists of images against a filter in plain Python: a few thousand random images, many random queries."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import closing
from random import Random

import pytest
from benchmarks.fill import NOBODY, RARE_NAME, RARE_PROPERTY, RARE_TAG, SMALL_TENANT, FilledImage, fill, filled_images
from benchmarks.fill import project as project_number

from ecl.server.clock import MICROSECONDS
from ecl.server.db.engine import Database
from ecl.server.db.listing import FEW, list_images
from ecl.server.domain.caller import Caller
from ecl.server.domain.image import Image
from ecl.server.domain.listing import ListQuery
from ecl.server.domain.paging import SortKey
from support.postgres import Postgres

COUNT = 3000
QUERIES = 400
FILLED = list(filled_images(COUNT))
LIVE = [filled for filled in FILLED if filled.image.status != "deleted"]
SORTS = ("created_at", "updated_at", "name", "size", "status", "disk_format", "container_format", "id")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database with all images in one region, and others of the same IDs in another."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('filled')}/ecl.db"
    else:
        running: Postgres = request.getfixturevalue("postgres")
        url = running.create()
    with closing(Database(url)) as made:
        made.prepare()
        fill(made, "jp1", COUNT)
        fill(made, "jp2", COUNT // 2)
        yield made


@pytest.mark.parametrize("few", [FEW, 300, 0])
def test_lists_are_what_a_plain_filter_gives(database: Database, few: int) -> None:
    """A page has exactly the images that a loop over all of them finds, wherever the database looks for them."""
    random = Random(few)
    hits = 0
    for number in range(QUERIES):
        caller, query, marker = _caller(random), _query(random), _marker(random)
        expected = _expected(caller, query, marker)
        with database.read() as connection:
            page = list_images(connection, "jp1", caller, query, marker, few=few)
        assert [image.id for image in page] == [image.id for image in expected], (number, caller, query, marker)
        assert page == expected
        hits += bool(page)
    # Else the queries are too narrow to say much.
    assert hits > QUERIES // 3


# --- random requests ------------------------------------------------------------------------------------------


def _caller(random: Random) -> Caller:
    project = random.choice((SMALL_TENANT, NOBODY, None, *(project_number(random.randrange(9)) for _ in range(4))))
    return Caller("u", project, "jp1", frozenset({random.choice(("admin", "member", "member", "reader"))}))


def _query(random: Random) -> ListQuery:
    one = random.choice(LIVE).image
    query = ListQuery(random.choice((1, 5, 25, 25, 1000)), sort=_sort(random))
    query.visibility = random.choice((None, None, None, "public", "private", "shared", "community", "all"))
    query.member_status = random.choice(("accepted", "accepted", "pending", "rejected", "all"))
    query.os_hidden = random.random() < 0.15
    query.protected = random.choice((None, None, None, None, False, True))
    for _ in range(random.choice((0, 0, 1, 1, 2))):
        _filter(random, query, one)
    return query


def _filter(random: Random, query: ListQuery, one: Image) -> None:
    match random.randrange(14):
        case 0:
            query.tags.append(random.choice([*one.tags, RARE_TAG, "none"]))
        case 1:
            name, value = random.choice([*one.properties.items(), RARE_PROPERTY, ("os_distro", "none")])
            query.properties[name] = value
        case 2:
            query.texts["name"] = (random.choice((one.name or "", RARE_NAME)),)
        case 3:
            query.texts["name"] = tuple({one.name or "", RARE_NAME, "none"})
        case 4:
            query.texts["id"] = (one.id, random.choice(FILLED).image.id)
        case 5:
            query.texts["status"] = random.choice((("active",), ("queued",), ("deactivated",), ("queued", "active")))
        case 6:
            query.texts["owner"] = (one.owner or "",)
        case 7:
            query.texts["disk_format"] = (one.disk_format or "",)
        case 8:
            query.numbers.append((random.choice(("size", "min_ram")), random.choice(("min", "max", "eq")), 512))
        case 9:
            query.numbers.append(("size", random.choice(("min", "max", "eq")), one.size or 0))
        case 10:
            query.texts["checksum"] = (one.checksum or "none",)
        case 11:
            query.texts["os_hash_value"] = (one.os_hash_value or "none", "none")
        case _:
            operator = random.choice(("eq", "neq", "gt", "gte", "lt", "lte"))
            name = random.choice(("created_at", "updated_at"))
            query.times.append((name, operator, getattr(one, name) // MICROSECONDS))


def _sort(random: Random) -> list[SortKey]:
    names = random.sample(SORTS, random.choice((1, 1, 1, 2, 3)))
    descending = random.random() < 0.5
    keys = [SortKey(name, descending if random.random() < 0.8 else not descending) for name in names]
    return keys + [SortKey(name, descending) for name in ("created_at", "id") if name not in names]


def _marker(random: Random) -> Image | None:
    return random.choice(LIVE).image if random.random() < 0.5 else None


# --- the plain filter -----------------------------------------------------------------------------------------


def _expected(caller: Caller, query: ListQuery, marker: Image | None) -> list[Image]:
    found = [f.image for f in LIVE if _is_seen(caller, query, f) and _meets(query, f.image)]
    key = functools.cmp_to_key(lambda one, other: _compare(query.sort, one, other))
    found.sort(key=key)
    if marker is not None:
        found = [image for image in found if _compare(query.sort, image, marker) > 0]
    return found[: query.limit]


def _compare(sort: list[SortKey], one: Image, other: Image) -> int:
    for key in sort:
        # Null is the lowest value.
        left, right = ((value is not None, value or 0) for value in (getattr(one, key.name), getattr(other, key.name)))
        if left != right:
            return -1 if (left < right) != key.descending else 1
    return 0


def _is_seen(caller: Caller, query: ListQuery, filled: FilledImage) -> bool:
    image = filled.image
    own = caller.project_id is not None and image.owner == caller.project_id
    if caller.is_admin:
        if query.visibility is None:
            return image.visibility != "community" or own
        return query.visibility in ("all", image.visibility)
    status = filled.members.get(caller.project_id or "")
    member = image.visibility == "shared" and status is not None and query.member_status in ("all", status)
    match query.visibility:
        case None:
            return own or member or image.visibility == "public"
        case "all":
            return own or member or image.visibility in ("public", "community")
        case "private":
            return own and image.visibility == "private"
        case "shared":
            return (own or member) and image.visibility == "shared"
    return image.visibility == query.visibility


def _meets(query: ListQuery, image: Image) -> bool:
    return (
        image.os_hidden == query.os_hidden
        and query.protected in (None, image.protected)
        and all(getattr(image, name) in texts for name, texts in query.texts.items())
        and all(_bound(getattr(image, name), bound, number) for name, bound, number in query.numbers)
        and all(_time(getattr(image, name) // MICROSECONDS, op, second) for name, op, second in query.times)
        and set(query.tags) <= set(image.tags)
        and query.properties.items() <= image.properties.items()
    )


def _bound(value: int | None, bound: str, number: int) -> bool:
    if value is None:
        return False
    return {"min": value >= number, "max": value <= number, "eq": value == number}[bound]


def _time(value: int, operator: str, second: int) -> bool:
    return {
        "eq": value == second,
        "neq": value != second,
        "gt": value > second,
        "gte": value >= second,
        "lt": value < second,
        "lte": value <= second,
    }[operator]
