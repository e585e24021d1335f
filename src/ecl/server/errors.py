"""
What can be wrong with a request, whichever API it came through.

    ServiceError
      BadRequest                Gone
      Unauthorized              TooLarge
      Forbidden                 UnsupportedMedia
      NotFound                  Unavailable
      Conflict                  NoSpace
      TooMany

The class is the kind of error. `ecl.server.http.errors` has the HTTP status of each.
"""

from __future__ import annotations

__all__ = [
    "BadRequest",
    "Conflict",
    "Forbidden",
    "Gone",
    "NoSpace",
    "NotFound",
    "ServiceError",
    "TooLarge",
    "TooMany",
    "Unauthorized",
    "Unavailable",
    "UnsupportedMedia",
]


class ServiceError(Exception):
    """A request that cannot be served; clients see *message*, so it holds no secrets."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BadRequest(ServiceError):
    """The request itself is wrong."""


class Unauthorized(ServiceError):
    """No token, an invalid or expired one, or a failed login."""

    def __init__(self, message: str = "This request needs a valid token in X-Auth-Token.") -> None:
        super().__init__(message)


class Forbidden(ServiceError):
    """The caller may see the resource but not do this to it."""


class NotFound(ServiceError):
    """The resource does not exist, or the caller may not see it."""


class Conflict(ServiceError):
    """The state of the resource does not allow this."""


class Gone(ServiceError):
    """The resource was there when the request began."""


class TooLarge(ServiceError):
    """A quota or a size limit is exceeded, or the disk is full."""


class TooMany(ServiceError):
    """The project has too much under way; a later attempt may succeed."""


class UnsupportedMedia(ServiceError):
    """The content type, or the content itself, is not what this resource accepts."""


class Unavailable(ServiceError):
    """Something that the service needs does not answer; a later attempt may succeed, after *retry_after* seconds."""

    def __init__(self, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NoSpace(ServiceError):
    """A disk that the service needs is full; the message says which."""
