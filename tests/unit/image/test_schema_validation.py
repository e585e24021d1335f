"""The SDK's own check of JSON Schemas: it finds what a full validator finds, and names it."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecl import exceptions
from ecl.image.v2._validation import problems
from ecl.image.v2.schema import Scheme
from ecl.server.domain.schemas import SCHEMA_NAMES, schema

_TYPES = ("string", "integer", "number", "boolean", "array", "object", "null")
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.sampled_from([1.5, 2.0, -3.0]),
    st.sampled_from(["", "a", "ab", "ü"]),
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


def _schemas(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return schemas of the keywords that the image API's documents use, nesting *inner*."""
    bound = st.integers(0, 3)
    return st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(_TYPES) | st.lists(st.sampled_from(_TYPES), min_size=1, max_size=2, unique=True),
            "enum": st.lists(_SCALARS, min_size=1, max_size=3),
            "minLength": bound,
            "maxLength": bound,
            "minimum": st.integers(-3, 3),
            "maximum": st.integers(-3, 3),
            "pattern": st.sampled_from(["^a", "b$", "[^a]"]),
            "items": inner,
            "minItems": bound,
            "maxItems": bound,
            "uniqueItems": st.booleans(),
            "properties": st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
            "additionalProperties": st.booleans() | inner,
            "required": st.lists(st.sampled_from("abc"), max_size=2, unique=True),
            "allOf": st.lists(inner, min_size=1, max_size=2),
            "$ref": st.sampled_from(["#/definitions/small"]),
        },
    )


_SMALL = {"definitions": {"small": {"type": ["integer", "array"], "maximum": 2, "maxItems": 1}}}
_DOCUMENTS = st.recursive(_schemas(st.just({})), _schemas, max_leaves=4)


@settings(max_examples=250, deadline=None, derandomize=True)
@given(_DOCUMENTS, _VALUES)
def test_agrees_with_a_full_validator(document: dict[str, Any], value: Any) -> None:
    """Whatever the schema and the value: there are problems if and only if the value is not valid."""
    document = {**document, **_SMALL}
    found = list(problems(document, value))
    assert (found == []) == jsonschema_rs.Draft7Validator(document).is_valid(value), found


@pytest.mark.parametrize("name", sorted(SCHEMA_NAMES))
def test_no_keyword_of_the_documents_is_left_out(name: str) -> None:
    """Every keyword of the published documents is checked, or says nothing about a value."""
    checked = {
        *("type", "enum", "minLength", "maxLength", "minimum", "maximum", "pattern", "items", "minItems", "maxItems"),
        *("uniqueItems", "properties", "additionalProperties", "required", "allOf", "$ref", "definitions"),
    }
    silent = {"name", "description", "links", "readOnly", "format", "default", "title"}

    def keywords(value: Any) -> set[str]:
        if not isinstance(value, dict):
            return set()
        found = set(value)
        for key, inner in value.items():
            if key in ("properties", "definitions"):
                found |= {word for each in inner.values() for word in keywords(each)}
            elif key in ("items", "additionalProperties"):
                found |= keywords(inner)
            elif key == "allOf":
                found |= {word for each in inner for word in keywords(each)}
        return found

    assert keywords(schema(name)) <= checked | silent


def test_errors_name_every_property() -> None:
    """One error tells all that is wrong, each by name."""
    scheme = Scheme.existing(**schema("image"))
    with pytest.raises(exceptions.InvalidRequest) as raised:
        scheme.validate({"min_ram": "1", "disk_format": "exe", "tags": ["a", 5], "os_distro": None, "name": "fine"})
    message = str(raised.value)
    for word in ("'image'", "'min_ram'", "'disk_format'", "'tags.1'", "'os_distro'", "'exe'"):
        assert word in message
    assert "'name'" not in message


@pytest.mark.parametrize("properties", [None, 5, "name", [], [("name", "x")]])
def test_what_is_no_mapping(properties: Any) -> None:
    """Properties have names."""
    with pytest.raises(exceptions.InvalidRequest, match="must be a mapping"):
        Scheme.existing(**schema("image")).validate(properties)


def test_a_schema_that_refers_to_itself_ends() -> None:
    """A document that leads in a circle puts no bounds on a value, and the check ends."""
    assert list(problems({"$ref": "#"}, 5)) == []
    assert list(problems({"definitions": {"a": {"$ref": "#/definitions/a"}}, "$ref": "#/definitions/a"}, 5)) == []
    assert list(problems({"pattern": "["}, "text")) == []
