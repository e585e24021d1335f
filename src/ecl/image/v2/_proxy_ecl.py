"""The image proxy's methods for ECL's extensions: copies to other regions, and licence switch types."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ecl import exceptions
from ecl.image.v2._proxy_base import ImageProxyBase, ImageRef, polls
from ecl.image.v2.image_copy import FINAL_STATUSES, ImageCopy
from ecl.image.v2.license import License

__all__ = ["EclProxy"]


class EclProxy(ImageProxyBase):
    """Copy images to other regions; list licence switch types."""

    def copy_image(self, image_id: ImageRef, tenant_id_dst: str) -> ImageCopy:
        """
        Start a copy of an image to a tenant in another region.

        Operation: POST /v2/extension/image_replicator/jobs.

        Args:
            tenant_id_dst: Tenant that gets the copy. It also determines the region, because a tenant belongs to one.

        Returns:
            A job, of which only *job_id* is known yet; :meth:`wait_for_image_copy` waits for its end.

        Raises:
            NotFoundException: Image or tenant unknown, or its licence or template not supported there.
            ConflictException: The image is not active, or the other region cannot take it.
        """
        return ImageCopy().copy_image(self.session, self._image_id(image_id), tenant_id_dst)

    def cancel_copy_image(self, job_id: str) -> None:
        """
        Cancel a copy; the unfinished image is deleted.

        Operation: DELETE /v2/extension/image_replicator/jobs/{job_id}.

        Raises:
            NotFoundException: There is no such job.
            ConflictException: The job has ended, or is being canceled already.
        """
        ImageCopy().cancel_copy_image(self.session, self._id_of(ImageCopy, job_id))

    def list_image_copy_jobs(self) -> Iterator[ImageCopy]:
        """
        Yield the project's copy jobs.

        Operation: GET /v2/extension/image_replicator/jobs.
        """
        return ImageCopy().list_image_copy_jobs(self.session)

    def get_image_copy_job(self, job_id: str) -> ImageCopy:
        """
        Get a copy job.

        Operation: GET /v2/extension/image_replicator/jobs/{job_id}.

        Raises:
            NotFoundException: There is no such job.
        """
        return ImageCopy().get_image_copy_job(self.session, self._id_of(ImageCopy, job_id))

    def wait_for_image_copy(
        self,
        job: str | ImageCopy,
        *,
        progress: Callable[[int], object] | None = None,
        interval: float = 2,
        wait: float = 3600,
    ) -> ImageCopy:
        """
        Poll a copy job until it has succeeded.

        Args:
            progress: Called with the percentage when it has increased.
            interval: Maximum seconds between polls; the first polls come faster.
            wait: Seconds before giving up; the job continues.

        Raises:
            ResourceFailure: The job ended in ``error`` or ``canceled``.
            ResourceTimeout: *wait* seconds passed first.
        """
        shown = -1
        for _ in polls(interval, wait):
            current = self.get_image_copy_job(self._id_of(ImageCopy, job))
            percent = current.copy_progress if isinstance(current.copy_progress, int) else 0
            if progress is not None and percent > shown:
                shown = percent
                progress(percent)
            if current.status == "replicated":
                return current
            if current.status in FINAL_STATUSES:
                raise exceptions.ResourceFailure(f"Copy job {current.job_id} ended as {current.status!r}")
        raise exceptions.ResourceTimeout(
            f"Copy job {current.job_id} is {current.status!r}, {percent} %, after {wait} seconds"
        )

    def licenses(self) -> Iterator[License]:
        """
        Yield the licence switch types: one object, whose *license_switch_types* is the list.

        Operation: GET /v2/extension/license_switch/types.

        Raises:
            NotFoundException: The cloud has no such extension.
        """
        return License.list(self.session)
