"""Where a service is, for any keystoneauth1 session."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ecl import exceptions
from ecl._http.errors import translated
from ecl.service_filter import ServiceFilter

if TYPE_CHECKING:
    from ecl._http.sessions import SessionLike

__all__ = ["endpoint"]

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
