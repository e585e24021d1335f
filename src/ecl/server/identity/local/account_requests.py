"""The bodies of requests that create and change users and projects: what may be in them, and what it has to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from ecl.server.errors import BadRequest, NotFound
from ecl.server.identity.local.login import DOMAIN_ID

__all__ = ["MAX_PASSWORD", "Changes", "PasswordChange", "parse_password_change", "parse_project", "parse_user"]

#: Most characters of a password.
MAX_PASSWORD = 4096
_MAX_ID = 64

_TEXT, _FLAG, _TEXT_OR_NULL = (str,), (bool,), (str, type(None))
_COMMON: Mapping[str, tuple[type, ...]] = {
    "id": _TEXT,
    "name": _TEXT,
    "enabled": _FLAG,
    "description": _TEXT_OR_NULL,
    "domain_id": _TEXT_OR_NULL,
    "options": (dict,),
    "links": (dict,),
}
_USER = {**_COMMON, "password": _TEXT_OR_NULL, "default_project_id": _TEXT_OR_NULL, "email": _TEXT_OR_NULL}
_PROJECT = {**_COMMON, "parent_id": _TEXT_OR_NULL, "is_domain": _FLAG, "region": _TEXT_OR_NULL, "tags": (list,)}
_TYPE_NAMES = {str: "a string", bool: "true or false", type(None): "null", dict: "an object", list: "a list"}


@dataclass(frozen=True, slots=True)
class Changes:
    """What a request sets: *known* fields that have a meaning here, and *extra* ones, which are only kept."""

    known: Mapping[str, Any]
    extra: Mapping[str, Any]

    def __contains__(self, name: str) -> bool:
        return name in self.known

    def get(self, name: str, default: Any = None) -> Any:  # Any: of the type that the field has
        """Return the value of a known field, or *default* if the request does not set it."""
        return self.known.get(name, default)


class _ChangedPassword(msgspec.Struct):
    password: str
    original_password: str


class PasswordChange(msgspec.Struct):
    """The body of ``POST /v3/users/ID/password``."""

    user: _ChangedPassword


def parse_user(body: bytes | bytearray, current: Mapping[str, Any] | None = None) -> Changes:
    """
    Read the body of ``POST /v3/users``, or of a PATCH of the user whose document is *current*.

    Raises:
        BadRequest: It is not JSON, a field has a wrong type, or sets what cannot be set.
        NotFound: A new user's domain is not the one that there is.
    """
    sent = _entity(body, "user", _USER, current)
    default_project = sent.get("default_project_id")
    if default_project is not None and not (0 < len(default_project) <= _MAX_ID and default_project.isprintable()):
        raise BadRequest(f"user.default_project_id has 1 to {_MAX_ID} printable characters.")
    password = sent.get("password")
    if password is not None:
        _check_password("user.password", password)
    return _changes(sent, ("name", "enabled", "password", "default_project_id"))


def parse_project(body: bytes | bytearray, regions: list[str], current: Mapping[str, Any] | None = None) -> Changes:
    """
    Read the body of ``POST /v3/projects``, or of a PATCH of the project whose document is *current*.

    Args:
        regions: The regions that a project may belong to.

    Raises:
        BadRequest: It is not JSON, a field has a wrong type, or sets what cannot be set.
    """
    sent = _entity(body, "project", _PROJECT, current)
    if sent.get("is_domain"):
        raise BadRequest("project.is_domain: this service has one domain, and no project is one.")
    if sent.get("parent_id") not in (None, DOMAIN_ID):
        raise BadRequest("project.parent_id: a project is not part of another one here; leave it out.")
    if not all(isinstance(tag, str) for tag in sent.get("tags", ())):
        raise BadRequest("project.tags is a list of strings.")
    region = sent.get("region")
    if region is not None and region not in regions:
        raise BadRequest(f"project.region {region[:64]!r} is not a region of this service: {', '.join(regions)}.")
    if current is not None and "region" in sent and region != current["region"]:
        raise BadRequest("project.region cannot be changed: create another project.")
    return _changes(sent, ("name", "enabled", "region"), drop=("is_domain", "parent_id"))


def parse_password_change(body: bytes | bytearray) -> PasswordChange:
    """
    Read the body of ``POST /v3/users/ID/password``.

    Raises:
        BadRequest: It is not JSON, lacks a password, or the new one cannot be used.
    """
    try:
        change = msgspec.json.decode(body, type=PasswordChange)
    except (ValueError, RecursionError) as exc:
        raise BadRequest(f"The request body does not change a password: {exc}.") from exc
    _check_password("user.password", change.user.password)
    return change


def _entity(
    body: bytes | bytearray, kind: str, types: Mapping[str, tuple[type, ...]], current: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the object of the body, checked against *types* and, for a PATCH, against what cannot be changed."""
    try:
        sent = msgspec.json.decode(body, type=dict[str, dict[str, Any]])[kind]
    except (ValueError, RecursionError) as exc:
        raise BadRequest(f"The request body is not a {kind}: {exc}.") from exc
    except KeyError as exc:
        raise BadRequest(f"The request body has no object {kind!r}.") from exc
    for name, value in sent.items():
        allowed = types.get(name)
        if allowed is not None and type(value) not in allowed:
            raise BadRequest(f"{kind}.{name} is {' or '.join(_TYPE_NAMES[one] for one in allowed)}.")
    if current is None and "name" not in sent:
        raise BadRequest(f"{kind}.name is missing.")
    if "name" in sent:
        # As Keystone does.
        sent["name"] = sent["name"].strip()
    if current is None and kind == "user" and sent.get("domain_id") not in (None, DOMAIN_ID):
        raise NotFound(f"There is no domain of this ID; the only one is {DOMAIN_ID!r}.")
    if sent.get("domain_id") not in (None, DOMAIN_ID):
        raise BadRequest(f"{kind}.domain_id: the only domain is {DOMAIN_ID!r}.")
    if sent.get("options"):
        raise BadRequest(f"{kind}.options: this service has no options of a {kind}.")
    if current is not None and sent.get("id", current["id"]) != current["id"]:
        raise BadRequest(f"{kind}.id cannot be changed.")
    return sent


def _changes(sent: Mapping[str, Any], known: tuple[str, ...], drop: tuple[str, ...] = ()) -> Changes:
    """Divide what was sent; `drop` names what every document shows anyway."""
    shown = {*known, *drop, "id", "domain_id", "options", "links", "password_expires_at"}
    return Changes(
        {name: sent[name] for name in known if name in sent},
        {name: value for name, value in sent.items() if name not in shown},
    )


def _check_password(field: str, password: str) -> None:
    if not 0 < len(password) <= MAX_PASSWORD:
        raise BadRequest(f"{field} has 1 to {MAX_PASSWORD} characters.")
