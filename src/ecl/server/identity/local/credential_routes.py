"""``/v3/users/ID/application_credentials``: the caller's own application credentials."""

from __future__ import annotations

from functools import partial

import msgspec
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ecl.server.clock import now
from ecl.server.errors import BadRequest, Forbidden, NotFound
from ecl.server.http.body import read_body
from ecl.server.http.routing import json_response
from ecl.server.identity.local import application_credentials as store
from ecl.server.identity.local import directory, documents
from ecl.server.identity.local.application_credentials import ApplicationCredential
from ecl.server.identity.local.passwords import hash_password
from ecl.server.identity.local.service import MAX_BODY, IdentityService, route
from ecl.server.identity.local.stable_id import stable_id
from ecl.server.identity.local.times import from_iso
from ecl.server.identity.local.tokens import Token
from ecl.server.identity.roles import ROLES, expand_roles

__all__ = ["credential_routes"]

_PATH = "/v3/users/{user_id}/application_credentials"


class _Role(msgspec.Struct):
    id: str | None = None
    name: str | None = None


class _New(msgspec.Struct):
    name: str
    secret: str | None = None
    expires_at: str | None = None
    roles: list[_Role] | None = None
    unrestricted: bool = False
    access_rules: list[object] = []


class _Body(msgspec.Struct):
    application_credential: _New


def credential_routes(service: IdentityService) -> list[Route]:
    """Return the routes of application credentials."""
    handlers = _CredentialHandlers(service)
    return [
        route(_PATH, POST=handlers.create, GET=handlers.list_all),
        route(f"{_PATH}/{{id}}", GET=handlers.show, DELETE=handlers.delete),
    ]


class _CredentialHandlers:
    def __init__(self, service: IdentityService) -> None:
        self._service = service

    async def create(self, request: Request) -> Response:
        """``POST``: create one for the token's project. Only this response shows the secret."""
        caller = await self._owner(request, changes=True)
        if caller.project is None:
            raise Forbidden("Creating an application credential needs a token of a project.")
        wanted = _parse(await read_body(request, MAX_BODY), caller)
        expires_at = _expiry(wanted.expires_at)
        secret = store.generate_secret() if wanted.secret is None else wanted.secret
        work = partial(hash_password, secret, self._service.settings.password_cost)
        secret_hash = await self._service.hash_in_turn(work, request, is_known=True)
        credential = await self._service.write(
            partial(
                store.create_credential,
                user_id=caller.user.id,
                project_id=caller.project.id,
                name=wanted.name,
                secret_hash=secret_hash,
                expires_at=expires_at,
                roles=caller.roles,
            )
        )
        document = documents.credential_document(credential, caller.roles, self._url(request), secret)
        return json_response({"application_credential": document}, 201)

    async def list_all(self, request: Request) -> Response:
        """``GET``: list the caller's, or with ``?name=`` the one of that name."""
        caller = await self._owner(request)
        name = request.query_params.get("name")
        url = self._url(request)

        def query(connection: Connection) -> list[documents.Document]:
            found = store.list_credentials(connection, caller.user.id, name)
            return [documents.credential_document(item, _roles(connection, item), url) for item in found]

        found = await self._service.read(query)
        return json_response({"application_credentials": found, "links": documents.links(url)})

    async def show(self, request: Request) -> Response:
        """``GET``: show one."""
        caller = await self._owner(request)

        def query(connection: Connection) -> documents.Document:
            item = _find(connection, caller, request)
            return documents.credential_document(item, _roles(connection, item), self._url(request))

        return json_response({"application_credential": await self._service.read(query)})

    async def delete(self, request: Request) -> Response:
        """``DELETE``: delete one, with every token that was issued for it."""
        caller = await self._owner(request, changes=True)

        def change(connection: Connection) -> None:
            store.delete_credential(connection, _find(connection, caller, request))

        await self._service.write(change)
        return Response(status_code=204)

    async def _owner(self, request: Request, *, changes: bool = False) -> Token:
        """Return the caller's token. Raises Forbidden if the path names another user, or the token may not do this."""
        caller = await self._service.caller(request)
        if request.path_params["user_id"] != caller.user.id:
            raise Forbidden("These application credentials belong to another user.")
        if changes and caller.application_credential is not None:
            raise Forbidden("A token of an application credential cannot create or delete application credentials.")
        return caller

    def _url(self, request: Request) -> str:
        user_id = request.path_params["user_id"]
        return f"{self._service.base(request)}/v3/users/{user_id}/application_credentials"


def _find(connection: Connection, caller: Token, request: Request) -> ApplicationCredential:
    found = store.get_credential(connection, id=request.path_params["id"], user_id=caller.user.id)
    if found is None:
        raise NotFound("There is no application credential of this ID.")
    return found


def _roles(connection: Connection, credential: ApplicationCredential) -> tuple[str, ...]:
    granted = expand_roles(directory.granted_roles(connection, credential.user_id, credential.project_id))
    return tuple(role for role in granted if role in credential.roles)


def _parse(body: bytes | bytearray, caller: Token) -> _New:
    try:
        wanted = msgspec.json.decode(body, type=_Body).application_credential
    except (ValueError, RecursionError) as exc:
        raise BadRequest(f"The request body is not an application credential: {exc}.") from exc
    if not wanted.name.strip() or len(wanted.name) > 255 or not wanted.name.isprintable():
        raise BadRequest("The name of an application credential has 1 to 255 printable characters.")
    if wanted.secret is not None and not 0 < len(wanted.secret) <= 4096:
        raise BadRequest("The secret of an application credential has 1 to 4096 characters.")
    if wanted.unrestricted or wanted.access_rules:
        raise BadRequest("This service has no unrestricted application credentials and no access rules.")
    # A credential with fewer roles than requested would be useless, one with more would be dangerous.
    if wanted.roles is not None and expand_roles(map(_role_name, wanted.roles)) != caller.roles:
        raise BadRequest("An application credential has all roles of its user here: leave out the roles.")
    return wanted


def _role_name(role: _Role) -> str:
    for name in ROLES:
        if role.name == name or (role.name is None and role.id == stable_id("role", name)):
            return name
    raise BadRequest("The roles of the application credential include one that does not exist.")


def _expiry(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        moment = from_iso(text)
    except (ValueError, OverflowError) as exc:
        raise BadRequest("expires_at is not an ISO 8601 time.") from exc
    if moment <= now():
        raise BadRequest("expires_at is in the past.")
    return moment
