"""A property of a namespace of metadata definitions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self

from ecl import _http, exceptions, resource2
from ecl._http import fill
from ecl.image.v2._metadef import NAMESPACES, MetadefResource

if TYPE_CHECKING:
    from ecl._http.sessions import SessionLike

__all__ = ["MetadefProperty"]


class MetadefProperty(MetadefResource):
    """Values and meaning of one custom property: a JSON Schema with a name."""

    base_path = NAMESPACES + "/%(namespace_name)s/properties"

    allow_create = True
    allow_get = True
    allow_delete = True
    allow_list = True

    #: Namespace that it is in.
    namespace_name = resource2.URI[str]("namespace_name")
    name = resource2.Body[str]("name", alternate_id=True)
    #: Title and description for people.
    title = resource2.Body[str]("title")
    description = resource2.Body[str]("description")
    #: array, boolean, integer, number, object or string.
    type = resource2.Body[str]("type")
    #: Operators that a scheduler may use on it.
    operators = resource2.Body[list[str]]("operators")
    default = resource2.Body[Any]("default")
    enum = resource2.Body[list[Any]]("enum")
    #: True: users cannot set it.
    is_readonly = resource2.Body[bool]("readonly")
    required = resource2.Body[list[str]]("required")
    #: Bounds of a number.
    minimum = resource2.Body[float]("minimum")
    maximum = resource2.Body[float]("maximum")
    #: Bounds of a text: characters, and a regular expression.
    min_length = resource2.Body[int]("minLength")
    max_length = resource2.Body[int]("maxLength")
    pattern = resource2.Body[str]("pattern")
    #: Bounds of a list, and the schema of what is in it.
    items = resource2.Body[dict[str, Any]]("items")
    min_items = resource2.Body[int]("minItems")
    max_items = resource2.Body[int]("maxItems")
    require_unique_items = resource2.Body[bool]("uniqueItems")
    allow_additional_items = resource2.Body[bool]("additionalItems")

    @classmethod
    def list(cls, session: SessionLike, paginated: bool = False, **params: Any) -> Iterator[Self]:
        """
        Yield the properties of a namespace: the service gives all of them at once, by name.

        Raises:
            NotFoundException: There is no such namespace.
        """
        del paginated
        response = _http.request(session, "GET", fill(cls.base_path, params), service=cls.service)
        body = _http.json_of(response)
        properties = body.get("properties") if isinstance(body, dict) else None
        if not isinstance(properties, dict) or not all(isinstance(value, dict) for value in properties.values()):
            raise exceptions.InvalidResponse(response, f"The answer of {response.url} has no properties")
        uri = {"namespace_name": params["namespace_name"]}
        for name, schema in properties.items():
            yield cls._received({**schema, "name": name}, uri=uri)
