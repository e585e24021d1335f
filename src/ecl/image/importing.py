"""An image whose data goes through the staging area: created, staged, imported and verified; or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ecl.image._transfer.check import check_source
from ecl.image._transfer.expand import expanded_if
from ecl.image._transfer.options import UploadOptions
from ecl.image._transfer.source import ImageData, Source
from ecl.image._transfer.verify import verify
from ecl.image.v2._creating import rollback_create, signed
from ecl.image.v2._data import stage

if TYPE_CHECKING:
    from ecl.image.v2._proxy import Proxy
    from ecl.image.v2.image import Image

__all__ = ["create_by_import"]


def create_by_import(proxy: Proxy, data: ImageData, attrs: Mapping[str, Any], options: UploadOptions) -> Image:
    """
    Create an image, stage *data* and import it; return the image, active and verified.

    Whatever ends that, Ctrl-C included, the image is deleted again. *options* count as for an upload.
    """
    with Source(data) as opened:
        source = expanded_if(options, opened)
        wanted = {"container_format": "bare", **attrs}
        if not wanted.get("disk_format"):
            wanted["disk_format"] = source.inspect().disk_format
        check_source(source, options, attrs.get("disk_format"), wanted["container_format"], wanted.get("min_disk"))
        wanted |= signed(source, options, attrs)
        image = proxy.create_image(**wanted)
        try:
            _, sent = stage(proxy.session, image, source, options)
            proxy.import_image(image)
            done = proxy.wait_for_image(image)
            verify(done, sent.done, sent.digests(), source.blocks if source.rewindable else None)
            return done
        except BaseException as exc:
            rollback_create(proxy.session, image, exc)
            raise
