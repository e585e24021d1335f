"""Kinds of resource, such as ``OS::Glance::Image``, that metadata definitions are for."""

from __future__ import annotations

from ecl import resource2
from ecl.image.v2._metadef import NAMESPACES, MetadefResource

__all__ = ["MetadefResourceType", "MetadefResourceTypeAssociation"]


class MetadefResourceType(MetadefResource):
    """A kind of resource that a namespace is, or was, associated with."""

    resources_key = "resource_types"
    base_path = "/v2/metadefs/resource_types"

    allow_list = True

    name = resource2.Body[str]("name", alternate_id=True)


class MetadefResourceTypeAssociation(MetadefResource):
    """The association of a namespace with a kind of resource."""

    resources_key = "resource_type_associations"
    base_path = NAMESPACES + "/%(namespace_name)s/resource_types"

    allow_create = True
    allow_delete = True
    allow_list = True

    #: The namespace.
    namespace_name = resource2.URI[str]("namespace_name")
    #: The kind of resource.
    name = resource2.Body[str]("name", alternate_id=True)
    #: Prefix of the properties' names on such a resource.
    prefix = resource2.Body[str]("prefix")
    #: The part of such a resource that the properties describe.
    properties_target = resource2.Body[str]("properties_target")
