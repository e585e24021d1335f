"""The two clouds that the SDK's suite runs against: the embedded service, and a real Glance."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Protocol

from glance_auth_filter import IDENTITIES
from glance_backend import run_glance
from keystoneauth1.session import Session
from keystoneauth1.token_endpoint import Token

from ecl.connection import Connection
from ecl.image.v2._proxy import Proxy
from ecl.image.v2.image import Image
from ecl.server.identity.local import directory
from ecl.testing import ImageService

__all__ = ["Cloud", "EmbeddedCloud", "Login", "NewImage", "run_embedded_cloud", "run_glance_cloud"]

#: create_image(), which forgets nothing: what it made is deleted after the test.
NewImage = Callable[..., Image]
#: How a stock client logs in: ``auth_type``, ``auth`` and perhaps ``region_name``, as in clouds.yaml.
Login = dict[str, Any]


class Cloud(Protocol):
    """
    A cloud with four identities.

    ``member``, ``reader`` and ``admin`` have these roles on one project; ``other`` is a member of another project
    in the same region.
    """

    def connect(self, identity: str = "member") -> Proxy:
        """Return the image service as *identity* sees it."""

    def project_id(self, identity: str) -> str:
        """Return the ID of the project of *identity*."""

    def login(self, identity: str) -> Login:
        """Return what a stock client needs to be *identity*."""


class _GlanceCloud:
    def __init__(self, url: str) -> None:
        self._url = url

    def connect(self, identity: str = "member") -> Proxy:
        return Proxy(Session(auth=Token(self._url, IDENTITIES[identity].token)))

    def project_id(self, identity: str) -> str:
        return IDENTITIES[identity].project_id

    def login(self, identity: str) -> Login:
        return {"auth_type": "admin_token", "auth": {"endpoint": self._url, "token": IDENTITIES[identity].token}}


@contextlib.contextmanager
def run_glance_cloud() -> Iterator[Cloud]:
    """Run a real Glance until the end of the block."""
    with run_glance() as url:
        yield _GlanceCloud(url)


class EmbeddedCloud:
    """The embedded service with its first region as the cloud; ``far`` is the member's project in the second."""

    #: Of the first region; the second has none.
    license_types: ClassVar[list[str]] = ["WindowsServer_2012R2_Standard_64bit_ComLicense", "Red_Hat_7_64bit_BYOL"]

    def __init__(self, service: ImageService) -> None:
        self.service = service
        near, far = service.regions
        member = service.credentials(near)
        self._logins = {
            "member": member,
            "other": service.credentials(project=service.add_project(near)),
            "far": service.credentials(far),
            "reader": self._add_user("reader", member),
            "admin": self._add_user("admin", member),
        }

    def connect(self, identity: str = "member") -> Proxy:
        return Connection(**self._logins[identity]).image

    def project_id(self, identity: str) -> str:
        return self._logins[identity]["project_id"]

    def login(self, identity: str) -> Login:
        auth = dict(self._logins[identity])
        region = auth.pop("region_name")
        return {"auth_type": "password", "auth": auth, "region_name": region}

    def held(self, path: str) -> Any:
        """Return the JSON document that the service holds at *path*, below ``/v2``, for administrators."""
        session = self.connect("admin").session
        return session.get(f"/v2/{path}", endpoint_filter={"service_type": "image"}).json()

    def _add_user(self, role: str, member: dict[str, str]) -> dict[str, str]:
        """Add a user with one role on the member's project."""
        name, password = f"only-{role}", secrets.token_urlsafe()
        with self.service.database.write() as connection:
            user = directory.create_user(connection, name, password)
            project = directory.find_project(connection, member["project_id"])
            directory.grant_role(connection, user, role, project)
        return {**member, "username": name, "password": password}


@contextlib.contextmanager
def run_embedded_cloud() -> Iterator[EmbeddedCloud]:
    """Run the embedded service until the end of the block."""
    # Stores and what may be fetched from where are as in the real Glance of these tests.
    stores = [{"name": "fast", "description": "first store"}, {"name": "cheap", "description": "second store"}]
    near = {"name": "jp1", "license_switch_types": EmbeddedCloud.license_types, "stores": stores}
    imports = {"allowed_ports": [], "allowed_networks": ["127.0.0.0/8"]}
    with ImageService(regions=(near, "jp2"), imports=imports) as service:
        yield EmbeddedCloud(service)
