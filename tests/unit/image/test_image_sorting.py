"""Lists sorted by what some images lack, on services that leave images out of them as Glance does on each database."""

from __future__ import annotations

import urllib.parse
from itertools import pairwise

import pytest

from ecl import exceptions
from ecl.image.v2 import _sorting
from support.http_stub import Answer

IMAGES = [
    {"id": f"{number:02}", "created_at": f"2026-01-{number // 2 + 1:02}T00:00:00Z", "name": name, "size": size}
    for number, (name, size) in enumerate(
        [("b", 5), (None, None), ("a", 0), ("", 7), (None, None), ("c", None), ("d", 5), (None, 3), ("", None)]
    )
]


class Glance:
    """The list of Glance: a page is found by comparing with the marker, and there no value is the smallest one."""

    def __init__(self, stub, *, gaps_first: bool) -> None:
        """Serve at *stub*; *gaps_first*: in rising order the database has NULL first."""
        self._gaps_first = gaps_first
        self.lines = stub.lines
        stub.on("GET", "/v2/images", self._page)

    def _page(self, request):
        query = {name: values[0] for name, values in request.query.items()}
        key, _, direction = query.get("sort", "created_at:desc").partition(":")
        key, direction = query.get("sort_key", key), query.get("sort_dir", direction) or "desc"
        falls = direction == "desc"
        nothing = 0 if key == "size" else ""

        def compared(image):
            return (nothing if image[key] is None else image[key], image["created_at"], image["id"])

        gap = 0 if self._gaps_first else 2
        ordered = sorted(IMAGES, key=lambda item: (gap if item[key] is None else 1, *compared(item)), reverse=falls)
        if "marker" in query:
            marker = compared(next(image for image in IMAGES if image["id"] == query["marker"]))
            ordered = [image for image in ordered if (compared(image) < marker if falls else compared(image) > marker)]
        page = ordered[: int(query["limit"])]
        body = {"images": page}
        if len(page) == int(query["limit"]):
            body["next"] = "/v2/images?" + urllib.parse.urlencode({**query, "marker": page[-1]["id"]})
        return Answer.json(body)


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("key", ["name", "size"])
@pytest.mark.parametrize("page_size", range(1, 11))
@pytest.mark.parametrize("gaps_first", [False, True])
def test_each_image_once(gaps_first, page_size, key, direction, proxy, stub):
    """Whatever the database, and wherever pages end, each image comes once: what was left out, sorted, at the end."""
    Glance(stub, gaps_first=gaps_first)
    listed = list(proxy.images(sort=f"{key}:{direction}", page_size=page_size))

    assert sorted(image.id for image in listed) == [image["id"] for image in IMAGES]
    values = [image[key] for image in listed if image[key] is not None]
    steps = [later < earlier if direction == "asc" else later > earlier for earlier, later in pairwise(values)]
    assert sum(steps) <= 1


def test_one_page_is_one_request(proxy, stub):
    """A list that ends on its first page is not checked."""
    Glance(stub, gaps_first=True)
    list(proxy.images(sort="size:asc"))

    assert stub.lines == ["GET /v2/images?limit=1000&sort=size%3Aasc"]


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"sort": "created_at:asc"},
        {"sort": ["status", "id:asc"]},
        {"sort_key": "updated_at", "sort_dir": "asc"},
        {"sort": "size:asc", "size": ">=1"},
        {"sort": "disk_format", "disk_format": ["raw", "qcow2"]},
        {"sort": "size:asc", "marker": "01"},
    ],
)
def test_what_cannot_be_left_out_is_not_looked_for(query, proxy, stub):
    """In a safe order, where a filter leaves only images with a value, and after a marker, nothing more is asked."""
    stub.on(
        "GET", "/v2/images",
        Answer.json({"images": [{"id": "1"}], "next": "/v2/images?marker=1"}), Answer.json({"images": [{"id": "2"}]}),
    )  # fmt: skip
    assert [image.id for image in proxy.images(**query)] == ["1", "2"]
    assert len(stub.requests) == 2


def test_limit_ends_it(proxy, stub):
    """When as many as were asked for have come, nothing more is asked; else what was left out counts."""
    Glance(stub, gaps_first=False)
    assert len(list(proxy.images(sort="size:asc", page_size=2, limit=4))) == 4
    assert len(stub.requests) == 2

    assert len(list(proxy.images(sort="size:asc", page_size=2, limit=8))) == 8


def test_paginated_false_is_one_page(proxy, stub):
    """One page is asked for, and nothing else."""
    Glance(stub, gaps_first=True)
    assert len(list(proxy.images(sort="size:asc", page_size=2, paginated=False))) == 2
    assert len(stub.requests) == 1


def test_sort_key_and_sort_dir_are_the_same(proxy, stub):
    """The classic pair of parameters gives the same list."""
    Glance(stub, gaps_first=True)
    plain = [image.id for image in proxy.images(sort="size:asc", page_size=2)]

    assert [image.id for image in proxy.images(sort_key="size", sort_dir="asc", page_size=2)] == plain
    assert len(plain) == len(IMAGES)


def test_too_many_left_out(proxy, stub, monkeypatch):
    """More than may be sorted in memory is an error that says what to do."""
    monkeypatch.setattr(_sorting, "MOST_LEFT_OUT", 0)
    Glance(stub, gaps_first=True)
    with pytest.raises(
        exceptions.InvalidResponse, match=r"leaves more than 0 images out .* size.*: sort by created_at"
    ):
        list(proxy.images(sort="size:asc", page_size=2))
