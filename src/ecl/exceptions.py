"""
Every error that a user of the SDK can meet.

::

    SDKException
    ├── ConfigException            clouds.yaml or an OS_* variable cannot be used
    ├── ConnectFailure             no answer: unreachable host, closed connection, time-out
    ├── EndpointNotFound           the catalog has no such service
    ├── FileFailure                a local file could not be read or written (also an OSError)
    ├── InvalidRequest             refused here, before any traffic (also a ValueError)
    ├── InvalidResponse            the answer is not what the API promises
    │   ├── DigestMismatch         the bytes are not those that the service has a hash of
    │   └── SignatureMismatch      the image's signature is not of its data and the certificate, or is missing
    ├── MethodNotSupported         the resource has no such operation
    ├── DuplicateResource          two of one name
    ├── ResourceTimeout            waited for too long (also a TimeoutError)
    ├── ResourceFailure            reached a status from which it cannot recover
    └── HttpException              the service answered with an error
        ├── BadRequestException        400
        ├── UnauthorizedException      401
        ├── ForbiddenException         403
        ├── NotFoundException          404
        │   └── ResourceNotFound       404, for a resource that was asked for by ID or name
        ├── ConflictException          409
        ├── GoneException              410
        ├── TooLargeException          413
        ├── UnsupportedMediaException  415
        ├── ClientException            any other 4xx
        └── ServerException            5xx

Each has ``message``, ``details``, ``http_status``, ``request_id``, ``url`` and ``method``; None where unknown.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import requests

__all__ = [
    "BadRequestException",
    "ClientException",
    "ConfigException",
    "ConflictException",
    "ConnectFailure",
    "DigestMismatch",
    "DuplicateResource",
    "EndpointNotFound",
    "FileFailure",
    "ForbiddenException",
    "GoneException",
    "HttpException",
    "InvalidRequest",
    "InvalidResponse",
    "MethodNotSupported",
    "NotFoundException",
    "ResourceFailure",
    "ResourceNotFound",
    "ResourceTimeout",
    "SDKException",
    "ServerException",
    "SignatureMismatch",
    "TooLargeException",
    "UnauthorizedException",
    "UnsupportedMediaException",
    "from_response",
]


class SDKException(Exception):
    """The root of all errors that this library raises."""

    details: str | None = None
    http_status: int | None = None
    request_id: str | None = None
    url: str | None = None
    method: str | None = None
    #: True: all bytes of an upload were sent, and the service may be storing them though no answer came. The image was
    #: left as it is, also one that was created for this upload.
    may_be_stored: bool = False

    def __init__(self, message: str | None = None, cause: BaseException | None = None) -> None:
        self.message = type(self).__name__ if message is None else message
        self.cause = cause
        super().__init__(self.message)

    def __str__(self) -> str:
        return self.message


class ConfigException(SDKException):
    """clouds.yaml, secure.yaml or an OS_* variable is missing, malformed or not supported."""


class ConnectFailure(SDKException):
    """The service gave no answer: unreachable, refused, cut off, or too slow."""


class EndpointNotFound(SDKException):
    """The catalog has no endpoint for the service, region and interface."""


class FileFailure(SDKException, OSError):
    """
    A local file could not be read or written; the disk may be full.

    ``errno``, ``strerror`` and ``filename`` are the system's, where it said something.
    """

    def __init__(self, message: str | None = None, cause: BaseException | None = None) -> None:
        super().__init__(message, cause)
        if isinstance(cause, OSError):
            self.errno, self.strerror, self.filename = cause.errno, cause.strerror, cause.filename


class InvalidRequest(SDKException, ValueError):
    """An argument cannot be right; nothing was sent."""


class InvalidResponse(SDKException):
    """The service's answer is not what its API promises."""

    def __init__(self, response: requests.Response | str | None = None, message: str | None = None) -> None:
        if isinstance(response, str):
            message, response = response, None
        super().__init__(message)
        self.response = response
        if response is not None:
            self.http_status = response.status_code
            self.url = response.url


class DigestMismatch(InvalidResponse):
    """The bytes that were moved do not have the hash that the service names."""


class SignatureMismatch(InvalidResponse):
    """An image has no signature, or not one of its data by the certificate that it was verified with."""


class MethodNotSupported(SDKException):
    """The resource does not support this operation."""

    def __init__(self, resource: object, method: str) -> None:
        cls = resource if isinstance(resource, type) else type(resource)
        super().__init__(f"The {method} method is not supported for {cls.__module__}.{cls.__name__}")


class DuplicateResource(SDKException):
    """More than one resource has that name."""


class ResourceTimeout(SDKException, TimeoutError):
    """The resource did not reach the wanted status in time."""


class ResourceFailure(SDKException):
    """The resource reached a status that it cannot recover from."""


class HttpException(SDKException):
    """The service answered with an error status."""

    def __init__(
        self,
        message: str | None = None,
        details: str | None = None,
        response: requests.Response | None = None,
        request_id: str | None = None,
        url: str | None = None,
        method: str | None = None,
        http_status: int | None = None,
        cause: BaseException | None = None,
    ) -> None:
        super().__init__(message, cause)
        self.details = details
        self.response = response
        self.request_id = request_id
        self.url = url
        self.method = method
        self.http_status = http_status

    def __str__(self) -> str:
        context = []
        if self.http_status:
            context.append(f"HTTP {self.http_status}")
        if self.method and self.url:
            context.append(f"{self.method} {self.url}")
        if self.request_id:
            context.append(f"request ID {self.request_id}")
        text = self.message
        if self.details and self.details != self.message:
            text += f" {self.details}"
        return f"{text} ({', '.join(context)})" if context else text


class BadRequestException(HttpException):
    """HTTP 400: the service finds the request malformed."""


class UnauthorizedException(HttpException):
    """HTTP 401: no valid token, or wrong credentials."""


class ForbiddenException(HttpException):
    """HTTP 403: visible, but not allowed."""


class NotFoundException(HttpException):
    """HTTP 404: nothing there, or nothing that the caller may see."""


class ResourceNotFound(NotFoundException):
    """No resource has that ID or name."""


class ConflictException(HttpException):
    """HTTP 409: the resource is in a state that does not allow it."""


class GoneException(HttpException):
    """HTTP 410: the image was deleted while its data was being sent."""


class TooLargeException(HttpException):
    """HTTP 413: over a quota or a size limit."""


class UnsupportedMediaException(HttpException):
    """HTTP 415: the content is not of the declared format."""


class ClientException(HttpException):
    """Any other HTTP 4xx."""


class ServerException(HttpException):
    """HTTP 5xx: the service failed."""


_BY_STATUS: dict[int, type[HttpException]] = {
    400: BadRequestException,
    401: UnauthorizedException,
    403: ForbiddenException,
    404: NotFoundException,
    409: ConflictException,
    410: GoneException,
    413: TooLargeException,
    415: UnsupportedMediaException,
}

# Bytes read of an error body, and characters kept of the message. A gateway's error page can be long.
_BODY_LIMIT = 64 * 1024
_MESSAGE_LIMIT = 1000


def from_response(
    response: requests.Response, method: str | None = None, cause: BaseException | None = None
) -> HttpException:
    """Make the error that an answer with status 400 or above stands for, with the service's own words."""
    status = response.status_code
    cls = _BY_STATUS.get(status) or (ServerException if status >= 500 else ClientException)
    headers = response.headers
    return cls(
        message=_message_of(response) or f"{response.reason or 'Error'}",
        response=response,
        request_id=headers.get("x-openstack-request-id") or headers.get("x-compute-request-id"),
        url=response.url,
        method=method or response.request.method,
        http_status=status,
        cause=cause,
    )


def _message_of(response: requests.Response) -> str | None:
    """Return the sentence in an error body, whichever of the known shapes it has."""
    text = _beginning_of(response).decode("utf-8", "replace").strip()
    if not text:
        return None
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return _plain(_without_status_line(text, response.status_code))
    found = _from_json(content)
    return _plain(found) if found else None


def _beginning_of(response: requests.Response) -> bytes:
    """Return the beginning of a body; of one that is still on its way, no more is read."""
    # requests: False until it has been read.
    present: Any = response._content
    if present is not False:
        return (present or b"")[:_BODY_LIMIT]
    try:
        body = bytes(response.raw.read(_BODY_LIMIT, decode_content=True))
    except Exception:  # noqa: BLE001 - whatever broke off the body, the status is known
        body = b""
    response._content = body
    response.close()
    return body


def _from_json(content: Any, depth: int = 3) -> str | None:
    """
    Find the message in a JSON error, at most *depth* levels down.

    Glance: ``{"message"}``. Keystone and others: ``{"<name>": {"message"}}``. The API gateway of ECL:
    ``{"fault": {"faultstring"}}``. Its IAM: ``{"errorMessage"}``.
    """
    if not isinstance(content, dict) or not depth:
        return None
    for key in ("message", "errorMessage", "faultstring", "detail"):
        if isinstance(content.get(key), str):
            return str(content[key])
    return next((found for value in content.values() if (found := _from_json(value, depth - 1))), None)


def _without_status_line(text: str, status: int) -> str:
    """Drop ``404 Not Found`` and the blank line (or ``<h1>``, ``<title>``) that precede the sentence."""
    text = re.sub(r"(?is)<(head|style|script)\b.*?</\1>|<h1>.*?</h1>", " ", text)
    return re.sub(rf"^\s*{status}\b[^\n]*\n", "", text)


def _plain(text: str) -> str:
    """Strip tags and entities, fold white space, drop what a terminal would obey, and shorten."""
    import html

    words = " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())
    shown = "".join(character for character in words if character.isprintable())
    return shown if len(shown) <= _MESSAGE_LIMIT else shown[:_MESSAGE_LIMIT] + " …"
