"""
``/testing``: how tests reach into the service, in any language. It needs no login.

So that no web page can use it from a browser on the same host, it takes JSON only, and only under a loopback name.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from ipaddress import ip_address
from typing import Any, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from ecl.server import clock, threads
from ecl.server.clock import MICROSECONDS, iso_microseconds
from ecl.server.errors import BadRequest, Forbidden, ServiceError, UnsupportedMedia
from ecl.server.http.body import read_body
from ecl.server.http.client_address import came_through_proxy
from ecl.server.http.errors import headers_of, status_of
from ecl.server.http.public_url import public_url
from ecl.server.http.routing import empty, json_response
from ecl.server.identity.local.documents import catalog, token_document
from ecl.server.identity.local.service import route
from ecl.server.settings.model import Settings
from ecl.server.testing.faults import Fault, Faults
from ecl.server.testing.injector import PREFIX
from ecl.server.testing.journal import Journal
from ecl.server.testing.projects import NewProject, Projects

__all__ = ["build_door"]

T = TypeVar("T", bound=msgspec.Struct)

#: Most bytes of a request body, and seconds by which the clock can be moved: a hundred years.
_MAX_BODY = 64 << 10
_FURTHEST = 100 * 365 * 86400


class _Advance(msgspec.Struct, forbid_unknown_fields=True):
    seconds: float


class _Door:
    def __init__(
        self,
        settings: Settings,
        faults: Faults,
        journal: Journal,
        projects: Projects,
        purge: Callable[[Callable[[], bool]], None],
    ) -> None:
        self._settings = settings
        self._faults = faults
        self._journal = journal
        self._projects = projects
        self._purge = purge

    async def add_fault(self, request: Request) -> Response:
        """``POST /testing/faults``."""
        return json_response(self._faults.add(await _read(request, Fault)), 201)

    async def list_faults(self, _request: Request) -> Response:
        """``GET /testing/faults``."""
        return json_response({"faults": self._faults.list()})

    async def clear_faults(self, _request: Request) -> Response:
        """``DELETE /testing/faults``."""
        self._faults.clear()
        return empty()

    async def remove_fault(self, request: Request) -> Response:
        """``DELETE /testing/faults/{number}``."""
        self._faults.remove(request.path_params["number"])
        return empty()

    async def list_requests(self, _request: Request) -> Response:
        """``GET /testing/requests``."""
        return json_response({"requests": [entry.shown() for entry in await self._journal.entries()]})

    async def clear_requests(self, _request: Request) -> Response:
        """``DELETE /testing/requests``."""
        self._journal.clear()
        return empty()

    async def show_clock(self, _request: Request) -> Response:
        """``GET /testing/clock``."""
        return self._clock()

    async def move_clock(self, request: Request) -> Response:
        """``POST /testing/clock``: move it, and purge what is old by then."""
        seconds = (await _read(request, _Advance)).seconds
        ahead = clock.shifted() + int(seconds * MICROSECONDS)
        if not (seconds >= 0 and ahead <= _FURTHEST * MICROSECONDS):
            raise BadRequest(f"The clock can be moved by 0 to {_FURTHEST} seconds in all, not by {seconds}.")
        clock.shift(ahead)
        await threads.change(self._purge, lambda: False)
        return self._clock()

    async def reset_clock(self, _request: Request) -> Response:
        """``DELETE /testing/clock``: the host's time again."""
        clock.shift(0)
        return empty()

    async def add_project(self, request: Request) -> Response:
        """``POST /testing/projects``: a project, its user, and a token."""
        added = await threads.change(self._projects.add, await _read(request, NewProject))
        services = catalog(public_url(self._settings, request.scope), self._settings.regions, added.project.region)
        body = {
            "project": {"id": added.project.id, "name": added.project.name, "region": added.project.region},
            "user": {"id": added.content.user.id, "name": added.content.user.name, "password": added.password},
            "token": added.token,
            "access": token_document(added.content, services),
        }
        return json_response(body, 201)

    async def remove_project(self, request: Request) -> Response:
        """``DELETE /testing/projects/{project}``, with all that it has."""
        await threads.change(self._projects.remove, request.path_params["project"])
        return empty()

    async def reset(self, _request: Request) -> Response:
        """``DELETE /testing``: everything that tests have left."""
        self._faults.clear()
        clock.shift(0)
        await threads.change(self._projects.reset)
        self._journal.clear()
        return empty()

    def _clock(self) -> Response:
        moment = clock.now()
        ahead = clock.shifted() / MICROSECONDS
        return json_response({"now": f"{iso_microseconds(moment)}Z", "time": moment / MICROSECONDS, "ahead": ahead})


def build_door(
    settings: Settings,
    faults: Faults,
    journal: Journal,
    projects: Projects,
    purge: Callable[[Callable[[], bool]], None],
) -> ASGIApp:
    """
    Return the application for `PREFIX` and everything below.

    Args:
        purge: Purges what is old; it gets a function that tells when to stop.
    """
    door = _Door(settings, faults, journal, projects, purge)
    below = partial(str.__add__, PREFIX)
    app = Starlette(
        routes=[
            route(PREFIX, DELETE=_guarded(door.reset)),
            route(
                below("/faults"),
                POST=_guarded(door.add_fault),
                GET=_guarded(door.list_faults),
                DELETE=_guarded(door.clear_faults),
            ),
            route(below("/faults/{number:int}"), DELETE=_guarded(door.remove_fault)),
            route(below("/requests"), GET=_guarded(door.list_requests), DELETE=_guarded(door.clear_requests)),
            route(
                below("/clock"),
                GET=_guarded(door.show_clock),
                POST=_guarded(door.move_clock),
                DELETE=_guarded(door.reset_clock),
            ),
            route(below("/projects"), POST=_guarded(door.add_project)),
            route(below("/projects/{project}"), DELETE=_guarded(door.remove_project)),
        ],
        exception_handlers={ServiceError: _refuse, HTTPException: _refuse},
    )
    app.router.redirect_slashes = False
    return app


def _guarded(handler: Callable[[Request], Any]) -> Callable[[Request], Any]:
    """Return *handler* for requests that come from this host, and from no web page."""

    async def guarded(request: Request) -> Response:
        if came_through_proxy(request.scope) or "origin" in request.headers or not _is_here(request.url.hostname or ""):
            raise Forbidden("/testing is for programs on this host: use a loopback address, and no proxy or browser.")
        answer: Response = await handler(request)
        return answer

    return guarded


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


async def _read(request: Request, kind: type[T]) -> T:
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise UnsupportedMedia("The body must be JSON: send Content-Type: application/json.")
    try:
        return msgspec.json.decode(await read_body(request, _MAX_BODY), type=kind)
    except msgspec.ValidationError as exc:
        raise BadRequest(f"The body is wrong: {exc}.") from exc
    except msgspec.DecodeError as exc:
        raise BadRequest(f"The body is not JSON: {exc}.") from exc


async def _refuse(_request: Request, exc: Exception) -> Response:
    if isinstance(exc, ServiceError):
        return json_response(_error(exc.message), status_of(exc), headers_of(exc))
    assert isinstance(exc, HTTPException)
    return json_response(_error("There is nothing at this path."), exc.status_code, exc.headers)


def _error(message: str) -> dict[str, str]:
    return {"error": message}
