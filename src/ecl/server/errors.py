"""
What the service answers when it does not do what was asked.

    ServiceError
      BadRequest 400            Conflict 409
      Unauthorized 401          Gone 410
      Forbidden 403             TooLarge 413
      NotFound 404              UnsupportedMedia 415
      MethodNotAllowed 405      RangeNotSatisfiable 416
      Unavailable 503

Each API renders them in its own form: the image API by the request's Accept, identity as Keystone does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus

__all__ = [
    "BadRequest",
    "Conflict",
    "Forbidden",
    "Gone",
    "MethodNotAllowed",
    "NotFound",
    "RangeNotSatisfiable",
    "ServiceError",
    "TooLarge",
    "Unauthorized",
    "Unavailable",
    "UnsupportedMedia",
    "reason",
]

#: Where OpenStack's words differ from those of this or a later Python.
_REASONS = {413: "Request Entity Too Large", 416: "Request Range Not Satisfiable"}


def reason(status: int) -> str:
    """Return the phrase that goes with *status*: ``404`` gives ``Not Found``."""
    return _REASONS.get(status) or HTTPStatus(status).phrase


class ServiceError(Exception):
    """A request that ends with *status*; *message* is shown to the client, so it holds no secrets."""

    status = 500

    def __init__(self, message: str, *, status: int | None = None, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        if status is not None:
            self.status = status
        self.headers: Mapping[str, str] = headers or {}


class BadRequest(ServiceError):
    """The request itself is wrong."""

    status = 400


class Unauthorized(ServiceError):
    """No token, or one that is not (or no longer) valid; a failed login."""

    status = 401

    def __init__(
        self,
        message: str = "This request needs a valid token in X-Auth-Token.",
        *,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, status=status, headers=headers)


class Forbidden(ServiceError):
    """The caller may see the thing but not do this to it."""

    status = 403


class NotFound(ServiceError):
    """There is no such thing, or the caller may not see it."""

    status = 404


class MethodNotAllowed(ServiceError):
    """The path exists; the answer's ``Allow`` header names the methods that it has."""

    status = 405

    def __init__(self, method: str, allowed: Iterable[str]) -> None:
        names = ", ".join(sorted(allowed))
        super().__init__(
            f"The method {method} is not allowed for this resource, only {names}.", headers={"Allow": names}
        )


class Conflict(ServiceError):
    """The state of the thing does not allow this."""

    status = 409


class Gone(ServiceError):
    """The thing was there when the request began."""

    status = 410


class TooLarge(ServiceError):
    """A quota, a size limit, or the disk is full."""

    status = 413


class UnsupportedMedia(ServiceError):
    """The content type, or the content itself, is not what this resource takes."""

    status = 415


class RangeNotSatisfiable(ServiceError):
    """The asked part lies outside the image."""

    status = 416


class Unavailable(ServiceError):
    """Something behind the service does not answer; trying again later may help."""

    status = 503
