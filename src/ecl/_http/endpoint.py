"""Where a service is, for any keystoneauth1 session."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ecl import exceptions
from ecl._http.errors import translated
from ecl.service_filter import ServiceFilter

if TYPE_CHECKING:
    from keystoneauth1.adapter import Adapter
    from keystoneauth1.session import Session

    SessionLike = Session | Adapter

__all__ = ["below_adapter", "endpoint"]

_VERSION_SUFFIX = re.compile(r"/v\d+(\.\d+)?$")


def endpoint(session: SessionLike, service: ServiceFilter) -> str:
    """
    Return the service's address without a version and without a trailing slash.

    Catalogs name it with and without ``/v2``; the resources' paths have the version in them.

    Raises:
        EndpointNotFound: The catalog has no such service.
    """
    wanted = service.get_filter()
    if getattr(session, "interface", None):
        # An Adapter's own preference.
        wanted.pop("interface", None)
    with translated():
        found = session.get_endpoint(skip_discovery=True, **wanted)
    if not found:
        described = ", ".join(f"{key} {value!r}" for key, value in wanted.items())
        raise exceptions.EndpointNotFound(
            f"The catalog has no endpoint with {described} in the region asked for; check the region name and the"
            " project's catalog, or give an endpoint override"
        )
    return _VERSION_SUFFIX.sub("", found.rstrip("/")).rstrip("/")


def below_adapter(session: Any) -> Any:
    """Return the session that an Adapter sends through; any other session is that itself."""
    # A Session has a "session", too: the one of requests below it.
    inner = getattr(session, "session", None)
    return inner if hasattr(inner, "get_endpoint") else session
