"""Which hash an upload computes: the one that the service says it will compare."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator

from ecl.testing import ImageService

DATA = os.urandom(3 << 20)


def test_first_upload_to_a_sha256_service_reads_its_source_once() -> None:
    """The service announces its hash with the image, so nothing has to be hashed a second time."""
    reads = 0

    def source() -> Iterator[bytes]:
        nonlocal reads
        reads += 1
        yield DATA

    with ImageService(("jp1",), hash_algorithm="sha256") as service:
        proxy = service.connect().image
        image = proxy.create_image(name="first", disk_format="raw", container_format="bare")

        sent = proxy.upload_image(image, source, force=True)

    assert image.announced_hash_algo == "sha256"
    assert (sent.os_hash_algo, sent.os_hash_value) == ("sha256", hashlib.sha256(DATA).hexdigest())
    assert reads == 1
