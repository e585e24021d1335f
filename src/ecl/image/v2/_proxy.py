"""The image service, as plain methods."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, overload

from ecl import exceptions, proxy2
from ecl._resource.missing import naming
from ecl.image.v2 import _arguments
from ecl.image.v2 import image as _image
from ecl.image.v2 import member as _member
from ecl.image.v2 import store as _store
from ecl.image.v2 import tag as _tag
from ecl.image.v2._proxy_admin import AdminProxy
from ecl.image.v2._proxy_base import ImageRef
from ecl.image.v2._proxy_data import DataProxy
from ecl.image.v2._proxy_ecl import EclProxy
from ecl.image.v2._proxy_import import ImportProxy
from ecl.image.v2._proxy_metadef import MetadefProxy
from ecl.image.v2._proxy_schema import SchemaProxy

__all__ = ["Proxy"]

MemberRef = str | _member.Member
#: A time to compare with, or a text such as ``>=2026-01-01``.
TimeFilter = str | datetime.date
#: A number, or one or two texts such as ``>=10``.
NumberFilter = int | str | Sequence[int | str]


class Proxy(DataProxy, ImportProxy, EclProxy, AdminProxy, MetadefProxy, SchemaProxy, proxy2.BaseProxy):
    """
    Every operation of the image API.

    *image* is an image's ID or an :class:`~ecl.image.v2.image.Image` everywhere, also where it is called
    *image_id*. Beside the errors named, each method raises HttpException when the service refuses, ConnectFailure
    when it does not answer, and InvalidRequest for an argument that cannot be right.
    """

    # --- images -------------------------------------------------------------------------------------------

    def delete_image(
        self, image: ImageRef, ignore_missing: bool = True, *, store: str | _store.Store | None = None
    ) -> None:
        """
        Delete an image; given *store*, only its data there, as :meth:`delete_image_from_store` does.

        Operation: DELETE /v2/images/{image_id}.

        Args:
            ignore_missing: False raises when there is no such image.

        Raises:
            ResourceNotFound: There is no such image, and *ignore_missing* is false.
            ForbiddenException: The image is protected, or not yours.
        """
        if store is not None:
            self.delete_image_from_store(image, store, ignore_missing)
            return
        self._delete(_image.Image, image, ignore_missing=ignore_missing)

    @overload
    def find_image(
        self, name_or_id: str, ignore_missing: Literal[False], *, newest: bool = False, hidden: bool = True
    ) -> _image.Image: ...
    @overload
    def find_image(
        self, name_or_id: str, ignore_missing: bool = True, *, newest: bool = False, hidden: bool = True
    ) -> _image.Image | None: ...
    def find_image(
        self, name_or_id: str, ignore_missing: bool = True, *, newest: bool = False, hidden: bool = True
    ) -> _image.Image | None:
        """
        Find the image with that ID, otherwise the one with that name: three requests at most.

        Operation: GET /v2/images/{image_id}, then GET /v2/images?name=…, then the same among hidden images.

        Args:
            ignore_missing: False raises when there is none; True returns None.
            newest: Of several images with that name, return the one that was created last.
            hidden: Look among hidden images, too, if no other has that name: one request more.

        Raises:
            DuplicateResource: Several images have that name, and *newest* is false.
            ResourceNotFound: There is no such image, and *ignore_missing* is false.
        """
        return self._find(_image.Image, name_or_id, ignore_missing=ignore_missing, newest=newest, hidden=hidden)

    def images_named(self, name: str, **query: Any) -> Iterator[_image.Image]:
        """
        Yield the images with exactly that name, the newest first.

        Operation: GET /v2/images?name=….

        Args:
            query: More filters: see :meth:`images`.
        """
        return _image.Image.named(self.session, name, **query)

    def get_image(self, image: ImageRef) -> _image.Image:
        """
        Get an image.

        Operation: GET /v2/images/{image_id}.

        Raises:
            ResourceNotFound: There is no such image.
        """
        return self._get(_image.Image, self._image_id(image))

    def images(
        self,
        *,
        limit: int | None = None,
        page_size: int | None = None,
        sort: str | Sequence[str] | None = None,
        name: str | Sequence[str] | None = None,
        status: str | Sequence[str] | None = None,
        visibility: str | None = None,
        owner: str | None = None,
        tag: str | Sequence[str] | None = None,
        member_status: str | None = None,
        disk_format: str | Sequence[str] | None = None,
        container_format: str | Sequence[str] | None = None,
        protected: bool | None = None,
        os_hidden: bool | None = None,
        created_at: TimeFilter | None = None,
        updated_at: TimeFilter | None = None,
        size: NumberFilter | None = None,
        min_disk: NumberFilter | None = None,
        min_ram: NumberFilter | None = None,
        **query: Any,
    ) -> Iterator[_image.Image]:
        """
        Yield the images that the project sees, page by page, in constant memory.

        A list of *name*, *status* or a format stands for any of its values, of *tag* for all. Times are a date, a
        datetime, or a text such as ``>=2026-01-01``. Numbers are one, a text such as ``>5``, or two of these:
        ``[">=10", "<20"]``.

        Operation: GET /v2/images.

        Args:
            limit: Maximum number of images.
            page_size: Maximum number of images in one answer; the cloud may have a lower limit.
            sort: ``name:asc,size:desc``, or a list of such keys. By *name*, *size* or a format a Glance leaves out
                images that have none; a list of several pages is then read twice, and what was left out comes last.
            name: Name; so the other filters, by the API's names.
            member_status: ``accepted``, ``pending``, ``rejected`` or ``all``: of images that are shared with you.
            os_hidden: True yields hidden images instead of the others. Its other name is *is_hidden*, as
                *is_protected* is that of *protected*.
            size: Bytes.
            min_disk: GB.
            min_ram: MB.
            query: More filters: *id*, *virtual_size* … and any property; one that is called like an argument goes
                into a mapping *properties*. A name that looks like a misspelt filter is warned of.

        Raises:
            InvalidRequest: A value cannot be a filter.
            BadRequestException: The service does not take a filter.
        """
        declared = {
            "limit": limit,
            "page_size": page_size,
            "sort": sort,
            "name": name,
            "status": status,
            "visibility": visibility,
            "owner": owner,
            "tag": tag,
            "member_status": member_status,
            "disk_format": disk_format,
            "container_format": container_format,
            "protected": protected,
            "os_hidden": os_hidden,
            "created_at": created_at,
            "updated_at": updated_at,
            "size": size,
            "min_disk": min_disk,
            "min_ram": min_ram,
        }
        return self._list(_image.Image, **{"paginated": True, **_arguments.for_list(query, declared)})

    def update_image(
        self,
        image_id: ImageRef,
        image_data: list[dict[str, Any]] | Mapping[str, Any] | None = None,
        **attrs: Any,
    ) -> _image.Image:
        """
        Change an image: all of what is given, or nothing.

        Operation: PATCH /v2/images/{image_id}.

        Args:
            image_data: JSON-patch operations (``{"op": "replace", "path": "/name", "value": "…"}``), or a dict of
                attributes and properties by the API's names, where None removes a property.
            attrs: In place of *image_data*, attributes and properties by the names that :meth:`create_image` takes:
                ``name="new", is_protected=True, os_distro=None``.

        Raises:
            InvalidRequest: Neither or both of *image_data* and *attrs* were given.
            ResourceNotFound: There is no such image.
            ConflictException: A property to replace or remove is not there.
            ForbiddenException: An attribute may not be changed, or the image is not yours.
        """
        if attrs and image_data is not None:
            raise exceptions.InvalidRequest(
                f"Changes are given as image_data or as keyword arguments, not as both: {', '.join(attrs)}"
            )
        changes = _arguments.for_update(attrs) if attrs else image_data
        with self._naming_image(image_id):
            return _image.Image().update(self.session, image_id, changes)

    # --- members ------------------------------------------------------------------------------------------

    def create_member(self, image: ImageRef, **attrs: Any) -> _member.Member:
        """
        Share an image with a project; it stays ``pending`` until the project accepts.

        Operation: POST /v2/images/{image_id}/members.

        Args:
            attrs: *member*: the project's ID.

        Raises:
            ConflictException: The project is a member already.
            ForbiddenException: The image is not yours, or its visibility is not ``shared``.
        """
        member = _member.Member.new(image_id=self._image_id(image), **attrs)
        with self._naming_image(image):
            return member.create(self.session)

    def add_member(self, image: ImageRef, **attrs: Any) -> _member.Member:
        """Share an image with a project, as :meth:`create_member` does."""
        return self.create_member(image, **attrs)

    def delete_member(self, image: ImageRef, member: MemberRef, ignore_missing: bool = True) -> None:
        """
        Stop sharing an image with a project.

        Operation: DELETE /v2/images/{image_id}/members/{member_id}.

        Args:
            ignore_missing: False raises when the project is not a member.

        Raises:
            ResourceNotFound: The project is not a member, and *ignore_missing* is false.
        """
        self._delete(_member.Member, self._member(image, member), ignore_missing=ignore_missing)

    def remove_member(self, member: MemberRef, image: ImageRef | None = None, ignore_missing: bool = True) -> None:
        """
        Stop sharing an image with a project, as :meth:`delete_member` does; *member* comes first, as in openstacksdk.

        Args:
            image: May be left out if *member* is a Member, which knows its image.
        """
        if image is None:
            image = member.image_id if isinstance(member, _member.Member) else None
        if image is None:
            raise exceptions.InvalidRequest(f"Which image is {member!r} a member of? Give image, too")
        self.delete_member(image, member, ignore_missing)

    def get_member(self, image: ImageRef, member: MemberRef) -> _member.Member:
        """
        Get a member of an image.

        Operation: GET /v2/images/{image_id}/members/{member_id}.

        Raises:
            ResourceNotFound: There is no such image, or the project is not a member of it.
        """
        return self._get(_member.Member, self._member(image, member))

    @overload
    def find_member(self, name_or_id: str, image: ImageRef, ignore_missing: Literal[False]) -> _member.Member: ...
    @overload
    def find_member(self, name_or_id: str, image: ImageRef, ignore_missing: bool = True) -> _member.Member | None: ...
    def find_member(self, name_or_id: str, image: ImageRef, ignore_missing: bool = True) -> _member.Member | None:
        """
        Find a member of an image by the project's ID.

        Operation: GET /v2/images/{image_id}/members/{member_id}.

        Args:
            ignore_missing: False raises when the project is not a member; True returns None.

        Raises:
            ResourceNotFound: The project is not a member, and *ignore_missing* is false.
        """
        try:
            return self.get_member(image, name_or_id)
        except exceptions.ResourceNotFound:
            if ignore_missing:
                return None
            raise

    def members(self, image: ImageRef) -> Iterator[_member.Member]:
        """
        Yield the members of an image: the owner sees all, a member only itself.

        Operation: GET /v2/images/{image_id}/members.

        Raises:
            NotFoundException: There is no such image.
            ForbiddenException: The image's visibility is not ``shared``.
        """
        return self._list(_member.Member, image_id=self._image_id(image))

    def update_member(self, image_id: ImageRef, member_id: MemberRef, status: str) -> _member.Member:
        """
        Accept or reject an image that is shared with your project.

        Operation: PUT /v2/images/{image_id}/members/{member_id}.

        Args:
            member_id: The ID of your project.
            status: ``accepted``, ``rejected`` or ``pending``.

        Raises:
            ResourceNotFound: There is no such image, or the project is not a member of it.
            ForbiddenException: It is not your project.
        """
        member = self._member(image_id, member_id)
        with naming(_member.Member, member.member_id):
            return member.update(self.session, status=status)

    # --- tags ---------------------------------------------------------------------------------------------

    def add_tag(self, image_id: ImageRef, tag_to_add: str) -> None:
        """
        Add a tag to an image, unless it has it already.

        Operation: PUT /v2/images/{image_id}/tags/{tag}.

        Raises:
            ResourceNotFound: There is no such image.
        """
        with self._naming_image(image_id):
            _tag.Tag().add_tag(self.session, image_id, tag_to_add)

    def delete_tag(self, image_id: ImageRef, tag_to_delete: str) -> None:
        """
        Remove a tag from an image.

        Operation: DELETE /v2/images/{image_id}/tags/{tag}.

        Raises:
            ResourceNotFound: There is no such image, or it has no such tag.
        """
        with self._naming_image(image_id):
            _tag.Tag().delete_tag(self.session, image_id, tag_to_delete)

    def remove_tag(self, image: ImageRef, tag: str) -> None:
        """Remove a tag from an image, as :meth:`delete_tag` does."""
        self.delete_tag(image, tag)

    # ------------------------------------------------------------------------------------------------------

    def _member(self, image: ImageRef, member: MemberRef) -> _member.Member:
        """Return a member by the image's and its own ID."""
        return _member.Member.existing(image_id=self._image_id(image), member_id=self._id_of(_member.Member, member))
