"""Errors as HTTP has them: the status of each kind, and errors that only HTTP knows, with headers of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus

from ecl.server import errors
from ecl.server.errors import ServiceError

__all__ = [
    "HttpError",
    "MethodNotAllowed",
    "RangeNotSatisfiable",
    "TooBusy",
    "TooManyFailures",
    "UnsupportedPatch",
    "headers_of",
    "reason",
    "status_of",
]

#: Where OpenStack's words differ from those of this or a later Python.
_REASONS = {413: "Request Entity Too Large", 416: "Request Range Not Satisfiable"}

#: Seconds after which a client may try again what was unavailable.
_RETRY_AFTER = 5
#: The same for what waits for jobs to end.
_JOB_RETRY_AFTER = 30


def reason(status: int) -> str:
    """Return the phrase that goes with *status*: ``404`` gives ``Not Found``."""
    return _REASONS.get(status) or HTTPStatus(status).phrase


class HttpError(ServiceError):
    """An error whose answer has *headers* of its own."""

    def __init__(self, message: str, headers: Mapping[str, str]) -> None:
        super().__init__(message)
        self.headers = headers


class MethodNotAllowed(HttpError):
    """The path exists; the answer's ``Allow`` header names the methods that it has."""

    def __init__(self, method: str, allowed: Iterable[str]) -> None:
        names = ", ".join(sorted(allowed))
        super().__init__(f"The method {method} is not allowed for this resource, only {names}.", {"Allow": names})


class UnsupportedPatch(HttpError):
    """The content type of a PATCH is not one of those in the answer's ``Accept-Patch`` header."""


class RangeNotSatisfiable(HttpError):
    """The requested range lies outside the image; the answer's ``Content-Range`` header has the image's size."""


class TooBusy(HttpError):
    """
    The service has no room for the request now; the answer's ``Retry-After`` header says when to try again.

    Args:
        seconds: When the client should try again.
    """

    def __init__(self, message: str, seconds: int = 5) -> None:
        super().__init__(message, {"Retry-After": str(seconds)})


class TooManyFailures(TooBusy):
    """Too many attempts of this client have failed; it has to wait."""


_STATUSES: Mapping[type[ServiceError], int] = {
    errors.BadRequest: 400,
    errors.Unauthorized: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    MethodNotAllowed: 405,
    errors.Conflict: 409,
    errors.Gone: 410,
    errors.TooLarge: 413,
    errors.UnsupportedMedia: 415,
    UnsupportedPatch: 415,
    RangeNotSatisfiable: 416,
    errors.TooMany: 429,
    TooManyFailures: 429,
    errors.Unavailable: 503,
    TooBusy: 503,
    errors.NoSpace: 507,
}


def status_of(error: ServiceError) -> int:
    """Return the HTTP status of *error*; 500 for a kind that no request can cause."""
    return next((_STATUSES[kind] for kind in type(error).__mro__ if kind in _STATUSES), 500)


def headers_of(error: ServiceError) -> Mapping[str, str]:
    """Return the headers that the answer to *error* needs."""
    if isinstance(error, HttpError):
        return error.headers
    if isinstance(error, errors.TooMany):
        return {"Retry-After": str(_JOB_RETRY_AFTER)}
    if isinstance(error, errors.Unavailable):
        return {"Retry-After": str(_RETRY_AFTER if error.retry_after is None else error.retry_after)}
    return {}
