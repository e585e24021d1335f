"""A request to the image API: the caller, the region, and the body, read within bounds."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request

from ecl.server.data.node import Node
from ecl.server.data.region import Region
from ecl.server.db.engine import Database
from ecl.server.domain.access import image_not_found
from ecl.server.domain.caller import Caller
from ecl.server.domain.ids import is_uuid
from ecl.server.domain.protection import PropertyProtection
from ecl.server.errors import BadRequest
from ecl.server.http.body import Body, read_body
from ecl.server.http.slots import TransferSlots
from ecl.server.jobs.copies.replicator import Replicator
from ecl.server.jobs.imports.importer import Importer
from ecl.server.jobs.peers.destinations import Destinations
from ecl.server.jobs.prefetch import Prefetcher
from ecl.server.settings.model import Settings

__all__ = ["ImageRequest", "Service"]

#: Most fields of a query string; what parses them may allow fewer.
_MAX_QUERY_FIELDS = 1000


class Service:
    """What the handlers of one region share."""

    def __init__(
        self,
        region: Region,
        database: Database,
        settings: Settings,
        *,
        node: Node,
        importer: Importer,
        replicator: Replicator,
        destinations: Destinations,
        slots: TransferSlots,
        prefetcher: Prefetcher,
    ) -> None:
        self.region = region
        self.database = database
        self.settings = settings
        self.node = node
        self.protection = PropertyProtection(settings.property_rules)
        self.importer = importer
        self.replicator = replicator
        self.destinations = destinations
        self.slots = slots
        self.prefetcher = prefetcher


class ImageRequest(Request):
    """A request that has passed authentication."""

    @property
    def service(self) -> Service:
        """The region that the request is for, with its database and settings."""
        service: Service = self.scope["ecl.service"]
        return service

    @property
    def caller(self) -> Caller:
        """The user and project of the token."""
        caller: Caller = self.scope["ecl.caller"]
        return caller

    @property
    def endpoint(self) -> str:
        """The absolute URL by which the client reached the region, without a slash at the end."""
        endpoint: str = self.scope["ecl.endpoint"]
        return endpoint

    @property
    def image_id(self) -> str:
        """The image ID of the path, in lower case. Raises NotFound if it is not a UUID."""
        text: str = self.path_params["image_id"]
        image_id = text.lower()
        if not is_uuid(image_id):
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
            BadRequest: There is no body, or it is not JSON.
            TooLarge: The body is longer than ``limits.max_json_body``.
        """
        body = await read_body(self, self.service.settings.limits.max_json_body)
        try:
            value = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
            raise BadRequest("The request needs a body in JSON, and this is not JSON.") from exc
        # PostgreSQL cannot store this character, so no database gets it.
        if b"\\u0000" in body and _has_nul(value):
            raise BadRequest("A text in the body holds a NUL character.")
        return value

    async def refuse_body(self) -> None:
        """Raise BadRequest if the request has a body."""
        if self.headers.get("content-length", "0") != "0" or "transfer-encoding" in self.headers:
            async for _chunk in self.body_reader().chunks():
                raise BadRequest("This request takes no body.")

    def body_reader(self) -> Body:
        """Return the body, to be read once."""
        return Body(self.scope, self.receive)


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any("\0" in key or _has_nul(item) for key, item in value.items())
    return isinstance(value, list) and any(_has_nul(item) for item in value)
