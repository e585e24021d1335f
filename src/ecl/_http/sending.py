"""
One request to a service, over any keystoneauth1 session.

Everything that the SDK sends goes through :func:`request`: it finds the endpoint, repeats what can safely be sent
again, and turns every failure into one of :mod:`ecl.exceptions`.
"""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Any

from ecl import exceptions
from ecl._http import bounds, retry, stop, tls
from ecl._http.body import BodyFailed, StreamedBody, as_json
from ecl._http.endpoint import endpoint
from ecl._http.errors import is_silence, is_untrusted, translated
from ecl._http.sessions import below_adapter
from ecl.service_filter import ServiceFilter

if TYPE_CHECKING:
    import requests

    from ecl._http.sessions import SessionLike

__all__ = ["check", "request", "seconds_for"]

#: Seconds to connect, and seconds of silence from the service before a request is given up.
TIMEOUT = (10.0, 60.0)
#: Seconds of silence allowed where the service has to finish writing an image before it answers.
DATA_TIMEOUT = (10.0, 600.0)

_SAFE_METHODS = frozenset({"GET", "HEAD"})


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
    cancelled: threading.Event | None = None,
    **kwargs: Any,
) -> requests.Response:
    """
    Send one request and return its answer.

    Args:
        session: An ecl Session, or any keystoneauth1 Session or Adapter.
        path: Path below the unversioned endpoint, quoted: ``/v2/images/…``.
        service: Which service of the catalog it goes to.
        attempts: How often to send it in all when the connection fails or the answer is 429, 502, 503 or 504; by
            default four times, and then anything but GET and HEAD only after 429, or 503 with Retry-After: the service
            has not begun with it. A body that is streamed is sent once. Silence ends the first one.
        json: Body, sent as JSON.
        timeout: Seconds to connect, and seconds of silence to allow, where the session has no timeout of its own.
        cancelled: Once it is set, the request is not sent again.
        kwargs: Passed on to keystoneauth1: *data*, *params*, *stream* …

    Raises:
        Exception: What *data* raised while it was sent; the connection is closed then.
        InvalidRequest: *json* cannot be sent.
        HttpException: The service answered with an error; the class says which.
        ConnectFailure: There was no answer, or it did not end.
        InvalidResponse: The answer is too long: see :mod:`ecl._http.bounds`.
        EndpointNotFound: The catalog has no such service.
    """
    is_streamed = not isinstance(kwargs.get("data", b""), bytes)
    # Who says how often knows that it can be repeated.
    is_safe = method in _SAFE_METHODS or attempts is not None
    if attempts is None:
        attempts = 1 if is_streamed else retry.ATTEMPTS
    base = below_adapter(session)
    own_timeout = getattr(base, "timeout", None)
    if not own_timeout:
        # A session with timeout 0 waits for ever, which requests spells None.
        kwargs["timeout"] = timeout if own_timeout is None else None
    kwargs["hooks"] = bounds.bounded(base, streamed=kwargs.get("stream", False))
    # keystoneauth1 would take the token along to whatever host an answer names.
    kwargs.setdefault("redirect", False)
    headers = {"Accept": "application/json", **(headers or {})}
    if json is not None:
        headers["Content-Type"] = "application/json"
        kwargs["data"] = as_json(json)
    if is_streamed:
        kwargs["data"] = StreamedBody(kwargs["data"])
    for attempt in range(1, attempts + 1):
        last = attempt == attempts
        try:
            with translated(), tls.named_files(base):
                url = endpoint(session, service, path) + path
                response = session.request(url, method, headers=headers, raise_exc=False, **kwargs)
        except BodyFailed as exc:
            # Naming its cause again hides the wrapper from tracebacks.
            raise exc.error from exc.error.__cause__
        except exceptions.ConnectFailure as exc:
            stop.check()
            # A certificate that is not trusted now is not trusted a second later, and a caller that waited for a
            # silent service has waited long enough.
            hopeless = is_untrusted(exc) or is_silence(exc)
            if last or hopeless or not is_safe or not retry.pause(attempt, cancelled=cancelled):
                raise
            continue
        retry_after = response.headers.get("Retry-After")
        is_refused = retry.is_refused(response.status_code, retry_after)
        if last or not (is_refused or (is_safe and response.status_code in retry.RETRIED_STATUSES)):
            break
        response.close()
        if not retry.pause(attempt, retry_after, cancelled):
            break
    return check(response, method)


def seconds_for(session: SessionLike, timeout: tuple[float, float]) -> float:
    """Return how many seconds of silence a request with *timeout* allows on *session*; infinity: it waits for ever."""
    own: float | None = getattr(below_adapter(session), "timeout", None)
    return timeout[1] if own is None else own or math.inf


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
