"""An image of this or another region as the source of an import: access check, attributes and data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ecl import exceptions
from ecl.server.data.web.fetch import FetchError
from ecl.server.domain.task import Task
from ecl.server.domain.text import printable
from ecl.server.errors import Conflict, TooLarge
from ecl.server.jobs.peers.destinations import Destinations

if TYPE_CHECKING:
    from ecl.image.v2.image import Image
    from ecl.session import Session

__all__ = ["RemoteImage"]

#: Visibilities of images that every project may download.
_FOR_ALL_PROJECTS = frozenset({"public", "community"})


class RemoteImage:
    """
    An image of another region, or of the task's own, that a task of glance-download imports.

    Attributes:
        image: The image as its region shows it.

    Raises:
        FetchError: The region is unknown or does not answer, or has no such image that the project may download.
    """

    def __init__(self, task: Task, destinations: Destinations) -> None:
        # Imported for the first task that needs it, because the service starts without the SDK.
        from ecl.image.v2.image import Image

        method = task.input["import_req"]["method"]
        self._region: str = method["glance_region"]
        self._id: str = method["glance_image_id"]
        with self._translated_errors():
            self._session = destinations.in_region(self._region).session
            self.image = Image.existing(id=self._id).get(self._session)
            if not _may_download(self._session, self.image, task.owner):
                raise self._not_found()

    def blocks(self, max_bytes: int) -> Iterator[bytes]:
        """
        Yield its data; the last block only after all are verified.

        Raises:
            FetchError: The data cannot be fetched, or is damaged.
            TooLarge: The image has more than *max_bytes*; nothing is fetched.
        """
        from ecl.image.v2._data import verified_blocks

        if (self.image.size or 0) > max_bytes:
            raise TooLarge(f"The image has more than the {max_bytes} bytes that there is room for.")
        with self._translated_errors():
            yield from verified_blocks(self._session, self.image)

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        """Translate errors of the SDK into FetchError, for the owner of the task."""
        try:
            yield
        except exceptions.NotFoundException as exc:
            raise self._not_found() from exc
        except exceptions.SDKException as exc:
            why = printable(exc.message)
            raise FetchError(f"Image {self._id} cannot be fetched from region {self._region}: {why}") from exc
        except Conflict as exc:
            raise FetchError(exc.message) from exc

    def _not_found(self) -> FetchError:
        return FetchError(f"Region {self._region} has no image {self._id} for your project.")


def _may_download(session: Session, image: Image, project_id: str | None) -> bool:
    """Return True if *project_id* may download *image*. The session does not tell: its user is an administrator."""
    if image.image_status != "active" or project_id is None:
        return False
    if image.visibility in _FOR_ALL_PROJECTS or image.owner == project_id:
        return True
    from ecl.image.v2.member import Member

    if image.visibility != "shared":
        return False
    return any(member.member_id == project_id for member in Member.list(session, image_id=image.id))
