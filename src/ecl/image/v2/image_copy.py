"""A job that copies an image to another region: an extension of ECL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self

from ecl import _http, exceptions, resource2
from ecl.image import image_service

if TYPE_CHECKING:
    from ecl._http.sessions import SessionLike

__all__ = ["FINAL_STATUSES", "ImageCopy"]

#: Final statuses of a job.
FINAL_STATUSES = frozenset({"replicated", "canceled", "error"})


class ImageCopy(resource2.Resource):
    """A copy of an image to a tenant in another region, running or finished."""

    service = image_service.ImageService()
    base_path = "/v2/extension/image_replicator/jobs"

    allow_create = True

    #: Identifier of the job.
    job_id = resource2.Body[str]("job_id", alternate_id=True)
    #: Image, name, region and tenant that the copy is made from.
    source_image_id = resource2.Body[str]("source_image_id")
    source_image_name = resource2.Body[str]("source_image_name")
    source_region_id = resource2.Body[str]("source_region_id")
    source_tenant_id = resource2.Body[str]("source_tenant_id")
    #: Image, region and tenant that the copy is made to; the image is None until it has been created there.
    destination_image_id = resource2.Body[str]("destination_image_id")
    destination_region_id = resource2.Body[str]("destination_region_id")
    destination_tenant_id = resource2.Body[str]("destination_tenant_id")
    #: replicate_requested, replicating, replicated, cancel_requested, canceling, canceled or error.
    status = resource2.Body[str]("status")
    #: Progress of the copy, in percent.
    copy_progress = resource2.Body[int]("copy_progress")

    def copy_image(self, session: SessionLike, image_id: str, tenant_id_dst: str) -> Self:
        """
        Start a job; this instance then has its ID.

        Operation: POST /v2/extension/image_replicator/jobs.

        Raises:
            NotFoundException: Image or tenant unknown, or its licence or template not supported there.
            ConflictException: The image is not active, or the other region cannot take it.
        """
        body = {
            "image_id": _http.text(self._get_id(image_id), "image_id"),
            "tenant_id_dst": _http.text(tenant_id_dst, "tenant_id_dst"),
        }
        self._take(_http.request(session, "POST", self.base_path, service=self.service, json=body))
        return self

    def get(self, session: SessionLike, requires_id: bool = True) -> Self:
        """
        Read the job from the service into this instance.

        Operation: GET /v2/extension/image_replicator/jobs/{job_id}.

        Raises:
            NotFoundException: There is no such job.
        """
        self._take(_http.request(session, "GET", self._path(requires_id), service=self.service))
        return self

    def get_image_copy_job(self, session: SessionLike, job_id: str) -> Self:
        """Read job *job_id* into this instance, as :meth:`get` does."""
        self.job_id = _http.text(job_id, "job_id")
        return self.get(session)

    def cancel_copy_image(self, session: SessionLike, job_id: str) -> Self:
        """
        Cancel a job.

        Operation: DELETE /v2/extension/image_replicator/jobs/{job_id}.

        Raises:
            NotFoundException: There is no such job.
            ConflictException: The job has ended, or is being canceled already.
        """
        self.job_id = _http.text(job_id, "job_id")
        _http.request(session, "DELETE", self._path(), service=self.service)
        return self

    def list_image_copy_jobs(self, session: SessionLike) -> Iterator[Self]:
        """
        Yield all jobs of the project.

        Operation: GET /v2/extension/image_replicator/jobs.
        """
        for page in resource2.pages(session, self.base_path, None, self.service, "jobs"):
            for item in page["jobs"]:
                yield self._received(_underscored(item))

    def _take(self, response: Any) -> None:
        body = _http.json_of(response)
        if not isinstance(body, dict) or not isinstance(body.get("job_id"), str):
            raise exceptions.InvalidResponse(response, f"The answer of {response.url} is not a copy job")
        self._body.received(_underscored(body))


def _underscored(body: dict[str, Any]) -> dict[str, Any]:
    """Replace blanks in names by underscores: the API's pages print names with a blank, the API sends underscores."""
    return {key.replace(" ", "_"): value for key, value in body.items()}
