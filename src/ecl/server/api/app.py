"""The image API of one region, as one ASGI application."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.routing import BaseRoute, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from ecl.server.api import cache, schemas, stores
from ecl.server.api.common.error_response import error_response
from ecl.server.api.common.request import Service
from ecl.server.api.extensions import image_replicator, license_switch
from ecl.server.api.images import actions, file, images, members, tags
from ecl.server.api.imports import image_import, locations, staging, tasks
from ecl.server.api.metadefs import namespaces as metadef_namespaces
from ecl.server.api.metadefs import objects as metadef_objects
from ecl.server.api.metadefs import properties as metadef_properties
from ecl.server.api.metadefs import resource_types as metadef_resource_types
from ecl.server.api.metadefs import tags as metadef_tags
from ecl.server.api.versions import is_version_document, version_response, versioned_path
from ecl.server.domain.caller import Caller
from ecl.server.errors import BadRequest, Forbidden, NotFound, ServiceError, Unauthorized
from ecl.server.http.error_guard import ErrorGuard
from ecl.server.http.public_url import auth_url, public_url
from ecl.server.http.routing import json_response
from ecl.server.identity.authenticator import Authenticator

__all__ = ["ROUTES", "build_image_app"]


#: Every route of the image API of a region, in the order of matching.
ROUTES: Sequence[BaseRoute] = tuple(
    route
    for module in (
        image_replicator,
        image_import,
        locations,
        images,
        file,
        staging,
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
    for route in module.ROUTES
)


def build_image_app(service: Service, authenticator: Authenticator) -> ASGIApp:
    """Build the image API of one region. Mount it with the path's prefix as ASGI ``root_path``."""

    def render(error: ServiceError, scope: Scope) -> Response:
        response = error_response(error, Headers(scope=scope).get("accept"))
        if isinstance(error, Unauthorized):
            response.headers["WWW-Authenticate"] = f'Keystone uri="{auth_url(service.settings, scope)}"'
        return response

    return ErrorGuard(_ImageApp(service, authenticator), render)


class _ImageApp:
    """Handles what comes before a resource: prefix, versions, authentication, and the region of the token."""

    def __init__(self, service: Service, authenticator: Authenticator) -> None:
        self._service = service
        self._authenticator = authenticator
        self._router = Router(ROUTES, redirect_slashes=False, default=_not_found)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        prefix: str = scope.get("root_path", "").rstrip("/")
        endpoint = public_url(self._service.settings, scope) + prefix
        path = _decoded_path(scope, prefix)
        if path == "/openapi.json" and scope["method"] == "GET":
            from ecl.server.api.openapi.document import openapi_document

            await json_response(openapi_document(ROUTES, [endpoint]))(scope, receive, send)
            return
        if scope["method"] == "OPTIONS":
            await Response()(scope, receive, send)
            return
        target = versioned_path(path, headers.get("accept"))
        if target is None or is_version_document(path):
            await version_response(path, scope["method"], endpoint)(scope, receive, send)
            return
        inner = {
            **scope,
            "path": target,
            "root_path": "",
            "ecl.service": self._service,
            "ecl.caller": await self._authenticate(headers),
            "ecl.endpoint": endpoint,
        }
        await self._router(inner, receive, send)

    async def _authenticate(self, headers: Headers) -> Caller:
        """Return the caller. Raises Unauthorized, or Forbidden for a project of another region."""
        caller = await self._authenticator.authenticate(headers.get("x-auth-token"), headers.get("x-service-token"))
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
        # An encoded slash becomes a separator here; no resource has a slash in its name.
        path = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError as exc:
        raise BadRequest("The path is not UTF-8.") from exc
    if "\0" in path:
        raise BadRequest("The path holds a NUL character.")
    return path.removeprefix(prefix)
