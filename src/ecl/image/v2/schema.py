"""JSON Schemas of the image API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from ecl import _http, exceptions, resource2
from ecl.image import image_service

if TYPE_CHECKING:
    from ecl._http.sessions import SessionLike

__all__ = ["Scheme"]


class Scheme(resource2.Resource):
    """A JSON Schema document, as the cloud publishes it."""

    service = image_service.ImageService()
    base_path = "/v2/schemas"

    #: Name of the schema: ``image``, ``member`` …
    name = resource2.Body[str]("name")
    #: Attribute name to its schema.
    properties = resource2.Body[dict[str, Any]]("properties")
    #: Schema of attributes without an entry in *properties*, or False if there can be none.
    additionalProperties = resource2.Body[Any]("additionalProperties")
    #: Relations to other documents.
    links = resource2.Body[list[dict[str, str]]]("links")
    #: Schemas that others in the document refer to.
    definitions = resource2.Body[dict[str, Any]]("definitions")

    def get_schema(self, session: SessionLike, kind: str) -> Self:
        """
        Read a schema by its name: ``image``, ``tasks``, ``metadefs/namespace`` …

        Operation: GET /v2/schemas/{kind}.

        Raises:
            NotFoundException: The service has no such schema.
        """
        path = "/".join(_http.segment(part, "schema") for part in _http.text(kind, "kind").split("/"))
        return self._read(session, path)

    def validate(self, properties: Mapping[str, Any] | resource2.Resource) -> None:
        """
        Validate *properties*, for example of an image before it is created, against this schema.

        Nothing is sent. Read-only attributes are validated like others.

        Args:
            properties: By the service's names; an :class:`~ecl.image.v2.image.Image` is such a mapping.

        Raises:
            InvalidRequest: A value does not fit; the message names all such properties and says why. Or *properties*
                is not a mapping.
        """
        from ecl.image.v2._validation import problems

        if not isinstance(properties, (Mapping, resource2.Resource)):
            raise exceptions.InvalidRequest(f"properties must be a mapping, not {type(properties).__name__}")
        found = list(problems(dict(self._body.items()), {name: properties[name] for name in properties}))
        if found:
            raise exceptions.InvalidRequest(f"This does not fit the schema {self.name!r}: {'; '.join(found)}")

    def get_image_schema(self, session: SessionLike) -> Self:
        """Read the schema of an image. Operation: GET /v2/schemas/image."""
        return self._read(session, "image")

    def get_images_schema(self, session: SessionLike) -> Self:
        """Read the schema of a list of images. Operation: GET /v2/schemas/images."""
        return self._read(session, "images")

    def get_image_member_schema(self, session: SessionLike) -> Self:
        """Read the schema of a member. Operation: GET /v2/schemas/member."""
        return self._read(session, "member")

    def get_metadata_namespace_schema(self, session: SessionLike) -> Self:
        """Read the schema of a metadata definition namespace. Operation: GET /v2/schemas/metadefs/namespace."""
        return self._read(session, "metadefs/namespace")

    def get_metadata_object_schema(self, session: SessionLike) -> Self:
        """Read the schema of a metadata definition object. Operation: GET /v2/schemas/metadefs/object."""
        return self._read(session, "metadefs/object")

    def get_metadata_property_schema(self, session: SessionLike) -> Self:
        """Read the schema of a metadata definition property. Operation: GET /v2/schemas/metadefs/property."""
        return self._read(session, "metadefs/property")

    def get_metadata_resource_type_schema(self, session: SessionLike) -> Self:
        """
        Read the schema of a resource type's association with a namespace.

        Operation: GET /v2/schemas/metadefs/resource_type.
        """
        return self._read(session, "metadefs/resource_type")

    def _read(self, session: SessionLike, kind: str) -> Self:
        self._translate_response(_http.request(session, "GET", f"{self.base_path}/{kind}", service=self.service))
        return self
