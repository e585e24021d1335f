"""Metadata definitions, by openstacksdk."""

from openstacksdk_images import error_of
from shared import steady

NAME = "Sdk::Test"
TEXT = {"title": "A text", "type": "string"}


def facts(users):
    """Yield what there was to see; the last fact of each kind is what the service then holds."""
    admin = users["admin"]
    yield from namespaces(admin, users["member"])
    yield from definitions(admin)
    yield from removals(admin)


def held(admin):
    """Return what the service holds of the namespace, as it sends it."""
    return steady(admin.get(f"/metadefs/namespaces/{NAME}").json())


def namespaces(admin, member):
    """Make, find and change one."""
    made = admin.create_metadef_namespace(namespace=NAME, display_name="For tests", visibility="public")
    yield "created", [made.namespace, made.display_name, made.visibility, made.is_protected]
    yield "listed", NAME in [each.namespace for each in member.metadef_namespaces(visibility="public")]
    yield "creation by a member", error_of(member.create_metadef_namespace, namespace="Sdk::Other")
    admin.update_metadef_namespace(NAME, description="more", is_protected=True, visibility="public")
    shown = member.get_metadef_namespace(NAME)
    yield "shown", [shown.description, shown.display_name, shown.is_protected]
    yield "deletion of protected", error_of(admin.delete_metadef_namespace, NAME)
    admin.update_metadef_namespace(NAME, display_name="For tests", visibility="public", is_protected=False)
    yield "namespace held", held(admin)


def definitions(admin):
    """One of each kind, made, listed, shown and changed."""
    made = admin.create_metadef_property(NAME, name="speed", **TEXT)
    yield "property", [made.name, made.type]
    admin.update_metadef_property("speed", NAME, name="speed", title="Speed", type="integer", minimum=1)
    yield "properties", [[each.name, each.title, each.minimum] for each in admin.metadef_properties(NAME)]
    yield "one property", admin.get_metadef_property("speed", NAME).title

    made = admin.create_metadef_object(NAME, name="disk", properties={"bus": TEXT}, required=["bus"])
    yield "object", [made.name, made.required]
    admin.update_metadef_object("disk", NAME, name="drive", description="renamed", properties={"bus": TEXT})
    yield "objects", [[each.name, each.description] for each in admin.metadef_objects(NAME)]
    yield "one object", admin.get_metadef_object("drive", NAME).properties

    made = admin.create_metadef_resource_type_association(NAME, name="OS::Sdk::Test", prefix="hw_")
    yield "association", [made.name, made.prefix]
    yield "associations", [each.name for each in admin.metadef_resource_type_associations(NAME)]
    yield "resource type", "OS::Sdk::Test" in [each.name for each in admin.metadef_resource_types()]

    for tag in ("one", "two", "three"):
        admin.add_tag_to_metadef_namespace(NAME, tag)
    admin.remove_tag_from_metadef_namespace(NAME, "two")
    yield "definitions held", held(admin)


def removals(admin):
    """One by one, then all of a kind, then everything."""
    admin.create_metadef_property(NAME, name="left", **TEXT)
    admin.create_metadef_object(NAME, name="left")
    admin.delete_metadef_property("speed", NAME, ignore_missing=False)
    admin.delete_metadef_object("drive", NAME)
    admin.delete_metadef_resource_type_association("OS::Sdk::Test", NAME, ignore_missing=False)
    yield "left", held(admin)
    admin.delete_all_metadef_properties(NAME)
    admin.delete_all_metadef_objects(NAME)
    admin.remove_tags_from_metadef_namespace(NAME)
    yield "nothing left", held(admin)
    admin.delete_metadef_namespace(NAME, ignore_missing=False)
    yield "gone", error_of(admin.get_metadef_namespace, NAME)
