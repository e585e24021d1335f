"""What keystoneauth1 and requests raise, as this library's exceptions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import keystoneauth1.exceptions as ksa_exceptions
import requests

from ecl import exceptions

__all__ = ["is_silence", "translated"]


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
    except ksa_exceptions.ClientException as exc:
        raise exceptions.SDKException(_words(exc), cause=exc) from exc
    except requests.exceptions.RequestException as exc:
        raise exceptions.ConnectFailure(f"The connection failed: {_reason(exc) or exc}", cause=exc) from exc


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


def _unreachable(exc: ksa_exceptions.ClientException) -> exceptions.SDKException:
    chain = list(_chain(exc))
    if not any(isinstance(each, ksa_exceptions.ConnectionError) for each in chain):
        return exceptions.EndpointNotFound(_words(exc))
    where = next((match for each in chain if (match := re.search(r"https?://[^\s/'\"]+", str(each)))), None)
    address = where.group().rstrip(":,.;") if where else "the service"
    if any(isinstance(each, ksa_exceptions.ConnectTimeout) for each in chain):
        reason = "no answer in time"
    else:
        reason = _reason(exc) or _words(exc)
    return exceptions.ConnectFailure(
        f"Cannot reach {address}: {reason}. Check the address and that the service is up.", cause=exc
    )


def is_silence(exc: BaseException) -> bool:
    """Tell whether *exc* comes from a service that took a connection and then did not answer in time."""
    return any(isinstance(each, requests.exceptions.ReadTimeout) for each in _chain(exc))


def _reason(exc: BaseException) -> str | None:
    """Find the system's own words in a chain of wrappers: ``Connection refused``."""
    for each in _chain(exc):
        if isinstance(each, OSError) and each.strerror and not isinstance(each, requests.exceptions.RequestException):
            return each.strerror
    return None


def _chain(exc: BaseException) -> Iterator[BaseException]:
    """Walk through what caused *exc*, however it was wrapped."""
    seen: set[int] = set()
    queue: list[object] = [exc]
    while queue:
        each = queue.pop(0)
        if not isinstance(each, BaseException) or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        queue += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]


def _words(exc: BaseException) -> str:
    return str(getattr(exc, "message", None) or exc)
