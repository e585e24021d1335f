"""Many images at once: created with their data, or downloaded."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ecl import exceptions
from ecl._resource.missing import naming
from ecl.image._transfer.bandwidth import Bandwidth, limit_of
from ecl.image._transfer.options import UploadOptions
from ecl.image._transfer.pool import WORKERS, TotalProgress, run_all
from ecl.image._transfer.progress import ProgressCallback
from ecl.image.v2 import _data
from ecl.image.v2._creating import create_with_data, rollback_create
from ecl.image.v2.image import Image

if TYPE_CHECKING:
    from ecl._http.sessions import SessionLike

__all__ = ["create_many", "download_many"]

R = TypeVar("R")

#: Keys of an image to create that are about its upload; all others are attributes and properties.
_OPTIONS = (
    "progress",
    "force",
    "max_bandwidth",
    "decompress",
    "max_expanded",
    "allow_empty",
    "size",
    "sha256",
    "sha512",
    "md5",
    "sign_key",
    "sign_cert_id",
    "sign_key_password",
)


def create_many(
    session: SessionLike,
    images: Sequence[Mapping[str, Any]],
    *,
    workers: int | None = None,
    progress: ProgressCallback | None = None,
    max_bandwidth: float | Bandwidth | None = None,
) -> list[Image]:
    """Create images with their data; see :meth:`ecl.image.v2._proxy.Proxy.upload_images`."""
    if not all("data" in image for image in images):
        raise exceptions.InvalidRequest("Each of images must have 'data', beside the image's attributes")
    total = TotalProgress(progress, len(images))
    limit = limit_of(max_bandwidth)
    created: dict[int, Image] = {}

    def create(index: int) -> Image:
        attrs = dict(images[index])
        data = attrs.pop("data")
        own_options = {name: attrs.pop(name) for name in _OPTIONS if name in attrs}
        options = UploadOptions.of(**{"progress": total.of(index), "max_bandwidth": limit, **own_options})
        return create_with_data(session, data, attrs, options, on_created=partial(created.__setitem__, index))

    def on_abandoned(index: int, error: BaseException) -> None:
        if index in created:
            rollback_create(session, created[index], error)
        else:
            error.add_note(
                f"It is not known whether there is an image {images[index].get('name')!r} now; if it has no data,"
                " delete it by hand."
            )

    jobs = [partial(create, index) for index in range(len(images))]
    return _run(jobs, workers, total, on_abandoned)


def download_many(
    session: SessionLike,
    pairs: Sequence[tuple[Image, str | os.PathLike[str]]],
    *,
    workers: int | None = None,
    progress: ProgressCallback | None = None,
    max_bandwidth: float | Bandwidth | None = None,
) -> list[Path]:
    """Download each image to its path; see :meth:`ecl.image.v2._proxy.Proxy.download_images`."""
    total = TotalProgress(progress, len(pairs))
    limit = limit_of(max_bandwidth)

    def download(index: int) -> Path:
        image, path = pairs[index]
        target = Path(path)
        with naming(Image, image.id):
            _data.download(session, image, target, progress=total.of(index), max_bandwidth=limit, stop=total.stop)
        return target

    def on_abandoned(index: int, error: BaseException) -> None:
        error.add_note(f"The download to {pairs[index][1]} could not be ended; what it has is in the file's .part.")

    return _run([partial(download, index) for index in range(len(pairs))], workers, total, on_abandoned)


def _run(
    jobs: Sequence[Callable[[], R]],
    workers: int | None,
    total: TotalProgress,
    on_abandoned: Callable[[int, BaseException], object],
) -> list[R]:
    results = run_all(jobs, WORKERS if workers is None else workers, total.stop, on_abandoned)
    total.end()
    return results
