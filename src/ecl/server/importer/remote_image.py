"""An image of some region as the source of an import: who may have it, its bytes, what is said of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ecl import exceptions
from ecl.server.domain.task import Task
from ecl.server.errors import Conflict, TooLarge
from ecl.server.importer.fetch import FetchError
from ecl.server.replicator.destinations import Destinations

if TYPE_CHECKING:
    from ecl.image.v2.image import Image
    from ecl.session import Session

__all__ = ["RemoteImage"]

#: What anybody with a project may download.
_OPEN = frozenset({"public", "community"})


class RemoteImage:
    """
    An image of another region, or of the task's own, which a task of glance-download brings here.

    Attributes:
        image: As that region shows it.

    Raises:
        FetchError: The region is not known or does not answer, or has no such image that the project may download.
    """

    def __init__(self, task: Task, destinations: Destinations) -> None:
        # The SDK is loaded for the first task that needs it: the service starts without it.
        from ecl.image.v2.image import Image

        method = task.input["import_req"]["method"]
        self._region: str = method["glance_region"]
        self._id: str = method["glance_image_id"]
        with self._told():
            self._session = destinations.in_region(self._region).session
            self.image = Image.existing(id=self._id).get(self._session)
            if not _may_download(self._session, self.image, task.owner):
                raise self._not_found()

    def blocks(self, most_bytes: int) -> Iterator[bytes]:
        """
        Yield its bytes, the last of them only when all are verified.

        Raises:
            FetchError: They cannot be had, or are damaged.
            TooLarge: There are more than *most_bytes*; none is fetched.
        """
        from ecl.image.transfer.download import verified_blocks

        if (self.image.size or 0) > most_bytes:
            raise TooLarge(f"The image has more than the {most_bytes} bytes that there is room for.")
        with self._told():
            yield from verified_blocks(self._session, self.image)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn errors of the SDK into what the task's owner is told."""
        try:
            yield
        except exceptions.NotFoundException as exc:
            raise self._not_found() from exc
        except exceptions.SDKException as exc:
            raise FetchError(f"Image {self._id} cannot be had from region {self._region}: {exc.message}") from exc
        except Conflict as exc:
            raise FetchError(exc.message) from exc

    def _not_found(self) -> FetchError:
        return FetchError(f"Region {self._region} has no image {self._id} for your project.")


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
