"""
One request to a service, over any keystoneauth1 session.

Everything that the resources send goes through :func:`request`: it finds the endpoint, retries what is safe to
retry, and turns every failure into one of :mod:`ecl.exceptions`.
"""

from __future__ import annotations

import datetime
import email.utils
import json as json_module
import random
import re
import threading
import time
import urllib.parse
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import keystoneauth1.exceptions as ksa_exceptions
import requests

from ecl import _catalog, _tls, exceptions
from ecl.service_filter import ServiceFilter

if TYPE_CHECKING:
    from keystoneauth1.adapter import Adapter
    from keystoneauth1.session import Session

    SessionLike = Session | Adapter

__all__ = [
    "as_json",
    "below_adapter",
    "check",
    "endpoint",
    "is_silence",
    "json_of",
    "pause",
    "request",
    "segment",
    "text",
    "translated",
]

#: Seconds to connect, and seconds of silence from the service before a request is given up.
TIMEOUT = (10.0, 60.0)
#: Seconds of silence allowed where the service has to finish writing an image before it answers.
DATA_TIMEOUT = (10.0, 600.0)
#: How often a safe request is sent in all.
ATTEMPTS = 4
#: Answers after which a safe request is sent again.
RETRIED_STATUSES = frozenset({502, 503, 504})
#: Longest pause between two attempts, in seconds, whatever Retry-After asks for.
LONGEST_PAUSE = 30.0

_SAFE_METHODS = frozenset({"GET", "HEAD"})
_VERSION_SUFFIX = re.compile(r"/v\d+(\.\d+)?$")


def request(
    session: SessionLike,
    method: str,
    path: str,
    *,
    service: ServiceFilter,
    headers: dict[str, str] | None = None,
    json: object = None,
    attempts: int | None = None,
    timeout: tuple[float, float] = TIMEOUT,
    over: threading.Event | None = None,
    **kwargs: Any,
) -> requests.Response:
    """
    Send one request and return its answer.

    Args:
        session: An ecl Session, or any keystoneauth1 Session or Adapter.
        path: Path below the unversioned endpoint, quoted: ``/v2/images/…``.
        service: Which service of the catalog it goes to.
        attempts: How often to send it in all when the connection fails or the answer is 502, 503 or 504; by
            default four times for GET and HEAD, once for anything else. Silence ends the first one.
        json: Body, sent as JSON.
        timeout: Seconds to connect, and seconds of silence to allow, where the session has no timeout of its own.
        over: Once it is set, the request is not sent again.
        kwargs: Passed on to keystoneauth1: *data*, *params*, *stream* …

    Raises:
        Exception: What *data* raised while it was sent; the connection is closed then.
        InvalidRequest: *json* cannot be sent.
        HttpException: The service answered with an error; the class says which.
        ConnectFailure: There was no answer.
        EndpointNotFound: The catalog has no such service.
    """
    if attempts is None:
        attempts = ATTEMPTS if method in _SAFE_METHODS else 1
    own_timeout = getattr(below_adapter(session), "timeout", None)
    if not own_timeout:
        # A session with timeout 0 waits for ever, which requests spells None.
        kwargs["timeout"] = timeout if own_timeout is None else None
    # keystoneauth1 would take the token along to whatever host an answer names.
    kwargs.setdefault("redirect", False)
    headers = {"Accept": "application/json", **(headers or {})}
    if json is not None:
        headers["Content-Type"] = "application/json"
        kwargs["data"] = as_json(json)
    if not isinstance(kwargs.get("data", b""), bytes):
        kwargs["data"] = _Body(kwargs["data"])
    for attempt in range(1, attempts + 1):
        last = attempt == attempts
        try:
            with translated(), _tls.named_files(below_adapter(session)):
                url = endpoint(session, service) + path
                response = session.request(url, method, headers=headers, raise_exc=False, **kwargs)
        except _BodyFailed as exc:
            # Naming its cause again hides the wrapper from tracebacks.
            raise exc.error from exc.error.__cause__
        except exceptions.ConnectFailure as exc:
            # A certificate that is not trusted now is not trusted a second later, and who waited for a silent service
            # has waited long enough.
            hopeless = isinstance(exc.cause, ksa_exceptions.SSLError) or is_silence(exc)
            if last or hopeless or not pause(attempt, over=over):
                raise
            continue
        if last or response.status_code not in RETRIED_STATUSES:
            break
        response.close()
        if not pause(attempt, response.headers.get("Retry-After"), over):
            break
    return check(response, method)


class _BodyFailed(Exception):
    """Carries an error of a request's body through the libraries that send it."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


class _Body:
    """
    The body of a request: *blocks*, whose errors leave it as :class:`_BodyFailed`.

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
            raise _BodyFailed(exc) from exc


def below_adapter(session: Any) -> Any:
    """Return the session that an Adapter sends through; any other session is that itself."""
    # A Session has a "session", too: the one of requests below it.
    inner = getattr(session, "session", None)
    return inner if hasattr(inner, "get_endpoint") else session


def check(response: requests.Response, method: str) -> requests.Response:
    """
    Return *response* if it says that all went well.

    Raises:
        HttpException: It is an error.
        InvalidResponse: It points elsewhere, as a Glance does with its versions for a path that it does not know.
    """
    if response.status_code >= 400:
        raise exceptions.from_response(response, method)
    if response.status_code >= 300:
        response.close()
        raise exceptions.InvalidResponse(
            response,
            f"{method} {response.url} was answered by {response.status_code} {response.reason}; is this the image"
            " service's address?",
        )
    return response


def endpoint(session: SessionLike, service: ServiceFilter) -> str:
    """
    Return the service's address without a version and without a trailing slash.

    Catalogs name it with and without ``/v2``; the resources' paths have the version in them.

    Raises:
        EndpointNotFound: The catalog has no such service.
    """
    wanted = service.get_filter()
    with translated():
        _catalog.check_region(session, wanted)
    if getattr(session, "interface", None):
        # An Adapter's own preference.
        wanted.pop("interface", None)
    with translated():
        try:
            found = session.get_endpoint(skip_discovery=True, **wanted)
        except ksa_exceptions.EndpointNotFound:
            found = None
    if not found:
        raise exceptions.EndpointNotFound(_catalog.missing(session, wanted))
    return _VERSION_SUFFIX.sub("", found.rstrip("/")).rstrip("/")


def segment(value: object, what: str) -> str:
    """
    Quote *value* as one segment of a path.

    Args:
        what: What it is, for the error: ``image ID``.

    Raises:
        InvalidRequest: It is empty, or no text, or cannot be a segment.
    """
    value = text(value, what)
    # HTTP clients and servers take these two as steps in the path even when they are quoted.
    if value in (".", ".."):
        raise exceptions.InvalidRequest(f"{what} {value!r} cannot be part of a URL")
    return urllib.parse.quote(value, safe="")


def text(value: object, what: str) -> str:
    """
    Return *value*, which is text or a UUID, as text.

    Raises:
        InvalidRequest: It is empty, or neither.
    """
    if isinstance(value, uuid.UUID):
        return str(value)
    if not isinstance(value, str):
        raise exceptions.InvalidRequest(f"{what} must be text, not {type(value).__name__}")
    if not value:
        raise exceptions.InvalidRequest(f"{what} is empty")
    return value


def as_json(value: object) -> bytes:
    """
    Return *value* as JSON; UUIDs and datetimes become text.

    Raises:
        InvalidRequest: There is something in it that JSON has no form for.
    """
    try:
        return json_module.dumps(value, default=_json_form, allow_nan=False).encode()
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


def pause(attempt: int, retry_after: str | None = None, over: threading.Event | None = None) -> bool:
    """
    Sleep before the next attempt: what the service asked for, else half a second, doubled each time.

    Up to a quarter is random, so that many clients do not come back all at once.

    Args:
        over: Ends the pause when it is set.

    Returns:
        False if *over* is set: there is to be no next attempt.
    """
    seconds = _seconds_of(retry_after)
    if seconds is None:
        seconds = 0.5 * 2 ** (attempt - 1) * random.uniform(0.75, 1.0)  # noqa: S311 - jitter, not a secret
    _sleep(min(max(seconds, 0.0), LONGEST_PAUSE), over)
    return over is None or not over.is_set()


def _sleep(seconds: float, over: threading.Event | None) -> None:
    if over is None:
        time.sleep(seconds)
    else:
        over.wait(seconds)


def _seconds_of(retry_after: str | None) -> float | None:
    """Parse Retry-After (RFC 9110, 10.2.3): seconds, or a date."""
    if not retry_after:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        return email.utils.parsedate_to_datetime(retry_after).timestamp() - time.time()
    except (ValueError, TypeError):
        return None


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
    if not any(isinstance(each, ksa_exceptions.ConnectionError) for each in chain):
        return exceptions.EndpointNotFound(_words(exc))
    where = next((match for each in chain if (match := re.search(r"https?://[^\s/'\"]+", str(each)))), None)
    address = where.group().rstrip(":,.;") if where else "the service"
    if any(isinstance(each, ksa_exceptions.SSLError) for each in chain):
        return exceptions.ConnectFailure(_tls.explain(address, _reason(exc) or _words(exc)), cause=exc)
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
