"""A member of an image: a project that the image is shared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from ecl import _http, resource2
from ecl.image import image_service

if TYPE_CHECKING:
    from ecl._http.sessions import SessionLike

__all__ = ["Member"]


class Member(resource2.Resource):
    """A project that an image is shared with, and whether it accepted."""

    resources_key = "members"
    service = image_service.ImageService()
    base_path = "/v2/images/%(image_id)s/members"

    allow_create = True
    allow_get = True
    allow_update = True
    allow_delete = True
    allow_list = True

    #: Project that the image is shared with.
    member_id = resource2.Body[str]("member_id", alternate_id=True)
    #: When the member was added, and last changed: ISO 8601, UTC.
    created_at = resource2.Body[str]("created_at")
    updated_at = resource2.Body[str]("updated_at")
    #: Image that is shared.
    image_id = resource2.URI[str]("image_id")
    #: pending, accepted or rejected.
    status = resource2.Body[str]("status")
    #: Path of the schema of a member.
    schema = resource2.Body[str]("schema")
    #: The same project, under the name of the argument of create_member().
    member = resource2.Body[str]("member")

    def _own_id(self) -> str | None:
        return super()._own_id() or self._body.get("member")

    def create(self, session: SessionLike, prepend_key: bool = True) -> Self:
        """
        Share the image with the project.

        Operation: POST /v2/images/{image_id}/members.

        Raises:
            ConflictException: The project is a member already.
            ForbiddenException: The image is not yours, or its visibility is not ``shared``.
        """
        del prepend_key
        body = {"member": _http.text(self._own_id(), "member")}
        response = _http.request(session, "POST", self._path(requires_id=False), service=self.service, json=body)
        self._translate_response(response)
        return self

    def update(  # type: ignore[override]  # eclsdk's shape: image, member and status are given
        self,
        session: SessionLike,
        image_id: Any = None,
        member_id: Any = None,
        status: str | None = None,
        **kwargs: Any,
    ) -> Self:
        """
        Accept or reject an image that is shared with your project.

        Operation: PUT /v2/images/{image_id}/members/{member_id}.

        Args:
            status: ``accepted``, ``rejected`` or ``pending``.

        Raises:
            ForbiddenException: It is not your project.
            NotFoundException: There is no such image or member.
        """
        del kwargs
        if image_id is not None:
            self._update(image_id=self._get_id(image_id))
        if member_id is not None:
            self._update(member_id=self._get_id(member_id))
        body = {"status": _http.text(status or self.status, "status")}
        response = _http.request(session, "PUT", self._path(), service=self.service, json=body)
        self._translate_response(response)
        return self
