"""Look at the data that a command is to upload, before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ecl.cli.image._advice import force_advice

if TYPE_CHECKING:
    from ecl.image.transfer import UploadOptions

__all__ = ["formats_of"]


def formats_of(
    file: str,
    options: UploadOptions,
    *,
    disk_format: str | None = None,
    container_format: str | None = None,
    min_disk: int | None = None,
) -> dict[str, str]:
    """
    Check *file* as an upload does, and return the formats that the image gets. Standard input is not read.

    Args:
        disk_format: Disk format that the user or the image says; None means the one that is detected.
        container_format: None means bare.
        min_disk: GB of disk that the image says booting it takes.

    Raises:
        InvalidRequest: The content is refused.
        FileFailure: *file* cannot be read, or has another size than expected.
    """
    from ecl.image._transfer.check import check_source
    from ecl.image._transfer.expand import expanded_if
    from ecl.image._transfer.source import Source

    container = container_format or "bare"
    if file == "-":
        return {"container_format": container, **({"disk_format": disk_format} if disk_format else {})}
    with force_advice(), Source(file) as opened:
        source = expanded_if(options, opened)
        check_source(source, options, disk_format, container, min_disk)
        return {"container_format": container, "disk_format": disk_format or source.inspect().disk_format}
