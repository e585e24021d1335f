"""A job that copies an image to another region: its statuses and its JSON form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = ["CANCELABLE", "CANCELED", "CANCELING", "CANCEL_REQUESTED", "ERROR", "REPLICATED", "REPLICATE_REQUESTED",
           "REPLICATING", "UNFINISHED", "CopyJob", "job_to_wire"]  # fmt: skip

# requested -> replicating -> replicated, or error; after a cancel: cancel_requested -> canceling -> canceled.
REPLICATE_REQUESTED = "replicate_requested"
REPLICATING = "replicating"
REPLICATED = "replicated"
CANCEL_REQUESTED = "cancel_requested"
CANCELING = "canceling"
CANCELED = "canceled"
ERROR = "error"

#: Statuses in which a job can still be canceled.
CANCELABLE = frozenset({REPLICATE_REQUESTED, REPLICATING})
#: Statuses of jobs that have not ended.
UNFINISHED = CANCELABLE | {CANCEL_REQUESTED, CANCELING}


@dataclass(frozen=True, slots=True)
class CopyJob:
    """One copy job, running or finished."""

    id: str
    source_region_id: str
    source_tenant_id: str
    source_image_id: str
    source_image_name: str | None
    destination_region_id: str
    destination_tenant_id: str
    #: None until the destination image exists.
    destination_image_id: str | None
    status: str
    #: Percent.
    copy_progress: int
    #: Why it failed, for the operator: the API has no field for it.
    error: str | None = None
    #: Who posted it; None for a job from before this was kept.
    user_id: str | None = None


def job_to_wire(job: CopyJob) -> dict[str, Any]:
    """Return *job* in the JSON form of the API."""
    return {
        "job_id": job.id,
        "source_image_id": job.source_image_id,
        "source_image_name": job.source_image_name,
        "source_region_id": job.source_region_id,
        "source_tenant_id": job.source_tenant_id,
        "destination_image_id": job.destination_image_id,
        "destination_region_id": job.destination_region_id,
        "destination_tenant_id": job.destination_tenant_id,
        "status": job.status,
        "copy_progress": job.copy_progress,
    }
