"""The rules of images, without HTTP and without a database."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecl.server.api.common.error_response import preferred_error_type
from ecl.server.api.common.ranges import parse_range
from ecl.server.api.versions import versioned_path
from ecl.server.domain import status
from ecl.server.domain.filters import parse_text, parse_time
from ecl.server.domain.json_patch import parse_patch
from ecl.server.domain.listing import MAX_PARAMETERS, parse_list_query
from ecl.server.domain.paging import page_links
from ecl.server.domain.schemas import SCHEMA_NAMES, schema, validate
from ecl.server.errors import BadRequest, Forbidden
from ecl.server.http.errors import RangeNotSatisfiable, reason
from ecl.server.settings.model import ImageLimits

LIMITS = ImageLimits()


@given(first=st.integers(0, 50), last=st.integers(0, 50), size=st.integers(1, 40))
def test_every_range_lies_in_the_image(first: int, last: int, size: int) -> None:
    """A range is clipped to the image, or refused; it is never empty and never beyond."""
    try:
        begin, end = parse_range(f"bytes={first}-{last}", size)
    except RangeNotSatisfiable:
        assert first >= size or first > last
    else:
        assert (begin, end) == (first, min(last, size - 1))


@given(st.text(max_size=30), st.integers(0, 100))
def test_no_range_header_is_an_accident(header: str, size: int) -> None:
    """Any text as a Range header gives a part of the image or one of two errors of the service."""
    try:
        begin, end = parse_range(header, size)
    except (BadRequest, RangeNotSatisfiable):
        return
    assert 0 <= begin <= end < size


@given(st.lists(st.tuples(st.text(max_size=12), st.text(max_size=20)), max_size=6))
def test_no_query_is_an_accident(parameters: list[tuple[str, str]]) -> None:
    """Any parameters give a query, whose order is total, or a BadRequest."""
    try:
        query = parse_list_query(parameters, LIMITS)
    except BadRequest:
        return
    names = [key.name for key in query.sort]
    assert {"created_at", "id"} <= set(names)
    assert len(names) == len(set(names))


json_values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
operations: Any = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("op", "path", "value", "add", "replace", "remove"), json_values)
)


@given(st.lists(operations, max_size=3) | json_values, st.sampled_from(["2.0", "2.1"]))
def test_no_patch_is_an_accident(body: Any, version: Any) -> None:
    """Any JSON as a patch gives operations, BadRequest or Forbidden."""
    try:
        parsed = parse_patch(body, version)
    except (BadRequest, Forbidden):
        return
    assert len(parsed) == len(body)


@pytest.mark.parametrize(
    ("path", "name"),
    [("/a", "a"), ("/", ""), ("//a", "a"), ("/a~1b~0c", "a/b~c"), ("/~01", "~1"), ("/.os.type", ".os.type")],
)
def test_json_pointers(path: str, name: str) -> None:
    """Escapes are undone in the right order; a dot needs none."""
    (operation,) = parse_patch([{"op": "add", "path": path, "value": "x"}], "2.1")
    assert operation.name == name


# Before a quote a backslash means something else, so no value ends with one here.
_QUOTABLE = st.text(st.characters(exclude_characters='"', exclude_categories=["Cs"]), max_size=5)


@given(st.lists(_QUOTABLE.filter(lambda value: not value.endswith("\\")), min_size=1))
def test_in_lists_round_trip(values: list[str]) -> None:
    """Quoted values of an in: list come back whatever commas and colons they hold."""
    text = "in:" + ",".join(f'"{value}"' for value in values)
    assert parse_text("name", text) == tuple(values)


@pytest.mark.parametrize("value", ['in:"a', 'in:a"b', 'in:"a"b', 'in:a"b"', "like:a", ":a"])
def test_bad_text_filters(value: str) -> None:
    """A stray quote or an unknown operator is refused."""
    with pytest.raises(BadRequest):
        parse_text("name", value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1970-01-01", ("eq", 0)),
        ("gt:1970-01-01T00:00:01Z", ("gt", 1)),
        ("lte:1970-01-01T09:00:02.9+09:00", ("lte", 2)),
        ("1970-01-01T00:00:03", ("eq", 3)),
        ("neq:1969-12-31T23:59:59Z", ("neq", -1)),
    ],
)
def test_times(value: str, expected: tuple[str, int]) -> None:
    """Offsets count, fractions do not, a time without offset is UTC."""
    assert parse_time("created_at", value) == expected


def test_sort_defaults_and_ties() -> None:
    """The one direction given also orders the ties."""

    def order(*parameters: tuple[str, str]) -> list[tuple[str, bool]]:
        return [(key.name, key.descending) for key in parse_list_query(parameters, LIMITS).sort]

    assert order() == [("created_at", True), ("id", True)]
    assert order(("sort_dir", "asc")) == [("created_at", False), ("id", False)]
    assert order(("sort_key", "name"), ("sort_dir", "asc")) == [("name", False), ("created_at", False), ("id", False)]
    assert order(("sort", "name:asc,size")) == [("name", False), ("size", True), ("created_at", True), ("id", True)]


def test_parameters_are_bounded() -> None:
    """As many parameters as allowed are read, one more is refused."""
    parse_list_query([("tag", "x")] * MAX_PARAMETERS, LIMITS)
    with pytest.raises(BadRequest):
        parse_list_query([("tag", "x")] * (MAX_PARAMETERS + 1), LIMITS)


def test_links_quote_what_they_repeat() -> None:
    """A link is a query that parses back to the same parameters."""
    first, following = page_links("/v2/images", [("tag", "a&b"), ("marker", "old"), ("name", "é +")], "new")
    assert first == "/v2/images?tag=a%26b&name=%C3%A9+%2B"
    assert following == first + "&marker=new"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (None, "text/plain"),
        ("", "text/plain"),
        ("*/*", "text/html"),
        ("text/*", "text/html"),
        ("application/*", "application/json"),
        ("application/json;q=0.4, */*;q=0.5", "text/html"),
        ("application/json, */*;q=0.5", "application/json"),
        ("application/json, text/html;q=0", "application/json"),
        ("text/html;q=0, */*", "application/json"),
        ("APPLICATION/JSON", "application/json"),
        ("application/octet-stream", "text/plain"),
        ("nonsense;q=x,,/", "text/html"),
        ("," * 100_000, "text/plain"),
    ],
)
def test_error_types(accept: str | None, expected: str) -> None:
    """HTML wins a tie with JSON; the most specific range decides."""
    assert preferred_error_type(accept) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v2/images", "/v2/images"),
        ("//v2.5//images", "/v2/images"),
        ("/v2/images/", "/v2/images/"),
        ("/v2.99/images", None),
        ("/v2x/images", None),
        ("/images", None),
        ("/", None),
    ],
)
def test_versioned_paths(path: str, expected: str | None) -> None:
    """Listed minors and repeated slashes lead to /v2."""
    assert versioned_path(path, None) == expected


def test_the_status_machine() -> None:
    """Every live status can be deleted, nothing comes back from deleted, and data is never uploaded twice."""
    live = (status.QUEUED, status.SAVING, status.UPLOADING, status.IMPORTING, status.ACTIVE, status.DEACTIVATED)
    assert all(status.may_become(name, status.DELETED) for name in live)
    assert not any(status.may_become(status.DELETED, name) for name in live)
    assert [name for name in live if status.may_become(name, status.SAVING)] == [status.QUEUED]


@pytest.mark.parametrize(
    ("before", "after"),
    [(status.ACTIVE, status.QUEUED), (status.DELETED, status.QUEUED), (status.ACTIVE, status.SAVING)],
)
def test_impossible_changes_of_status_are_refused(before: str, after: str) -> None:
    """A query that would move an image as the state machine forbids is an error of the service."""
    with pytest.raises(ValueError, match=f"{before} cannot become {after}"):
        status.check_move(before, after)


def test_reasons_do_not_depend_on_the_python() -> None:
    """The phrases are OpenStack's in every Python version."""
    assert (reason(413), reason(416), reason(404)) == (
        "Request Entity Too Large",
        "Request Range Not Satisfiable",
        "Not Found",
    )


@pytest.mark.parametrize("name", sorted(SCHEMA_NAMES))
def test_schemas_are_schemas(name: str) -> None:
    """Each document is a valid JSON schema, and validates an object."""
    import jsonschema_rs

    assert jsonschema_rs.meta.is_valid({"$schema": "http://json-schema.org/draft-07/schema#", **schema(name)})
    validate("images", {"images": [], "first": "/v2/images", "schema": "/v2/schemas/images"})


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("name", "n" * 300, f"Invalid value for 'name': \"{'n' * 59}…\" is longer than 255 characters"),
        ("tags", ["t" * 300], f"Invalid value for 'tags.0': \"{'t' * 59}…\" is longer than 255 characters"),
        ("visibility", "v" * 300, f"Invalid value for 'visibility': \"{'v' * 59}…\" is not one of "),
        ("min_disk", "9" * 300, f'Invalid value for \'min_disk\': "{"9" * 59}…" is not of type "integer"'),
        ("name", 5, "Invalid value for 'name': 5 is not of "),
    ],
)
def test_long_value_is_cut_and_the_reason_is_not(key: str, value: object, words: str) -> None:
    """A message quotes at most 60 characters of a long value, and says what is wrong with it."""
    with pytest.raises(BadRequest) as caught:
        validate("image", {"name": "x", key: value})

    assert str(caught.value).startswith(words)
    assert len(str(caught.value)) < 400
