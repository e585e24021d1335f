"""``/v3/projects``: the caller's projects; all projects for an administrator."""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ecl.server.errors import Forbidden, NotFound
from ecl.server.http.routing import json_response
from ecl.server.identity.local import directory, documents
from ecl.server.identity.local.service import IdentityService, route

__all__ = ["project_routes"]


def project_routes(service: IdentityService) -> list[Route]:
    """Return the routes below ``/v3/projects``."""
    handlers = _ProjectHandlers(service)
    return [
        route("/v3/projects", GET=handlers.list_all),
        route("/v3/projects/{project_id}", GET=handlers.show),
    ]


class _ProjectHandlers:
    def __init__(self, service: IdentityService) -> None:
        self._service = service

    async def list_all(self, request: Request) -> Response:
        """``GET /v3/projects``: list all projects, or with ``?name=`` the one of that name; for administrators only."""
        caller = await self._service.caller(request)
        if "admin" not in caller.roles:
            raise Forbidden("Only an admin may list all projects; GET /v3/auth/projects lists your own.")
        name = request.query_params.get("name")
        found = await self._service.read(partial(directory.list_projects, name=name))
        base = self._service.base(request)
        body = [documents.project_document(project, base) for project in found]
        return json_response({"projects": body, "links": documents.links(f"{base}/v3/projects")})

    async def show(self, request: Request) -> Response:
        """``GET /v3/projects/ID``: show a project that the caller has a role on; any project for an administrator."""
        caller = await self._service.caller(request)
        id = request.path_params["project_id"]
        if "admin" not in caller.roles:
            own_projects = await self._service.read(partial(directory.projects_of_user, user_id=caller.user.id))
            if id not in {project.id for project in own_projects}:
                raise Forbidden("You have no role on this project, if there is one of this ID.")
        project = await self._service.read(partial(directory.get_project, id=id))
        if project is None:
            raise NotFound("There is no project of this ID.")
        document = documents.project_document(project, self._service.base(request))
        return json_response({"project": document})
