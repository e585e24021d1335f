"""Every request has an ID, in the log and in the ``x-openstack-request-id`` of the response."""

from __future__ import annotations

import re
import uuid

from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["RequestIds"]

_HEADER = b"x-openstack-request-id"
_ACCEPTED_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class RequestIds:
    """
    Middleware that gives each request an ID (``scope["ecl.request_id"]``) and sends it with the response.

    An ID from the client is kept, after ``req-`` if that is missing, unless it has more than 64 characters or
    characters that do not belong in a log.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [pair for pair in message["headers"] if pair[0].lower() != _HEADER]
                message["headers"] = [*headers, (_HEADER, request_id.encode())]
            await send(message)

        await self._app({**scope, "ecl.request_id": request_id}, receive, send_with_id)


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == _HEADER and _ACCEPTED_ID.fullmatch(value):
            text: str = value.decode()
            return text if text.startswith("req-") else f"req-{text}"
    return f"req-{uuid.uuid4()}"
