"""The roles, who has which role on which project, and granting and revoking them. For administrators."""

from __future__ import annotations

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ecl.server.errors import NotFound
from ecl.server.http.routing import empty, json_response
from ecl.server.identity.local import directory, documents
from ecl.server.identity.local.directory import Project, User
from ecl.server.identity.local.documents import Document
from ecl.server.identity.local.guards import check_not_internal, keeping_an_administrator
from ecl.server.identity.local.service import IdentityService, route
from ecl.server.identity.local.stable_id import stable_id
from ecl.server.identity.roles import ROLES, expand_roles

__all__ = ["grant_routes"]

_GRANTS = "/v3/projects/{project_id}/users/{user_id}/roles"
#: What an assignment is never to here: a list that asks for one of these is empty.
_ABSENT = ("group.id", "scope.domain.id", "scope.system", "scope.OS-INHERIT:inherited_to")


def grant_routes(service: IdentityService) -> list[Route]:
    """Return the routes of roles and their assignments."""
    handlers = _GrantHandlers(service)
    return [
        route("/v3/roles", GET=handlers.list_roles),
        route("/v3/roles/{id}", GET=handlers.show_role),
        route("/v3/role_assignments", GET=handlers.list_assignments),
        route(_GRANTS, GET=handlers.list_grants),
        route(f"{_GRANTS}/{{role_id}}", PUT=handlers.grant, GET=handlers.check, DELETE=handlers.revoke),
    ]


class _GrantHandlers:
    def __init__(self, service: IdentityService) -> None:
        self._service = service

    async def list_roles(self, request: Request) -> Response:
        """``GET /v3/roles``: list the roles; ``?name=`` chooses one."""
        await self._service.admin(request)
        return self._service.one_page(request, "roles", [self._role(request, name) for name in ROLES])

    async def show_role(self, request: Request) -> Response:
        """``GET /v3/roles/ID``: show one."""
        await self._service.admin(request)
        return json_response({"role": self._role(request, _role_of(request.path_params["id"]))})

    async def list_grants(self, request: Request) -> Response:
        """``GET …/roles``: list the roles that the user was granted on the project."""
        await self._service.admin(request)

        def query(connection: Connection) -> list[str]:
            user, project = _find(connection, request)
            return directory.granted_roles(connection, user.id, project.id)

        granted = await self._service.read(query)
        return self._service.one_page(request, "roles", [self._role(request, name) for name in granted])

    async def check(self, request: Request) -> Response:
        """``GET`` and ``HEAD …/roles/ID``: 204 if the user was granted this role on the project, else 404."""
        await self._service.admin(request)
        role = _role_of(request.path_params["role_id"])

        def query(connection: Connection) -> None:
            user, project = _find(connection, request)
            if role not in directory.granted_roles(connection, user.id, project.id):
                raise NotFound(f"User {user.name!r} does not have the role {role} on project {project.name!r}.")

        await self._service.read(query)
        return empty()

    async def grant(self, request: Request) -> Response:
        """``PUT …/roles/ID``: grant the role, if the user does not have it yet."""
        await self._service.admin(request)
        role = _role_of(request.path_params["role_id"])

        def change(connection: Connection) -> None:
            user, project = _find(connection, request)
            check_not_internal(user)
            directory.grant_role(connection, user, role, project)

        await self._service.write(change)
        return empty()

    async def revoke(self, request: Request) -> Response:
        """``DELETE …/roles/ID``: revoke the role; tokens of the user on the project lose it, too."""
        await self._service.admin(request)
        role = _role_of(request.path_params["role_id"])

        def change(connection: Connection) -> None:
            user, project = _find(connection, request)
            check_not_internal(user)
            with keeping_an_administrator(connection):
                directory.revoke_role(connection, user, role, project)

        await self._service.write(change)
        return empty()

    async def list_assignments(self, request: Request) -> Response:
        """
        ``GET /v3/role_assignments``: list who has which role where.

        ``user.id``, ``role.id`` and ``scope.project.id`` choose; ``effective`` shows also the roles that a role
        includes; ``include_names`` shows names beside IDs.
        """
        await self._service.admin(request)
        query = request.query_params

        def read(connection: Connection) -> list[Document]:
            found = directory.list_roles(connection, query.get("user.id"), query.get("scope.project.id"))
            effective = _is_set(request, "effective")
            rows = _with_included(found) if effective else [(*row, row[2]) for row in found]
            role = query.get("role.id")
            users, projects = {}, {}
            if _is_set(request, "include_names"):
                users = {user.id: user.name for user in directory.list_users(connection)}
                projects = {project.id: project.name for project in directory.list_projects(connection)}
            base = self._service.base(request)
            return [
                documents.assignment_document(row, base, users.get(row[0]), projects.get(row[1]))
                for row in rows
                if role is None or role == stable_id("role", row[2])
            ]

        found = [] if any(name in query for name in _ABSENT) else await self._service.read(read)
        return self._service.one_page(request, "role_assignments", found)

    def _role(self, request: Request, name: str) -> Document:
        return documents.role_document(name, self._service.base(request))


def _role_of(id: str) -> str:
    """Return the name of the role of this ID. Raises NotFound."""
    for name in ROLES:
        if stable_id("role", name) == id:
            return name
    raise NotFound("There is no role of this ID.")


def _find(connection: Connection, request: Request) -> tuple[User, Project]:
    """Return the user and the project that the path names. Raises NotFound."""
    user = directory.get_user(connection, id=request.path_params["user_id"])
    if user is None:
        raise NotFound("There is no user of this ID.")
    project = directory.get_project(connection, id=request.path_params["project_id"])
    if project is None:
        raise NotFound("There is no project of this ID.")
    return user, project


def _with_included(found: list[tuple[str, str, str]]) -> list[tuple[str, str, str, str]]:
    """Return *found* with the roles that each role includes, each with the role that was granted."""
    rows = {}
    for user, project, granted in found:
        for role in expand_roles([granted]):
            # What was granted itself counts before what another role includes.
            if role == granted or (user, project, role) not in rows:
                rows[user, project, role] = granted
    return [(*row, granted) for row, granted in rows.items()]


def _is_set(request: Request, name: str) -> bool:
    """Return True if a flag of the query is set; as for Keystone, each value but 0 sets it."""
    return request.query_params.get(name, "0") != "0"
