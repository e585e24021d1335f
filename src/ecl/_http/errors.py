"""What keystoneauth1 and requests raise, as this library's exceptions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keystoneauth1.exceptions as ksa_exceptions
import requests

from ecl import exceptions
from ecl._http import tls

__all__ = ["is_silence", "reason", "translated"]


@contextmanager
def translated() -> Iterator[None]:
    """Turn what keystoneauth1 and requests raise into this library's exceptions."""
    try:
        yield
    except ksa_exceptions.HttpError as exc:
        raise _from_http_error(exc) from exc
    except (ksa_exceptions.ConnectionError, ksa_exceptions.DiscoveryFailure) as exc:
        raise _unreachable(exc) from exc
    except (ksa_exceptions.EndpointNotFound, ksa_exceptions.CatalogException) as exc:
        raise exceptions.EndpointNotFound(_words(exc)) from exc
    except ksa_exceptions.InvalidResponse as exc:
        raise _no_keystone(exc) from exc
    except ksa_exceptions.ClientException as exc:
        raise exceptions.SDKException(_words(exc), cause=exc) from exc
    except requests.exceptions.RequestException as exc:
        raise exceptions.ConnectFailure(f"The connection failed: {reason(exc) or exc}", cause=exc) from exc


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
