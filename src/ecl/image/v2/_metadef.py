"""What the resources of the metadata definition catalogue share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from ecl import _http, resource2
from ecl.image import image_service

if TYPE_CHECKING:
    from ecl._http.sessions import SessionLike

__all__ = ["NAMESPACES", "MetadefResource"]

NAMESPACES = "/v2/metadefs/namespaces"
#: What only the service sets, so what a replacement leaves out.
_SERVER_SET = frozenset({"self", "schema", "created_at", "updated_at"})


class MetadefResource(resource2.Resource):
    """A definition, known by its name. The service replaces it whole; what `replace` is not given stays."""

    service = image_service.ImageService()

    #: Parts of a body that have operations of their own, so that a replacement leaves them out.
    _own_operations: frozenset[str] = frozenset()

    #: When it was created, and last changed: ISO 8601, UTC.
    created_at = resource2.Body[str]("created_at")
    updated_at = resource2.Body[str]("updated_at")

    def replace(self, session: SessionLike, /, **attrs: Any) -> Self:
        """
        Change what *attrs* name; None takes an attribute away. All else stays as the service has it now.

        Operation: GET, then PUT, of the definition's path.

        Raises:
            NotFoundException: There is none of that name.
            ConflictException: Another one has the new name.
            ForbiddenException: Only administrators may.
        """
        path = self._path()
        current = type(self)._received({}, uri=self._uri.attributes)
        current._translate_response(_http.request(session, "GET", path, service=self.service))
        current._update(**attrs)
        left_out = _SERVER_SET | self._own_operations
        body = {name: value for name, value in current._body.items() if name not in left_out and value is not None}
        current._translate_response(_http.request(session, "PUT", path, service=self.service, json=body))
        return current
