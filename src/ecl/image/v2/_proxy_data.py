"""The image proxy's methods that move data."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar, overload

from ecl import exceptions
from ecl.image.v2._proxy_base import ImageProxyBase, ImageRef
from ecl.image.v2.image import Image

if TYPE_CHECKING:
    from ecl.image.transfer import Bandwidth, ImageData, ProgressCallback, UploadOptions
    from ecl.image.transfer._many import TotalProgress

__all__ = ["DataProxy"]

Target = TypeVar("Target", str, Path, IO[bytes])
V = TypeVar("V")


class DataProxy(ImageProxyBase):
    """Create with data, upload, download; one image or many."""

    def create_image(
        self,
        *,
        data: ImageData | None = None,
        progress: ProgressCallback | None = None,
        force: bool = False,
        max_bandwidth: float | Bandwidth | None = None,
        decompress: bool = False,
        max_expanded: int | None = None,
        **attrs: Any,
    ) -> Image:
        """
        Create an image and, given *data*, upload it; if that fails, the image is deleted again.

        Operation: POST /v2/images; with *data* also PUT /v2/images/{image_id}/file.

        Args:
            data: Path, bytes, binary file, iterable of bytes, or a callable that returns one. *disk_format* is then
                detected from the content and *container_format* is ``bare`` unless given.
            progress: Called with bytes done and bytes in all (None: not known) at most ten times a second.
            force: Upload even what the image inspector finds dangerous or of another format than declared.
            max_bandwidth: Bytes a second, at most.
            decompress: Decode gzip, bzip2, xz or zstd on the way, by content.
            max_expanded: Bytes that decoding may make, at most; by default 1 TiB.
            attrs: Attributes and properties of the image; all of them are sent. *properties* is a mapping of
                properties whose names are sent as they are, also if they are those of arguments or of attributes
                in Python: ``properties={"os_type": "linux"}``.

        Returns:
            The image: queued or, with *data*, active and verified.

        Raises:
            InvalidRequest: *properties* has an attribute of the API, such as ``name``.
            ConflictException: The ID is, or was, in use.
            DigestMismatch: What arrived is not what was sent.
            FileFailure: Reading *data* failed on the way.
        """
        if data is None:
            return self._create(Image, **attrs)
        return self._create_with_data(
            None,
            data=data,
            progress=progress,
            force=force,
            max_bandwidth=max_bandwidth,
            decompress=decompress,
            max_expanded=max_expanded,
            **attrs,
        )

    def _create_with_data(
        self,
        made: Callable[[Image], object] | None,
        /,
        *,
        data: ImageData,
        progress: ProgressCallback | None = None,
        force: bool = False,
        max_bandwidth: float | Bandwidth | None = None,
        decompress: bool = False,
        max_expanded: int | None = None,
        **attrs: Any,
    ) -> Image:
        """Do what :meth:`create_image` does, and call *made* with the image as soon as there is one."""
        from ecl.image.transfer._create import create_with_data

        options = _options(progress, force, max_bandwidth, decompress, max_expanded)
        return create_with_data(self.session, data, attrs, options, made)

    def upload_image(
        self,
        image_id: ImageRef,
        image_data: ImageData,
        *,
        progress: ProgressCallback | None = None,
        force: bool = False,
        max_bandwidth: float | Bandwidth | None = None,
        decompress: bool = False,
        max_expanded: int | None = None,
    ) -> Image:
        """
        Upload the data of a queued image.

        Operation: PUT /v2/images/{image_id}/file.

        Args:
            image_data: Path, bytes, binary file, iterable of bytes, or a callable that returns one.
            progress: Called with bytes done and bytes in all (None: not known) at most ten times a second.
            force: Upload even what the image inspector finds dangerous or of another format than declared.
            max_bandwidth: Bytes a second, at most.
            decompress: Decode gzip, bzip2, xz or zstd on the way, by content.
            max_expanded: Bytes that decoding may make, at most; by default 1 TiB.

        Returns:
            The image, active and verified.

        Raises:
            ResourceNotFound: There is no such image.
            ConflictException: The image is not queued.
            DigestMismatch: What arrived is not what was sent.
            FileFailure: Reading *image_data* failed on the way.
        """
        from ecl.image.transfer import upload

        options = _options(progress, force, max_bandwidth, decompress, max_expanded)
        return self._of_image(image_id, lambda: upload(self.session, image_id, image_data, options))

    @overload
    def download_image(
        self,
        image_id: ImageRef,
        *,
        output: None = None,
        progress: ProgressCallback | None = None,
        connections: int | None = None,
        max_bandwidth: float | Bandwidth | None = None,
    ) -> bytes: ...
    @overload
    def download_image(
        self,
        image_id: ImageRef,
        *,
        output: Target,
        progress: ProgressCallback | None = None,
        connections: int | None = None,
        max_bandwidth: float | Bandwidth | None = None,
    ) -> Target: ...
    def download_image(
        self,
        image_id: ImageRef,
        *,
        output: str | os.PathLike[str] | IO[bytes] | None = None,
        progress: ProgressCallback | None = None,
        connections: int | None = None,
        max_bandwidth: float | Bandwidth | None = None,
    ) -> Any:
        """
        Download the data of an image, verified against the service's hash.

        Operation: GET /v2/images/{image_id}/file.

        Args:
            output: Path or binary file to write to, in constant memory; None returns the data as bytes. A path is
                written beside itself as ``NAME.part``, and the same download goes on from what it finds there.
            progress: Called with bytes done and bytes in all at most ten times a second.
            connections: How many ranges are fetched side by side into a path, 1 to 16; by default one, and eight
                when that turns out to be slow.
            max_bandwidth: Bytes a second, at most.

        Returns:
            The data, or *output*.

        Raises:
            ResourceNotFound: There is no such image.
            DigestMismatch: What arrived is not what the service has a hash of; no file has its name.
            FileFailure: Writing failed; the disk may be full.
        """
        from ecl.image.transfer import download

        fetch = partial(download, progress=progress, connections=connections, max_bandwidth=max_bandwidth)
        return self._of_image(image_id, lambda: fetch(self.session, image_id, output))

    def upload_images(
        self,
        images: Iterable[Mapping[str, Any]],
        *,
        workers: int | None = None,
        progress: ProgressCallback | None = None,
        max_bandwidth: float | Bandwidth | None = None,
    ) -> list[Image]:
        """
        Create many images with their data, several at once.

        Operations: those of :meth:`create_image`, for each.

        Args:
            images: What to call :meth:`create_image` with, for each: ``{"name": …, "data": …}``.
            workers: How many at once; by default four.
            progress: Called with bytes done and bytes in all, of all of them together.
            max_bandwidth: Bytes a second that all of them move together, at most.

        Returns:
            The images, active and verified, in the order given.

        Raises:
            SDKException: What the first of them that failed raised. Those that ran then came to their end, and stay.
            KeyboardInterrupt: Ctrl-C. Images that were whole by then stay; a note names each that could not be
                deleted again.
        """
        from ecl.image.transfer._bandwidth import limit_of
        from ecl.image.transfer._create import take_back
        from ecl.image.transfer._many import TotalProgress

        wanted = [dict(image) for image in images]
        if not all("data" in image for image in wanted):
            raise exceptions.InvalidRequest("Each of images must have 'data', beside the image's attributes")
        total = TotalProgress(progress, len(wanted))
        limit = limit_of(max_bandwidth)
        made: dict[int, Image] = {}

        def create(index: int) -> Image:
            how = {"progress": total.of(index), "max_bandwidth": limit, **wanted[index]}
            return self._create_with_data(partial(made.__setitem__, index), **how)

        jobs = [partial(create, index) for index in range(len(wanted))]

        def left_by(index: int, error: BaseException) -> None:
            if index in made:
                take_back(self.session, made[index], error)
            else:
                error.add_note(
                    f"It is not known whether there is an image {wanted[index].get('name')!r} now; if it has no data,"
                    " delete it by hand."
                )

        return _run(jobs, workers, total, left_by)

    def download_images(
        self,
        images: Mapping[str, str | os.PathLike[str]] | Iterable[tuple[ImageRef, str | os.PathLike[str]]],
        *,
        workers: int | None = None,
        progress: ProgressCallback | None = None,
        max_bandwidth: float | Bandwidth | None = None,
    ) -> list[Path]:
        """
        Download many images, several at once.

        Operation: GET /v2/images/{image_id}/file, for each.

        Args:
            images: Image ID to path, or pairs of image and path.
            workers: How many at once; by default four.
            progress: Called with bytes done and bytes in all, of all of them together.
            max_bandwidth: Bytes a second that all of them move together, at most.

        Returns:
            The paths, in the order given.

        Raises:
            SDKException: What the first of them that failed raised; what was written of the others is kept.
            KeyboardInterrupt: Ctrl-C; what was written is kept.
        """
        from ecl.image.transfer import download
        from ecl.image.transfer._bandwidth import limit_of
        from ecl.image.transfer._many import TotalProgress

        pairs = list(images.items() if isinstance(images, Mapping) else images)
        total = TotalProgress(progress, len(pairs))
        limit = limit_of(max_bandwidth)

        def fetch(index: int) -> Path:
            image, path = pairs[index]
            at = total.of(index)
            return self._of_image(
                image,
                lambda: download(self.session, image, Path(path), progress=at, max_bandwidth=limit, stop=total.stop),
            )

        def left_by(index: int, error: BaseException) -> None:
            error.add_note(f"The download to {pairs[index][1]} could not be ended; what it has is in the file's .part.")

        return _run([partial(fetch, index) for index in range(len(pairs))], workers, total, left_by)


def _run(
    jobs: Sequence[Callable[[], V]],
    workers: int | None,
    total: TotalProgress,
    left_by: Callable[[int, BaseException], object],
) -> list[V]:
    from ecl.image.transfer._many import WORKERS, run_all

    results = run_all(jobs, WORKERS if workers is None else workers, total.stop, left_by)
    total.end()
    return results


def _options(
    progress: ProgressCallback | None,
    force: bool,
    max_bandwidth: float | Bandwidth | None,
    decompress: bool,
    max_expanded: int | None,
) -> UploadOptions:
    from ecl.image.transfer._bandwidth import limit_of
    from ecl.image.transfer._options import MAX_EXPANDED, UploadOptions

    limit = MAX_EXPANDED if max_expanded is None else max_expanded
    return UploadOptions(progress, force, limit_of(max_bandwidth), decompress, limit)
