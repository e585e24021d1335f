"""A namespace of metadata definitions."""

from __future__ import annotations

from typing import Any

from ecl import resource2
from ecl.image.v2._metadef import NAMESPACES, MetadefResource

__all__ = ["MetadefNamespace"]


class MetadefNamespace(MetadefResource):
    """A group of definitions, and the kinds of resource that they describe."""

    resources_key = "namespaces"
    base_path = NAMESPACES

    allow_create = True
    allow_get = True
    allow_delete = True
    allow_list = True

    _pages_have_links = True
    _query_mapping = resource2.QueryParameters(
        "limit", "marker", "sort_dir", "sort_key", "visibility", "resource_types", "resource_type"
    )
    _own_operations = frozenset({"resource_type_associations", "properties", "objects", "tags"})

    #: The namespace's name, by which everything refers to it.
    namespace = resource2.Body[str]("namespace", alternate_id=True)
    #: Title and description for people.
    display_name = resource2.Body[str]("display_name")
    description = resource2.Body[str]("description")
    #: public or private.
    visibility = resource2.Body[str]("visibility")
    #: True: nothing of it can be deleted.
    is_protected = resource2.Body[bool]("protected")
    #: Project that it belongs to.
    owner = resource2.Body[str]("owner")
    #: Kinds of resource that it is for: dicts with *name*, and perhaps *prefix* and *properties_target*.
    resource_type_associations = resource2.Body[list[dict[str, Any]]]("resource_type_associations")
    #: Name of each property to its schema.
    properties = resource2.Body[dict[str, Any]]("properties")
    #: Groups of properties.
    objects = resource2.Body[list[dict[str, Any]]]("objects")
    #: Tags for resources: dicts with *name*.
    tags = resource2.Body[list[dict[str, Any]]]("tags")
    #: Path of the schema of a namespace.
    schema = resource2.Body[str]("schema")
