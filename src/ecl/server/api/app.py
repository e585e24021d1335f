"""The image API of one region, as one ASGI application."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from ecl.server.api import cache, schemas, stores
from ecl.server.api.common.error_response import error_response
from ecl.server.api.common.request import Service
from ecl.server.api.common.routing import json_response
from ecl.server.api.extensions import license_switch
from ecl.server.api.images import actions, images, members, tags
from ecl.server.api.images import data as image_data
from ecl.server.api.imports import tasks
from ecl.server.api.metadefs import namespaces as metadef_namespaces
from ecl.server.api.metadefs import objects as metadef_objects
from ecl.server.api.metadefs import properties as metadef_properties
from ecl.server.api.metadefs import resource_types as metadef_resource_types
from ecl.server.api.metadefs import tags as metadef_tags
from ecl.server.api.versions import is_version_document, version_response, versioned_path
from ecl.server.data.region import Region
from ecl.server.db.engine import Database
from ecl.server.domain.protection import PropertyProtection
from ecl.server.errors import BadRequest, Forbidden, NotFound, ServiceError, Unauthorized
from ecl.server.http.error_guard import ErrorGuard
from ecl.server.http.public_url import public_url
from ecl.server.identity.caller import Caller
from ecl.server.settings.model import Settings

__all__ = ["Authenticator", "build_image_app", "image_routes"]


_MODULES = (
    images,
    image_data,
    members,
    tags,
    actions,
    tasks,
    stores,
    cache,
    schemas,
    metadef_namespaces,
    metadef_objects,
    metadef_properties,
    metadef_tags,
    metadef_resource_types,
    license_switch,
)


class Authenticator(Protocol):
    """Who turns a token into a caller."""

    async def authenticate(self, token: str | None) -> Caller:
        """Return whoever *token* stands for. Raises `ecl.server.errors.Unauthorized`."""


def build_image_app(
    region: Region,
    database: Database,
    authenticator: Authenticator,
    settings: Settings,
    extra_routes: Sequence[BaseRoute] = (),
) -> ASGIApp:
    """
    Build the image API of *region*; whoever mounts it gives the prefix as ASGI ``root_path``.

    Args:
        extra_routes: More resources, made with `ecl.server.api.common.routing.resource`; paths begin with ``/v2/``.
    """
    routes = image_routes(extra_routes)
    service = Service(region, database, settings, PropertyProtection(settings.property_rules))
    return ErrorGuard(_ImageApp(service, authenticator, routes), _render)


def image_routes(extra_routes: Sequence[BaseRoute] = ()) -> list[BaseRoute]:
    """Return every route of a region's image API."""
    return [*extra_routes, *(route for module in _MODULES for route in module.ROUTES)]


def _render(error: ServiceError, scope: Scope) -> Response:
    return error_response(error, Headers(scope=scope).get("accept"))


class _ImageApp:
    """Everything before a resource: prefix, versions, who asks, and whether it may ask this region."""

    def __init__(self, service: Service, authenticator: Authenticator, routes: Sequence[BaseRoute]) -> None:
        self._service = service
        self._authenticator = authenticator
        self._routes = routes
        self._router = Router(routes, redirect_slashes=False, default=_not_found)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        prefix: str = scope.get("root_path", "").rstrip("/")
        base = public_url(self._service.settings, scope)
        path = _decoded_path(scope, prefix)
        if path.strip("/") == "healthcheck":
            await PlainTextResponse("OK")(scope, receive, send)
            return
        if path == "/openapi.json" and scope["method"] == "GET":
            from ecl.server.api.openapi.document import openapi_document

            await json_response(openapi_document(self._routes, [base + prefix]))(scope, receive, send)
            return
        if scope["method"] == "OPTIONS":
            await Response()(scope, receive, send)
            return
        target = versioned_path(path, headers.get("accept"))
        if target is None or is_version_document(path):
            await version_response(path, scope["method"], base + prefix)(scope, receive, send)
            return
        inner = {
            **scope,
            "path": target,
            "root_path": "",
            "ecl.service": self._service,
            "ecl.caller": await self._authenticate(headers, base),
            "ecl.endpoint": base + prefix,
        }
        await self._router(inner, receive, send)

    async def _authenticate(self, headers: Headers, base: str) -> Caller:
        """Return who asks. Raises Unauthorized, or Forbidden for a project of another region."""
        token = headers.get("x-auth-token")
        try:
            if not token:
                raise Unauthorized
            caller = await self._authenticator.authenticate(token)
        except Unauthorized as exc:
            challenge = {"WWW-Authenticate": f'Keystone uri="{base}/v3"'}
            raise Unauthorized(exc.message, headers=challenge) from exc
        here = self._service.region.name
        if caller.region is not None and caller.region != here:
            raise Forbidden(f"Your project belongs to region {caller.region}; this is region {here}.")
        return caller


async def _not_found(scope: Scope, _receive: Receive, _send: Send) -> None:
    raise NotFound(f"There is nothing at {scope['path'][:200]}.")


def _decoded_path(scope: Scope, prefix: str) -> str:
    """Return the path below *prefix*, percent-decoded once. Raises BadRequest if it is not UTF-8."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    try:
        # An encoded slash would look like a separator; it is none, and no resource has one in its name.
        path = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError as exc:
        raise BadRequest("The path is not UTF-8.") from exc
    if "\0" in path:
        raise BadRequest("The path holds a NUL character.")
    return path.removeprefix(prefix)
