"""Listing images: the same answers as Glance."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twin import Twin, image_id

VIEWERS = ("member", "reader", "other", "admin")


def _populate(twin: Twin) -> list[str]:
    """Make a dozen images of two projects and return their IDs."""
    made = [
        twin.create(name="a", disk_format="raw", container_format="bare", tags=["x", "y"], min_ram=1),
        twin.create(name="b", disk_format="qcow2", container_format="bare", tags=["x"], os_distro="debian", min_ram=2),
        twin.create(name="a", visibility="private", os_distro="Debian", protected=True),
        twin.create(name="c,d", visibility="community", tags=["with space"]),
        twin.create(name=None, os_hidden=True),
        twin.create(name="ü", visibility="community", os_hidden=True),
        twin.create("admin", name="pub", visibility="public", owner="a" * 32),
        twin.active(name="data"),
        twin.active(b"longer than ten", name="data2", tags=["x"]),
        twin.create("other", name="theirs"),
        twin.create("other", name="offered"),
        twin.create("other", name="everyone", visibility="community"),
        twin.create("other", name="in:x", visibility="private"),
    ]
    twin.send("POST", f"/v2/images/{made[10]}/members", {"member": "a" * 32}, who="other")
    return made


QUERIES = """

limit=3
limit=0
limit=1001
limit=-1
limit=x
limit=
limit=2.5
marker=
marker=x
marker=00000000-0000-4000-8000-ffffffffffff
visibility=public
visibility=private
visibility=shared
visibility=community
visibility=all
visibility=
visibility=none
visibility=PUBLIC
member_status=pending
member_status=accepted
member_status=rejected
member_status=all
member_status=x
member_status=
visibility=shared&member_status=pending
visibility=shared&member_status=all
visibility=all&member_status=all
os_hidden=true
os_hidden=True
os_hidden=false
os_hidden=x
os_hidden=
os_hidden=true&visibility=community
os_hidden=true&visibility=all
protected=true
protected=false
protected=True
protected=
name=a
name=A
name=
name=eq:a
name=in:a,b
name=in:"c,d",a
name=in:c,d
name=in:
name=in:"c,d
name=in:a"b
name=in:%22a%5C%22b%22
name=in:a%5C%22b
name=in:%22c,d%5C%22e%22
name=in:%22a%22%22b%22
name=in:a%20b,%22c%22
name=in:%5C,a
name=neq:a
name=gt:a
name=c,d
name=x:y
name=eq:in:x
name=%C3%BC
name=in:%C3%BC,a
name=%FF
id=00000000-0000-4000-8000-ffffffffffff
id=x
id=in:x,y
status=active
status=queued
status=in:active,queued
status=nothing
status=x:y
disk_format=raw
disk_format=in:raw,qcow2
container_format=bare
container_format=eq:bare
owner=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
owner=bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
owner=x
owner=
size=10
size=x
size=gt:5
size_min=11
size_max=10
size_min=x
size_min=
size_min=10&size_max=12
virtual_size=10
virtual_size_min=1
min_ram=1
min_ram_min=1
min_ram_max=1
min_ram_max=x
min_disk=0
checksum=781e5e245d69b566979b86e28d23f2c7
checksum=
os_hash_algo=sha512
tag=x
tag=nothing
tag=%20x%20
tag=with%20space
tag=
tag=x,y
os_distro=debian
os_distro=Debian
os_distro=in:debian
os_distro=
nothing=x
is_public=true
deleted=true
deleted=false
changes-since=2020-01-01T00:00:00Z
created_at=2020-01-01
created_at=gt:2020-01-01
created_at=gt:2020-01-01T00:00:00Z
created_at=gte:2020-01-01T00:00:00%2B09:00
created_at=lt:2020-01-01T00:00:00
created_at=lte:2099-12-31
created_at=neq:2020-01-01
created_at=in:2020-01-01
created_at=xx:2020-01-01
created_at=x
created_at=
created_at=gt:
updated_at=gt:2020-01-01T00:00:00Z
updated_at=lt:2020
updated_at=gt:2020-13-01
updated_at=gt:20200101T000000Z
updated_at=gt:20200101
updated_at=gt:2020-01-01%2000:00:00
updated_at=gt:2020-01-01T00:00:00.123Z
updated_at=gt:2020-01
sort=name
sort=name:asc
sort=name:asc,size:desc
sort=name:desc,id
sort=size:asc
sort=size
sort=created_at:asc
sort=status:asc,name:asc
sort=owner
sort=name:up
sort=name:
sort=
sort=,
sort=name:asc,
sort=name:asc:desc
sort_key=name
sort_key=name&sort_dir=asc
sort_key=name&sort_dir=asc&sort_dir=desc
sort_key=name&sort_key=id&sort_key=size&sort_dir=asc&sort_dir=desc
sort_key=x
sort_key=
sort_key=min_ram
sort_dir=asc
sort_dir=desc
sort_dir=x
sort_dir=
sort_dir=asc&sort_dir=desc
sort=name&sort_key=id
sort=name&sort_dir=asc
sort_key=id&sort_dir=asc&limit=4
sort=name:asc&limit=4
sort_key=disk_format&sort_dir=asc
sort_key=container_format
sort_key=updated_at&sort_dir=desc
limit=2&tag=x
limit=2&name=a&unknown=%26%3D
&&&
=x
a
%zz=1
+=+
"""


@pytest.mark.timeout(300)
def test_queries(twin: Twin) -> None:
    """Each query gives each caller the same images in the same order, the same links, or the same error."""
    _populate(twin)
    for query in QUERIES.strip("\n").split("\n"):
        # Who asks matters to what is seen, not to how a query is read.
        about_seeing = any(word in query for word in ("visibility", "member_status", "hidden", "owner", "limit=3"))
        for who in VIEWERS if about_seeing or not query else VIEWERS[:1]:
            twin.send("GET", f"/v2/images?{query}" if query else "/v2/images", who=who)


def test_tags_repeat_in_links(twin: Twin) -> None:
    """The link to the next page repeats the whole query."""
    for number in range(2):
        twin.create(name=str(number), tags=["x", "y"])
    twin.send("GET", "/v2/images?limit=1&tag=x&tag=y", differs="links-repeat")
    twin.send("GET", "/v2/images?tag=x&tag=y", differs="links-repeat")
    twin.send("GET", "/v2/images?sort_key=name&sort_key=id&sort_dir=asc", differs="links-repeat")
    twin.send("GET", "/v2/images?sort_key=name&sort_key=id&sort_dir=asc&sort_dir=desc", differs="links-repeat")
    twin.send("GET", "/v2/images?created_at=lt:2021-01-01&created_at=gt:2020-01-01", differs="links-repeat")


@pytest.mark.parametrize(
    "query",
    [
        "limit=1&limit=2",
        "limit=x&limit=1",
        "marker=x&marker={}",
        "member_status=x&member_status=all",
        "visibility=private&visibility=all",
    ],
)
def test_parameters_that_repeat(twin: Twin, query: str) -> None:
    """Of any parameter but a tag and an order the last one holds."""
    made = twin.create(name="a")
    twin.create(name="b")
    twin.send("GET", f"/v2/images?{query.format(made)}", differs="parameter-repeat")


def test_filters_that_repeat(twin: Twin) -> None:
    """Of a filter that repeats the last one holds on either side, though the links tell of it differently."""
    twin.create(name="a", os_distro="x")
    for query in (
        "name=b&name=a",
        "name=a&name=b",
        "os_distro=y&os_distro=x",
        "size_min=x&size_min=0",
        "created_at=lt:2021-01-01&created_at=gt:2020-01-01",
        "protected=x&protected=false",
    ):
        answers = [side.send("member", "GET", f"/v2/images?{query}", None, {}) for side in (twin.embedded, twin.glance)]
        here, there = ((each.status, [image["name"] for image in each.body.get("images", [])]) for each in answers)
        assert here == there, query


def test_odd_values(twin: Twin) -> None:
    """Numbers are ASCII digits and fit a database, times are ISO 8601, and no text holds a NUL."""
    for query in ("limit=%D9%A3", "size_min=1_0", "min_ram_max=%201", "limit=1%20"):
        twin.send("GET", f"/v2/images?{query}", differs="ascii-digits")
    for query in ("size_max=9223372036854775808", "virtual_size_min=-9223372036854775809", "limit=9223372036854775808"):
        twin.send("GET", f"/v2/images?{query}", differs="number-range")
    twin.send("GET", "/v2/images?created_at=gt:2026-1-1", differs="times-loose")
    twin.send("GET", "/v2/images?name=a%00b", differs="nul")


def test_pages_by_size(twin: Twin) -> None:
    """Images without a size have their place in the order, so paging shows each once."""
    for _ in range(3):
        twin.create()
    twin.active()
    body = twin.send("GET", "/v2/images?limit=2&sort=size:asc").body
    twin.send("GET", body["next"], differs="pages-by-size")


@pytest.mark.parametrize("query", ["locations=x", "members=x", "properties=x", "x_min=1"])
def test_names_of_the_implementation(twin: Twin, query: str) -> None:
    """No name means anything but what the API says: the rest are custom properties."""
    twin.send("GET", f"/v2/images?{query}", differs="filter-implementation-names")


@pytest.mark.parametrize("viewer", VIEWERS)
@pytest.mark.parametrize("sort", ["", "&sort_key=name&sort_dir=asc", "&sort=status,name:asc"])
def test_pages(twin: Twin, viewer: str, sort: str) -> None:
    """Following the links shows each image once, in the same order."""
    _populate(twin)
    path: str | None = f"/v2/images?limit=3{sort}"
    for _ in range(10):
        if path is None:
            break
        body = twin.send("GET", path, who=viewer).body
        path = body.get("next")
    assert path is None


def test_markers(twin: Twin) -> None:
    """A marker must be an image that the caller sees; it need not match the filters."""
    made = _populate(twin)
    for who in VIEWERS:
        for marker in made:
            twin.send("GET", f"/v2/images?marker={marker}&name=a", who=who)
    twin.send("DELETE", f"/v2/images/{made[0]}")
    twin.send("GET", f"/v2/images?marker={made[0]}")
    twin.send("GET", f"/v2/images?id=in:{made[1]},{made[2]}")
    twin.send("GET", f"/v2/images?id={image_id(1)}")


_TEXT = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs", "Cc"]), max_size=6)
_OPERATORS = st.sampled_from(["", "eq:", "neq:", "gt:", "gte:", "lt:", "lte:", "in:", "EQ:", " eq:"])
_TIMES = """
2026-01-01|2026-01-01T00:00:00Z|2026-01-01T00:00:00+09:00|2026-01-01T00:00:00-00:00|2026-01-01T00:00:00.5Z|2026-01
2026|20260101|2026-01-01 00:00:00|2026-01-01T00|2026-01-01T00:00|2026-01-01T000000Z|9999-12-31T23:59:59Z|1969-01-01
2026-13-01|2026-02-30|2026-001|2026-W01-1|2026-w01-1|24:00|2026-01-01T24:00:00Z|2026-01-01T00:00:60Z|0001-01-01
10000-01-01|now|| 2026-01-01|2026-01-01 |"2026-01-01"|"2026-01-01
""".strip().replace("\n", "|")
_VALUES = [
    "a",
    "b",
    "c,d",
    '"c,d"',
    '"a",b',
    'a"b',
    '"a',
    "\\",
    "",
    ",",
    "a,,b",
    '""',
    " a",
    "ü",
    '"a" ,b',
    '\\"a',
    "in:x",
]
_NUMBERS = ["1", "0", "-1", "+1", "x", "", "01", "0x1", "1e3", "1.5", "9223372036854775807", "-9223372036854775808"]
_COLUMNS = ["size", "size_min", "size_max", "virtual_size", "min_ram", "min_ram_min", "min_ram_max", "min_disk_max"]
_WORDS = ["name", "name:asc", "size:desc,name", "asc", "desc", "public", "all", "shared", "true", "True", "false"]
_WORDS += ["1", "x", "", ",", "name,", "name:", "a:b:c", "accepted", "id"]
_CHOICES = ["sort", "sort_key", "sort_dir", "visibility", "member_status", "os_hidden", "protected", "tag", "owner"]
_FILTER = st.one_of(
    st.tuples(st.sampled_from(["name", "tag", "os_distro", "size_min", "visibility", "limit", "sort"]), _TEXT),
    st.tuples(
        st.sampled_from(["created_at", "updated_at"]),
        st.tuples(_OPERATORS, st.sampled_from(_TIMES.split("|"))).map("".join),
    ),
    st.tuples(
        st.sampled_from(["name", "id", "status", "disk_format", "container_format", "os_distro"]),
        st.tuples(_OPERATORS, st.sampled_from(_VALUES)).map("".join),
    ),
    st.tuples(st.sampled_from([*_COLUMNS, "limit"]), st.sampled_from(_NUMBERS)),
    st.tuples(st.sampled_from([*_CHOICES, "marker"]), st.sampled_from(_WORDS)),
)


@pytest.mark.timeout(300)
def test_any_filters(twin: Twin) -> None:
    """Whatever the filters hold, both sides find the same, or refuse it alike."""
    _populate(twin)

    @settings(max_examples=250, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.lists(_FILTER, min_size=1, max_size=3, unique_by=lambda pair: pair[0]))
    def find(filters: list[tuple[str, str]]) -> None:
        twin.send("GET", f"/v2/images?{urlencode(filters)}")
        twin.check()

    find()


#: Letters, marks and digits of many scripts, and what joins, parts and turns round text.
_SCRIPTS = (
    "abcXYZ ßÆøĀŁıİ",
    "ΑΒΓάέή",
    "АБВжщъё",
    "אבגדה",
    "ابتثجحًٌ٠١٢",
    "अआइिीुँ१२",
    "กขคงิีึ๑๒",
    "가나다힣가",
    "あいうアイウ゛ー",
    "中文字漢語",
    "ẢẠỆǪ\u0301\u0308\u0327",
    "\u200b\u200d\u200e\u200f\u202e\u2066\ufeff\u00a0\u3000",
    ":,;=&%+#?/\\\"'<>()[]{}|^`~!@$*-._",
)
_NAMES_IN_SCRIPTS = st.lists(
    st.one_of(*(st.text(script, min_size=1, max_size=5) for script in _SCRIPTS)), min_size=1, max_size=3
).map("".join)


@settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(_NAMES_IN_SCRIPTS)
def test_any_name_is_found(twin: Twin, name: str) -> None:
    """A name of any script, a tag and a property, comes back as it was sent, and the image is found by each."""
    made = twin.create(name=name, tags=[name], about=name)
    twin.send("GET", f"/v2/images/{made}")
    twin.send("GET", "/v2/images?name=eq:" + quote(name))
    if '"' not in name:
        twin.send("GET", f"/v2/images?name=in:%22{quote(name)}%22,x")
    twin.send("GET", f"/v2/images?{urlencode({'tag': name, 'about': name})}")
    twin.send("DELETE", f"/v2/images/{made}")
    twin.check()


def test_order_of_scripts(twin: Twin) -> None:
    """Names of all scripts are sorted alike."""
    for number, script in enumerate(_SCRIPTS):
        twin.create(name=script[number % len(script) :])
    for direction in ("asc", "desc"):
        twin.send("GET", f"/v2/images?sort=name:{direction}")
