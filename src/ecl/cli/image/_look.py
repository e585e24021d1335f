"""Look at the data that a command is to upload, before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ecl.cli.image._advice import force_advice

__all__ = ["check_file"]


def check_file(file: str, upload: Mapping[str, Any], image: Mapping[str, Any]) -> dict[str, str]:
    """
    Check *file* as an upload does, and return the formats that the image gets. Standard input is not read.

    Args:
        upload: Arguments of the SDK that say how it is uploaded.
        image: Attributes that the user or the image sets; where a format is missing, it is detected, or bare.

    Raises:
        InvalidRequest: The content is refused.
        FileFailure: *file* cannot be read, or has another size than expected.
    """
    from ecl.image._transfer.check import check_source
    from ecl.image._transfer.expand import expanded_if
    from ecl.image._transfer.source import Source
    from ecl.image.transfer import UploadOptions

    declared, container = image.get("disk_format"), image.get("container_format") or "bare"
    if file == "-":
        return {"container_format": container, **({"disk_format": declared} if declared else {})}
    options = UploadOptions.of(**upload)
    with force_advice(), Source(file) as opened:
        source = expanded_if(options, opened)
        check_source(source, options, declared, container, image.get("min_disk"))
        return {"container_format": container, "disk_format": declared or source.inspect().disk_format}
