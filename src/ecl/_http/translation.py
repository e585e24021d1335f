"""
What keystoneauth1 and requests raise, as this library's exceptions.

Loaded when something was raised: importing the two libraries takes longer than a short command does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import keystoneauth1.exceptions as ksa_exceptions
import requests

from ecl import exceptions
from ecl._http import tls

__all__ = ["is_no_endpoint", "is_silence", "is_untrusted", "reason", "translate"]


def translate(exc: Exception) -> exceptions.SDKException | None:
    """Return *exc* as an exception of this library; None if it comes neither from keystoneauth1 nor from requests."""
    if isinstance(exc, ksa_exceptions.HttpError):
        return _from_http_error(exc)
    if isinstance(exc, (ksa_exceptions.ConnectionError, ksa_exceptions.DiscoveryFailure)):
        return _unreachable(exc)
    if isinstance(exc, (ksa_exceptions.EndpointNotFound, ksa_exceptions.CatalogException)):
        return exceptions.EndpointNotFound(_words(exc))
    if isinstance(exc, ksa_exceptions.InvalidResponse):
        return _no_keystone(exc)
    if isinstance(exc, ksa_exceptions.ClientException):
        return exceptions.SDKException(_words(exc), cause=exc)
    if isinstance(exc, requests.exceptions.RequestException):
        return exceptions.ConnectFailure(f"The connection failed: {reason(exc) or exc}", cause=exc)
    return None


def is_no_endpoint(exc: Exception) -> bool:
    """Tell whether *exc* is keystoneauth1's word for a catalog without such an endpoint."""
    return isinstance(exc, ksa_exceptions.EndpointNotFound)


def is_untrusted(exc: exceptions.SDKException) -> bool:
    """Tell whether *exc* comes from a certificate that is not accepted."""
    return isinstance(exc.cause, ksa_exceptions.SSLError)


def _from_http_error(exc: ksa_exceptions.HttpError) -> exceptions.HttpException:
    """Translate an error answer, most often Keystone's refusal of a log-in."""
    if exc.response is None:
        return exceptions.HttpException(
            _words(exc), request_id=exc.request_id, url=exc.url, method=exc.method,
            http_status=exc.http_status, cause=exc,
        )  # fmt: skip
    error = exceptions.from_response(exc.response, exc.method, cause=exc)
    if error.http_status == 401 and (error.url or "").endswith("/auth/tokens"):
        error.message += " Check user name, password and project."
    return error


def _no_keystone(exc: ksa_exceptions.InvalidResponse) -> exceptions.SDKException:
    """Translate an answer to a log-in that is no token: a portal, or a gateway with a log-in page of its own."""
    response: Any = exc.response
    if response is None:
        return exceptions.SDKException(_words(exc), cause=exc)
    kind = response.headers.get("Content-Type", "no content type")
    return exceptions.InvalidResponse(
        response, f"{response.url} answered the log-in with no token ({kind}): it is not a Keystone. Check auth_url"
    )


def _unreachable(exc: ksa_exceptions.ClientException) -> exceptions.SDKException:
    chain = list(_chain(exc))
    if not any(isinstance(cause, ksa_exceptions.ConnectionError) for cause in chain):
        words, bad, _ = _words(exc).partition("Invalid Response - Bad version data returned")
        return exceptions.EndpointNotFound(f"{words}What answers there is not a Keystone." if bad else words)
    where = next((match for cause in chain if (match := re.search(r"https?://[^\s/'\"]+", str(cause)))), None)
    address = where.group().rstrip(":,.;") if where else "the service"
    if any(isinstance(cause, ksa_exceptions.SSLError) for cause in chain):
        return exceptions.ConnectFailure(tls.explain(address, reason(exc) or _words(exc)), cause=exc)
    if any(isinstance(cause, ksa_exceptions.ConnectTimeout) for cause in chain):
        why = "no answer in time"
    else:
        why = reason(exc) or _words(exc)
    return exceptions.ConnectFailure(
        f"Cannot reach {address}: {why}. Check the address and that the service is up.", cause=exc
    )


def is_silence(exc: BaseException) -> bool:
    """Tell whether *exc* comes from a service that took a connection and then did not answer in time."""
    return any(isinstance(cause, requests.exceptions.ReadTimeout) for cause in _chain(exc))


def reason(exc: BaseException) -> str | None:
    """Find the system's own words in a chain of wrappers: ``Connection refused``."""
    for cause in _chain(exc):
        is_own = not isinstance(cause, requests.exceptions.RequestException)
        if isinstance(cause, OSError) and cause.strerror and is_own:
            return cause.strerror
    return None


def _chain(exc: BaseException) -> Iterator[BaseException]:
    """Yield *exc* and what caused it, through all wrappers."""
    seen: set[int] = set()
    queue: list[object] = [exc]
    while queue:
        cause = queue.pop(0)
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        queue += [cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args]


def _words(exc: BaseException) -> str:
    return str(getattr(exc, "message", None) or exc)
