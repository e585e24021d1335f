"""The SDK's filters as Python values: what they ask for is what the service finds."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecl.exceptions import InvalidRequest
from ecl.image.v2._proxy import Proxy
from ecl.image.v2._query import Exactly
from ecl.testing import ImageService

NAMES = (
    "plain",
    "a,b",
    "c:d",
    "in:x",
    "eq:y",
    'say "x"',
    "ünï",
    "日本",
    " space ",
    "back\\slash",
    "%41",
    "",
    ">5",
    "a&b=c",
)
HOUR = datetime.timedelta(hours=1)


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    """A service with one image of each name, the later ones larger in memory."""
    with ImageService(["jp1"]) as service:
        connection = service.connect()
        for number, name in enumerate(NAMES):
            connection.image.create_image(name=name, min_ram=number, tags=[f"t{number % 2}", f"of {name}"])
        yield connection.image


def names(proxy: Proxy, **query: object) -> set[str]:
    """Return the names of the images that a query finds."""
    return {image.name for image in proxy.images(**query)}


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.sets(st.sampled_from(NAMES), min_size=1))
def test_lists_of_names(proxy: Proxy, wanted: set[str]) -> None:
    """A list of names finds the images that have them, whatever the names look like."""
    if len(wanted) > 1 and 'say "x"' in wanted:
        with pytest.raises(InvalidRequest, match="by itself"):
            names(proxy, name=wanted)
        return
    assert names(proxy, name=wanted) == wanted


@pytest.mark.parametrize("name", NAMES)
def test_exact_names(proxy: Proxy, name: str) -> None:
    """One name, taken as it is, finds its image; so does its tag."""
    assert names(proxy, name=Exactly(name)) == {name}
    assert names(proxy, tag=f"of {name}".strip()) == ({name} if f"of {name}" == f"of {name}".strip() else set())


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(["<", "<=", ">", ">=", "="]), st.integers(0, len(NAMES)))
def test_bounds(proxy: Proxy, sign: str, number: int) -> None:
    """A sign before a number does what it does in Python."""
    compare = {
        "<": int.__lt__, "<=": int.__le__, ">": int.__gt__, ">=": int.__ge__, "=": int.__eq__,
    }[sign]  # fmt: skip
    expected = {name for index, name in enumerate(NAMES) if compare(index, number)}
    assert names(proxy, min_ram=f"{sign}{number}") == expected


def test_ranges(proxy: Proxy) -> None:
    """Two bounds are a range; what is no bound is refused by name."""
    assert names(proxy, min_ram=[">=2", "<5"]) == set(NAMES[2:5])
    with pytest.raises(InvalidRequest, match="min_ram"):
        names(proxy, min_ram=">much")
    with pytest.raises(InvalidRequest, match="owner"):
        names(proxy, owner=["a", "b"])


def test_times(proxy: Proxy) -> None:
    """A time can be a text with a sign, a date, or a datetime of any zone."""
    now = datetime.datetime.now(datetime.UTC)
    assert names(proxy, created_at=f">{(now - HOUR).isoformat()}") == set(NAMES)
    assert names(proxy, created_at=f"< {(now - HOUR).isoformat()}") == set()
    assert names(proxy, updated_at=">=2020-01-01") == set(NAMES)
    assert names(proxy, created_at="!=2020-01-01") == set(NAMES)
    assert names(proxy, created_at=datetime.date(2020, 1, 1)) == set()
    first = next(iter(proxy.images(name="plain")))
    exact = datetime.datetime.fromisoformat(first.created_at)
    assert "plain" in names(proxy, created_at=exact)
    assert "plain" in names(proxy, created_at=exact.astimezone(datetime.timezone(9 * HOUR)))
    with pytest.raises(InvalidRequest, match="created_at"):
        names(proxy, created_at=["2020-01-01", "2021-01-01"])


def test_lists_of_ids(proxy: Proxy) -> None:
    """A list of IDs finds these images and no others."""
    some = list(proxy.images(limit=3))
    assert {image.id for image in proxy.images(id=[image.id for image in some])} == {image.id for image in some}
