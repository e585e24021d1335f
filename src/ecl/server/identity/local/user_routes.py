"""``/v3/users``: administrators manage users; everybody may read themselves and change their own password."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ecl.server.errors import NotFound
from ecl.server.http.body import read_body
from ecl.server.http.routing import empty, json_response
from ecl.server.identity.local import directory, documents
from ecl.server.identity.local.account_requests import Changes, parse_password_change, parse_user
from ecl.server.identity.local.directory import User
from ecl.server.identity.local.guards import check_not_internal, keeping_an_administrator
from ecl.server.identity.local.login import WrongSecret
from ecl.server.identity.local.passwords import NO_PASSWORD, hash_password, verify_password
from ecl.server.identity.local.service import MAX_BODY, IdentityService, route

__all__ = ["user_routes"]


def user_routes(service: IdentityService) -> list[Route]:
    """Return the routes of users."""
    handlers = _UserHandlers(service)
    return [
        route("/v3/users", GET=handlers.list_all, POST=handlers.create),
        route("/v3/users/{id}", GET=handlers.show, PATCH=handlers.update, DELETE=handlers.delete),
        route("/v3/users/{id}/password", POST=handlers.change_password),
    ]


class _UserHandlers:
    def __init__(self, service: IdentityService) -> None:
        self._service = service

    async def list_all(self, request: Request) -> Response:
        """``GET /v3/users``: list all; ``?name=``, ``?enabled=`` and ``?domain_id=`` choose. For admins."""
        await self._service.admin(request)
        name = request.query_params.get("name")
        found = await self._service.read(partial(directory.list_users, name=name))
        base = self._service.base(request)
        shown = [documents.user_document(user, base) for user in found]
        return self._service.one_page(request, "users", shown)

    async def create(self, request: Request) -> Response:
        """``POST /v3/users``: create one, who has no role yet. For admins."""
        await self._service.admin(request)
        wanted = parse_user(await read_body(request, MAX_BODY))
        password_hash = await self._hash(request, wanted)
        user = await self._service.write(
            partial(
                directory.add_user,
                name=wanted.get("name"),
                password_hash=NO_PASSWORD if password_hash is None else password_hash,
                enabled=wanted.get("enabled", True),
                default_project_id=wanted.get("default_project_id"),
                extra=wanted.extra,
            )
        )
        return self._reply(request, user, 201)

    async def show(self, request: Request) -> Response:
        """``GET /v3/users/ID``: show one. Users may see themselves, admins every user."""
        caller = await self._service.caller(request)
        if request.path_params["id"] != caller.user.id:
            await self._service.admin(request)
        return self._reply(request, await self._service.read(partial(_find, request=request)))

    async def update(self, request: Request) -> Response:
        """``PATCH /v3/users/ID``: change one. A new password, or enabled: false, ends all tokens. For admins."""
        await self._service.admin(request)
        before = await self._service.read(partial(_find, request=request))
        current = documents.user_document(before, self._service.base(request))
        wanted = parse_user(await read_body(request, MAX_BODY), current)
        password_hash = await self._hash(request, wanted)

        def change(connection: Connection) -> User:
            user = _find(connection, request)
            check_not_internal(user)
            with keeping_an_administrator(connection):
                changed = replace(
                    user,
                    name=wanted.get("name", user.name),
                    enabled=wanted.get("enabled", user.enabled),
                    default_project_id=wanted.get("default_project_id", user.default_project_id),
                    extra={**user.extra, **wanted.extra},
                )
                directory.update_user(connection, changed)
                if "password" in wanted:
                    directory.set_hash(connection, user, NO_PASSWORD if password_hash is None else password_hash)
            return changed

        return self._reply(request, await self._service.write(change))

    async def delete(self, request: Request) -> Response:
        """``DELETE /v3/users/ID``: delete one with all roles, tokens and application credentials. For admins."""
        await self._service.admin(request)

        def change(connection: Connection) -> None:
            user = _find(connection, request)
            check_not_internal(user)
            with keeping_an_administrator(connection):
                directory.delete_user(connection, user)

        await self._service.write(change)
        return empty()

    async def change_password(self, request: Request) -> Response:
        """
        ``POST /v3/users/ID/password``: give the old password and a new one. This ends all tokens of the user.

        The old password is the proof, as in Keystone: no token is needed. Failures count as failed logins.
        """
        passwords = parse_password_change(await read_body(request, MAX_BODY)).user
        cost = self._service.settings.password_cost
        id = request.path_params["id"]

        def work() -> tuple[str, str]:
            with self._service.database.read() as connection:
                user = directory.get_user(connection, id=id)
                usable = user is not None and user.enabled
                stored = directory.password_hash(connection, user) if user is not None and usable else None
            if not verify_password(passwords.original_password, stored, cost) or stored is None:
                raise WrongSecret
            return stored, hash_password(passwords.password, cost)

        failures, source = self._service.failures, self._service.source(request)
        person = f"user {id}"
        failures.check(person, source)
        try:
            turn = self._service.hash_in_turn(work, request, is_known=failures.is_known(person, source))
            stored, password_hash = await turn
            await self._service.write(partial(_replace_password, id=id, before=stored, after=password_hash))
        except WrongSecret:
            failures.failed(person, source)
            raise
        failures.succeeded(person, source)
        return empty()

    async def _hash(self, request: Request, wanted: Changes) -> str | None:
        """Return the hash of the password in the request, None if it has none."""
        password = wanted.get("password")
        if password is None:
            return None
        work = partial(hash_password, password, self._service.settings.password_cost)
        return await self._service.hash_in_turn(work, request, is_known=True)

    def _reply(self, request: Request, user: User, status: int = 200) -> Response:
        return json_response({"user": documents.user_document(user, self._service.base(request))}, status)


def _find(connection: Connection, request: Request) -> User:
    user = directory.get_user(connection, id=request.path_params["id"])
    if user is None:
        raise NotFound("There is no user of this ID.")
    return user


def _replace_password(connection: Connection, id: str, before: str, after: str) -> None:
    """Set the new password, unless another request has changed the old one since it was checked."""
    user = directory.get_user(connection, id=id)
    if user is None or directory.password_hash(connection, user) != before:
        raise WrongSecret
    directory.set_hash(connection, user, after)
