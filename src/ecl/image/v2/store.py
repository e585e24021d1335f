"""A store: a place where the cloud keeps image data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self

from ecl import resource2
from ecl.image import image_service

if TYPE_CHECKING:
    from ecl._http.sessions import SessionLike

__all__ = ["Store"]


class Store(resource2.Resource):
    """A place for image data."""

    resources_key = "stores"
    service = image_service.ImageService()
    base_path = "/v2/info/stores"

    allow_list = True

    #: Identifier of the store, which is its name.
    id = resource2.Body[str]("id")
    #: Description for people.
    description = resource2.Body[str]("description")
    #: ``"true"`` on the store that new images go to.
    default = resource2.Body[str]("default")
    #: ``"true"`` on a store that takes no new data.
    read_only = resource2.Body[str]("read-only")
    #: Only with details, for administrators: kind of the store, its weight, and its configuration.
    type = resource2.Body[str]("type")
    weight = resource2.Body[int]("weight")
    properties = resource2.Body[dict[str, Any]]("properties")

    @property
    def is_default(self) -> bool:
        """True if new images go here."""
        return str(self.default or "").lower() == "true"

    @property
    def is_read_only(self) -> bool:
        """True if the store takes no new data."""
        return str(self.read_only or "").lower() == "true"

    @classmethod
    def all(cls, session: SessionLike, *, details: bool = False) -> Iterator[Self]:
        """
        Yield the stores.

        Operation: GET /v2/info/stores, with *details* GET /v2/info/stores/detail.
        """
        path = f"{cls.base_path}/detail" if details else cls.base_path
        for page in resource2.pages(session, path, None, cls.service, "stores"):
            for item in page["stores"]:
                yield cls._received(item)
