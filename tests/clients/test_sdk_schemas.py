"""The SDK's schema calls, against the embedded service and a real Glance alike."""

from __future__ import annotations

import pytest
from clouds import Cloud

from ecl.image.v2._proxy import Proxy
from ecl.image.v2.schema import Scheme

#: Method, the schema's name, what it says that the SDK's users look at.
SCHEMAS = [
    ("get_image_schema", "image", {"id", "name", "status", "visibility", "os_hash_value", "tags"}),
    ("get_images_schema", "images", {"images", "first", "next", "schema"}),
    (
        "get_image_member_schema",
        "member",
        {"member_id", "image_id", "created_at", "updated_at", "status", "schema"},
    ),
    ("get_metadata_namespace_schema", "namespace", {"namespace", "visibility", "objects", "tags"}),
    ("get_metadata_object_schema", "object", {"name", "description", "required", "properties"}),
    ("get_metadata_property_schema", "property", {"name", "title", "type", "minimum", "pattern"}),
    ("get_metadata_resource_type_schema", "resource_type_association", {"name", "prefix"}),
]


@pytest.mark.parametrize(("method", "name", "properties"), SCHEMAS, ids=[row[0] for row in SCHEMAS])
def test_schema(proxy: Proxy, method: str, name: str, properties: set[str]) -> None:
    """Each schema call returns a Scheme with the document's name and properties."""
    schema = getattr(proxy, method)()

    assert isinstance(schema, Scheme)
    assert schema.name == name
    assert properties <= set(schema.properties)


def test_image_schema_in_full(proxy: Proxy) -> None:
    """The image schema tells that own properties are strings, and which links an image has."""
    schema = proxy.get_image_schema()

    assert schema.additionalProperties == {"type": "string"}
    assert {link["rel"] for link in schema.links} == {"self", "enclosure", "describedby"}
    assert schema.properties["status"]["readOnly"] is True


def test_namespace_schema_has_definitions(proxy: Proxy) -> None:
    """Metadata schemas come with the definitions that they refer to."""
    schema = proxy.get_metadata_namespace_schema()

    assert "property" in schema.definitions
    assert schema.additionalProperties is False


def test_schemas_for_a_reader(cloud: Cloud) -> None:
    """Schemas are open to every role."""
    assert cloud.connect("reader").get_image_schema().name == "image"
