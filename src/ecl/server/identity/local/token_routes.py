"""``/v3/auth``: tokens, the catalog, and the projects of the caller."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ecl.server import threads
from ecl.server.errors import Forbidden, NotFound
from ecl.server.http.body import read_body
from ecl.server.http.routing import json_response
from ecl.server.identity.local import directory, documents
from ecl.server.identity.local.documents import Document
from ecl.server.identity.local.login import WrongSecret, log_in, parse_login
from ecl.server.identity.local.service import MAX_BODY, IdentityService, route
from ecl.server.identity.local.tokens import Token, read_token, revoke_token

__all__ = ["token_routes"]


def token_routes(service: IdentityService) -> list[Route]:
    """Return the routes below ``/v3/auth``."""
    handlers = _TokenHandlers(service)
    return [
        route("/v3/auth/tokens", POST=handlers.issue, GET=handlers.show, DELETE=handlers.revoke),
        route("/v3/auth/catalog", GET=handlers.show_catalog),
        route("/v3/auth/projects", GET=handlers.list_projects),
    ]


class _TokenHandlers:
    def __init__(self, service: IdentityService) -> None:
        self._service = service

    async def issue(self, request: Request) -> Response:
        """``POST /v3/auth/tokens``: log in."""
        login = parse_login(await read_body(request, MAX_BODY))
        settings = self._service.settings
        work = partial(log_in, self._service.database, login, settings.token_lifetime, settings.password_cost)
        person = login.person
        if person is None:
            text, token = await threads.change(work)
        else:
            text, token = await self._check_password(request, person, work)
        return self._token_reply(201, request, text, token)

    async def _check_password(
        self, request: Request, person: str, work: Callable[[], tuple[str, Token]]
    ) -> tuple[str, Token]:
        """Do *work*, a login of *person*, in turn, unless too many have failed."""
        failures, source = self._service.failures, self._service.source(request)
        failures.check(person, source)
        try:
            done = await self._service.hash_in_turn(work, request, is_known=failures.is_known(person, source))
        except WrongSecret:
            failures.failed(person, source)
            raise
        failures.succeeded(person, source)
        return done

    async def show(self, request: Request) -> Response:
        """``GET /v3/auth/tokens``: show a token."""
        text, token = await self._subject(request)
        return self._token_reply(200, request, text, token)

    async def revoke(self, request: Request) -> Response:
        """``DELETE /v3/auth/tokens``: revoke a token."""
        text, _ = await self._subject(request, revokes=True)
        await self._service.write(partial(revoke_token, text=text))
        return Response(status_code=204)

    async def show_catalog(self, request: Request) -> Response:
        """``GET /v3/auth/catalog``: show the catalog of the caller's token."""
        token = await self._service.caller(request)
        if token.project is None:
            raise Forbidden("Only a token for a project has a catalog.")
        url = f"{self._service.base(request)}/v3/auth/catalog"
        return json_response({"catalog": self._catalog(request, token), "links": documents.links(url)})

    async def list_projects(self, request: Request) -> Response:
        """``GET /v3/auth/projects``: list the projects on which the caller has a role."""
        token = await self._service.caller(request)
        base = self._service.base(request)
        projects = await self._service.read(partial(directory.projects_of_user, user_id=token.user.id))
        if token.application_credential is not None:
            projects = [project for project in projects if project == token.project]
        shown = [documents.project_document(project, base) for project in projects]
        return json_response({"projects": shown, "links": documents.links(f"{base}/v3/auth/projects")})

    async def _subject(self, request: Request, *, revokes: bool = False) -> tuple[str, Token]:
        """
        Return the token in X-Subject-Token.

        Only the roles admin and service may ask for tokens of other users, and only admin may revoke them. A token of
        an application credential revokes only tokens of that credential.
        """
        caller = await self._service.caller(request)
        text = request.headers.get("x-subject-token", "")
        token = await self._service.read(partial(read_token, text=text))
        if token is None:
            raise NotFound("The token in X-Subject-Token does not exist, or is no longer valid.")
        if token.user.id != caller.user.id and not ({"admin"} if revokes else {"admin", "service"}) & set(caller.roles):
            raise Forbidden("This token belongs to another user.")
        own = caller.application_credential
        if revokes and own is not None and token.application_credential != own:
            raise Forbidden("A token of an application credential can revoke only tokens of that credential.")
        return text, token

    def _catalog(self, request: Request, token: Token) -> list[Document]:
        region = None if token.project is None else token.project.region
        return documents.catalog(self._service.base(request), self._service.settings.regions, region)

    def _token_reply(self, status: int, request: Request, text: str, token: Token) -> Response:
        services = None if "nocatalog" in request.query_params else self._catalog(request, token)
        return json_response(documents.token_document(token, services), status, {"X-Subject-Token": text})
