"""One request to the image API: who asks whom, and its body, read within bounds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request

from ecl.server.data.region import Region
from ecl.server.db.engine import Database
from ecl.server.domain.access import image_not_found
from ecl.server.domain.protection import PropertyProtection
from ecl.server.errors import BadRequest, TooLarge
from ecl.server.http.body import Body
from ecl.server.identity.caller import Caller
from ecl.server.settings.model import Settings

__all__ = ["ImageRequest", "Service"]

#: Most fields of a query string; whoever reads them bounds them further.
_MAX_QUERY_FIELDS = 1000
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Service:
    """What every handler of one region works with."""

    region: Region
    database: Database
    settings: Settings
    protection: PropertyProtection


class ImageRequest(Request):
    """A request that has passed authentication."""

    @property
    def service(self) -> Service:
        """The region that is asked, and its database and settings."""
        service: Service = self.scope["ecl.service"]
        return service

    @property
    def caller(self) -> Caller:
        """Who asks."""
        caller: Caller = self.scope["ecl.caller"]
        return caller

    @property
    def endpoint(self) -> str:
        """The region's endpoint as the client reached it, absolute and without a slash at the end."""
        endpoint: str = self.scope["ecl.endpoint"]
        return endpoint

    @property
    def image_id(self) -> str:
        """The image ID of the path, in lower case. Raises NotFound if it is not shaped like one."""
        text: str = self.path_params["image_id"]
        image_id = text.lower()
        if not _UUID.fullmatch(image_id):
            raise image_not_found(text)
        return image_id

    def query(self) -> list[tuple[str, str]]:
        """Return the decoded parameters in order, empty values included. Raises BadRequest."""
        try:
            return parse_qsl(
                self.scope["query_string"].decode(),
                keep_blank_values=True,
                errors="strict",
                max_num_fields=_MAX_QUERY_FIELDS,
            )
        except ValueError as exc:
            raise BadRequest("The query string cannot be decoded, or has too many parameters.") from exc

    async def read_json(self) -> Any:
        """
        Return the decoded JSON body.

        Raises:
            BadRequest: There is none, or it is not JSON.
            TooLarge: It is longer than ``limits.max_json_body``.
        """
        maximum = self.service.settings.limits.max_json_body
        too_large = TooLarge(f"A request body may have at most {maximum} bytes.")
        declared = self.headers.get("content-length", "")
        if declared.isdecimal() and int(declared[:20]) > maximum:
            raise too_large
        body = bytearray()
        async for chunk in self.body_reader().chunks():
            body += chunk
            if len(body) > maximum:
                raise too_large
        try:
            value = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
            raise BadRequest("The request needs a body in JSON, and this is not JSON.") from exc
        # Not every database can hold this character; so none does.
        if b"\\u0000" in body and _has_nul(value):
            raise BadRequest("A text in the body holds a NUL character.")
        return value

    async def refuse_body(self) -> None:
        """Raise BadRequest if the request has a body."""
        if self.headers.get("content-length", "0") != "0" or "transfer-encoding" in self.headers:
            async for _chunk in self.body_reader().chunks():
                raise BadRequest("This request takes no body.")

    def body_reader(self) -> Body:
        """Return what reads the body; whoever asks for it is the only one who does."""
        return Body(self.scope, self.receive)


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any("\0" in key or _has_nul(item) for key, item in value.items())
    return isinstance(value, list) and any(_has_nul(item) for item in value)
