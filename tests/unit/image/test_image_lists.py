"""Lists of images, their filters, and the search for one."""

from __future__ import annotations

import datetime
import uuid
from types import GeneratorType

import pytest

from ecl import exceptions
from ecl.image.v2.image import Image
from support.http_stub import Answer

UUID = "5f1ab0f2-0000-4000-8000-000000000000"
IMAGE = {"id": "abc", "name": "debian 13", "os_distro": "debian"}


def test_images_is_a_generator(proxy, stub):
    """images() asks for a page when its first image is wanted, and for the next when that is used up."""
    stub.on(
        "GET", "/v2/images", Answer.json({"images": [{"id": "1"}, {"id": "2"}], "next": "/v2/images?marker=2"}),
        Answer.json({"images": [{"id": "3"}]}),
    )  # fmt: skip
    images = proxy.images()
    assert isinstance(images, GeneratorType)
    assert stub.requests == []

    assert [next(images).id, next(images).id] == ["1", "2"]
    assert len(stub.requests) == 1
    assert [image.id for image in images] == ["3"]
    assert stub.lines == ["GET /v2/images?limit=1000", "GET /v2/images?marker=2"]


def test_images_of_a_list_know_their_page(proxy, stub):
    """An image of a list knows the list's schema and first page; these are no properties of it."""
    page = {"images": [IMAGE], "schema": "/v2/schemas/images", "first": "/v2/images"}
    stub.on("GET", "/v2/images", Answer.json(page))
    (image,) = proxy.images()

    assert (image.images_schema, image.first) == ("/v2/schemas/images", "/v2/images")
    assert dict(image) == IMAGE


@pytest.mark.parametrize(
    ("arguments", "asked", "got"),
    [
        ({"limit": 3}, ["3"], 3),
        ({"limit": 3, "page_size": 2}, ["2", "2"], 3),
        ({"limit": 4, "page_size": 2}, ["2", "2"], 4),
        ({"page_size": 3}, ["3", "3"], 5),
        ({"limit": 0}, ["0"], 0),
        ({"limit": 5000}, ["1000"], 5),
        ({"paginated": False, "page_size": 2}, ["2"], 2),
    ],
)
def test_limit_and_page_size(arguments, asked, got, proxy, stub):
    """*limit* is the most images in all, *page_size* the most in one answer."""

    def page(request):
        limit, start = int(request.query["limit"][0]), int(request.query.get("marker", ["0"])[0])
        images = [{"id": str(number)} for number in range(start + 1, 6)][:limit]
        following = f"/v2/images?limit={limit}&marker={images[-1]['id']}" if limit and len(images) == limit else None
        return Answer.json({"images": images, "next": following})

    stub.on("GET", "/v2/images", page)

    assert len(list(proxy.images(**arguments))) == got
    assert [request.query["limit"][0] for request in stub.requests] == asked


@pytest.mark.parametrize(
    ("filters", "query"),
    [
        ({"name": "debian 13"}, {"name": ["debian 13"]}),
        ({"status": ["active", "queued"]}, {"status": ["in:active,queued"]}),
        ({"name": ("a,b", "c")}, {"name": ['in:"a,b",c']}),
        ({"name": ['say "x"']}, {"name": ['eq:say "x"']}),
        ({"created_at": ">2026-01-01"}, {"created_at": ["gt:2026-01-01"]}),
        ({"updated_at": datetime.date(2026, 1, 2)}, {"updated_at": ["2026-01-02"]}),
        ({"created_at": "!= 2026-01-01"}, {"created_at": ["neq:2026-01-01"]}),
        ({"size": ">10"}, {"size_min": ["11"]}),
        ({"size": [">=10", "<20"]}, {"size_min": ["10"], "size_max": ["19"]}),
        ({"min_ram": "=5"}, {"min_ram": ["5"]}),
        ({"tag": ["a", "b"]}, {"tag": ["a", "b"]}),
        ({"tag": "a"}, {"tag": ["a"]}),
        ({"tag": 5}, {"tag": ["5"]}),
        ({"tag": []}, {}),
        ({"sort_key": ["name", "size"], "sort_dir": ["asc", "desc"]}, {
            "sort_key": ["name", "size"], "sort_dir": ["asc", "desc"],
        }),
        ({"sort": "name:asc,size"}, {"sort": ["name:asc,size"]}),
        ({"sort": ["name:asc", "size"]}, {"sort": ["name:asc,size"]}),
        ({"id": uuid.UUID(UUID)}, {"id": [UUID]}),
        ({"id": [uuid.UUID(UUID), "b"]}, {"id": [f"in:{UUID},b"]}),
        ({"protected": True, "os_hidden": False}, {"protected": ["true"], "os_hidden": ["false"]}),
        ({"size_min": 5, "size_max": 9.5}, {"size_min": ["5"], "size_max": ["9.5"]}),
        ({"created_at": datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.UTC)}, {
            "created_at": ["2026-01-02T03:00:00Z"],
        }),
        ({"created_at": datetime.datetime(2026, 1, 2, 3, tzinfo=datetime.timezone(datetime.timedelta(hours=9)))}, {
            "created_at": ["2026-01-01T18:00:00Z"],
        }),
        ({"created_at": "gt:2026-01-01"}, {"created_at": ["gt:2026-01-01"]}),
        ({"owner": None, "os_distro": "ü &=#"}, {"os_distro": ["ü &=#"]}),
        ({"marker": "abc"}, {"marker": ["abc"]}),
        ({".os.type": "linux"}, {".os.type": ["linux"]}),
    ],
)  # fmt: skip
def test_filters(filters, query, proxy, stub):
    """Filters are Python values; the request has what the API reads."""
    stub.on("GET", "/v2/images", Answer.json({"images": []}))
    list(proxy.images(**filters))

    assert stub.last.query == {"limit": ["1000"], **query}


@pytest.mark.parametrize(
    "filters",
    [
        {"limit": -1}, {"limit": "5"}, {"limit": 1.5}, {"limit": True}, {"page_size": 0}, {"page_size": "x"},
        {"size": [">1", ">2"]}, {"min_ram": ["<=1", "<2", ">0"]}, {"id": []}, {"sort": [{}]},
        {"name": b"bytes"}, {"name": {"a": 1}}, {"name": object()}, {"tag": [None]}, {"status": [b"x"]},
    ],
)  # fmt: skip
def test_filters_that_make_no_sense(filters, proxy, stub):
    """A filter that cannot be one is refused when images() is called."""
    with pytest.raises(exceptions.InvalidRequest, match=next(iter(filters))):
        proxy.images(**filters)

    assert stub.requests == []


def test_find_by_id(proxy, stub):
    """An ID is found by one request."""
    stub.on("GET", f"/v2/images/{UUID}", Answer.json(IMAGE))

    assert proxy.find_image(UUID).name == "debian 13"
    assert len(stub.requests) == 1


def test_find_by_name(proxy, stub):
    """A name is found by a filter of the service: one request, however many images there are."""
    stub.on("GET", "/v2/images", Answer.json({"images": [{"id": "1", "name": "debian"}]}))

    assert proxy.find_image("debian").id == "1"
    assert stub.lines == ["GET /v2/images?limit=2&name=debian"]


def test_find_by_name_that_is_a_uuid(proxy, stub):
    """A name in the form of an ID is asked for as an ID first."""
    name = "6ed6c476-bcbf-485a-ac5b-fd1906a72cb1"
    stub.on("GET", f"/v2/images/{name}", Answer(404))
    stub.on("GET", "/v2/images", Answer.json({"images": [{"id": "1", "name": name}]}))

    assert proxy.find_image(name).id == "1"
    assert stub.lines == [f"GET /v2/images/{name}", f"GET /v2/images?limit=2&name={name}"]


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("debian 13", "debian 13"),
        ("web:1", "eq:web:1"),
        ("in:a,b", "eq:in:a,b"),
        ("a/b", "a/b"),
        ("..", ".."),
        ("ü", "ü"),
    ],
)
def test_find_by_odd_name(name, sent, proxy, stub):
    """A name that no ID looks like is only looked for as a name, and never taken for an operator."""
    stub.on("GET", "/v2/images", Answer.json({"images": [{"id": "1", "name": name}]}))

    assert proxy.find_image(name).id == "1"
    assert [request.query["name"] for request in stub.requests] == [[sent]]


def test_find_nothing(proxy, stub):
    """What is not there is None, or ResourceNotFound."""
    stub.on("GET", "/v2/images/x", Answer(404))
    stub.on("GET", "/v2/images", Answer.json({"images": []}))

    assert proxy.find_image("x") is None
    with pytest.raises(exceptions.ResourceNotFound, match="No Image found for x"):
        proxy.find_image("x", ignore_missing=False)


def test_find_two(proxy, stub):
    """Two images of one name are an error that names both."""
    stub.on("GET", "/v2/images/x", Answer(404))
    stub.on("GET", "/v2/images", Answer.json({"images": [{"id": "1", "name": "x"}, {"id": "2", "name": "x"}]}))
    with pytest.raises(exceptions.DuplicateResource, match="1 and 2"):
        proxy.find_image("x")


def test_find_on_the_class(conn, stub):
    """Image.find() takes more filters for the search by name."""
    stub.on("GET", "/v2/images/x", Answer(404))
    stub.on("GET", "/v2/images", Answer.json({"images": []}))

    assert Image.find(conn.session, "x", visibility="public") is None
    assert stub.last.query["visibility"] == ["public"]
