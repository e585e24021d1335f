"""Who may copy which image to which tenant: asked when a job is posted, and again when it runs."""

from __future__ import annotations

from collections.abc import Sequence

from ecl.server.db.engine import Database
from ecl.server.db.images import fetch_image
from ecl.server.db.members import is_member
from ecl.server.domain.access import (
    check_can_download,
    image_not_found,
    needs_membership,
    sees_without_membership,
)
from ecl.server.domain.caller import Caller
from ecl.server.domain.copy_job import CopyJob
from ecl.server.errors import Conflict, NotFound
from ecl.server.identity.accounts import Accounts
from ecl.server.settings.model import ReplicatorTrust

__all__ = ["check_destination", "check_job"]


def check_destination(accounts: Accounts, trust: Sequence[ReplicatorTrust], caller: Caller, tenant_id: str) -> None:
    """
    Check that *caller* may make an image that belongs to a tenant of another region, and uses its quota.

    An administrator may, and a user with the role member there. For others the settings have to say that the
    caller's tenant may.

    Raises:
        NotFound: The caller may not; nothing tells whether there is such a tenant.
        Unavailable: *accounts* do not answer.
    """
    if caller.is_admin or any(_covers(entry, caller.project_id, tenant_id) for entry in trust):
        return
    if not {"admin", "member"} & accounts.roles(caller.user_id, tenant_id):
        raise NotFound(f"There is no tenant '{tenant_id[:64]}' in another region that you may copy images to.")


def check_job(database: Database, accounts: Accounts, trust: Sequence[ReplicatorTrust], job: CopyJob) -> None:
    """
    Check that who posted *job* may still copy the image to the tenant.

    Raises:
        NotFound: They no longer see the image, or may no longer copy to the tenant.
        Forbidden: They may no longer download the image.
        Conflict: The image is no longer active.
        Unavailable: *accounts* do not answer.
    """
    caller = _poster(accounts, job)
    check_destination(accounts, trust, caller, job.destination_tenant_id)
    region = job.source_region_id
    with database.read() as connection:
        image = fetch_image(connection, region, job.source_image_id)
        is_visible = image is not None and (
            sees_without_membership(caller, image)
            or (needs_membership(caller, image) and is_member(connection, region, image.id, job.source_tenant_id))
        )
    if image is None or not is_visible:
        raise image_not_found(job.source_image_id)
    check_can_download(caller, image)
    if image.status != "active":
        raise Conflict(f"Image {image.id} is {image.status}; only an active image can be copied.")


def _poster(accounts: Accounts, job: CopyJob) -> Caller:
    """Return who posted *job*, with the roles of now; of a job from before users were kept with it, a member."""
    tenant = job.source_tenant_id
    if job.user_id is None:
        return Caller("", tenant, job.source_region_id, frozenset({"member", "reader"}))
    return Caller(job.user_id, tenant, job.source_region_id, accounts.roles(job.user_id, tenant))


def _covers(entry: ReplicatorTrust, source: str | None, destination: str) -> bool:
    return bool({source, "*"} & set(entry.sources)) and bool({destination, "*"} & set(entry.destinations))
