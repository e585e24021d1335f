"""The place of the identity API of a service that has none: it names the Keystone."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from ecl.server.http.routing import json_response

__all__ = ["build_no_identity_app"]


def build_no_identity_app(auth_url: str) -> ASGIApp:
    """Build what answers each request with 404 and the address of the Keystone."""
    message = f"There is nothing here: this service has no identity API of its own, tokens come from {auth_url}."
    body = {"error": {"code": 404, "title": "Not Found", "message": message}}

    async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
        await json_response(body, 404)(scope, receive, send)

    return refuse
