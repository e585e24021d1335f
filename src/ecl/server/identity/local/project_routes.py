"""``/v3/projects``: administrators manage projects; everybody may read those that they have a role on."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ecl.server.errors import Forbidden, NotFound
from ecl.server.http.body import read_body
from ecl.server.http.routing import empty, json_response
from ecl.server.identity.local import directory, documents
from ecl.server.identity.local.account_requests import parse_project
from ecl.server.identity.local.directory import Project
from ecl.server.identity.local.guards import check_not_internal, keeping_an_administrator
from ecl.server.identity.local.service import MAX_BODY, IdentityService, route

__all__ = ["project_routes"]


def project_routes(service: IdentityService) -> list[Route]:
    """Return the routes of projects."""
    handlers = _ProjectHandlers(service)
    return [
        route("/v3/projects", GET=handlers.list_all, POST=handlers.create),
        route("/v3/projects/{id}", GET=handlers.show, PATCH=handlers.update, DELETE=handlers.delete),
    ]


class _ProjectHandlers:
    def __init__(self, service: IdentityService) -> None:
        self._service = service

    async def list_all(self, request: Request) -> Response:
        """``GET /v3/projects``: list all; ``?name=``, ``?enabled=`` and ``?domain_id=`` choose. For admins."""
        await self._service.admin(request, "Only an admin may list all projects; GET /v3/auth/projects lists your own.")
        name = request.query_params.get("name")
        found = await self._service.read(partial(directory.list_projects, name=name))
        base = self._service.base(request)
        shown = [documents.project_document(project, base) for project in found]
        return self._service.one_page(request, "projects", shown)

    async def create(self, request: Request) -> Response:
        """``POST /v3/projects``: create one; it is for all regions unless ``region`` names one. For admins."""
        await self._service.admin(request)
        wanted = parse_project(await read_body(request, MAX_BODY), self._regions())
        project = await self._service.write(
            partial(
                directory.create_project,
                name=wanted.get("name"),
                region=wanted.get("region") or "",
                enabled=wanted.get("enabled", True),
                extra=wanted.extra,
            )
        )
        return self._reply(request, project, 201)

    async def show(self, request: Request) -> Response:
        """``GET /v3/projects/ID``: show a project that the caller has a role on; any project for an admin."""
        caller = await self._service.caller(request)
        if "admin" not in caller.roles:
            own_projects = await self._service.read(partial(directory.projects_of_user, user_id=caller.user.id))
            if request.path_params["id"] not in {project.id for project in own_projects}:
                raise Forbidden("You have no role on this project, if there is one of this ID.")
        return self._reply(request, await self._service.read(partial(_find, request=request)))

    async def update(self, request: Request) -> Response:
        """``PATCH /v3/projects/ID``: change one; ``enabled: false`` ends its tokens. For admins."""
        await self._service.admin(request)
        before = await self._service.read(partial(_find, request=request))
        current = documents.project_document(before, self._service.base(request))
        wanted = parse_project(await read_body(request, MAX_BODY), self._regions(), current)

        def change(connection: Connection) -> Project:
            project = _find(connection, request)
            check_not_internal(project=project)
            with keeping_an_administrator(connection):
                changed = replace(
                    project,
                    name=wanted.get("name", project.name),
                    enabled=wanted.get("enabled", project.enabled),
                    extra={**project.extra, **wanted.extra},
                )
                directory.update_project(connection, changed)
            return changed

        return self._reply(request, await self._service.write(change))

    async def delete(self, request: Request) -> Response:
        """``DELETE /v3/projects/ID``: delete one with its roles and tokens. Its images stay. For admins."""
        await self._service.admin(request)

        def change(connection: Connection) -> None:
            project = _find(connection, request)
            check_not_internal(project=project)
            with keeping_an_administrator(connection):
                directory.delete_project(connection, project)

        await self._service.write(change)
        return empty()

    def _regions(self) -> list[str]:
        """Return the regions that this process serves."""
        return [region.name for region in self._service.settings.regions if not region.is_remote]

    def _reply(self, request: Request, project: Project, status: int = 200) -> Response:
        return json_response({"project": documents.project_document(project, self._service.base(request))}, status)


def _find(connection: Connection, request: Request) -> Project:
    project = directory.get_project(connection, id=request.path_params["id"])
    if project is None:
        raise NotFound("There is no project of this ID.")
    return project
