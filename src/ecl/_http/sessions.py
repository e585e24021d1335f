"""What can send requests: ecl's own session, any keystoneauth1 Session or Adapter; and how long its token lasts."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from ecl import exceptions
from ecl._http.errors import translated

if TYPE_CHECKING:
    from keystoneauth1.adapter import Adapter
    from keystoneauth1.session import Session

    SessionLike = Session | Adapter

__all__ = ["as_session", "below_adapter", "renew_token_before_long_call"]

#: A call that may last gets a token that is good for this many seconds at least.
LONG_CALL = 300


def as_session(session: object) -> Any:
    """
    Return what can send requests: a keystoneauth1 Session or Adapter, or that of a connection.

    Region, interface, name and address of the image service are those of the connection. openstacksdk's Session knows
    its Connection; any other keystoneauth1 Session knows none of them.

    Raises:
        InvalidRequest: *session* is something else.
    """
    inner = getattr(session, "session", None)
    if hasattr(inner, "get_endpoint") and hasattr(getattr(session, "config", None), "get_interface"):
        return _adapter_of(inner, session.config)  # type: ignore[attr-defined]  # it has one
    if hasattr(session, "get_endpoint") and hasattr(session, "request"):
        try:
            config = session._sdk_connection.config  # type: ignore[attr-defined]  # where it has none, see below
        except (AttributeError, ReferenceError):
            return session
        return _adapter_of(session, config)
    if hasattr(inner, "get_endpoint"):
        return inner
    raise exceptions.InvalidRequest(
        "session must be an ecl Session, a keystoneauth1 Session or Adapter, or a connection that has one, not "
        + type(session).__name__
    )


def _adapter_of(session: Any, config: Any) -> Adapter:
    """Return what speaks to the image service as a connection of openstacksdk would, by its configuration."""
    from keystoneauth1.adapter import Adapter

    return Adapter(
        session,
        service_type=config.get_service_type("image"),
        service_name=config.get_service_name("image"),
        interface=config.get_interface("image"),
        region_name=config.get_region_name("image") or None,
        endpoint_override=config.get_endpoint("image"),
    )


def below_adapter(session: Any) -> Any:
    """Return the session that an Adapter sends through; any other session is that itself."""
    # A Session has a "session", too: the one of requests below it.
    inner = getattr(session, "session", None)
    return inner if hasattr(inner, "get_endpoint") else session


def renew_token_before_long_call(session: Any) -> None:
    """
    Get a new token if the present one ends within :data:`LONG_CALL` seconds.

    A service checks the token when a request begins; some check it again when it ends. If there is no way to get a
    new one (the caller gave a token instead of credentials), the present one is used to its end.

    Raises:
        UnauthorizedException: The token has ended, and the credentials are not accepted (any more).
    """
    base = below_adapter(session)
    auth = getattr(session, "auth", None) or getattr(base, "auth", None)
    access = getattr(auth, "get_access", None)
    if access is None:
        return
    with translated():
        expires = access(base).expires
    left = (expires - datetime.datetime.now(datetime.UTC)).total_seconds() if expires else LONG_CALL
    if left >= LONG_CALL:
        return
    present = getattr(auth, "auth_ref", None)
    try:
        with translated():
            session.invalidate()
            session.get_token()
    except exceptions.HttpException:
        if left <= 0 or present is None:
            raise
        auth.auth_ref = present  # type: ignore[union-attr]  # it has one
