"""Other regions, of this process or of another one: the region of a tenant, and a session with its API."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ecl import exceptions
from ecl.server.domain.image import Image
from ecl.server.errors import Conflict, NotFound
from ecl.server.identity.accounts import Accounts
from ecl.server.settings.model import RegionSettings, ReplicatorTrust, Settings

if TYPE_CHECKING:
    from ecl.connection import Connection
    from ecl.session import Session

__all__ = ["Destination", "Destinations"]

_log = logging.getLogger(__name__)

#: The form of a tenant ID; it becomes part of a URL.
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
#: Seconds without an answer after which a region counts as down in the search for a tenant.
_LOOKUP_TIMEOUT = 10.0


@dataclass(frozen=True)
class Destination:
    """A region that receives copies."""

    settings: RegionSettings
    session: Session

    @property
    def region(self) -> str:
        """Its name."""
        return self.settings.name

    def check_takes(self, image: Image) -> None:
        """
        Check that the region accepts *image*.

        Raises:
            NotFound: It does not have the image's licence switch type or official template type.
            Conflict: It does not accept the image's disk format, or does not answer.
        """
        license_type = image.properties.get("license_switch")
        if license_type is not None and license_type not in self._license_switch_types:
            raise NotFound(f"Region {self.region} does not support the licence switch type '{license_type}'.")
        template = image.properties.get(".official_image_template")
        templates = self.settings.official_image_templates
        if template is not None and templates is not None and template not in templates:
            raise NotFound(f"Region {self.region} does not support the official template type '{template}'.")
        formats = self.settings.disk_formats
        if formats is not None and image.disk_format not in formats:
            raise Conflict(f"Region {self.region} takes no images of disk format '{image.disk_format}'.")

    @cached_property
    def _license_switch_types(self) -> frozenset[str]:
        if not self.settings.is_remote:
            return frozenset(self.settings.license_switch_types)
        from ecl.image.v2.license import License

        try:
            licenses = list(License.list(self.session))
        except exceptions.NotFoundException:
            return frozenset()
        except exceptions.SDKException as exc:
            raise _down(self.region, exc) from exc
        return frozenset(name for entry in licenses for name in entry.license_switch_types or ())


class Destinations:
    """Finds the region of a tenant, and sessions with regions."""

    def __init__(self, settings: Settings, accounts: Accounts, own_url: str) -> None:
        self._settings = settings
        #: Users' roles and projects.
        self.accounts = accounts
        self._own_url = own_url

    @property
    def trust(self) -> Sequence[ReplicatorTrust]:
        """Which tenants may copy images to which others, besides what roles allow."""
        return self._settings.replicator_trust

    def of_local_tenant(self, tenant_id: str, source_region: str) -> Destination | None:
        """
        Return the region that *tenant_id* belongs to; None if only a region of another process can have it.

        Raises:
            NotFound: There can be no such tenant, it is disabled, or it belongs to *source_region* itself.
        """
        if not _ID.fullmatch(tenant_id):
            raise _unknown(tenant_id)
        project = self.accounts.project(tenant_id)
        if project is None:
            return None
        if not project.enabled or project.region in (None, source_region):
            raise _unknown(tenant_id)
        return self.in_region(project.region)

    def of_remote_tenant(self, tenant_id: str) -> Destination:
        """
        Ask the regions of other processes for *tenant_id*, and return the one that has it.

        Raises:
            NotFound: None has it.
            Conflict: No region that answers has it, and some do not answer.
        """
        unreachable: Conflict | None = None
        for region in self._settings.regions:
            if not region.is_remote:
                continue
            try:
                if self._is_tenant_of(region, tenant_id):
                    return self.in_region(region.name)
            except exceptions.SDKException as exc:
                unreachable = _down(region.name, exc)
        raise unreachable or _unknown(tenant_id)

    def in_region(self, name: str) -> Destination:
        """
        Return a region by name.

        Raises:
            Conflict: The settings do not have this region.
        """
        settings = next((region for region in self._settings.regions if region.name == name), None)
        if settings is None:
            raise Conflict(f"This service knows no region {name[:64]!a}.")
        if not settings.is_remote:
            return Destination(settings, self.source(name))
        session = _remote(settings).session
        return Destination(settings, session)  # type: ignore[arg-type]  # a Connection without session makes one of ecl

    def source(self, region: str) -> Session:
        """Return a session with the image API of a region that this process serves."""
        # Imported here, because the service starts without the SDK.
        from ecl.server.jobs.peers.own_auth import own_session

        return own_session(self.accounts, self._own_url, region)

    def _is_tenant_of(self, region: RegionSettings, tenant_id: str) -> bool:
        """Return True if the Keystone of another process says that the tenant belongs to *region*."""
        connection = _remote(region, timeout=_LOOKUP_TIMEOUT)
        url = (region.auth_url or "").rstrip("/")
        try:
            answer = connection.session.get(f"{url}/projects/{tenant_id}").json()
        except exceptions.NotFoundException:
            return False
        project = answer.get("project", {})
        # Another ecl service names the tenant's region; any other Keystone has the tenants of one region only.
        return bool(project.get("enabled", True)) and project.get("region", region.name) == region.name


def _remote(region: RegionSettings, timeout: float | None = None) -> Connection:
    """Return a connection to a region of another process, as the user in the settings."""
    from ecl.connection import Connection

    password = region.password_file.read_text().strip() if region.password_file is not None else None
    return Connection(
        auth_url=region.auth_url,
        username=region.username,
        password=password,
        project_name=region.project_name,
        verify=str(region.cacert) if region.cacert is not None else True,
        timeout=timeout,
        endpoint_overrides={"image": region.url or ""},
    )


def _unknown(tenant_id: str) -> NotFound:
    return NotFound(f"There is no tenant '{tenant_id[:64]}' in another region that you may copy images to.")


def _down(region: str, exc: exceptions.SDKException) -> Conflict:
    _log.warning("region %s does not answer: %s", region, exc)
    return Conflict(f"The image service of region {region} does not answer.")
