"""The image service, as async methods. scripts/generate-aio makes this file from the SDK's proxy: do not edit it."""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

from ecl.aio._proxy_base import ProxyBase

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
    from pathlib import Path
    from typing import Any, Literal

    from ecl.aio._sources import AsyncImageData
    from ecl.image._transfer.bandwidth import Bandwidth
    from ecl.image._transfer.progress import ProgressCallback
    from ecl.image._transfer.signature import PemOrPath
    from ecl.image.v2 import image as _image
    from ecl.image.v2 import member as _member
    from ecl.image.v2 import store as _store
    from ecl.image.v2._proxy import MemberRef, NumberFilter, TimeFilter
    from ecl.image.v2._proxy_base import ImageRef
    from ecl.image.v2._proxy_metadef import NamespaceRef
    from ecl.image.v2.cache import Cache
    from ecl.image.v2.image import Image
    from ecl.image.v2.image_copy import ImageCopy
    from ecl.image.v2.license import License
    from ecl.image.v2.location import Location
    from ecl.image.v2.metadef_namespace import MetadefNamespace
    from ecl.image.v2.metadef_object import MetadefObject
    from ecl.image.v2.metadef_property import MetadefProperty
    from ecl.image.v2.metadef_resource_type import MetadefResourceType, MetadefResourceTypeAssociation
    from ecl.image.v2.metadef_tag import MetadefTag
    from ecl.image.v2.schema import Scheme
    from ecl.image.v2.service_info import Import, Usage, Version
    from ecl.image.v2.store import Store
    from ecl.image.v2.task import ImageTask, Task
    from ecl.proxy2 import R

__all__ = ["Proxy"]


class Proxy(ProxyBase):
    """
    Every operation of the image API; :class:`ecl.image.v2._proxy.Proxy` says what they do, take and raise.

    Lists are async iterators, everything else is awaited. A call that is cancelled ends at once, and leaves what Ctrl-C
    leaves in the SDK.
    """

    async def delete_image(
        self, image: ImageRef, ignore_missing: bool = True, *, store: str | _store.Store | None = None
    ) -> None:
        """Delete an image."""
        return await self._run(self._sync.delete_image, image, ignore_missing, store=store)

    @overload
    async def find_image(
        self, name_or_id: str, ignore_missing: Literal[False], *, newest: bool = False, hidden: bool = True
    ) -> _image.Image: ...
    @overload
    async def find_image(
        self, name_or_id: str, ignore_missing: bool = True, *, newest: bool = False, hidden: bool = True
    ) -> _image.Image | None: ...
    async def find_image(
        self, name_or_id: str, ignore_missing: bool = True, *, newest: bool = False, hidden: bool = True
    ) -> _image.Image | None:
        """Find the image with that ID, otherwise the one with that name."""
        return await self._run(self._sync.find_image, name_or_id, ignore_missing, newest=newest, hidden=hidden)

    def images_named(self, name: str, **query: Any) -> AsyncIterator[_image.Image]:
        """Yield the images with exactly that name, the newest first."""
        return self._listed(self._sync.images_named, name, **query)

    async def get_image(self, image: ImageRef) -> _image.Image:
        """Get an image."""
        return await self._run(self._sync.get_image, image)

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
    ) -> AsyncIterator[_image.Image]:
        """Yield the images that the project sees, page by page, in constant memory."""
        return self._listed(
            self._sync.images,
            limit=limit,
            page_size=page_size,
            sort=sort,
            name=name,
            status=status,
            visibility=visibility,
            owner=owner,
            tag=tag,
            member_status=member_status,
            disk_format=disk_format,
            container_format=container_format,
            protected=protected,
            os_hidden=os_hidden,
            created_at=created_at,
            updated_at=updated_at,
            size=size,
            min_disk=min_disk,
            min_ram=min_ram,
            **query,
        )

    async def update_image(
        self, image_id: ImageRef, image_data: list[dict[str, Any]] | Mapping[str, Any] | None = None, **attrs: Any
    ) -> _image.Image:
        """Change an image."""
        return await self._run(self._sync.update_image, image_id, image_data, **attrs)

    async def create_member(self, image: ImageRef, **attrs: Any) -> _member.Member:
        """Share an image with a project."""
        return await self._run(self._sync.create_member, image, **attrs)

    async def add_member(self, image: ImageRef, **attrs: Any) -> _member.Member:
        """Share an image with a project, as :meth:`create_member` does."""
        return await self._run(self._sync.add_member, image, **attrs)

    async def delete_member(self, image: ImageRef, member: MemberRef, ignore_missing: bool = True) -> None:
        """Stop sharing an image with a project."""
        return await self._run(self._sync.delete_member, image, member, ignore_missing)

    async def remove_member(
        self, member: MemberRef, image: ImageRef | None = None, ignore_missing: bool = True
    ) -> None:
        """Stop sharing an image with a project, as :meth:`delete_member` does."""
        return await self._run(self._sync.remove_member, member, image, ignore_missing)

    async def get_member(self, image: ImageRef, member: MemberRef) -> _member.Member:
        """Get a member of an image."""
        return await self._run(self._sync.get_member, image, member)

    @overload
    async def find_member(self, name_or_id: str, image: ImageRef, ignore_missing: Literal[False]) -> _member.Member: ...
    @overload
    async def find_member(
        self, name_or_id: str, image: ImageRef, ignore_missing: bool = True
    ) -> _member.Member | None: ...
    async def find_member(self, name_or_id: str, image: ImageRef, ignore_missing: bool = True) -> _member.Member | None:
        """Find a member of an image by the project's ID."""
        return await self._run(self._sync.find_member, name_or_id, image, ignore_missing)

    def members(self, image: ImageRef) -> AsyncIterator[_member.Member]:
        """Yield the members of an image."""
        return self._listed(self._sync.members, image)

    async def update_member(self, image_id: ImageRef, member_id: MemberRef, status: str) -> _member.Member:
        """Accept or reject an image that is shared with your project."""
        return await self._run(self._sync.update_member, image_id, member_id, status)

    async def add_tag(self, image_id: ImageRef, tag_to_add: str) -> None:
        """Add a tag to an image, unless it has it already."""
        return await self._run(self._sync.add_tag, image_id, tag_to_add)

    async def delete_tag(self, image_id: ImageRef, tag_to_delete: str) -> None:
        """Remove a tag from an image."""
        return await self._run(self._sync.delete_tag, image_id, tag_to_delete)

    async def remove_tag(self, image: ImageRef, tag: str) -> None:
        """Remove a tag from an image, as :meth:`delete_tag` does."""
        return await self._run(self._sync.remove_tag, image, tag)

    async def create_image(
        self,
        *,
        name: str | None = None,
        id: str | None = None,
        disk_format: str | None = None,
        container_format: str | None = None,
        visibility: str | None = None,
        min_disk: int | None = None,
        min_ram: int | None = None,
        tags: Sequence[str] | None = None,
        protected: bool | None = None,
        os_hidden: bool | None = None,
        owner: str | None = None,
        properties: Mapping[str, Any] | str | None = None,
        filename: str | os.PathLike[str] | None = None,
        data: AsyncImageData | None = None,
        progress: ProgressCallback | None = None,
        force: bool = False,
        max_bandwidth: float | Bandwidth | None = None,
        decompress: bool = False,
        max_expanded: int | None = None,
        allow_empty: bool = False,
        size: int | None = None,
        sha256: str | None = None,
        sha512: str | None = None,
        md5: str | None = None,
        sign_key: PemOrPath | None = None,
        sign_cert_id: str | None = None,
        sign_key_password: str | bytes | None = None,
        **attrs: Any,
    ) -> Image:
        """Create an image and, given *data*, upload it."""
        return await self._transfer(
            self._sync.create_image,
            name=name,
            id=id,
            disk_format=disk_format,
            container_format=container_format,
            visibility=visibility,
            min_disk=min_disk,
            min_ram=min_ram,
            tags=tags,
            protected=protected,
            os_hidden=os_hidden,
            owner=owner,
            properties=properties,
            filename=filename,
            data=data,
            progress=progress,
            force=force,
            max_bandwidth=max_bandwidth,
            decompress=decompress,
            max_expanded=max_expanded,
            allow_empty=allow_empty,
            size=size,
            sha256=sha256,
            sha512=sha512,
            md5=md5,
            sign_key=sign_key,
            sign_cert_id=sign_cert_id,
            sign_key_password=sign_key_password,
            **attrs,
        )

    async def upload_image(
        self,
        image_id: ImageRef,
        image_data: AsyncImageData,
        *,
        progress: ProgressCallback | None = None,
        force: bool = False,
        max_bandwidth: float | Bandwidth | None = None,
        decompress: bool = False,
        max_expanded: int | None = None,
        allow_empty: bool = False,
        size: int | None = None,
        sha256: str | None = None,
        sha512: str | None = None,
        md5: str | None = None,
    ) -> Image:
        """Upload the data of a queued image."""
        return await self._transfer(
            self._sync.upload_image,
            image_id,
            image_data,
            progress=progress,
            force=force,
            max_bandwidth=max_bandwidth,
            decompress=decompress,
            max_expanded=max_expanded,
            allow_empty=allow_empty,
            size=size,
            sha256=sha256,
            sha512=sha512,
            md5=md5,
        )

    async def upload_images(
        self,
        images: Iterable[Mapping[str, Any]],
        *,
        workers: int | None = None,
        progress: ProgressCallback | None = None,
        max_bandwidth: float | Bandwidth | None = None,
    ) -> list[Image]:
        """Create many images with their data, several at once."""
        return await self._transfer(
            self._sync.upload_images, images, workers=workers, progress=progress, max_bandwidth=max_bandwidth
        )

    async def download_images(
        self,
        images: Mapping[str, str | os.PathLike[str]] | Iterable[tuple[ImageRef, str | os.PathLike[str]]],
        *,
        workers: int | None = None,
        progress: ProgressCallback | None = None,
        max_bandwidth: float | Bandwidth | None = None,
    ) -> list[Path]:
        """Download many images, several at once."""
        return await self._transfer(
            self._sync.download_images, images, workers=workers, progress=progress, max_bandwidth=max_bandwidth
        )

    async def stage_image(
        self,
        image: ImageRef,
        data: AsyncImageData | None = None,
        *,
        filename: str | None = None,
        progress: ProgressCallback | None = None,
        force: bool = False,
        max_bandwidth: float | Bandwidth | None = None,
        decompress: bool = False,
        max_expanded: int | None = None,
        allow_empty: bool = False,
        size: int | None = None,
        sha256: str | None = None,
        sha512: str | None = None,
        md5: str | None = None,
    ) -> Image:
        """Send the data of a queued image to the staging area."""
        return await self._transfer(
            self._sync.stage_image,
            image,
            data,
            filename=filename,
            progress=progress,
            force=force,
            max_bandwidth=max_bandwidth,
            decompress=decompress,
            max_expanded=max_expanded,
            allow_empty=allow_empty,
            size=size,
            sha256=sha256,
            sha512=sha512,
            md5=md5,
        )

    async def import_image(
        self,
        image: ImageRef,
        method: str = "glance-direct",
        *,
        uri: str | None = None,
        remote_region: str | None = None,
        remote_image_id: str | None = None,
        remote_service_interface: str | None = None,
        store: str | Store | None = None,
        stores: Sequence[str | Store] | None = None,
        all_stores: bool | None = None,
        all_stores_must_succeed: bool | None = None,
    ) -> None:
        """Start an import."""
        return await self._run(
            self._sync.import_image,
            image,
            method,
            uri=uri,
            remote_region=remote_region,
            remote_image_id=remote_image_id,
            remote_service_interface=remote_service_interface,
            store=store,
            stores=stores,
            all_stores=all_stores,
            all_stores_must_succeed=all_stores_must_succeed,
        )

    async def get_import_info(self) -> Import:
        """Get the import methods of the cloud."""
        return await self._run(self._sync.get_import_info)

    async def wait_for_image(
        self,
        image: ImageRef,
        status: str = "active",
        *,
        failures: Collection[str] = ("killed", "deleted"),
        interval: float = 2,
        wait: float = 3600,
    ) -> Image:
        """Poll an image until it reaches *status* and no import of it is running."""
        return await self._wait(
            self._sync.wait_for_image, image, status, failures=failures, interval=interval, wait=wait
        )

    def image_tasks(self, image: ImageRef) -> AsyncIterator[ImageTask]:
        """Yield the tasks of an image."""
        return self._listed(self._sync.image_tasks, image)

    def tasks(self, *, limit: int | None = None, page_size: int | None = None, **query: Any) -> AsyncIterator[Task]:
        """Yield the tasks of the cloud."""
        return self._listed(self._sync.tasks, limit=limit, page_size=page_size, **query)

    async def get_task(self, task: str | Task) -> Task:
        """Get a task."""
        return await self._run(self._sync.get_task, task)

    async def create_task(self, **attrs: Any) -> Task:
        """Start a task."""
        return await self._run(self._sync.create_task, **attrs)

    async def wait_for_task(
        self,
        task: str | Task,
        status: str = "success",
        failures: Collection[str] | None = None,
        interval: float = 2,
        wait: float = 120,
    ) -> Task:
        """Poll a task until it reaches *status*."""
        return await self._wait(self._sync.wait_for_task, task, status, failures, interval, wait)

    def stores(self, details: bool = False) -> AsyncIterator[Store]:
        """Yield the cloud's stores."""
        return self._listed(self._sync.stores, details)

    async def get_store(self, store: str | Store, *, details: bool = False) -> Store:
        """Get one of the cloud's stores."""
        return await self._run(self._sync.get_store, store, details=details)

    async def delete_image_from_store(self, image: ImageRef, store: str | Store, ignore_missing: bool = True) -> None:
        """Delete the data of an image from one of its stores."""
        return await self._run(self._sync.delete_image_from_store, image, store, ignore_missing)

    def image_locations(self, image: ImageRef) -> AsyncIterator[Location]:
        """Yield the locations of an image's data."""
        return self._listed(self._sync.image_locations, image)

    async def add_image_location(
        self, image: ImageRef, url: str, *, validation_data: Mapping[str, str] | None = None
    ) -> None:
        """Let a queued image use the data at an address."""
        return await self._run(self._sync.add_image_location, image, url, validation_data=validation_data)

    async def usage(self) -> Usage:
        """Get the usage and the limits of the project."""
        return await self._run(self._sync.usage)

    def versions(self) -> AsyncIterator[Version]:
        """Yield the versions of the API that the cloud supports, in no order."""
        return self._listed(self._sync.versions)

    async def copy_image(self, image_id: ImageRef, tenant_id_dst: str) -> ImageCopy:
        """Start a copy of an image to a tenant in another region."""
        return await self._run(self._sync.copy_image, image_id, tenant_id_dst)

    async def cancel_copy_image(self, job_id: str) -> None:
        """Cancel a copy."""
        return await self._run(self._sync.cancel_copy_image, job_id)

    def list_image_copy_jobs(self) -> AsyncIterator[ImageCopy]:
        """Yield the project's copy jobs."""
        return self._listed(self._sync.list_image_copy_jobs)

    async def get_image_copy_job(self, job_id: str) -> ImageCopy:
        """Get a copy job."""
        return await self._run(self._sync.get_image_copy_job, job_id)

    async def wait_for_image_copy(
        self,
        job: str | ImageCopy,
        *,
        progress: Callable[[int], object] | None = None,
        interval: float = 2,
        wait: float = 3600,
    ) -> ImageCopy:
        """Poll a copy job until it has succeeded."""
        return await self._wait(self._sync.wait_for_image_copy, job, progress=progress, interval=interval, wait=wait)

    def licenses(self) -> AsyncIterator[License]:
        """Yield the licence switch types."""
        return self._listed(self._sync.licenses)

    async def deactivate_image(self, image: ImageRef) -> None:
        """Allow only administrators to download the data of an active image."""
        return await self._run(self._sync.deactivate_image, image)

    async def reactivate_image(self, image: ImageRef) -> None:
        """Allow downloads of a deactivated image again."""
        return await self._run(self._sync.reactivate_image, image)

    async def get_image_cache(self) -> Cache:
        """Get the content of the cloud's cache."""
        return await self._run(self._sync.get_image_cache)

    async def queue_image(self, image_id: ImageRef) -> None:
        """Queue an image for the cache."""
        return await self._run(self._sync.queue_image, image_id)

    async def cache_delete_image(self, image: ImageRef, ignore_missing: bool = True) -> None:
        """Remove an image from the cache and its queue."""
        return await self._run(self._sync.cache_delete_image, image, ignore_missing)

    async def clear_cache(self, target: Literal["both", "cache", "queue"] = "both") -> None:
        """Empty the cache, its queue, or both."""
        return await self._run(self._sync.clear_cache, target)

    async def clean_cache(self) -> None:
        """Remove invalid and stalled entries of the cache."""
        return await self._run(self._sync.clean_cache)

    async def prune_cache(self) -> dict[str, int]:
        """Shrink the cache to its maximum size."""
        return await self._run(self._sync.prune_cache)

    async def cached_image_nodes(self, image: ImageRef) -> list[str]:
        """Return the addresses of the nodes that have an image in their cache."""
        return await self._run(self._sync.cached_image_nodes, image)

    async def create_metadef_namespace(self, **attrs: Any) -> MetadefNamespace:
        """Create a namespace, with everything in it, or nothing."""
        return await self._run(self._sync.create_metadef_namespace, **attrs)

    async def delete_metadef_namespace(self, metadef_namespace: NamespaceRef, ignore_missing: bool = True) -> None:
        """Delete a namespace with all that is in it."""
        return await self._run(self._sync.delete_metadef_namespace, metadef_namespace, ignore_missing)

    async def get_metadef_namespace(
        self, metadef_namespace: NamespaceRef, *, resource_type: str | None = None
    ) -> MetadefNamespace:
        """Get a namespace with all that is in it."""
        return await self._run(self._sync.get_metadef_namespace, metadef_namespace, resource_type=resource_type)

    def metadef_namespaces(
        self, *, limit: int | None = None, page_size: int | None = None, **query: Any
    ) -> AsyncIterator[MetadefNamespace]:
        """Yield namespaces, without what is in them but their resource types."""
        return self._listed(self._sync.metadef_namespaces, limit=limit, page_size=page_size, **query)

    async def update_metadef_namespace(self, metadef_namespace: NamespaceRef, **attrs: Any) -> MetadefNamespace:
        """Change the attributes *attrs* of a namespace."""
        return await self._run(self._sync.update_metadef_namespace, metadef_namespace, **attrs)

    def metadef_tags(self, metadef_namespace: NamespaceRef, **query: Any) -> AsyncIterator[MetadefTag]:
        """Yield the tags of a namespace."""
        return self._listed(self._sync.metadef_tags, metadef_namespace, **query)

    async def get_metadef_tag(self, metadef_tag: str | MetadefTag, metadef_namespace: NamespaceRef) -> MetadefTag:
        """Get a tag."""
        return await self._run(self._sync.get_metadef_tag, metadef_tag, metadef_namespace)

    async def add_tag_to_metadef_namespace(self, metadef_namespace: NamespaceRef, tag: str) -> MetadefTag:
        """Add one tag to a namespace."""
        return await self._run(self._sync.add_tag_to_metadef_namespace, metadef_namespace, tag)

    async def create_metadef_tags(
        self, metadef_namespace: NamespaceRef, tags: Iterable[str], *, append: bool = False
    ) -> list[MetadefTag]:
        """Set the tags of a namespace or, with *append*, add to them."""
        return await self._run(self._sync.create_metadef_tags, metadef_namespace, tags, append=append)

    async def update_metadef_tag(
        self, metadef_tag: str | MetadefTag, metadef_namespace: NamespaceRef, **attrs: Any
    ) -> MetadefTag:
        """Rename a tag."""
        return await self._run(self._sync.update_metadef_tag, metadef_tag, metadef_namespace, **attrs)

    async def remove_tag_from_metadef_namespace(
        self, metadef_namespace: NamespaceRef, tag: str | MetadefTag, ignore_missing: bool = True
    ) -> None:
        """Take one tag from a namespace."""
        return await self._run(self._sync.remove_tag_from_metadef_namespace, metadef_namespace, tag, ignore_missing)

    async def remove_tags_from_metadef_namespace(self, metadef_namespace: NamespaceRef) -> None:
        """Take all tags from a namespace."""
        return await self._run(self._sync.remove_tags_from_metadef_namespace, metadef_namespace)

    async def create_metadef_object(self, namespace: NamespaceRef, **attrs: Any) -> MetadefObject:
        """Add an object to a namespace."""
        return await self._run(self._sync.create_metadef_object, namespace, **attrs)

    async def get_metadef_object(self, metadef_object: str | MetadefObject, namespace: NamespaceRef) -> MetadefObject:
        """Get an object."""
        return await self._run(self._sync.get_metadef_object, metadef_object, namespace)

    def metadef_objects(self, namespace: NamespaceRef) -> AsyncIterator[MetadefObject]:
        """Yield the objects of a namespace."""
        return self._listed(self._sync.metadef_objects, namespace)

    async def update_metadef_object(
        self, metadef_object: str | MetadefObject, namespace: NamespaceRef, **attrs: Any
    ) -> MetadefObject:
        """Change the attributes *attrs* of an object."""
        return await self._run(self._sync.update_metadef_object, metadef_object, namespace, **attrs)

    async def delete_metadef_object(
        self, metadef_object: str | MetadefObject, namespace: NamespaceRef, ignore_missing: bool = True
    ) -> None:
        """Delete an object."""
        return await self._run(self._sync.delete_metadef_object, metadef_object, namespace, ignore_missing)

    async def delete_all_metadef_objects(self, namespace: NamespaceRef) -> None:
        """Delete all objects of a namespace."""
        return await self._run(self._sync.delete_all_metadef_objects, namespace)

    async def create_metadef_property(self, metadef_namespace: NamespaceRef, **attrs: Any) -> MetadefProperty:
        """Add a property to a namespace."""
        return await self._run(self._sync.create_metadef_property, metadef_namespace, **attrs)

    async def update_metadef_property(
        self, metadef_property: str | MetadefProperty, metadef_namespace: NamespaceRef, **attrs: Any
    ) -> MetadefProperty:
        """Change the attributes *attrs* of a property."""
        return await self._run(self._sync.update_metadef_property, metadef_property, metadef_namespace, **attrs)

    async def delete_metadef_property(
        self, metadef_property: str | MetadefProperty, metadef_namespace: NamespaceRef, ignore_missing: bool = True
    ) -> None:
        """Delete a property."""
        return await self._run(self._sync.delete_metadef_property, metadef_property, metadef_namespace, ignore_missing)

    def metadef_properties(self, metadef_namespace: NamespaceRef) -> AsyncIterator[MetadefProperty]:
        """Yield the properties of a namespace."""
        return self._listed(self._sync.metadef_properties, metadef_namespace)

    async def get_metadef_property(
        self,
        metadef_property: str | MetadefProperty,
        metadef_namespace: NamespaceRef,
        *,
        resource_type: str | None = None,
    ) -> MetadefProperty:
        """Get a property."""
        return await self._run(
            self._sync.get_metadef_property, metadef_property, metadef_namespace, resource_type=resource_type
        )

    async def delete_all_metadef_properties(self, metadef_namespace: NamespaceRef) -> None:
        """Delete all properties of a namespace."""
        return await self._run(self._sync.delete_all_metadef_properties, metadef_namespace)

    def metadef_resource_types(self) -> AsyncIterator[MetadefResourceType]:
        """Yield the kinds of resource that definitions are for."""
        return self._listed(self._sync.metadef_resource_types)

    async def create_metadef_resource_type_association(
        self, metadef_namespace: NamespaceRef, **attrs: Any
    ) -> MetadefResourceTypeAssociation:
        """Associate a namespace with a kind of resource."""
        return await self._run(self._sync.create_metadef_resource_type_association, metadef_namespace, **attrs)

    async def delete_metadef_resource_type_association(
        self,
        metadef_resource_type: str | MetadefResourceTypeAssociation,
        metadef_namespace: NamespaceRef,
        ignore_missing: bool = True,
    ) -> None:
        """Remove the association of a namespace with a kind of resource."""
        return await self._run(
            self._sync.delete_metadef_resource_type_association,
            metadef_resource_type,
            metadef_namespace,
            ignore_missing,
        )

    def metadef_resource_type_associations(
        self, metadef_namespace: NamespaceRef
    ) -> AsyncIterator[MetadefResourceTypeAssociation]:
        """Yield the kinds of resource that a namespace is for."""
        return self._listed(self._sync.metadef_resource_type_associations, metadef_namespace)

    async def get_schema(self, kind: str) -> Scheme:
        """Get a JSON Schema by its name."""
        return await self._run(self._sync.get_schema, kind)

    async def get_member_schema(self) -> Scheme:
        """Get the JSON Schema of a member."""
        return await self._run(self._sync.get_member_schema)

    async def get_members_schema(self) -> Scheme:
        """Get the JSON Schema of a list of members."""
        return await self._run(self._sync.get_members_schema)

    async def get_task_schema(self) -> Scheme:
        """Get the JSON Schema of a task."""
        return await self._run(self._sync.get_task_schema)

    async def get_tasks_schema(self) -> Scheme:
        """Get the JSON Schema of a list of tasks."""
        return await self._run(self._sync.get_tasks_schema)

    async def get_metadef_namespace_schema(self) -> Scheme:
        """Get the JSON Schema of a metadata namespace."""
        return await self._run(self._sync.get_metadef_namespace_schema)

    async def get_metadef_namespaces_schema(self) -> Scheme:
        """Get the JSON Schema of a list of metadata namespaces."""
        return await self._run(self._sync.get_metadef_namespaces_schema)

    async def get_metadef_resource_type_schema(self) -> Scheme:
        """Get the JSON Schema of a resource type's association with a metadata namespace."""
        return await self._run(self._sync.get_metadef_resource_type_schema)

    async def get_metadef_resource_types_schema(self) -> Scheme:
        """Get the JSON Schema of a list of such associations."""
        return await self._run(self._sync.get_metadef_resource_types_schema)

    async def get_metadef_object_schema(self) -> Scheme:
        """Get the JSON Schema of a metadata object."""
        return await self._run(self._sync.get_metadef_object_schema)

    async def get_metadef_objects_schema(self) -> Scheme:
        """Get the JSON Schema of a list of metadata objects."""
        return await self._run(self._sync.get_metadef_objects_schema)

    async def get_metadef_property_schema(self) -> Scheme:
        """Get the JSON Schema of a metadata property."""
        return await self._run(self._sync.get_metadef_property_schema)

    async def get_metadef_properties_schema(self) -> Scheme:
        """Get the JSON Schema of metadata properties by name."""
        return await self._run(self._sync.get_metadef_properties_schema)

    async def get_metadef_tag_schema(self) -> Scheme:
        """Get the JSON Schema of a metadata tag."""
        return await self._run(self._sync.get_metadef_tag_schema)

    async def get_metadef_tags_schema(self) -> Scheme:
        """Get the JSON Schema of a list of metadata tags."""
        return await self._run(self._sync.get_metadef_tags_schema)

    async def get_image_schema(self) -> Scheme:
        """Get the JSON Schema of an image."""
        return await self._run(self._sync.get_image_schema)

    async def get_images_schema(self) -> Scheme:
        """Get the JSON Schema of a list of images."""
        return await self._run(self._sync.get_images_schema)

    async def get_image_member_schema(self) -> Scheme:
        """Get the JSON Schema of a member."""
        return await self._run(self._sync.get_image_member_schema)

    async def get_metadata_namespace_schema(self) -> Scheme:
        """Get the JSON Schema of a metadata namespace."""
        return await self._run(self._sync.get_metadata_namespace_schema)

    async def get_metadata_object_schema(self) -> Scheme:
        """Get the JSON Schema of a metadata object."""
        return await self._run(self._sync.get_metadata_object_schema)

    async def get_metadata_property_schema(self) -> Scheme:
        """Get the JSON Schema of a metadata property."""
        return await self._run(self._sync.get_metadata_property_schema)

    async def get_metadata_resource_type_schema(self) -> Scheme:
        """Get the JSON Schema of a resource type's association with a metadata namespace."""
        return await self._run(self._sync.get_metadata_resource_type_schema)

    async def wait_for_status(
        self, value: R, status: str, failures: Collection[str] | None = (), interval: float = 2, wait: float = 120
    ) -> R:
        """Poll *value* until it reaches *status*."""
        return await self._wait(self._sync.wait_for_status, value, status, failures, interval, wait)

    async def wait_for_delete(self, value: R, interval: float = 2, wait: float = 120) -> R:
        """Poll *value* until the service no longer has it."""
        return await self._wait(self._sync.wait_for_delete, value, interval, wait)
