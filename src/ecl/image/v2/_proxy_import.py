"""The image proxy's methods for imports, tasks, stores and locations."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ecl import _http, exceptions
from ecl.image.v2._proxy_base import ImageProxyBase, ImageRef, polls
from ecl.image.v2.image import Image
from ecl.image.v2.location import Location
from ecl.image.v2.service_info import Import, Usage, Version
from ecl.image.v2.store import Store
from ecl.image.v2.task import ImageTask, Task

if TYPE_CHECKING:
    from ecl.image._transfer.bandwidth import Bandwidth
    from ecl.image._transfer.progress import ProgressCallback
    from ecl.image._transfer.source import ImageData

__all__ = ["ImportProxy"]

#: Properties in which a Glance reports the progress of an import.
_TASK, _FAILED = "os_glance_import_task", "os_glance_failed_import"


class ImportProxy(ImageProxyBase):
    """Imports, tasks, stores, locations; usage and versions."""

    def stage_image(
        self,
        image: ImageRef,
        data: ImageData | None = None,
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
        """
        Send the data of a queued image to the staging area; ``import_image(image)`` comes next.

        Operation: PUT /v2/images/{image_id}/stage.

        Args:
            data: Path, bytes, binary file, or iterable of bytes.
            filename: A path, in place of *data*.
            progress: Called with bytes done and bytes in all (None: not known) at most ten times a second.
            force: Send even what is dangerous, of another format than declared, or no disk.
            max_bandwidth: Maximum number of bytes a second.
            decompress: Decode gzip, bzip2, xz or zstd while sending; the content says which.
            max_expanded: Maximum number of decoded bytes; by default 1 TiB.
            allow_empty: Send even no bytes at all.
            size: Bytes that must be there, after decoding; declared to the service where *data* cannot say.
            sha256: Hash that the data must have, after decoding, in hexadecimal. The last block is sent only if it has.
            sha512: See *sha256*.
            md5: See *sha256*.

        Returns:
            The image, whose status is ``uploading``.

        Raises:
            InvalidRequest: Not exactly one of *data* and *filename* is given, or the data is empty or no such disk.
            FileFailure: Reading *data* failed, or its size or hash is not the expected one.
            ConflictException: The image is not queued.
            ResourceNotFound: There is no such image, or the cloud has no staging area.
        """
        source = filename if data is None else data
        if source is None or (data is not None and filename is not None):
            raise exceptions.InvalidRequest("Give either data or filename")
        from ecl.image._transfer.options import UploadOptions
        from ecl.image.v2 import _data

        options = UploadOptions.of(
            progress, force, max_bandwidth, decompress, max_expanded, allow_empty, size,
            sha256=sha256, sha512=sha512, md5=md5,
        )  # fmt: skip
        with self._naming_image(image):
            return _data.stage(self.session, self._image(image), source, options)[0]

    def import_image(
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
        """
        Start an import; :meth:`wait_for_image` waits for its end.

        Operation: POST /v2/images/{image_id}/import.

        Args:
            method: ``glance-direct`` (what was staged), ``web-download``, ``glance-download``, or ``copy-image``
                (from one store to others).
            uri: For web-download: where the data is.
            remote_region: For glance-download: the region, and of its image the ID.
            remote_image_id: See *remote_region*.
            remote_service_interface: For glance-download: ``public``, ``internal`` or ``admin``.
            store: The store that gets the data; by default the cloud's.
            stores: Stores, where it is more than one.
            all_stores: Every store that takes data.
            all_stores_must_succeed: False: one store that took the data is enough.

        Raises:
            InvalidRequest: The arguments do not belong together.
            BadRequestException: The cloud does not have the method, or does not go to the address.
            ConflictException: The image is not in a state for it, or a store is not known.
            ResourceNotFound: There is no such image.
        """
        if (uri is None) == (method == "web-download"):
            raise exceptions.InvalidRequest("web-download needs uri, and no other method takes it")
        if (method == "glance-download") != (remote_region is not None and remote_image_id is not None):
            raise exceptions.InvalidRequest(
                "glance-download needs remote_region and remote_image_id, and no other method takes them"
            )
        if sum(choice is not None and choice is not False for choice in (store, stores, all_stores)) > 1:
            raise exceptions.InvalidRequest("Give one of store, stores and all_stores")
        arguments = {
            "name": method,
            "uri": uri,
            "glance_region": remote_region,
            "glance_image_id": remote_image_id,
            "glance_service_interface": remote_service_interface,
        }
        body: dict[str, Any] = {
            "method": {name: value for name, value in arguments.items() if value is not None},
            "stores": None if stores is None else [self._id_of(Store, item) for item in stores],
            "all_stores": all_stores,
            "all_stores_must_succeed": all_stores_must_succeed,
        }
        body = {name: value for name, value in body.items() if value is not None}
        headers = {} if store is None else {"X-Image-Meta-Store": self._id_of(Store, store)}
        path = f"{self._image_path(image)}/import"
        with self._naming_image(image):
            _http.request(self.session, "POST", path, service=Image.service, json=body, headers=headers)

    def get_import_info(self) -> Import:
        """
        Get the import methods of the cloud.

        Operation: GET /v2/info/import.
        """
        return Import().get(self.session, requires_id=False)

    def wait_for_image(
        self,
        image: ImageRef,
        status: str = "active",
        *,
        failures: Collection[str] = ("killed", "deleted"),
        interval: float = 2,
        wait: float = 3600,
    ) -> Image:
        """
        Poll an image until it reaches *status* and no import of it is running.

        Args:
            failures: Statuses that end the wait at once.
            interval: Maximum seconds between polls; the first polls come faster.
            wait: Seconds before giving up; an import continues.

        Raises:
            ResourceFailure: It reached one of *failures*, or its last import failed, also one to more stores that
                left it active; the message says why.
            ResourceNotFound: There is no such image (any more).
            ResourceTimeout: *wait* seconds passed first.
        """
        wanted, ends = status.lower(), {failure.lower() for failure in failures}
        for _ in polls(interval, wait):
            current = self._get(Image, self._image_id(image))
            now, busy = (current.image_status or "").lower(), _TASK in current
            if not busy and current.properties.get(_FAILED) and (now != wanted or now == "active"):
                self._raise_if_failed(current, short=now != wanted)
            if now == wanted and not busy:
                return current
            if now in ends:
                raise exceptions.ResourceFailure(f"Image {current.id} is {now}")
        raise exceptions.ResourceTimeout(f"Image {current.id} is {now!r}, not {status!r}, after {wait} seconds")

    def _raise_if_failed(self, image: Image, *, short: bool) -> None:
        """
        Raise ResourceFailure, with what the newest task says, if that failed.

        Args:
            short: The image does not have its status, so the import did fail, whatever its tasks say.
        """
        try:
            newest = max(self.image_tasks(image), key=lambda task: task.updated_at or "", default=None)
        except exceptions.HttpException:
            newest = None
        if short or (newest is not None and newest.status == "failure"):
            why = (newest.message if newest else None) or "the cloud does not say why"
            raise exceptions.ResourceFailure(f"The import of image {image.id} failed: {why}")

    # --- tasks --------------------------------------------------------------------------------------------

    def image_tasks(self, image: ImageRef) -> Iterator[ImageTask]:
        """
        Yield the tasks of an image.

        Operation: GET /v2/images/{image_id}/tasks.

        Raises:
            NotFoundException: There is no such image.
        """
        return self._list(ImageTask, image_id=self._image_id(image))

    def tasks(self, *, limit: int | None = None, page_size: int | None = None, **query: Any) -> Iterator[Task]:
        """
        Yield the tasks of the cloud: for administrators.

        Operation: GET /v2/tasks.

        Args:
            limit: Maximum number of tasks.
            page_size: Maximum number of tasks in one answer; the cloud may have a lower limit.
            query: *status*, *type*, *marker* (a task's ID), *sort_key*, *sort_dir*.

        Raises:
            ForbiddenException: You are not an administrator.
        """
        return self._limited(Task, limit, page_size, query)

    def get_task(self, task: str | Task) -> Task:
        """
        Get a task: for administrators.

        Operation: GET /v2/tasks/{task_id}.

        Raises:
            ResourceNotFound: There is no such task.
            ForbiddenException: You are not an administrator.
        """
        return self._get(Task, self._id_of(Task, task))

    def create_task(self, **attrs: Any) -> Task:
        """
        Start a task: for administrators. :meth:`import_image` is for everybody.

        Operation: POST /v2/tasks.

        Args:
            attrs: *type*: ``import``. *input*: a dict of *import_from* (an address), *import_from_format* and
                *image_properties*.
        """
        return self._create(Task, **attrs)

    def wait_for_task(
        self,
        task: str | Task,
        status: str = "success",
        failures: Collection[str] | None = None,
        interval: float = 2,
        wait: float = 120,
    ) -> Task:
        """
        Poll a task until it reaches *status*.

        Args:
            failures: Statuses that end the wait at once; by default ``failure``.
            interval: Maximum seconds between polls; the first polls come faster.
            wait: Seconds before giving up; the task continues.

        Raises:
            ResourceFailure: It reached one of *failures*; the message says why.
            ResourceTimeout: *wait* seconds passed first.
        """
        wanted = status.lower()
        ends = {"failure"} if failures is None else {failure.lower() for failure in failures}
        for _ in polls(interval, wait):
            current = self.get_task(task)
            now = (current.status or "").lower()
            if now == wanted:
                return current
            if now in ends:
                why = current.message or "the cloud does not say why"
                raise exceptions.ResourceFailure(f"Task {current.id} ended as {current.status!r}: {why}")
        raise exceptions.ResourceTimeout(f"Task {current.id} is {current.status!r} after {wait} seconds")

    # --- stores, locations, what the cloud is ---------------------------------------------------------------

    def stores(self, details: bool = False) -> Iterator[Store]:
        """
        Yield the cloud's stores.

        Operation: GET /v2/info/stores, with *details* GET /v2/info/stores/detail.

        Args:
            details: Include the configuration of each store (administrators only).

        Raises:
            NotFoundException: The cloud has one store without a name.
            ForbiddenException: The details are for administrators only.
        """
        return Store.all(self.session, details=details)

    def get_store(self, store: str | Store, *, details: bool = False) -> Store:
        """
        Get one of the cloud's stores: the API has no request for it, so this lists them.

        Raises:
            ResourceNotFound: There is no such store.
        """
        name = self._id_of(Store, store)
        for found in self.stores(details=details):
            if found.id == name:
                return found
        raise exceptions.ResourceNotFound(f"No Store found for {name}")

    def delete_image_from_store(self, image: ImageRef, store: str | Store, ignore_missing: bool = True) -> None:
        """
        Delete the data of an image from one of its stores; it must have another: for administrators.

        Operation: DELETE /v2/stores/{store}/{image_id}.

        Args:
            ignore_missing: False raises when there is no such image, or it is not in that store.

        Raises:
            ResourceNotFound: There is no such data, and *ignore_missing* is false.
            ForbiddenException: It is the last store that has the data, or you are not an administrator.
            ConflictException: There is no such store, or the image is not active.
        """
        store_name = _http.segment(self._id_of(Store, store), "store")
        path = f"/v2/stores/{store_name}/{_http.segment(self._image_id(image), 'image ID')}"
        try:
            with self._naming_image(image):
                _http.request(self.session, "DELETE", path, service=Image.service)
        except exceptions.ResourceNotFound:
            if not ignore_missing:
                raise

    def image_locations(self, image: ImageRef) -> Iterator[Location]:
        """
        Yield the locations of an image's data: for administrators.

        Operation: GET /v2/images/{image_id}/locations.

        Raises:
            NotFoundException: There is no such image.
            ForbiddenException: The cloud does not show you the locations.
        """
        return self._list(Location, image_id=self._image_id(image))

    def add_image_location(
        self, image: ImageRef, url: str, *, validation_data: Mapping[str, str] | None = None
    ) -> None:
        """
        Let a queued image use the data at an address; :meth:`wait_for_image` waits until it is active.

        Operation: POST /v2/images/{image_id}/locations.

        Args:
            validation_data: *os_hash_algo* and *os_hash_value* (hexadecimal) that the data must have.

        Raises:
            InvalidRequest: *url* is no text, or *validation_data* no mapping.
            ConflictException: The image is not queued.
            BadRequestException: The cloud does not go to such an address, or does not know the hash.
            ForbiddenException: The cloud does not take such an address, or not from you.
        """
        body: dict[str, Any] = {"url": _http.text(url, "url")}
        if validation_data is not None:
            if not isinstance(validation_data, Mapping):
                raise exceptions.InvalidRequest(
                    "validation_data must be a dict of os_hash_algo and os_hash_value,"
                    f" not {type(validation_data).__name__}"
                )
            body["validation_data"] = dict(validation_data)
        path = f"{self._image_path(image)}/locations"
        with self._naming_image(image):
            _http.request(self.session, "POST", path, service=Image.service, json=body)

    def usage(self) -> Usage:
        """
        Get the usage and the limits of the project.

        Operation: GET /v2/info/usage.
        """
        return Usage().get(self.session, requires_id=False)

    def versions(self) -> Iterator[Version]:
        """
        Yield the versions of the API that the cloud supports, in no order.

        Operation: GET /versions.
        """
        return self._list(Version)
