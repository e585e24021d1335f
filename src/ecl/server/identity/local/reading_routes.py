"""What clients look up besides tokens and projects: services, regions and domains. Nothing here can be changed."""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ecl.server.errors import NotFound
from ecl.server.http.routing import json_response
from ecl.server.identity.local import directory, documents
from ecl.server.identity.local.documents import Document
from ecl.server.identity.local.login import DOMAIN_ID, DOMAIN_NAME
from ecl.server.identity.local.service import IdentityService, route

__all__ = ["reading_routes"]


def reading_routes(service: IdentityService) -> list[Route]:
    """Return the routes of the lists that are there to be read."""
    handlers = _Handlers(service)
    return [
        route("/v3/auth/domains", GET=handlers.list_own_domains),
        route("/v3/domains", GET=handlers.list_domains),
        route("/v3/domains/{id}", GET=handlers.show_domain),
        route("/v3/regions", GET=handlers.list_regions),
        route("/v3/regions/{id}", GET=handlers.show_region),
        route("/v3/services", GET=handlers.list_services),
        route("/v3/services/{id}", GET=handlers.show_service),
        route("/v3/users/{id}/projects", GET=handlers.list_projects_of_user),
    ]


class _Handlers:
    def __init__(self, service: IdentityService) -> None:
        self._service = service

    async def list_own_domains(self, request: Request) -> Response:
        """``GET /v3/auth/domains``: those that the caller has a role on; roles are on projects alone, so none."""
        await self._service.caller(request)
        return self._service.one_page(request, "domains", [])

    async def list_domains(self, request: Request) -> Response:
        """``GET /v3/domains``: the one domain. For admins."""
        await self._service.admin(request)
        return self._service.one_page(request, "domains", [self._domain(request)])

    async def show_domain(self, request: Request) -> Response:
        """``GET /v3/domains/ID``: everybody's own is the one that there is."""
        await self._service.caller(request)
        return self._one(request, "domain", [self._domain(request)])

    async def list_regions(self, request: Request) -> Response:
        """``GET /v3/regions``."""
        await self._service.caller(request)
        return self._service.one_page(request, "regions", self._regions(request))

    async def show_region(self, request: Request) -> Response:
        """``GET /v3/regions/ID``."""
        await self._service.caller(request)
        return self._one(request, "region", self._regions(request))

    async def list_services(self, request: Request) -> Response:
        """``GET /v3/services``: what the catalog has. For admins."""
        await self._service.admin(request)
        return self._service.one_page(request, "services", self._services(request))

    async def show_service(self, request: Request) -> Response:
        """``GET /v3/services/ID``. For admins."""
        await self._service.admin(request)
        return self._one(request, "service", self._services(request))

    async def list_projects_of_user(self, request: Request) -> Response:
        """``GET /v3/users/ID/projects``: one's own; any user's for an admin."""
        caller = await self._service.caller(request)
        id = request.path_params["id"]
        if id != caller.user.id:
            await self._service.admin(request)
        if await self._service.read(partial(directory.get_user, id=id)) is None:
            raise NotFound("There is no user of this ID.")
        found = await self._service.read(partial(directory.projects_of_user, user_id=id))
        if id == caller.user.id and caller.application_credential is not None:
            found = [project for project in found if project == caller.project]
        base = self._service.base(request)
        return self._service.one_page(
            request, "projects", [documents.project_document(project, base) for project in found]
        )

    def _one(self, request: Request, name: str, found: list[Document]) -> Response:
        for entry in found:
            if entry["id"] == request.path_params["id"]:
                return json_response({name: entry})
        raise NotFound(f"There is no {name} of this ID.")

    def _domain(self, request: Request) -> Document:
        named = {"id": DOMAIN_ID, "name": DOMAIN_NAME, "description": "", "enabled": True, "tags": [], "options": {}}
        return {**named, "links": self._self(request, f"domains/{DOMAIN_ID}")}

    def _regions(self, request: Request) -> list[Document]:
        return [
            {
                "id": region.name,
                "description": "",
                "parent_region_id": None,
                "links": self._self(request, f"regions/{region.name}"),
            }
            for region in self._service.settings.regions
        ]

    def _services(self, request: Request) -> list[Document]:
        catalog = documents.catalog(self._service.base(request), self._service.settings.regions, None)
        return [
            {
                **{name: entry[name] for name in ("id", "type", "name")},
                "description": "",
                "enabled": True,
                "links": self._self(request, f"services/{entry['id']}"),
            }
            for entry in catalog
        ]

    def _self(self, request: Request, path: str) -> Document:
        return {"self": f"{self._service.base(request)}/v3/{path}"}
