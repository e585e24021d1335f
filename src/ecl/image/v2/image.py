"""An image: its metadata. The data is moved by :mod:`ecl.image.transfer`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self, overload

from ecl import _http, exceptions, resource2
from ecl.image import image_service
from ecl.image.v2 import _query, _sorting

if TYPE_CHECKING:
    from ecl._http.sessions import SessionLike

__all__ = ["BASE_ATTRIBUTES", "Image", "json_patch"]

PATCH_MEDIA_TYPE = "application/openstack-images-v2.1-json-patch"


class _EclProperty(resource2.Body[str]):
    """A property that ECL has under a name of its own; what other clouds have under the plain name is read, too."""

    def __init__(self, name: str, plain: str) -> None:
        super().__init__(name)
        self._plain = plain

    def __get__(self, instance: Any, owner: Any) -> Any:
        value = super().__get__(instance, owner)
        return instance._body.get(self._plain) if instance is not None and value is None else value

    def __delete__(self, instance: Any) -> None:
        super().__delete__(instance)
        instance._body.pop(self._plain, None)


class Image(resource2.Resource):
    """
    A virtual machine image.

    It is also a mapping of everything that the cloud sent: ``image["os_distro"]``, ``dict(image)``. What is not one
    of the API's own attributes is in :attr:`properties`.

    Attributes and keyword arguments have Python's names: ``os_type`` is sent as ``.os.type``. Names in a mapping
    *properties* are sent as they are, whatever they are called.
    """

    resources_key = "images"
    service = image_service.ImageService()
    base_path = "/v2/images"

    allow_create = True
    allow_get = True
    allow_update = True
    allow_delete = True
    allow_list = True
    patch_update = True

    #: Documented with the class; upload_image() and download_image() move the data.
    data = None

    #: An identifier for the image.
    id = resource2.Body[str]("id")
    #: Descriptive name for the image.
    name = resource2.Body[str]("name")
    #: Status of the image: queued, saving, active, deactivated …
    image_status = resource2.Body[str]("status")
    #: The same by the API's own name, which waiting for a status needs.
    status = resource2.Body[str]("status")
    #: Texts attached to the image.
    tags = resource2.Body[list[str]]("tags")
    #: Container of the data: ``bare`` if there is none.
    container_format = resource2.Body[str]("container_format")
    #: When the image was registered: ISO 8601, UTC.
    created_at = resource2.Body[str]("created_at")
    #: The disk's layout: raw, qcow2, iso, vmdk, vdi, vhd, vhdx, ami, ari, aki, ploop.
    disk_format = resource2.Body[str]("disk_format")
    #: Addresses of the data in the stores, with metadata, if the cloud shows them.
    locations = resource2.Body[list[dict[str, Any]]]("locations")
    #: Address of the data in its store, if the cloud shows it.
    direct_url = resource2.Body[str]("direct_url")
    #: When the image was last changed: ISO 8601, UTC.
    updated_at = resource2.Body[str]("updated_at")
    #: Who sees it: private, shared, community or public.
    visibility = resource2.Body[str]("visibility")
    #: GB of disk that a server needs to boot it.
    min_disk = resource2.Body[int]("min_disk")
    #: MB of memory that a server needs to boot it.
    min_ram = resource2.Body[int]("min_ram")
    #: True if the image cannot be deleted.
    protected = resource2.Body[bool]("protected")
    #: Path of the data.
    file = resource2.Body[str]("file")
    #: MD5 of the data, hexadecimal.
    checksum = resource2.Body[str]("checksum")
    #: The cloud's second hash: its algorithm, and its hexadecimal value.
    os_hash_algo = resource2.Body[str]("os_hash_algo")
    os_hash_value = resource2.Body[str]("os_hash_value")
    #: Algorithm of the second hash, if the cloud announces it before there is data.
    announced_hash_algo = resource2.Header[str]("openstack-image-hash-algo")
    #: True if default lists leave the image out.
    os_hidden = resource2.Body[bool]("os_hidden")
    #: Project that owns the image.
    owner = resource2.Body[str]("owner")
    #: The same by the names that openstacksdk has for them.
    is_protected = resource2.Body[bool]("protected")
    is_hidden = resource2.Body[bool]("os_hidden")
    owner_id = resource2.Body[str]("owner")
    hash_algo = resource2.Body[str]("os_hash_algo")
    hash_value = resource2.Body[str]("os_hash_value")
    #: Size of the data, in bytes.
    size = resource2.Body[int]("size")
    #: Size of the disk that the data holds, in bytes.
    virtual_size = resource2.Body[int]("virtual_size")
    #: Names of the stores that have the data, separated by commas.
    stores = resource2.Body[str]("stores")
    #: Path of the schema of an image.
    image_schema = resource2.Body[str]("schema")
    #: Path of the image.
    self = resource2.Body[str]("self")
    #: Path of the schema of a list of images, and of the list's first page; on images that came from a list.
    images_schema = resource2.Header[str]("images_schema")
    first = resource2.Header[str]("first")
    #: Documented for ECL's extra properties, which are now in :attr:`properties`, each by its name.
    extra_key = resource2.Body[str]("extra_key")
    extra_value = resource2.Body[str]("extra_value")
    #: ECL: operating system family. Read from the property ``os_type`` where there is no ``.os.type``.
    os_type: resource2.Body[str] = _EclProperty(".os.type", "os_type")
    #: ECL: service that may use the image: ``virtual-server`` … Read from the property ``service_type`` where there
    #: is no ``.service.type``.
    service_type: resource2.Body[str] = _EclProperty(".service.type", "service_type")

    _query_mapping = resource2.QueryParameters(
        "limit", "marker", "name", "visibility", "member_status", "owner", "status", "size_min", "size_max",
        "sort_key", "sort_dir", "sort", "tag",
    )  # fmt: skip

    _answers_are_complete = True

    @classmethod
    def _sorted(cls, attrs: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        attributes, properties = _apart(attrs)
        body, header, uri = super()._sorted(attributes)
        return {**body, **properties}, header, uri

    def _wrapped(self, prepend_key: bool) -> dict[str, Any]:
        # Only answers have headers: what is sent under the name of one, such as "location", is a property.
        return {**self._header.dirty, **super()._wrapped(prepend_key)}

    def _own_headers(self) -> dict[str, str]:
        return {}

    @classmethod
    def _of(cls, image: Any) -> Image:
        """Return *image*, or an image with that ID."""
        return image if isinstance(image, Image) else cls.existing(id=cls._get_id(image))

    def values(self) -> Collection[Any]:
        """Return the values of the image."""
        return self._body.values()

    def items(self) -> Collection[tuple[str, Any]]:
        """Return the names of the image, as the service has them, each with its value."""
        return self._body.items()

    @property
    def properties(self) -> dict[str, str]:
        """What the image has beside the API's own attributes. A copy: changing it changes nothing."""
        return {key: value for key, value in self._body.items() if key not in BASE_ATTRIBUTES}

    @overload  # type: ignore[override]  # eclsdk's shape: the image can be given
    def get(self, session: SessionLike, image_id: Any = None, requires_id: bool = True) -> Self: ...
    @overload
    def get(self, session: str, image_id: Any = None) -> Any: ...
    def get(self, session: SessionLike | str, image_id: Any = None, requires_id: bool = True) -> Any:
        """
        Read the image from the service into this instance; or, given a name, return what it has under it.

        Operation: GET /v2/images/{image_id}.

        Args:
            session: Session to ask by; or a name of the image as a mapping: ``image.get("os_distro", "unknown")``.
            image_id: Which image; by default the one that this instance is. With a name: what to return where the
                image has nothing under it.

        Raises:
            NotFoundException: There is no such image.
        """
        if isinstance(session, str):
            try:
                return self[session]
            except KeyError:
                return image_id
        if image_id is not None:
            self._body.attributes["id"] = self._get_id(image_id)
        return super().get(session, requires_id)

    def update(  # type: ignore[override]  # eclsdk's shape: the image and the operations are given
        self, session: SessionLike, image_id: Any = None, attrs_list: Any = None, **kwargs: Any
    ) -> Self:
        """
        Change the image; this instance then has all of it.

        Operation: PATCH /v2/images/{image_id}.

        Args:
            image_id: Which image; by default the one that this instance is.
            attrs_list: JSON-patch operations, or a mapping of attributes and properties, by the API's names, to
                values, where None removes a property; by default what was changed on this instance.
            kwargs: Not used; what other resources' update takes.

        Raises:
            InvalidRequest: *attrs_list* is neither.
            ConflictException: A property to replace or remove is not there.
            ForbiddenException: An attribute may not be changed, or the image is not yours.
        """
        del kwargs
        if image_id is not None:
            self._body.attributes["id"] = self._get_id(image_id)
        changes = self._body.dirty if attrs_list is None and image_id is None else attrs_list
        operations = json_patch(changes) if isinstance(changes, Mapping) else changes
        if not isinstance(operations, (list_type, tuple)) or not all(
            isinstance(operation, Mapping) for operation in operations
        ):
            raise exceptions.InvalidRequest(
                "image_data must be a list of JSON-patch operations, such as"
                ' {"op": "replace", "path": "/name", "value": "…"}, or a dict of attributes'
            )
        response = _http.request(
            session,
            "PATCH",
            self._path(),
            service=self.service,
            headers={"Content-Type": PATCH_MEDIA_TYPE},
            data=_http.as_json(operations),
        )
        self._translate_response(response)
        return self

    def upload(self, session: SessionLike, image_id: Any, image_data: Any) -> Self:
        """
        Send the data of the image, as :func:`ecl.image.transfer.upload` does; this instance then has all of it.

        Operation: PUT /v2/images/{image_id}/file.
        """
        from ecl.image.v2 import _data

        self._body.received(dict(_data.upload(session, self._of(image_id), image_data)))
        return self

    def download(self, session: SessionLike, image_id: Any) -> bytes:
        """
        Return the data of the image, as :func:`ecl.image.transfer.download` does.

        Operation: GET /v2/images/{image_id}/file.
        """
        from ecl.image.v2 import _data

        data: bytes = _data.download(session, self._of(image_id))
        return data

    @classmethod
    def list(
        cls,
        session: SessionLike,
        paginated: bool = True,
        *,
        limit: int | None = None,
        page_size: int | None = None,
        **params: Any,
    ) -> Iterator[Self]:
        """
        Yield images; one page is in memory at a time.

        Sorted by *name*, *size* or a format, a Glance leaves images out of a list of several pages. Such a list is
        therefore read twice: those that were left out come at its end, sorted.

        Operation: GET /v2/images.

        Args:
            paginated: False stops after the first page.
            limit: Maximum number of images to yield.
            page_size: Maximum number of images in one answer; the cloud may have a lower limit.
            params: Filters and order: *name*, *status*, *tag* (one or many), *visibility*, *sort* … and any
                property; one that is called like an argument goes into a mapping *properties*.

        Raises:
            InvalidRequest: *limit* is not an integer of at least 0, or *page_size* not one of at least 1.
            BadRequestException: The service does not take a filter.
        """
        filters, properties = _apart(params, frozenset())
        query = _query.parameters(limit, page_size, filters, properties)
        return cls._all(session, paginated, query, limit)

    @classmethod
    def _all(cls, session: SessionLike, paginated: bool, query: Any, limit: int | None) -> Iterator[Self]:
        left = limit

        def pages(query: Any) -> Iterator[dict[str, Any]]:
            return resource2.pages(session, cls.base_path, query, cls.service, "images")

        for page in _sorting.whole_list(pages, query) if paginated else pages(query):
            of_page = {"images_schema": page.get("schema"), "first": page.get("first")}
            for item in page["images"][:left]:
                yield cls._received(item, header=of_page)
            if left is not None:
                left -= min(left, len(page["images"]))
            if not paginated or left == 0:
                return

    @classmethod
    def named(cls, session: SessionLike, name: str, **params: Any) -> Iterator[Self]:
        """
        Yield the images with exactly that name, the newest first.

        Operation: GET /v2/images?name=….

        Args:
            params: More filters: see :meth:`list`.
        """
        return cls.list(session, **{"name": _query.Exactly(name), "sort": "created_at:desc", **params})

    @classmethod
    def find(
        cls,
        session: SessionLike,
        name_or_id: str,
        ignore_missing: bool = True,
        *,
        newest: bool = False,
        hidden: bool = True,
        **params: Any,
    ) -> Self | None:
        """
        Return the image with that ID, otherwise the one with that name: three requests at most.

        Args:
            ignore_missing: Return None, instead of raising, when there is none.
            newest: Of several with that name, return the one that was created last.
            hidden: Look among hidden images, too, if no other has that name.
            params: More filters for the search by name.

        Raises:
            DuplicateResource: Several have that name, and *newest* is false.
            ResourceNotFound: None has it, and *ignore_missing* is false.
        """
        if newest:
            params = {"sort": "created_at:desc", "limit": 1, **params}
        found = super().find(session, name_or_id, ignore_missing or hidden, **params)
        if found is None and hidden:
            found = cls._get_one_match(name_or_id, cls._named(session, name_or_id, {**params, "os_hidden": True}))
        if found is None and not ignore_missing:
            raise exceptions.ResourceNotFound(f"No {cls.__name__} found for {name_or_id}")
        return found

    @classmethod
    def _by_id(cls, session: SessionLike, identifier: str, params: Mapping[str, Any]) -> Self | None:
        # Filters are for the list. Text that is not an ID is not requested as one.
        del params
        return super()._by_id(session, identifier, {}) if _ID.fullmatch(identifier) else None

    @classmethod
    def _named(cls, session: SessionLike, name: str, params: Mapping[str, Any]) -> Iterator[Self]:
        # Two are enough to see that there are several.
        return cls.list(session, name=_query.Exactly(name), **{"page_size": 2, **params})


# Within the class "list" is the operation.
list_type = list

#: An image ID: Glance takes only UUIDs.
_ID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")

#: The API's own attributes, by its names; all others are properties, those that eclsdk made attributes of, too.
BASE_ATTRIBUTES = frozenset(Image._body_mapping().values()) - {
    ".os.type", ".service.type", "extra_key", "extra_value",
}  # fmt: skip


def _apart(
    attrs: Mapping[str, Any], refused: frozenset[str] = BASE_ATTRIBUTES
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """
    Return *attrs* without the mapping *properties*, and that mapping.

    Raises:
        InvalidRequest: A property has one of the names *refused*: those of attributes.
    """
    properties = attrs.get("properties")
    # A text under that name is a property like any other.
    if not isinstance(properties, Mapping):
        return attrs, {}
    for name in properties:
        if name in refused:
            raise exceptions.InvalidRequest(
                f"{name!r} is an attribute of an image, not a property: give it beside 'properties', not in it"
            )
    return {key: value for key, value in attrs.items() if key != "properties"}, properties


def json_patch(changes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """
    Make JSON-patch operations from attributes and properties and their new values.

    Args:
        changes: By the API's names. None removes a property, and empties an attribute of the API. A mapping under
            *properties* is taken apart.

    Raises:
        InvalidRequest: *properties* has an attribute of the API.
    """
    attributes, properties = _apart(changes)
    operations: list[dict[str, Any]] = []
    # An attribute of the API is replaced: to "add" an owner slips through a check in Glance.
    for name, value in {**attributes, **properties}.items():
        path = "/" + name.replace("~", "~0").replace("/", "~1")
        if value is None and name not in BASE_ATTRIBUTES:
            operations.append({"op": "remove", "path": path})
        else:
            operations.append({"op": "replace" if name in BASE_ATTRIBUTES else "add", "path": path, "value": value})
    return operations
