"""Versions, schemas, paths, methods and error forms: the same answers as Glance."""

from __future__ import annotations

import pytest
from twin import Twin, differences, image_id

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
SCHEMAS = [
    "image",
    "images",
    "member",
    "members",
    "task",
    "tasks",
    "metadefs/namespace",
    "metadefs/namespaces",
    "metadefs/object",
    "metadefs/objects",
    "metadefs/property",
    "metadefs/properties",
    "metadefs/resource_type",
    "metadefs/resource_types",
    "metadefs/tag",
    "metadefs/tags",
]
ACCEPTS = (
    "",
    "*/*",
    "application/json",
    "application/*",
    "text/html",
    "text/*",
    "text/plain",
    "image/png",
    "application/json, */*",
    "application/json;q=0.9, */*;q=0.1",
    "text/html;q=0.2, application/json;q=0.8",
    "application/octet-stream",
    "nonsense",
)


@pytest.mark.parametrize("accept", ACCEPTS)
def test_error_forms(twin: Twin, accept: str) -> None:
    """The form of an error follows the Accept header alike."""
    twin.send("GET", f"/v2/images/{image_id(999_999)}", Accept=accept)
    twin.send("POST", "/v2/images", {"name": 5}, Accept=accept)
    twin.send("GET", "/v2/nothing", Accept=accept)
    twin.send("DELETE", "/v2/images", Accept=accept)
    twin.send("GET", "/v2/images", who=None, Accept=accept)


@pytest.mark.parametrize("path", ["/v2/images", "/v2/images/{}", "/v2/images/{}/file", "/v2/images/{}/members",
    "/v2/images/{}/members/" + "b" * 32, "/v2/images/{}/tags/t", "/v2/images/{}/actions/deactivate",
    "/v2/images/{}/actions/nothing", "/v2/images/{}/nothing", "/v2/nothing", "/v2/schemas/image",
    "/v2/schemas/nothing", "/v2/schemas"])  # fmt: skip
@pytest.mark.parametrize("method", METHODS)
def test_methods(twin: Twin, method: str, path: str) -> None:
    """Each path has the same methods."""
    made = twin.create()
    if (method, path) != ("GET", "/v2/schemas/image"):
        twin.send(method, path.format(made))


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_have_the_same_keys(twin: Twin, name: str) -> None:
    """A schema can be read by any caller, and describes the same keys (its prose is our own)."""
    path = f"/v2/schemas/{name}"
    here = twin.embedded.send("reader", "GET", path, None, {}).body
    there = twin.glance.send("reader", "GET", path, None, {}).body
    assert differences(_shape(here), _shape(there)) == []


_UNSAID = (("writeOnly", True), ("type", "object"), ("minimum", 0), ("maximum", 2147483647))


def _shape(value: object, key: str = "") -> object:
    """Return a schema without its prose, and without what one side leaves unsaid: bounds, that items are objects."""
    if isinstance(value, dict):
        return {
            name: _shape(item, name)
            for name, item in value.items()
            if (name, type(item)) != ("description", str) and (name, item) not in _UNSAID and name != "pattern"
        }
    if isinstance(value, list) and key in ("type", "required", "enum"):
        return sorted(item for item in value if item is not None)
    if isinstance(value, list):
        return [_shape(item) for item in value]
    return value


@pytest.mark.parametrize(
    "path",
    ["/v2/images/", "/v2/", "//v2/images", "/v2//images", "/v2.7/images", "/v2.0/images", "/v2/images//", "/v2/IMAGES"],
)
def test_paths(twin: Twin, path: str) -> None:
    """The same paths lead somewhere."""
    if path == "/v2/":
        twin.send("GET", path, differs="version-at-v2")
    else:
        twin.send("GET", path)


@pytest.mark.parametrize("path", ["/v1", "/v1/images", "/v3", "/foo", "/v2.99/images", "/", "/versions", "/versions/"])
def test_version_documents(twin: Twin, path: str) -> None:
    """Unknown versions are answered with the list of versions, by the same status."""
    for who in ("member", None):
        here = twin.embedded.send(who, "GET", path, None, {})
        there = twin.glance.send(who, "GET", path, None, {})
        assert here.status == there.status
        if here.status < 400:
            assert _versions_shape(here.body) == _versions_shape(there.body)


def _versions_shape(body: dict[str, list[dict[str, object]]]) -> list[object]:
    return sorted({tuple(sorted(version)) for version in body["versions"]})


def test_images_that_are_not_there(twin: Twin) -> None:
    """No image is no image, however it is asked for."""
    twin.send("GET", "/v2/images/%00", differs="nul")
    for name in (image_id(999_999), "x", "..", "a%20b", "%C3%BC", image_id(1).upper()):
        for tail in ("", "/file", "/members", "/members/x", "/tags/x"):
            twin.send("GET", f"/v2/images/{name}{tail}")
        twin.send("DELETE", f"/v2/images/{name}")
