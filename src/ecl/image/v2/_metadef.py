"""The base of the resources of the metadata definition catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from ecl import _http, resource2
from ecl.image import image_service

if TYPE_CHECKING:
    from ecl._http.sessions import SessionLike

__all__ = ["NAMESPACES", "MetadefResource"]

NAMESPACES = "/v2/metadefs/namespaces"
#: Set by the service only, so not part of a replacement.
_SERVER_SET = frozenset({"self", "schema", "created_at", "updated_at"})


class MetadefResource(resource2.Resource):
    """A definition, identified by its name. A PUT replaces all of it; :meth:`replace` keeps what is not changed."""

    service = image_service.ImageService()

    #: Parts of a body that have operations of their own, so that a replacement leaves them out.
    _own_operations: frozenset[str] = frozenset()

    #: When it was created, and last changed: ISO 8601, UTC.
    created_at = resource2.Body[str]("created_at")
    updated_at = resource2.Body[str]("updated_at")

    def replace(self, session: SessionLike, /, **attrs: Any) -> Self:
        """
        Change the attributes *attrs*; None removes one. All others stay as they are at the service.

        Operation: GET, then PUT, of the definition's path.

        Raises:
            NotFoundException: There is no definition with that name.
            ConflictException: Another definition has the new name.
            ForbiddenException: You are not an administrator.
        """
        path = self._path()
        current = type(self)._received({}, uri=self._uri.attributes)
        current._translate_response(_http.request(session, "GET", path, service=self.service))
        current._update(**attrs)
        left_out = _SERVER_SET | self._own_operations
        body = {name: value for name, value in current._body.items() if name not in left_out and value is not None}
        current._translate_response(_http.request(session, "PUT", path, service=self.service, json=body))
        return current
