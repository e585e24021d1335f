"""The image proxy's methods that move data."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, TypeVar, overload

from ecl import exceptions
from ecl.image.v2._arguments import for_create, name_first
from ecl.image.v2._proxy_base import ImageProxyBase, ImageRef
from ecl.image.v2.image import Image

if TYPE_CHECKING:
    from ecl.image._transfer.bandwidth import Bandwidth
    from ecl.image._transfer.progress import ProgressCallback
    from ecl.image._transfer.reader import DataStream
    from ecl.image._transfer.signature import PemOrPath
    from ecl.image._transfer.source import ImageData

__all__ = ["DataProxy"]

Target = TypeVar("Target", str, Path, IO[bytes])


class DataProxy(ImageProxyBase):
    """Create with data, upload, download; one image or many."""

    @name_first
    def create_image(
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
        sign_key: PemOrPath | None = None,
        sign_cert_id: str | None = None,
        sign_key_password: str | bytes | None = None,
        **attrs: Any,
    ) -> Image:
        """
        Create an image and, given *data*, upload it; if that fails, the image is deleted again.

        Operation: POST /v2/images; with *data* also PUT /v2/images/{image_id}/file.

        Args:
            name: Name; it need not be unique. It may also be given by position.
            id: UUID to give the image; by default the service chooses one.
            disk_format: ``raw``, ``qcow2``, ``iso`` …; with *data* it is detected from the content unless given.
            container_format: ``bare`` if the data is in no container; with *data* it is so unless given.
            visibility: ``private``, ``shared``, ``community`` or ``public``.
            min_disk: GB of disk that a server needs to boot it.
            min_ram: MB of memory that a server needs to boot it.
            tags: Texts attached to the image.
            protected: True: the image cannot be deleted. Its other name is *is_protected*.
            os_hidden: True: default lists leave the image out. Its other name is *is_hidden*.
            owner: Project that owns it, if an administrator creates it for another one.
            properties: Mapping of properties whose names are sent as they are, also if they are those of arguments or
                of attributes in Python: ``properties={"os_type": "linux"}``.
            filename: Path of the data: another name of *data*.
            data: Path, bytes, binary file, iterable of bytes, or a callable that returns one.
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
            sign_key: RSA key in PEM, or the path of one: the image gets the properties of a signature (RSA-PSS with
                SHA-256), as openstackclient makes it. *data* is read once more for that.
            sign_cert_id: UUID of the key's certificate in the cloud's key manager; goes with *sign_key*.
            sign_key_password: Password of an encrypted key.
            attrs: More attributes, and properties; all of them are sent. A name that looks like a misspelt argument
                is warned of.

        Returns:
            The image: queued or, with *data*, active and verified.

        Raises:
            InvalidRequest: *properties* has an attribute of the API, such as ``name``; or an argument is given that
                openstacksdk has and this method has not.
            ConflictException: The ID is, or was, in use.
            DigestMismatch: The service received other bytes than were sent.
            FileFailure: Reading *data* failed, or its size or hash is not the expected one.
        """
        declared = {
            "name": name,
            "id": id,
            "disk_format": disk_format,
            "container_format": container_format,
            "visibility": visibility,
            "min_disk": min_disk,
            "min_ram": min_ram,
            "tags": tags,
            "protected": protected,
            "os_hidden": os_hidden,
            "owner": owner,
            "properties": properties,
            "filename": filename,
            "data": data,
        }
        attrs = for_create(attrs, declared)
        data = attrs.pop("data", None)
        if data is None:
            expected = {"size": size, "sha256": sha256, "sha512": sha512, "md5": md5, "sign_key": sign_key,
                        "sign_cert_id": sign_cert_id}  # fmt: skip
            for name in (name for name, value in expected.items() if value is not None):
                raise exceptions.InvalidRequest(f"{name} is about the data: give data as well")
            return self._create(Image, **attrs)
        from ecl.image._transfer.options import UploadOptions
        from ecl.image.v2._creating import create_with_data

        options = UploadOptions.of(
            progress, force, max_bandwidth, decompress, max_expanded, allow_empty, size,
            sign_key=sign_key, sign_cert_id=sign_cert_id, sign_key_password=sign_key_password,
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
        stream: Literal[False] = False,
        chunk_size: int | None = None,
        verify_signature: PemOrPath | None = None,
    ) -> bytes: ...
    @overload
    def download_image(
        self,
        image_id: ImageRef,
        *,
        output: None = None,
        progress: ProgressCallback | None = None,
        max_bandwidth: float | Bandwidth | None = None,
        stream: Literal[True],
        chunk_size: int | None = None,
        verify_signature: PemOrPath | None = None,
    ) -> DataStream: ...
    @overload
    def download_image(
        self,
        image_id: ImageRef,
        *,
        output: Target,
        progress: ProgressCallback | None = None,
        connections: int | None = None,
        max_bandwidth: float | Bandwidth | None = None,
        stream: bool = False,
        chunk_size: int | None = None,
        verify_signature: PemOrPath | None = None,
    ) -> Target: ...
    def download_image(
        self,
        image_id: ImageRef,
        *,
        output: str | os.PathLike[str] | IO[bytes] | None = None,
        progress: ProgressCallback | None = None,
        connections: int | None = None,
        max_bandwidth: float | Bandwidth | None = None,
        stream: bool = False,
        chunk_size: int | None = None,
        verify_signature: PemOrPath | None = None,
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
            stream: Without *output*: return an object to iterate over, in constant memory. What goes wrong on the
                way is raised by the iteration, DigestMismatch before the last chunk.
            chunk_size: Bytes of a chunk of the stream; by default 1 MiB.
            verify_signature: X.509 certificate in PEM, or the path of one: the image must be signed, and with its key.

        Returns:
            The data, *output*, or the stream.

        Raises:
            ResourceNotFound: There is no such image.
            DigestMismatch: The received data does not match the service's hash; no file gets the name.
            SignatureMismatch: The image is not signed, or not with the key of the certificate; no file gets the name.
            FileFailure: Writing failed; the disk may be full.
        """
        from ecl.image.v2 import _data

        with self._naming_image(image_id):
            if stream and output is None:
                return _data.stream(
                    self.session,
                    self._image(image_id),
                    chunk_size,
                    progress=progress,
                    max_bandwidth=max_bandwidth,
                    certificate=verify_signature,
                )
            return _data.download(
                self.session,
                self._image(image_id),
                output,
                progress=progress,
                connections=connections,
                max_bandwidth=max_bandwidth,
                certificate=verify_signature,
            )

    def open_image(self, image: ImageRef) -> io.BufferedReader:
        """
        Open the data of an image as a read-only, seekable file, for readers that need parts of it.

        Reading at an offset asks the service for a range, so a cloud that does not send ranges sends all bytes before
        it, too. Each range has the length that was asked for, and connections that break are taken up again. The
        whole can be verified only by reading the whole: when all bytes have come in order, jumps in between or not,
        they are compared with the service's hash, and the read that would return the last of them raises if they
        differ. Bytes that were read before, and parts that are read alone, are not verified.

        Operation: GET /v2/images/{image_id}/file, for each range.

        Raises:
            ResourceNotFound: There is no such image.
            InvalidRequest: The image has no data.
            DigestMismatch: From a read: the image does not match the service's hash.
            ConnectFailure: From a read: the connection broke again and again.
        """
        from ecl.image.v2 import _data

        with self._naming_image(image):
            return _data.open_file(self.session, self._image(image))

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
        from ecl.image.v2._batch import create_many

        wanted = [for_create(image, {}) for image in images]
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
        from ecl.image.v2._batch import download_many

        pairs = images.items() if isinstance(images, Mapping) else images
        return download_many(
            self.session,
            [(self._image(image), path) for image, path in pairs],
            workers=workers,
            progress=progress,
            max_bandwidth=max_bandwidth,
        )
