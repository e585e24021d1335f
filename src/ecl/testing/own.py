"""What one test has of its own: a project, a user, a connection; and more of them, if it asks for them."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING

from ecl.testing.projects import TestProject

if TYPE_CHECKING:
    from ecl.connection import Connection
    from ecl.image.v2._proxy import Proxy
    from ecl.testing.service import ImageService

__all__ = ["EclProject"]


class EclProject:
    """
    A project, a user and a connection of one test; what the fixture ``ecl_project`` gives.

    Attributes:
        service: The service that it is on.
        project: The project and its user.
        connection: A connection of the user to the project.
    """

    def __init__(self, service: ImageService, project: TestProject) -> None:
        self.service = service
        self.project = project
        self._more: list[EclProject] = []

    @cached_property
    def connection(self) -> Connection:
        """A connection of the SDK, which begins with a token: it does not log in."""
        from ecl import _auth
        from ecl.connection import Connection

        login = _auth.make_plugin("password", {n: value for n, value in self.credentials.items() if n != "region_name"})
        # It logs in when the service refuses the token.
        login.set_auth_state(json.dumps({"auth_token": self.project.token, "body": self.project.access}))
        return Connection(authenticator=login, region_name=self.region)

    @property
    def image(self) -> Proxy:
        """The image service: ``ecl_project.image.create_image(…)``."""
        return self.connection.image

    @property
    def id(self) -> str:
        """ID of the project."""
        return self.project.id

    @property
    def region(self) -> str:
        """Name of the region of the project."""
        return self.project.region

    @property
    def credentials(self) -> dict[str, str]:
        """What `ecl.connection.Connection` and keystoneauth1 need to log in with the user's password."""
        return self.service.credentials(project=self.project)

    @property
    def environment(self) -> dict[str, str]:
        """The ``OS_*`` variables that a process needs to log in."""
        variables = {f"OS_{name.upper()}": value for name, value in self.credentials.items()}
        return {**variables, "OS_IDENTITY_API_VERSION": "3"}

    def another(self, region: str | None = None, *, user: str | None = None, role: str = "member") -> EclProject:
        """
        Return one more project, which is removed with this one: to share images with, or to copy to.

        Args:
            region: None: that of this project.
            user: Its user; None: a new one.
            role: Of the user on it.
        """
        found = EclProject(self.service, self.service.add_project(region or self.region, user, role=role))
        self._more.append(found)
        return found

    def remove(self) -> None:
        """Remove the project and those of `another`, with their images, jobs and metadata definitions."""
        while self._more:
            self._more.pop().remove()
        if "connection" in self.__dict__:
            self.connection.close()
        self.service.remove_project(self.project)
