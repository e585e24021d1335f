"""
Resources of a service: declared attributes, sent and received as JSON.

A resource class names its attributes as components, by where they travel: :class:`Body`, :class:`Header`, or
:class:`URI`. On the class they are None; on an instance they read and write what the service knows. What the
service sends beyond the declared attributes is kept: a resource is also a mapping of all that is in its body.

::

    class Image(Resource):
        base_path = "/v2/images"
        size = Body[int]("size")

    image = Image.existing(id="…", size=3, os_distro="debian")
    image.size, image["os_distro"]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from ecl import _http, exceptions
from ecl._http import fill, pages
from ecl._resource.component import URI, Body, Header, QueryParameters
from ecl._resource.contents import Contents, Identity
from ecl._resource.waiting import wait_for_delete, wait_for_status
from ecl.service_filter import ServiceFilter

if TYPE_CHECKING:
    import requests

    from ecl._http.sessions import SessionLike

__all__ = ["URI", "Body", "Header", "QueryParameters", "Resource", "pages", "wait_for_delete", "wait_for_status"]


class _Request(NamedTuple):
    """What an operation sends."""

    uri: str
    body: dict[str, Any]
    headers: dict[str, str]


class Resource(Contents):
    """The base of all resources: declared attributes and the operations of REST."""

    #: Key that wraps one resource in a body.
    resource_key: str | None = None
    #: Key of the list in a body of many.
    resources_key: str | None = None
    #: Path below the endpoint; ``%(name)s`` stands for a URI attribute.
    base_path = ""
    #: Which service of the catalog it lives at.
    service: ServiceFilter = ServiceFilter("")
    #: Which operations the service has for it.
    allow_create = False
    allow_get = False
    allow_update = False
    allow_delete = False
    allow_list = False
    allow_head = False
    #: True: update by PATCH, False: by PUT.
    patch_update = False
    #: True: create by PUT, False: by POST.
    put_create = False

    _query_mapping = QueryParameters()
    #: True: a list has a link to its next page, as all of the image API have; False: it may need a marker.
    _pages_have_links = False
    #: True: an answer has all attributes of the resource; what is not in it is gone.
    _answers_are_complete = False

    #: The ID of this resource.
    id: Body[str] = Identity("id")
    #: The name of this resource.
    name = Body[str]("name")
    #: The address that a create operation named.
    location = Header[str]("location")

    # --- operations ---------------------------------------------------------------------------------------

    def _path(self, requires_id: bool = True) -> str:
        """
        Return the path of this resource, or of the collection that it goes into.

        Raises:
            InvalidRequest: The ID, or that of a parent, is missing or cannot be in a path.
        """
        path = fill(self.base_path, self._uri)
        if not requires_id:
            return path
        kind = type(self).__name__
        found = self._own_id()
        if found is None:
            raise exceptions.InvalidRequest(f"Request requires an ID but none was found in {self!r}")
        return f"{path}/{_http.segment(found, f'{kind} ID')}"

    def _translate_response(self, response: requests.Response, has_body: bool = True) -> None:
        """Take over what an answer says; nothing counts as changed then."""
        if has_body:
            body = _http.json_of(response)
            if self.resource_key and isinstance(body, dict) and self.resource_key in body:
                body = body[self.resource_key]
            if not isinstance(body, dict):
                raise exceptions.InvalidResponse(
                    response, f"The answer of {response.url} is not a JSON object but {type(body).__name__}"
                )
            self._body.received(body, replace=self._answers_are_complete)
        wanted = {name.lower() for name in self._header_mapping().values()}
        self._header.received({k.lower(): v for k, v in response.headers.items() if k.lower() in wanted})

    def _require(self, allowed: bool, operation: str) -> None:
        if not allowed:
            raise exceptions.MethodNotSupported(self, operation)

    def _wrapped(self, prepend_key: bool) -> dict[str, Any]:
        body = self._body.dirty
        return {self.resource_key: body} if prepend_key and self.resource_key is not None else body

    def _own_headers(self) -> dict[str, str]:
        """Return the headers that were changed, to be sent with the body."""
        return {name: str(value) for name, value in self._header.dirty.items() if value is not None}

    def _prepare_request(self, requires_id: bool = True, prepend_key: bool = False) -> _Request:
        """Return path, changed body and changed headers, for an operation that this class does not have."""
        return _Request(self._path(requires_id), self._wrapped(prepend_key), self._own_headers())

    def create(self, session: SessionLike, prepend_key: bool = True) -> Self:
        """
        Create the resource at the service; this instance then has all that the service answered.

        Args:
            prepend_key: Wrap the body in :attr:`resource_key`, where there is one.

        Raises:
            MethodNotSupported: The service has no such operation.
            HttpException: The service refused.
        """
        self._require(self.allow_create, "create")
        path = self._path(requires_id=self.put_create)
        method = "PUT" if self.put_create else "POST"
        body, headers = self._wrapped(prepend_key), self._own_headers()
        response = _http.request(session, method, path, service=self.service, headers=headers, json=body)
        self._translate_response(response)
        return self

    def get(self, session: SessionLike, requires_id: bool = True) -> Self:
        """
        Read the resource from the service into this instance.

        Args:
            requires_id: False if the path is complete without an ID.

        Raises:
            MethodNotSupported: The service has no such operation.
            NotFoundException: There is no such resource.
        """
        self._require(self.allow_get, "get")
        response = _http.request(session, "GET", self._path(requires_id), service=self.service)
        self._translate_response(response)
        return self

    def head(self, session: SessionLike) -> Self:
        """
        Read the headers of the resource into this instance.

        Raises:
            MethodNotSupported: The service has no such operation.
            NotFoundException: There is no such resource.
        """
        self._require(self.allow_head, "head")
        response = _http.request(session, "HEAD", self._path(), service=self.service)
        self._translate_response(response, has_body=False)
        return self

    def update(self, session: SessionLike, prepend_key: bool = True, has_body: bool = True) -> Self:
        """
        Send the changes; this instance then has what the service answered. Without changes nothing is sent.

        Args:
            prepend_key: Wrap the body in :attr:`resource_key`, where there is one.
            has_body: False if the service answers without a body.

        Raises:
            MethodNotSupported: The service has no such operation.
            HttpException: The service refused.
        """
        if not self._body.dirty and not self._header.dirty:
            return self
        self._require(self.allow_update, "update")
        method = "PATCH" if self.patch_update else "PUT"
        body, headers = self._wrapped(prepend_key), self._own_headers()
        response = _http.request(session, method, self._path(), service=self.service, headers=headers, json=body)
        self._translate_response(response, has_body)
        return self

    def delete(self, session: SessionLike) -> Self:
        """
        Delete the resource.

        Raises:
            MethodNotSupported: The service has no such operation.
            NotFoundException: There is no such resource.
        """
        self._require(self.allow_delete, "delete")
        response = _http.request(session, "DELETE", self._path(), service=self.service)
        self._translate_response(response, has_body=False)
        return self

    @classmethod
    def list(cls, session: SessionLike, paginated: bool = False, **params: Any) -> Iterator[Self]:
        """
        Yield resources, one page in memory at a time.

        Args:
            paginated: Follow the service's ``next`` to the last page; where it has none, and takes *limit* and
                *marker*, ask for what comes after the last one until nothing does. False stops after the first page.
            params: Values of URI attributes, and query parameters of the operation.

        Raises:
            MethodNotSupported: The service has no such operation.
            HttpException: The service refused.
        """
        if not cls.allow_list:
            raise exceptions.MethodNotSupported(cls, "list")
        key = cls.resources_key or "items"
        query = cls._query_mapping._transpose(params)
        of_path = {name: params[name] for name in cls._uri_mapping() if name in params}
        path = fill(cls.base_path, params)
        while True:
            linked = -1
            for page in pages(session, path, query, cls.service, key):
                linked += 1
                for item in page[key]:
                    yield cls._received(item, uri=of_path)
                if not paginated:
                    return
            following = None if linked else cls._following(page[key], query)
            if following is None:
                return
            query = following

    @classmethod
    def _following(cls, items: Sequence[dict[str, Any]], query: Mapping[str, Any]) -> dict[str, Any] | None:
        """
        Return the query of the page after *items*, at a service without links that pages by marker; None at the end.

        Raises:
            InvalidResponse: The service sent the same page again.
        """
        names = cls._query_mapping._mapping
        if cls._pages_have_links or not {"limit", "marker"} <= names.keys() or not items:
            return None
        size = query.get(names["limit"])
        if size is not None and len(items) < int(size):
            return None
        marker = cls._received(items[-1])._own_id()
        if marker is None or marker == query.get(names["marker"]):
            raise exceptions.InvalidResponse(f"The list of {cls.__name__} does not go on after {marker!r}")
        return {**query, names["limit"]: len(items), names["marker"]: marker}

    @classmethod
    def _get_one_match(cls, name_or_id: str, results: Iterable[Self]) -> Self | None:
        """
        Return the one result with that ID or name.

        Raises:
            DuplicateResource: There are two.
        """
        found: Self | None = None
        for result in results:
            if name_or_id not in (result._own_id(), result.name):
                continue
            if found is not None:
                raise exceptions.DuplicateResource(
                    f"More than one {cls.__name__} exists with the name {name_or_id!r}:"
                    f" {found._own_id()} and {result._own_id()}; use an ID"
                )
            found = result
        return found

    @classmethod
    def find(cls, session: SessionLike, name_or_id: str, ignore_missing: bool = False, **params: Any) -> Self | None:
        """
        Return the resource with that ID or, if no resource has it, with that name.

        Args:
            ignore_missing: Return None, instead of raising, when there is none.
            params: Values of URI attributes.

        Raises:
            DuplicateResource: Two have that name.
            ResourceNotFound: None has it, and *ignore_missing* is false.
        """
        _http.text(name_or_id, "name_or_id")
        found = cls._by_id(session, name_or_id, params)
        if found is None:
            found = cls._get_one_match(name_or_id, cls._named(session, name_or_id, params))
        if found is None and not ignore_missing:
            raise exceptions.ResourceNotFound(f"No {cls.__name__} found for {name_or_id}")
        return found

    @classmethod
    def _by_id(cls, session: SessionLike, identifier: str, params: Mapping[str, Any]) -> Self | None:
        # A name may be what no path can hold, or what the service does not take for an ID.
        try:
            return cls.existing(id=identifier, **params).get(session)
        except (exceptions.NotFoundException, exceptions.BadRequestException, exceptions.InvalidRequest):
            return None

    @classmethod
    def _named(cls, session: SessionLike, name: str, params: Mapping[str, Any]) -> Iterator[Self]:
        """Yield at least those that have this name; a service with a filter for it is asked for no others."""
        del name
        return cls.list(session, **{**params, "paginated": True})
