"""The metadata definition catalogue through the SDK, at the embedded service and at a real Glance."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from clouds import Cloud

from ecl import exceptions
from ecl.image.v2._proxy import Proxy
from ecl.image.v2.metadef_namespace import MetadefNamespace

STRING = {"title": "A text", "type": "string"}


@pytest.fixture
def admin(cloud: Cloud) -> Proxy:
    """The image service as an administrator sees it."""
    return cloud.connect("admin")


@pytest.fixture
def namespace(admin: Proxy) -> Iterator[MetadefNamespace]:
    """A public namespace with one definition of each kind."""
    yield admin.create_metadef_namespace(
        namespace="Ecl::Test",
        display_name="For tests",
        visibility="public",
        properties={"one": STRING},
        objects=[{"name": "obj", "required": ["p"], "properties": {"p": STRING}}],
        tags=[{"name": "t"}],
        resource_type_associations=[{"name": "OS::Glance::Image", "prefix": "hw_"}],
    )
    for name in ("Ecl::Test", "Ecl::Renamed"):
        try:
            admin.update_metadef_namespace(name, is_protected=False)
        except exceptions.ResourceNotFound:
            continue
        admin.delete_metadef_namespace(name, ignore_missing=False)


def test_namespaces(admin: Proxy, proxy: Proxy, namespace: MetadefNamespace) -> None:
    """A namespace is found, shown whole, and changed without losing what is not named."""
    assert namespace.id == namespace.namespace == "Ecl::Test"
    assert "Ecl::Test" in [each.namespace for each in proxy.metadef_namespaces(limit=1)]
    shown = proxy.get_metadef_namespace("Ecl::Test")
    assert shown.properties == {"one": STRING}
    assert [each["name"] for each in shown.objects] == ["obj"]
    assert shown.tags == [{"name": "t"}]
    prefixed = proxy.get_metadef_namespace(namespace, resource_type="OS::Glance::Image")
    assert set(prefixed.properties) == {"hw_one"}

    changed = admin.update_metadef_namespace(namespace, description="more", is_protected=True)
    assert (changed.display_name, changed.description, changed.visibility) == ("For tests", "more", "public")
    with pytest.raises(exceptions.ForbiddenException):
        admin.delete_metadef_namespace(namespace)
    renamed = admin.update_metadef_namespace(namespace, namespace="Ecl::Renamed", display_name=None)
    assert (renamed.namespace, renamed.display_name) == ("Ecl::Renamed", None)
    assert proxy.get_metadef_namespace("Ecl::Renamed").properties == {"one": STRING}


def test_only_administrators_write(proxy: Proxy, namespace: MetadefNamespace) -> None:
    """A member reads, and is refused what would change anything."""
    with pytest.raises(exceptions.ForbiddenException):
        proxy.create_metadef_namespace(namespace="Mine")
    with pytest.raises(exceptions.ForbiddenException):
        proxy.delete_metadef_namespace(namespace)
    with pytest.raises(exceptions.ResourceNotFound, match="Nothing"):
        proxy.get_metadef_namespace("Nothing")


def test_properties(admin: Proxy, namespace: MetadefNamespace) -> None:
    """Properties come, change and go."""
    made = admin.create_metadef_property(namespace, name="two", title="B", type="integer", minimum=1, is_readonly=True)
    assert (made.name, made.id, made.minimum, made.is_readonly) == ("two", "two", 1, True)
    assert {each.name: each.type for each in admin.metadef_properties(namespace)} == {"one": "string", "two": "integer"}
    assert admin.get_metadef_property("hw_one", namespace, resource_type="OS::Glance::Image").title == "A text"

    changed = admin.update_metadef_property(made, namespace, name="three", maximum=5)
    assert (changed.name, changed.title, changed.minimum, changed.maximum) == ("three", "B", 1, 5)
    admin.delete_metadef_property("three", namespace)
    admin.delete_metadef_property("three", namespace)
    with pytest.raises(exceptions.ResourceNotFound):
        admin.delete_metadef_property("three", namespace, ignore_missing=False)
    admin.delete_all_metadef_properties(namespace)
    assert list(admin.metadef_properties(namespace)) == []


def test_objects(admin: Proxy, namespace: MetadefNamespace) -> None:
    """Objects come, change and go."""
    made = admin.create_metadef_object(namespace, name="other", description="d")
    assert {each.name for each in admin.metadef_objects(namespace)} == {"obj", "other"}
    changed = admin.update_metadef_object(made, namespace, properties={"x": STRING})
    assert (changed.description, changed.properties) == ("d", {"x": STRING})
    assert admin.get_metadef_object("obj", namespace).required == ["p"]
    admin.delete_metadef_object(made, namespace, ignore_missing=False)
    admin.delete_all_metadef_objects(namespace)
    assert list(admin.metadef_objects(namespace)) == []


def test_tags(admin: Proxy, namespace: MetadefNamespace) -> None:
    """Tags come one by one or together, and go."""
    assert admin.add_tag_to_metadef_namespace(namespace, "u").name == "u"
    with pytest.raises(exceptions.ConflictException):
        admin.add_tag_to_metadef_namespace(namespace, "u")
    assert admin.update_metadef_tag("u", namespace, name="v").name == "v"
    assert admin.get_metadef_tag("v", namespace).created_at
    names = [tag.name for tag in admin.metadef_tags(namespace, sort_key="name", sort_dir="asc")]
    assert names == ["t", "v"]
    admin.create_metadef_tags(namespace, ["w"], append=True)
    assert {tag.name for tag in admin.metadef_tags(namespace)} == {"t", "v", "w"}
    assert [tag.name for tag in admin.create_metadef_tags(namespace, ["x", "y"])] == ["x", "y"]
    admin.remove_tag_from_metadef_namespace(namespace, "x")
    assert [tag.name for tag in admin.metadef_tags(namespace)] == ["y"]
    admin.remove_tags_from_metadef_namespace(namespace)
    assert list(admin.metadef_tags(namespace)) == []


def test_resource_types(admin: Proxy, namespace: MetadefNamespace) -> None:
    """A namespace is for several kinds of resource, and can be found by them."""
    made = admin.create_metadef_resource_type_association(namespace, name="Ecl::Kind", properties_target="image")
    assert made.properties_target == "image"
    found = {each.name: each.prefix for each in admin.metadef_resource_type_associations(namespace)}
    assert found == {"OS::Glance::Image": "hw_", "Ecl::Kind": None}
    assert [each.namespace for each in admin.metadef_namespaces(resource_types="Ecl::Kind")] == ["Ecl::Test"]
    admin.delete_metadef_resource_type_association(made, namespace, ignore_missing=False)
    assert "Ecl::Kind" in [each.name for each in admin.metadef_resource_types()]


SCHEMAS = [
    "member",
    "members",
    "task",
    "tasks",
    "metadef_namespace",
    "metadef_namespaces",
    "metadef_object",
    "metadef_objects",
    "metadef_property",
    "metadef_properties",
    "metadef_tag",
    "metadef_tags",
    "metadef_resource_type",
    "metadef_resource_types",
]


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_reached(proxy: Proxy, name: str) -> None:
    """Each document has a method, singular and plural."""
    schema = getattr(proxy, f"get_{name}_schema")()
    assert schema.properties
    assert schema.name


def test_properties_fit_the_clouds_own_schema(proxy: Proxy) -> None:
    """What the cloud would refuse is refused before it is sent, by name."""
    schema = proxy.get_image_schema()
    schema.validate({"name": "n", "disk_format": "qcow2", "min_ram": 5, "tags": ["a"], "os_distro": "debian"})
    schema.validate(proxy.create_image(name="mine"))
    for bad, word in (
        ({"disk_format": "exe"}, "disk_format"),
        ({"min_ram": "5"}, "min_ram"),
        ({"protected": 1}, "protected"),
        ({"name": "x" * 256}, "255"),
        ({"os_distro": 12}, "os_distro"),
        ({"tags": ["ok", 5]}, "tags.1"),
        ({"id": "x"}, "id"),
    ):
        with pytest.raises(exceptions.InvalidRequest, match=word):
            schema.validate(bad)
    with pytest.raises(exceptions.InvalidRequest, match="namespace"):
        proxy.get_metadef_namespace_schema().validate({})
