"""Bodies: JSON in both directions, and streams that are sent."""

from __future__ import annotations

import datetime
import json
import uuid
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ecl import exceptions

if TYPE_CHECKING:
    import requests

__all__ = ["BodyFailed", "StreamedBody", "as_json", "json_of"]


def as_json(value: object) -> bytes:
    """
    Return *value* as JSON; UUIDs and datetimes become text.

    Raises:
        InvalidRequest: There is something in it that JSON has no form for.
    """
    try:
        return json.dumps(value, default=_json_form, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as exc:
        raise exceptions.InvalidRequest(f"This cannot be sent as JSON: {exc}") from exc


def _json_form(value: object) -> str:
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    raise TypeError(f"a value of type {type(value).__name__}")


def json_of(response: requests.Response) -> Any:
    """
    Return the parsed body of an answer.

    Raises:
        InvalidResponse: The body is not JSON.
    """
    try:
        return response.json()
    except (ValueError, RecursionError) as exc:
        kind = response.headers.get("Content-Type", "no content type")
        raise exceptions.InvalidResponse(
            response, f"The answer of {response.url} is not JSON ({kind}); is this the image service's address?"
        ) from exc


class BodyFailed(Exception):
    """Carries an error of a request's body through the libraries that send it."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


class StreamedBody:
    """
    A body in blocks, whose errors leave it as :class:`BodyFailed`.

    urllib3 takes an OSError of a body for one of the connection. At a BrokenPipeError it even waits for the answer,
    which a service that waits for the rest of the body never sends.
    """

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = blocks
        size = getattr(blocks, "len", None)
        if size is not None:
            # requests takes Content-Length from here; without it the body is sent in chunks.
            self.len = size

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._blocks
        except Exception as exc:
            raise BodyFailed(exc) from exc
