"""The JSON documents of identity: versions, tokens, the catalog, projects, application credentials, errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from ecl.server.http.errors import reason
from ecl.server.identity.local.application_credentials import ApplicationCredential
from ecl.server.identity.local.directory import Project, User
from ecl.server.identity.local.login import DOMAIN_ID, DOMAIN_NAME
from ecl.server.identity.local.stable_id import stable_id
from ecl.server.identity.local.times import to_iso
from ecl.server.identity.local.tokens import Token
from ecl.server.settings.model import RegionSettings

__all__ = [
    "Document",
    "assignment_document",
    "catalog",
    "credential_document",
    "error_document",
    "links",
    "project_document",
    "role_document",
    "token_document",
    "user_document",
    "version",
    "versions",
]

Document: TypeAlias = dict[str, object]

_DOMAIN = {"id": DOMAIN_ID, "name": DOMAIN_NAME}
#: Clients may be told to use any of these, and all lead to the same address.
_INTERFACES = ("public", "internal", "admin")


def version(base: str) -> Document:
    """Return the one version of the identity API; *base* is the service's URL without a slash at its end."""
    return {
        "id": "v3.14",
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": f"{base}/v3/"}],
        "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
    }


def versions(base: str) -> Document:
    """Return the answer of ``GET /``."""
    return {"versions": {"values": [version(base)]}}


def catalog(base: str, regions: Sequence[RegionSettings], own_region: str | None) -> list[Document]:
    """
    Return the catalog for a token whose project belongs to *own_region*.

    That region comes first, because a client that names no region takes the first endpoint.
    """
    ordered = sorted(regions, key=lambda region: region.name != own_region)
    images = {region.name: region.url or f"{base}/image/{region.name}" for region in ordered}
    identities = {region.name: f"{base}/v3" for region in ordered}
    return [_service("image", "glance", images), _service("identity", "keystone", identities)]


def _service(kind: str, name: str, urls: Mapping[str, str]) -> Document:
    endpoints = [
        {
            "id": stable_id("endpoint", f"{kind}:{region}:{interface}"),
            "interface": interface,
            "region": region,
            "region_id": region,
            "url": url.rstrip("/"),
        }
        for region, url in urls.items()
        for interface in _INTERFACES
    ]
    return {"id": stable_id("service", kind), "type": kind, "name": name, "endpoints": endpoints}


def token_document(token: Token, services: list[Document] | None) -> Document:
    """Return ``{"token": ...}``; *services* is the catalog, or None to leave it out."""
    body: Document = {
        "methods": list(token.methods),
        "user": {
            "id": token.user.id,
            "name": token.user.name,
            "domain": _DOMAIN,
            "password_expires_at": None,
        },
        "audit_ids": [token.audit_id],
        "issued_at": to_iso(token.issued_at),
        "expires_at": to_iso(token.expires_at),
    }
    if token.project is not None:
        body["project"] = {"id": token.project.id, "name": token.project.name, "domain": _DOMAIN}
        body["is_domain"] = False
        body["roles"] = [_role(role) for role in token.roles]
        if services is not None:
            body["catalog"] = services
    if token.application_credential is not None:
        id, name = token.application_credential
        body["application_credential"] = {"id": id, "name": name, "restricted": True}
    return {"token": body}


def _role(name: str) -> Document:
    return {"id": stable_id("role", name), "name": name}


def project_document(project: Project, base: str) -> Document:
    """Return one project. ``region`` is ECL's addition: the region of the project's images, null for all regions."""
    return {
        "description": "",
        "tags": [],
        **project.extra,
        "id": project.id,
        "name": project.name,
        "domain_id": DOMAIN_ID,
        "parent_id": DOMAIN_ID,
        "is_domain": False,
        "enabled": project.enabled,
        "options": {},
        "region": project.region or None,
        "links": {"self": f"{base}/v3/projects/{project.id}"},
    }


def user_document(user: User, base: str) -> Document:
    """Return one user; nothing of their password."""
    body: Document = {
        **user.extra,
        "id": user.id,
        "name": user.name,
        "domain_id": DOMAIN_ID,
        "enabled": user.enabled,
        "password_expires_at": None,
        "options": {},
        "links": {"self": f"{base}/v3/users/{user.id}"},
    }
    if user.default_project_id is not None:
        body["default_project_id"] = user.default_project_id
    return body


def role_document(name: str, base: str) -> Document:
    """Return one role."""
    return {
        **_role(name),
        "domain_id": None,
        "description": None,
        "options": {"immutable": True},
        "links": {"self": f"{base}/v3/roles/{stable_id('role', name)}"},
    }


def assignment_document(
    assignment: tuple[str, str, str, str], base: str, user_name: str | None = None, project_name: str | None = None
) -> Document:
    """
    Return one assignment, with names where they are given.

    Args:
        assignment: User ID, project ID, role, and the role that was granted, which includes it.
    """
    user_id, project_id, role, granted = assignment
    user: Document = {"id": user_id}
    project: Document = {"id": project_id}
    role_shown: Document = {"id": stable_id("role", role)}
    if user_name is not None and project_name is not None:
        user |= {"name": user_name, "domain": _DOMAIN}
        project |= {"name": project_name, "domain": _DOMAIN}
        role_shown = _role(role)
    path = f"projects/{project_id}/users/{user_id}/roles/{stable_id('role', granted)}"
    return {
        "role": role_shown,
        "user": user,
        "scope": {"project": project},
        "links": {"assignment": f"{base}/v3/{path}"},
    }


def credential_document(
    credential: ApplicationCredential, roles: Sequence[str], url: str, secret: str | None = None
) -> Document:
    """Return one application credential; its *secret* is shown once, when it is created."""
    body: Document = {
        "id": credential.id,
        "name": credential.name,
        "description": None,
        "project_id": credential.project_id,
        "user_id": credential.user_id,
        "roles": [_role(role) for role in roles],
        "unrestricted": False,
        "expires_at": None if credential.expires_at is None else to_iso(credential.expires_at),
        "links": {"self": f"{url}/{credential.id}"},
    }
    if secret is not None:
        body["secret"] = secret
    return body


def links(url: str) -> Document:
    """Return the ``links`` of a list with one page."""
    return {"self": url, "previous": None, "next": None}


def error_document(status: int, message: str) -> Document:
    """Return the body of an error response."""
    return {"error": {"code": status, "message": message, "title": reason(status)}}
