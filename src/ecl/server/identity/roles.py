"""The four roles, and the roles that each includes."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["ROLES", "expand_roles"]

#: Each role with the roles that it includes, as in Keystone's defaults.
_INCLUDES = {
    "admin": ("admin", "member", "reader"),
    "member": ("member", "reader"),
    "reader": ("reader",),
    "service": ("service",),
}
ROLES: tuple[str, ...] = tuple(_INCLUDES)


def expand_roles(granted: Iterable[str]) -> tuple[str, ...]:
    """Return the *granted* roles and those that they include, in the order of `ROLES`."""
    included = {role for name in granted for role in _INCLUDES[name]}
    return tuple(role for role in ROLES if role in included)
