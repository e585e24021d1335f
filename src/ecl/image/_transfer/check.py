"""What would make an upload fail at its end, or the image useless: found before the first byte is sent."""

from __future__ import annotations

from ecl import exceptions
from ecl.image._transfer.options import UploadOptions
from ecl.image._transfer.ports import Described
from ecl.image._transfer.source import Source
from ecl.image.disk_format import Inspection

__all__ = ["check_content", "check_queued", "check_source"]

#: Formats that the inspector knows by their content. "raw" is not among them: any bytes can be a raw disk.
_INSPECTED = {"iso", "qcow2", "vdi", "vhd", "vhdx", "vmdk"}
#: Formats that say nothing about the content; it is a disk all the same.
_OPEN = {None, "raw"}
_GB = 1 << 30


def check_queued(image: Described) -> None:
    """Raise ConflictException if *image* takes no data (any more)."""
    if image.status != "queued":
        raise exceptions.ConflictException(
            f"Image {image.id} is {image.status}; data can be uploaded only while it is queued", http_status=409
        )


def check_source(
    source: Source,
    options: UploadOptions,
    declared: str | None,
    container_format: str | None,
    min_disk: int | None = None,
) -> None:
    """
    Look at *source* before anything is sent, and compare it with what the image says and *options* expect.

    Raises:
        InvalidRequest: It is known to be empty; or, unless *options* force it, what :func:`check_content` refuses.
        FileFailure: It has another size than expected.
    """
    source.expect(options.size, options.hashes, options.allow_empty)
    if not options.force:
        check_content(source, declared, container_format, min_disk)


def check_content(
    source: Source, declared: str | None, container_format: str | None, min_disk: int | None = None
) -> None:
    """
    Look at *source* and compare it with what the image says.

    Args:
        declared: The image's disk format; None if it is only detected.
        min_disk: GB of disk that it says booting it takes.

    Raises:
        InvalidRequest: The content is dangerous, not of the declared format, or larger than *min_disk*; all that is
            wrong is named at once.
    """
    if container_format not in (None, "bare"):
        return
    problems = list(_problems(source.inspect(), declared, min_disk))
    if problems:
        raise exceptions.InvalidRequest(f"{source.name} {', and '.join(problems)}; or force the upload")


def _problems(found: Inspection, declared: str | None, min_disk: int | None) -> list[str]:
    problems = []
    if found.danger is not None:
        problems.append(
            f"is a {found.disk_format} image that is not safe to use ({found.danger}): convert it to one that stands"
            " alone (qemu-img convert)"
        )
    if found.foreign is not None and (declared in _INSPECTED or declared in _OPEN):
        problems.append(found.foreign)
    elif declared is None and found.is_text:
        problems.append("is text, not a disk: if it is one all the same, give disk_format")
    elif declared in _INSPECTED and declared != found.disk_format:
        problems.append(
            f"is {found.disk_format}, but the image says disk_format {declared}: create the image with disk_format"
            f" {found.disk_format}"
        )
    if min_disk and found.virtual_size is not None and found.virtual_size > min_disk * _GB:
        needed = -(-found.virtual_size // _GB)
        problems.append(f"holds a disk of {needed} GB, but the image says min_disk {min_disk}: make that {needed}")
    return problems
