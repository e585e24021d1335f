"""Where the bytes of an import come from, for the methods that bring them from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ecl import exceptions
from ecl.server.domain.task import Task
from ecl.server.errors import Conflict
from ecl.server.importer.fetch import FetchError, fetch
from ecl.server.replicator.destinations import Destinations
from ecl.server.settings import Settings

if TYPE_CHECKING:
    from ecl.image.v2.image import Image
    from ecl.session import Session

__all__ = ["outside_blocks"]

#: What anybody with a project may download.
_OPEN = frozenset({"public", "community"})


def outside_blocks(
    task: Task, settings: Settings, destinations: Destinations, room: int, is_stopping: Callable[[], bool]
) -> Iterator[bytes]:
    """
    Yield the bytes that a task of web-download or glance-download brings.

    Args:
        room: Most bytes.

    Raises:
        FetchError: They cannot be had.
        ServiceError: The address is not allowed, or there are more than *room*.
    """
    method = task.input["import_req"]["method"]
    if method["name"] == "web-download":
        return fetch(method["uri"], settings.imports, room, is_stopping)
    return _other_region(task, destinations, method["glance_region"], method["glance_image_id"])


def _other_region(task: Task, destinations: Destinations, region: str, image_id: str) -> Iterator[bytes]:
    """Yield an image of another region, if the task's project may download it there."""
    # The SDK is loaded for the first task that needs it: the service starts without it.
    from ecl.image.transfer.download import verified_blocks
    from ecl.image.v2.image import Image

    try:
        session = destinations.in_region(region).session
        image = Image.existing(id=image_id).get(session)
        if not _may_download(session, image, task.owner):
            raise FetchError(f"Region {region} has no image {image_id} for your project.")
        yield from verified_blocks(session, image)
    except exceptions.NotFoundException as exc:
        raise FetchError(f"Region {region} has no image {image_id} for your project.") from exc
    except exceptions.SDKException as exc:
        raise FetchError(f"Image {image_id} cannot be had from region {region}: {exc.message}") from exc
    except Conflict as exc:
        raise FetchError(exc.message) from exc


def _may_download(session: Session, image: Image, project_id: str | None) -> bool:
    """Return True if *project_id* sees *image*: the session itself is an administrator's, who sees all."""
    if image.image_status != "active" or project_id is None:
        return False
    if image.visibility in _OPEN or image.owner == project_id:
        return True
    from ecl.image.v2.member import Member

    if image.visibility != "shared":
        return False
    return any(member.member_id == project_id for member in Member.list(session, image_id=image.id))
