"""The image proxy's methods for the metadata definition catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from ecl import _http
from ecl._resource.missing import naming
from ecl.image.v2._metadef import MetadefResource
from ecl.image.v2._proxy_base import ImageProxyBase
from ecl.image.v2.metadef_namespace import MetadefNamespace
from ecl.image.v2.metadef_object import MetadefObject
from ecl.image.v2.metadef_property import MetadefProperty
from ecl.image.v2.metadef_resource_type import MetadefResourceType, MetadefResourceTypeAssociation
from ecl.image.v2.metadef_tag import MetadefTag

__all__ = ["MetadefProxy"]

D = TypeVar("D", bound=MetadefResource)

NamespaceRef = str | MetadefNamespace


class MetadefProxy(ImageProxyBase):
    """
    Namespaces, and the properties, objects, tags and resource types in them.

    *metadef_namespace*, *metadef_object* … is the name, or what a method returned. Everybody can read public
    definitions; only administrators can write. Each method raises ResourceNotFound if the name is not known, and
    ForbiddenException if you may not write, or the namespace is protected.
    """

    # --- namespaces ---------------------------------------------------------------------------------------

    def create_metadef_namespace(self, **attrs: Any) -> MetadefNamespace:
        """
        Create a namespace, with everything in it, or nothing.

        Operation: POST /v2/metadefs/namespaces.

        Args:
            attrs: *namespace* is its name; *properties*, *objects*, *tags* and *resource_type_associations* are in it.

        Raises:
            ConflictException: There is one of that name.
        """
        return self._create(MetadefNamespace, **attrs)

    def delete_metadef_namespace(self, metadef_namespace: NamespaceRef, ignore_missing: bool = True) -> None:
        """Delete a namespace with all that is in it. Operation: DELETE /v2/metadefs/namespaces/{namespace}."""
        self._delete(MetadefNamespace, metadef_namespace, ignore_missing=ignore_missing)

    def get_metadef_namespace(
        self, metadef_namespace: NamespaceRef, *, resource_type: str | None = None
    ) -> MetadefNamespace:
        """
        Get a namespace with all that is in it.

        Operation: GET /v2/metadefs/namespaces/{namespace}.

        Args:
            resource_type: Give the properties the names that they have on such a resource.
        """
        return self._definition(MetadefNamespace, metadef_namespace, resource_type=resource_type)

    def metadef_namespaces(
        self, *, limit: int | None = None, page_size: int | None = None, **query: Any
    ) -> Iterator[MetadefNamespace]:
        """
        Yield namespaces, without what is in them but their resource types.

        Operation: GET /v2/metadefs/namespaces.

        Args:
            limit: Maximum number of namespaces.
            page_size: Maximum number of namespaces in one answer; the cloud may have a lower limit.
            query: *visibility*, *resource_types* (``A,B``), *marker* (a namespace's name), *sort_key*, *sort_dir*.
        """
        return self._limited(MetadefNamespace, limit, page_size, query)

    def update_metadef_namespace(self, metadef_namespace: NamespaceRef, **attrs: Any) -> MetadefNamespace:
        """Change the attributes *attrs* of a namespace. Operation: PUT /v2/metadefs/namespaces/{namespace}."""
        return self._replace(MetadefNamespace, metadef_namespace, attrs)

    # --- tags ---------------------------------------------------------------------------------------------

    def metadef_tags(self, metadef_namespace: NamespaceRef, **query: Any) -> Iterator[MetadefTag]:
        """
        Yield the tags of a namespace.

        Operation: GET /v2/metadefs/namespaces/{namespace}/tags.

        Args:
            query: *limit*, *marker* (a tag's name), *sort_key*, *sort_dir*.
        """
        return self._list(MetadefTag, namespace_name=self._namespace(metadef_namespace), **query)

    def get_metadef_tag(self, metadef_tag: str | MetadefTag, metadef_namespace: NamespaceRef) -> MetadefTag:
        """Get a tag. Operation: GET /v2/metadefs/namespaces/{namespace}/tags/{tag}."""
        return self._definition(MetadefTag, metadef_tag, metadef_namespace)

    def add_tag_to_metadef_namespace(self, metadef_namespace: NamespaceRef, tag: str) -> MetadefTag:
        """
        Add one tag to a namespace.

        Operation: POST /v2/metadefs/namespaces/{namespace}/tags/{tag}.

        Raises:
            ConflictException: It has that tag.
        """
        added = self._of_namespace(MetadefTag, tag, metadef_namespace)
        added._translate_response(_http.request(self.session, "POST", added._path(), service=added.service))
        return added

    def create_metadef_tags(
        self, metadef_namespace: NamespaceRef, tags: Iterable[str], *, append: bool = False
    ) -> list[MetadefTag]:
        """
        Set the tags of a namespace or, with *append*, add to them.

        Operation: POST /v2/metadefs/namespaces/{namespace}/tags.

        Raises:
            ConflictException: A tag is there twice.
        """
        namespace = self._namespace(metadef_namespace)
        path = MetadefTag.existing(namespace_name=namespace)._path(requires_id=False)
        body = {"tags": [{"name": _http.text(tag, "tag")} for tag in tags]}
        headers = {"X-Openstack-Append": str(append)}
        _http.request(self.session, "POST", path, service=MetadefTag.service, json=body, headers=headers)
        return [MetadefTag.existing(name=tag["name"], namespace_name=namespace) for tag in body["tags"]]

    def update_metadef_tag(
        self, metadef_tag: str | MetadefTag, metadef_namespace: NamespaceRef, **attrs: Any
    ) -> MetadefTag:
        """Rename a tag: *name*. Operation: PUT /v2/metadefs/namespaces/{namespace}/tags/{tag}."""
        return self._replace(MetadefTag, metadef_tag, attrs, metadef_namespace)

    def remove_tag_from_metadef_namespace(
        self, metadef_namespace: NamespaceRef, tag: str | MetadefTag, ignore_missing: bool = True
    ) -> None:
        """Take one tag from a namespace. Operation: DELETE /v2/metadefs/namespaces/{namespace}/tags/{tag}."""
        self._remove(MetadefTag, tag, metadef_namespace, ignore_missing)

    def remove_tags_from_metadef_namespace(self, metadef_namespace: NamespaceRef) -> None:
        """Take all tags from a namespace. Operation: DELETE /v2/metadefs/namespaces/{namespace}/tags."""
        self._remove_all(MetadefTag, metadef_namespace)

    # --- objects ------------------------------------------------------------------------------------------

    def create_metadef_object(self, namespace: NamespaceRef, **attrs: Any) -> MetadefObject:
        """
        Add an object to a namespace.

        Operation: POST /v2/metadefs/namespaces/{namespace}/objects.

        Raises:
            ConflictException: There is one of that *name*.
        """
        return self._create(MetadefObject, namespace_name=self._namespace(namespace), **attrs)

    def get_metadef_object(self, metadef_object: str | MetadefObject, namespace: NamespaceRef) -> MetadefObject:
        """Get an object. Operation: GET /v2/metadefs/namespaces/{namespace}/objects/{object}."""
        return self._definition(MetadefObject, metadef_object, namespace)

    def metadef_objects(self, namespace: NamespaceRef) -> Iterator[MetadefObject]:
        """Yield the objects of a namespace. Operation: GET /v2/metadefs/namespaces/{namespace}/objects."""
        return self._list(MetadefObject, namespace_name=self._namespace(namespace))

    def update_metadef_object(
        self, metadef_object: str | MetadefObject, namespace: NamespaceRef, **attrs: Any
    ) -> MetadefObject:
        """
        Change the attributes *attrs* of an object.

        Operation: PUT /v2/metadefs/namespaces/{namespace}/objects/{object}.
        """
        return self._replace(MetadefObject, metadef_object, attrs, namespace)

    def delete_metadef_object(
        self, metadef_object: str | MetadefObject, namespace: NamespaceRef, ignore_missing: bool = True
    ) -> None:
        """Delete an object. Operation: DELETE /v2/metadefs/namespaces/{namespace}/objects/{object}."""
        self._remove(MetadefObject, metadef_object, namespace, ignore_missing)

    def delete_all_metadef_objects(self, namespace: NamespaceRef) -> None:
        """Delete all objects of a namespace. Operation: DELETE /v2/metadefs/namespaces/{namespace}/objects."""
        self._remove_all(MetadefObject, namespace)

    # --- properties ---------------------------------------------------------------------------------------

    def create_metadef_property(self, metadef_namespace: NamespaceRef, **attrs: Any) -> MetadefProperty:
        """
        Add a property to a namespace: *name*, *title* and *type* at least.

        Operation: POST /v2/metadefs/namespaces/{namespace}/properties.

        Raises:
            ConflictException: There is one of that *name*.
        """
        return self._create(MetadefProperty, namespace_name=self._namespace(metadef_namespace), **attrs)

    def update_metadef_property(
        self, metadef_property: str | MetadefProperty, metadef_namespace: NamespaceRef, **attrs: Any
    ) -> MetadefProperty:
        """
        Change the attributes *attrs* of a property.

        Operation: PUT /v2/metadefs/namespaces/{namespace}/properties/{property}.
        """
        return self._replace(MetadefProperty, metadef_property, attrs, metadef_namespace)

    def delete_metadef_property(
        self,
        metadef_property: str | MetadefProperty,
        metadef_namespace: NamespaceRef,
        ignore_missing: bool = True,
    ) -> None:
        """Delete a property. Operation: DELETE /v2/metadefs/namespaces/{namespace}/properties/{property}."""
        self._remove(MetadefProperty, metadef_property, metadef_namespace, ignore_missing)

    def metadef_properties(self, metadef_namespace: NamespaceRef) -> Iterator[MetadefProperty]:
        """Yield the properties of a namespace. Operation: GET /v2/metadefs/namespaces/{namespace}/properties."""
        return self._list(MetadefProperty, namespace_name=self._namespace(metadef_namespace))

    def get_metadef_property(
        self,
        metadef_property: str | MetadefProperty,
        metadef_namespace: NamespaceRef,
        *,
        resource_type: str | None = None,
    ) -> MetadefProperty:
        """
        Get a property.

        Operation: GET /v2/metadefs/namespaces/{namespace}/properties/{property}.

        Args:
            resource_type: *metadef_property* is the name that the property has on such a resource.
        """
        return self._definition(MetadefProperty, metadef_property, metadef_namespace, resource_type=resource_type)

    def delete_all_metadef_properties(self, metadef_namespace: NamespaceRef) -> None:
        """Delete all properties of a namespace. Operation: DELETE /v2/metadefs/namespaces/{namespace}/properties."""
        self._remove_all(MetadefProperty, metadef_namespace)

    # --- resource types -----------------------------------------------------------------------------------

    def metadef_resource_types(self) -> Iterator[MetadefResourceType]:
        """Yield the kinds of resource that definitions are for. Operation: GET /v2/metadefs/resource_types."""
        return self._list(MetadefResourceType)

    def create_metadef_resource_type_association(
        self, metadef_namespace: NamespaceRef, **attrs: Any
    ) -> MetadefResourceTypeAssociation:
        """
        Associate a namespace with a kind of resource: *name*, and perhaps *prefix* and *properties_target*.

        Operation: POST /v2/metadefs/namespaces/{namespace}/resource_types.

        Raises:
            ConflictException: It is associated with that kind already.
        """
        namespace = self._namespace(metadef_namespace)
        return self._create(MetadefResourceTypeAssociation, namespace_name=namespace, **attrs)

    def delete_metadef_resource_type_association(
        self,
        metadef_resource_type: str | MetadefResourceTypeAssociation,
        metadef_namespace: NamespaceRef,
        ignore_missing: bool = True,
    ) -> None:
        """
        Remove the association of a namespace with a kind of resource.

        Operation: DELETE /v2/metadefs/namespaces/{namespace}/resource_types/{resource_type}.
        """
        self._remove(MetadefResourceTypeAssociation, metadef_resource_type, metadef_namespace, ignore_missing)

    def metadef_resource_type_associations(
        self, metadef_namespace: NamespaceRef
    ) -> Iterator[MetadefResourceTypeAssociation]:
        """
        Yield the kinds of resource that a namespace is for.

        Operation: GET /v2/metadefs/namespaces/{namespace}/resource_types.
        """
        return self._list(MetadefResourceTypeAssociation, namespace_name=self._namespace(metadef_namespace))

    # ------------------------------------------------------------------------------------------------------

    def _namespace(self, namespace: NamespaceRef) -> Any:
        return self._id_of(MetadefNamespace, namespace)

    def _of_namespace(self, kind: type[D], definition: str | D, namespace: NamespaceRef | None) -> D:
        """Return a definition by its own name and its namespace's."""
        name = self._id_of(kind, definition)
        if namespace is None:
            return kind.existing(namespace=name)
        return kind.existing(name=name, namespace_name=self._namespace(namespace))

    def _definition(
        self,
        kind: type[D],
        definition: str | D,
        namespace: NamespaceRef | None = None,
        resource_type: str | None = None,
    ) -> D:
        found = self._of_namespace(kind, definition, namespace)
        params = {"resource_type": resource_type} if resource_type is not None else None
        with naming(kind, found._own_id()):
            response = _http.request(self.session, "GET", found._path(), service=found.service, params=params)
        found._translate_response(response)
        return found

    def _replace(
        self, kind: type[D], definition: str | D, attrs: dict[str, Any], namespace: NamespaceRef | None = None
    ) -> D:
        found = self._of_namespace(kind, definition, namespace)
        with naming(kind, found._own_id()):
            return found.replace(self.session, **attrs)

    def _remove(self, kind: type[D], definition: str | D, namespace: NamespaceRef, ignore_missing: bool) -> None:
        self._delete(kind, self._of_namespace(kind, definition, namespace), ignore_missing=ignore_missing)

    def _remove_all(self, kind: type[MetadefResource], namespace: NamespaceRef) -> None:
        path = kind.existing(namespace_name=self._namespace(namespace))._path(requires_id=False)
        with naming(MetadefNamespace, self._namespace(namespace)):
            _http.request(self.session, "DELETE", path, service=kind.service)
