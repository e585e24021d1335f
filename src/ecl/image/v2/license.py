"""Licence switch types: an extension of ECL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ecl import _http, exceptions, resource2
from ecl.image import image_service

if TYPE_CHECKING:
    from ecl._http.sessions import SessionLike

__all__ = ["License"]


class License(resource2.Resource):
    """The licence switch types of a region, as one answer has them."""

    service = image_service.ImageService()
    base_path = "/v2/extension/license_switch/types"

    #: Names such as ``WindowsServer_2012R2_Standard_64_ComLicense``; they differ by region.
    license_switch_types = resource2.Body[list[str]]("license_switch_types")

    @classmethod
    def list(cls, session: SessionLike, paginated: bool = False, **params: Any) -> Iterator[License]:
        """
        Yield one object, whose *license_switch_types* is the list.

        Operation: GET /v2/extension/license_switch/types.

        Raises:
            NotFoundException: The cloud has no such extension.
        """
        del paginated, params
        response = _http.request(session, "GET", cls.base_path, service=cls.service)
        body = _http.json_of(response)
        if not isinstance(body, dict) or not isinstance(body.get("license_switch_types"), list_type):
            raise exceptions.InvalidResponse(response, f"The answer of {response.url} has no license_switch_types")
        yield cls.existing(**body)


# Within the class "list" is the operation.
list_type = list
