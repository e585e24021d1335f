"""Metadata definitions, by python-glanceclient."""

from glanceclient_images import error_of
from shared import steady

NAME = "Gc::Test"
TEXT = {"title": "A text", "type": "string"}


def facts(users):
    """Yield what there was to see; the last fact of each kind is what the service then holds."""
    admin = users["admin"]
    yield from namespaces(admin, users["member"])
    yield from definitions(admin)
    yield from tags(admin)
    yield from removals(admin)


def held(admin):
    """Return what the service holds of the namespace, as it sends it."""
    return steady(admin.http_client.get(f"/v2/metadefs/namespaces/{NAME}")[1])


def namespaces(admin, member):
    """Make, find and change one."""
    made = admin.metadefs_namespace.create(namespace=NAME, display_name="For tests", visibility="public")
    yield "created", [made.namespace, made.display_name, made.visibility, made.protected]
    listed = member.metadefs_namespace.list(page_size=1, filters={"visibility": "public"})
    yield "listed", NAME in [each.namespace for each in listed]
    yield "creation by a member", error_of(member.metadefs_namespace.create, namespace="Gc::Other")
    changed = admin.metadefs_namespace.update(NAME, description="more", protected=True)
    yield "updated", [changed.description, changed.display_name, changed.protected]
    yield "deletion of protected", error_of(admin.metadefs_namespace.delete, NAME)
    admin.metadefs_namespace.update(NAME, protected=False)
    yield "shown", member.metadefs_namespace.get(NAME).description
    yield "namespace held", held(admin)


def definitions(admin):
    """One of each kind, made, listed, shown and changed."""
    made = admin.metadefs_property.create(NAME, name="speed", **TEXT)
    yield "property", [made.name, made.type]
    changed = admin.metadefs_property.update(NAME, "speed", title="Speed", type="integer", minimum=1)
    yield "property updated", [changed.title, changed.minimum]
    yield "properties", [each.name for each in admin.metadefs_property.list(NAME)]
    yield "one property", admin.metadefs_property.get(NAME, "speed").title

    made = admin.metadefs_object.create(NAME, name="disk", properties={"bus": TEXT}, required=["bus"])
    yield "object", [made.name, made.required]
    changed = admin.metadefs_object.update(NAME, "disk", name="drive", description="renamed")
    yield "object updated", [changed.name, changed.description]
    yield "objects", [each.name for each in admin.metadefs_object.list(NAME)]
    yield "one object", admin.metadefs_object.get(NAME, "drive").properties

    made = admin.metadefs_resource_type.associate(NAME, name="OS::Gc::Test", prefix="hw_")
    yield "association", [made.name, made.prefix]
    yield "associations", [each.name for each in admin.metadefs_resource_type.get(NAME)]
    yield "resource type", "OS::Gc::Test" in [each.name for each in admin.metadefs_resource_type.list()]
    yield "prefixed", sorted(admin.metadefs_namespace.get(NAME, resource_type="OS::Gc::Test").properties)
    yield "definitions held", held(admin)


def tags(admin):
    """One, many, and one that is renamed."""
    yield "tag", admin.metadefs_tag.create(NAME, "one").name
    yield "many tags", [tag.name for tag in admin.metadefs_tag.create_multiple(NAME, tags=["two", "three"])]
    yield "tag renamed", admin.metadefs_tag.update(NAME, "two", name="second").name
    admin.metadefs_tag.delete(NAME, "three")
    yield "one tag", admin.metadefs_tag.get(NAME, "second").name
    yield "tags", sorted(tag.name for tag in admin.metadefs_tag.list(NAME))


def removals(admin):
    """One by one, then all of a kind, then everything."""
    admin.metadefs_property.create(NAME, name="left", **TEXT)
    admin.metadefs_object.create(NAME, name="left")
    admin.metadefs_property.delete(NAME, "speed")
    admin.metadefs_object.delete(NAME, "drive")
    admin.metadefs_resource_type.deassociate(NAME, "OS::Gc::Test")
    left = held(admin)
    yield "left", [sorted(left["properties"]), [each["name"] for each in left["objects"]]]
    admin.metadefs_property.delete_all(NAME)
    admin.metadefs_object.delete_all(NAME)
    admin.metadefs_tag.delete_all(NAME)
    yield "nothing left", held(admin)
    admin.metadefs_namespace.delete(NAME)
    yield "gone", error_of(admin.metadefs_namespace.get, NAME)
