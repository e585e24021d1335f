"""Where a service is, for any keystoneauth1 session."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ecl import exceptions
from ecl._http import catalog
from ecl._http.errors import is_no_endpoint, translated
from ecl.service_filter import ServiceFilter

if TYPE_CHECKING:
    from ecl._http.sessions import SessionLike

__all__ = ["endpoint"]

_VERSION_SUFFIX = re.compile(r"/v\d+(\.\d+)?$")
_VERSION_PREFIX = re.compile(r"/v\d+(\.\d+)?(/|$)")


def endpoint(session: SessionLike, service: ServiceFilter, path: str = "/v2") -> str:
    """
    Return the service's address without a trailing slash; and without a version, if *path* begins with one.

    Catalogs name it with and without ``/v2``; the paths of the image API have the version in them.

    Raises:
        EndpointNotFound: The catalog has no such service.
    """
    wanted = service.get_filter()
    with translated():
        catalog.check_region(session, wanted)
    if getattr(session, "interface", None):
        # An Adapter's own preference.
        wanted.pop("interface", None)
    with translated():
        try:
            found = session.get_endpoint(skip_discovery=True, **wanted)
        except Exception as exc:
            if not is_no_endpoint(exc):
                raise
            found = None
    if not found:
        raise exceptions.EndpointNotFound(catalog.missing(session, wanted))
    address = found.rstrip("/")
    return _VERSION_SUFFIX.sub("", address).rstrip("/") if _VERSION_PREFIX.match(path) else address
