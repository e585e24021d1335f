"""The image proxy's methods on schemas, by the names that openstacksdk gives them."""

from __future__ import annotations

from ecl.image.v2._proxy_base import ImageProxyBase
from ecl.image.v2.schema import Scheme

__all__ = ["SchemaProxy"]


class SchemaProxy(ImageProxyBase):
    """Every schema that the documented methods do not reach."""

    def get_schema(self, kind: str) -> Scheme:
        """
        Get a JSON Schema by its name: ``image``, ``metadefs/namespace`` …

        Operation: GET /v2/schemas/{kind}.

        Raises:
            NotFoundException: The service has no such schema.
        """
        return Scheme().get_schema(self.session, kind)

    def get_member_schema(self) -> Scheme:
        """Get the JSON Schema of a member. Operation: GET /v2/schemas/member."""
        return self.get_schema("member")

    def get_members_schema(self) -> Scheme:
        """Get the JSON Schema of a list of members. Operation: GET /v2/schemas/members."""
        return self.get_schema("members")

    def get_task_schema(self) -> Scheme:
        """Get the JSON Schema of a task. Operation: GET /v2/schemas/task."""
        return self.get_schema("task")

    def get_tasks_schema(self) -> Scheme:
        """Get the JSON Schema of a list of tasks. Operation: GET /v2/schemas/tasks."""
        return self.get_schema("tasks")

    def get_metadef_namespace_schema(self) -> Scheme:
        """Get the JSON Schema of a metadata namespace. Operation: GET /v2/schemas/metadefs/namespace."""
        return self.get_schema("metadefs/namespace")

    def get_metadef_namespaces_schema(self) -> Scheme:
        """Get the JSON Schema of a list of metadata namespaces. Operation: GET /v2/schemas/metadefs/namespaces."""
        return self.get_schema("metadefs/namespaces")

    def get_metadef_resource_type_schema(self) -> Scheme:
        """
        Get the JSON Schema of a resource type's association with a metadata namespace.

        Operation: GET /v2/schemas/metadefs/resource_type.
        """
        return self.get_schema("metadefs/resource_type")

    def get_metadef_resource_types_schema(self) -> Scheme:
        """Get the JSON Schema of a list of such associations. Operation: GET /v2/schemas/metadefs/resource_types."""
        return self.get_schema("metadefs/resource_types")

    def get_metadef_object_schema(self) -> Scheme:
        """Get the JSON Schema of a metadata object. Operation: GET /v2/schemas/metadefs/object."""
        return self.get_schema("metadefs/object")

    def get_metadef_objects_schema(self) -> Scheme:
        """Get the JSON Schema of a list of metadata objects. Operation: GET /v2/schemas/metadefs/objects."""
        return self.get_schema("metadefs/objects")

    def get_metadef_property_schema(self) -> Scheme:
        """Get the JSON Schema of a metadata property. Operation: GET /v2/schemas/metadefs/property."""
        return self.get_schema("metadefs/property")

    def get_metadef_properties_schema(self) -> Scheme:
        """Get the JSON Schema of metadata properties by name. Operation: GET /v2/schemas/metadefs/properties."""
        return self.get_schema("metadefs/properties")

    def get_metadef_tag_schema(self) -> Scheme:
        """Get the JSON Schema of a metadata tag. Operation: GET /v2/schemas/metadefs/tag."""
        return self.get_schema("metadefs/tag")

    def get_metadef_tags_schema(self) -> Scheme:
        """Get the JSON Schema of a list of metadata tags. Operation: GET /v2/schemas/metadefs/tags."""
        return self.get_schema("metadefs/tags")

    def get_image_schema(self) -> Scheme:
        """Get the JSON Schema of an image. Operation: GET /v2/schemas/image."""
        return Scheme().get_image_schema(self.session)

    def get_images_schema(self) -> Scheme:
        """Get the JSON Schema of a list of images. Operation: GET /v2/schemas/images."""
        return Scheme().get_images_schema(self.session)

    def get_image_member_schema(self) -> Scheme:
        """Get the JSON Schema of a member. Operation: GET /v2/schemas/member."""
        return Scheme().get_image_member_schema(self.session)

    def get_metadata_namespace_schema(self) -> Scheme:
        """Get the JSON Schema of a metadata namespace. Operation: GET /v2/schemas/metadefs/namespace."""
        return Scheme().get_metadata_namespace_schema(self.session)

    def get_metadata_object_schema(self) -> Scheme:
        """Get the JSON Schema of a metadata object. Operation: GET /v2/schemas/metadefs/object."""
        return Scheme().get_metadata_object_schema(self.session)

    def get_metadata_property_schema(self) -> Scheme:
        """Get the JSON Schema of a metadata property. Operation: GET /v2/schemas/metadefs/property."""
        return Scheme().get_metadata_property_schema(self.session)

    def get_metadata_resource_type_schema(self) -> Scheme:
        """
        Get the JSON Schema of a resource type's association with a metadata namespace.

        Operation: GET /v2/schemas/metadefs/resource_type.
        """
        return Scheme().get_metadata_resource_type_schema(self.session)
