"""The versions of the image API, and the paths and Accept headers that select one."""

from __future__ import annotations

import re
from typing import Any

from starlette.responses import Response

from ecl.server.http.routing import json_response

__all__ = ["VERSIONS", "is_version_document", "version_response", "versioned_path"]

#: Minor versions only tell which features exist; this is the list of a Glance with several stores and no cache.
VERSIONS = (
    ("v2.17", "CURRENT"),
    *((f"v2.{minor}", "SUPPORTED") for minor in (15, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)),
)
_PREFIXES = frozenset({"v2", *(name for name, _status in VERSIONS)})
_VERSIONED = re.compile(r"/(v2(?:\.[0-9]+)?)(?:/+(.*))?", re.DOTALL)
_BY_ACCEPT = re.compile(r"\s*application/vnd\.openstack\.images-(v2(?:\.[0-9]+)?)\b", re.IGNORECASE)


def versioned_path(path: str, accept: str | None) -> str | None:
    """
    Return *path*, relative to the endpoint, as a path below ``/v2``, or None if its version is unknown.

    ``/v2.7/images`` and, with *accept* naming a version, ``/images`` are ``/v2/images``.
    """
    path = "/" + path.lstrip("/")
    match = _VERSIONED.fullmatch(path)
    if match:
        return f"/v2/{match[2] or ''}" if match[1] in _PREFIXES else None
    by_accept = _BY_ACCEPT.match(accept or "")
    if by_accept and by_accept[1].lower() in _PREFIXES and path != "/":
        return "/v2" + path
    return None


def is_version_document(path: str) -> bool:
    """Return True if *path*, relative to the endpoint, is a version document, which needs no token."""
    stripped = path.strip("/")
    return stripped in ("", "versions") or (stripped in _PREFIXES and path.startswith("/"))


def version_response(path: str, method: str, endpoint: str) -> Response:
    """
    Return the version document for *path*.

    The endpoint itself and every unknown path give all versions with status 300, ``/versions`` gives them with 200,
    and ``/v2`` with or without a slash gives the current version with 200.
    """
    stripped = path.strip("/")
    documents = [_document(name, status, endpoint) for name, status in VERSIONS]
    body: dict[str, Any] = {"versions": documents}
    status = 200 if stripped == "versions" else 300
    if stripped in _PREFIXES:
        body, status = {"version": documents[0]}, 200
    return Response(status_code=status) if method == "HEAD" else json_response(body, status)


def _document(name: str, status: str, endpoint: str) -> dict[str, Any]:
    return {"id": name, "status": status, "links": [{"rel": "self", "href": f"{endpoint}/v2/"}]}
