"""The image proxy's methods that move data."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar, overload

from ecl import exceptions
from ecl.image.v2._proxy_base import ImageProxyBase, ImageRef
from ecl.image.v2.image import Image

if TYPE_CHECKING:
    from ecl.image._transfer.bandwidth import Bandwidth
    from ecl.image._transfer.progress import ProgressCallback
    from ecl.image._transfer.source import ImageData

__all__ = ["DataProxy"]

Target = TypeVar("Target", str, Path, IO[bytes])


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
        allow_empty: bool = False,
        size: int | None = None,
        sha256: str | None = None,
        sha512: str | None = None,
        md5: str | None = None,
        **attrs: Any,
    ) -> Image:
        """
        Create an image and, given *data*, upload it; if that fails, the image is deleted again.

        Operation: POST /v2/images; with *data* also PUT /v2/images/{image_id}/file.

        Args:
            data: Path, bytes, binary file, iterable of bytes, or a callable that returns one. *disk_format* is then
                detected from the content and *container_format* is ``bare`` unless given.
            progress: Called with bytes done and bytes in all (None: not known) at most ten times a second.
            force: Upload even what is dangerous, of another format than declared, or no disk: compressed, an archive, a
                web page or text.
            max_bandwidth: Maximum number of bytes a second.
            decompress: Decode gzip, bzip2, xz or zstd while sending; the content says which.
            max_expanded: Maximum number of decoded bytes; by default 1 TiB.
            allow_empty: Upload even no bytes at all.
            size: Bytes that must be there, after decoding; declared to the service where *data* cannot say.
            sha256: Hash that the data must have, after decoding, in hexadecimal. The last block is sent only if it has.
            sha512: See *sha256*.
            md5: See *sha256*.
            attrs: Attributes and properties of the image; all of them are sent. *properties* is a mapping of
                properties whose names are sent as they are, also if they are those of arguments or of attributes
                in Python: ``properties={"os_type": "linux"}``.

        Returns:
            The image: queued or, with *data*, active and verified.

        Raises:
            InvalidRequest: *properties* has an attribute of the API, such as ``name``.
            ConflictException: The ID is, or was, in use.
            DigestMismatch: The service received other bytes than were sent.
            FileFailure: Reading *data* failed, or its size or hash is not the expected one.
        """
        if data is None:
            expected = {"size": size, "sha256": sha256, "sha512": sha512, "md5": md5}
            for name in (name for name, value in expected.items() if value is not None):
                raise exceptions.InvalidRequest(f"{name} is about the data: give data as well")
            return self._create(Image, **attrs)
        from ecl.image._transfer.options import UploadOptions
        from ecl.image.v2._creating import create_with_data

        options = UploadOptions.of(
            progress, force, max_bandwidth, decompress, max_expanded, allow_empty, size,
            sha256=sha256, sha512=sha512, md5=md5,
        )  # fmt: skip
        return create_with_data(self.session, data, attrs, options)

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
        allow_empty: bool = False,
        size: int | None = None,
        sha256: str | None = None,
        sha512: str | None = None,
        md5: str | None = None,
    ) -> Image:
        """
        Upload the data of a queued image.

        Operation: PUT /v2/images/{image_id}/file.

        Args:
            image_data: Path, bytes, binary file, iterable of bytes, or a callable that returns one.
            progress: Called with bytes done and bytes in all (None: not known) at most ten times a second.
            force: Upload even what is dangerous, of another format than declared, or no disk: compressed, an archive, a
                web page or text.
            max_bandwidth: Maximum number of bytes a second.
            decompress: Decode gzip, bzip2, xz or zstd while sending; the content says which.
            max_expanded: Maximum number of decoded bytes; by default 1 TiB.
            allow_empty: Upload even no bytes at all.
            size: Bytes that must be there, after decoding; declared to the service where *data* cannot say.
            sha256: Hash that the data must have, after decoding, in hexadecimal. The last block is sent only if it has.
            sha512: See *sha256*.
            md5: See *sha256*.

        Returns:
            The image, active and verified.

        Raises:
            ResourceNotFound: There is no such image.
            ConflictException: The image is not queued.
            DigestMismatch: The service received other bytes than were sent.
            FileFailure: Reading *image_data* failed, or its size or hash is not the expected one.
        """
        from ecl.image._transfer.options import UploadOptions
        from ecl.image.v2 import _data

        options = UploadOptions.of(
            progress, force, max_bandwidth, decompress, max_expanded, allow_empty, size,
            sha256=sha256, sha512=sha512, md5=md5,
        )  # fmt: skip
        with self._naming_image(image_id):
            return _data.upload(self.session, self._image(image_id), image_data, options)

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
            connections: Number of ranges to fetch in parallel into a path, 1 to 16; by default one, and eight if that
                turns out to be slow.
            max_bandwidth: Maximum number of bytes a second.

        Returns:
            The data, or *output*.

        Raises:
            ResourceNotFound: There is no such image.
            DigestMismatch: The received data does not match the service's hash; no file gets the name.
            FileFailure: Writing failed; the disk may be full.
        """
        from ecl.image.v2 import _data

        with self._naming_image(image_id):
            return _data.download(
                self.session,
                self._image(image_id),
                output,
                progress=progress,
                connections=connections,
                max_bandwidth=max_bandwidth,
            )

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
            images: For each, the arguments of :meth:`create_image`: ``{"name": …, "data": …}``.
            workers: How many at once; by default four.
            progress: Called with bytes done and bytes in all, of all of them together.
            max_bandwidth: Maximum number of bytes a second, of all of them together.

        Returns:
            The images, active and verified, in the order given.

        Raises:
            SDKException: The error of the first that failed. Uploads that were running then were completed.
            KeyboardInterrupt: Ctrl-C. Complete images stay, the others are deleted; a note names each that could not
                be deleted.
        """
        from ecl.image.v2._many import create_many

        wanted = [dict(image) for image in images]
        return create_many(self.session, wanted, workers=workers, progress=progress, max_bandwidth=max_bandwidth)

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
            max_bandwidth: Maximum number of bytes a second, of all of them together.

        Returns:
            The paths, in the order given.

        Raises:
            SDKException: The error of the first that failed; what was written of the others is kept.
            KeyboardInterrupt: Ctrl-C; what was written is kept.
        """
        from ecl.image.v2._many import download_many

        pairs = images.items() if isinstance(images, Mapping) else images
        return download_many(
            self.session,
            [(self._image(image), path) for image, path in pairs],
            workers=workers,
            progress=progress,
            max_bandwidth=max_bandwidth,
        )
