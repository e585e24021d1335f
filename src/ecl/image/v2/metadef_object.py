"""An object of a namespace of metadata definitions."""

from __future__ import annotations

from typing import Any

from ecl import resource2
from ecl.image.v2._metadef import NAMESPACES, MetadefResource

__all__ = ["MetadefObject"]


class MetadefObject(MetadefResource):
    """A group of properties."""

    resources_key = "objects"
    base_path = NAMESPACES + "/%(namespace_name)s/objects"

    allow_create = True
    allow_get = True
    allow_delete = True
    allow_list = True

    #: Namespace that it is in.
    namespace_name = resource2.URI[str]("namespace_name")
    name = resource2.Body[str]("name", alternate_id=True)
    #: What it is for.
    description = resource2.Body[str]("description")
    #: Name of each property to its schema.
    properties = resource2.Body[dict[str, Any]]("properties")
    #: Names of the properties that must be there.
    required = resource2.Body[list[str]]("required")
    #: Path of the schema of an object.
    schema = resource2.Body[str]("schema")
