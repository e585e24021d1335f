"""A tag of a namespace of metadata definitions."""

from __future__ import annotations

from ecl import resource2
from ecl.image.v2._metadef import NAMESPACES, MetadefResource

__all__ = ["MetadefTag"]


class MetadefTag(MetadefResource):
    """A word that resources may be tagged with."""

    resources_key = "tags"
    base_path = NAMESPACES + "/%(namespace_name)s/tags"

    allow_get = True
    allow_delete = True
    allow_list = True

    _pages_have_links = True
    _query_mapping = resource2.QueryParameters("limit", "marker", "sort_dir", "sort_key")

    #: Namespace that it is in.
    namespace_name = resource2.URI[str]("namespace_name")
    name = resource2.Body[str]("name", alternate_id=True)
