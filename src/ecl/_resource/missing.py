"""Which resource was not found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ecl import exceptions

__all__ = ["naming"]


@contextmanager
def naming(resource_type: type, identifier: object) -> Iterator[None]:
    """
    Say which resource was not found if the service answers 404. Notes on that error are kept.

    Raises:
        ResourceNotFound: The service answered 404.
    """
    try:
        yield
    except exceptions.NotFoundException as exc:
        missing = exceptions.ResourceNotFound(
            f"No {resource_type.__name__} found for {identifier}",
            details=exc.message,
            response=exc.response,
            request_id=exc.request_id,
            url=exc.url,
            method=exc.method,
            http_status=exc.http_status,
            cause=exc,
        )
        for note in getattr(exc, "__notes__", ()):
            missing.add_note(note)
        raise missing from exc
