"""Property protection: the roles that may create, read, update and delete custom properties."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from ecl.server.domain.caller import Caller
from ecl.server.domain.image import is_reserved
from ecl.server.errors import Conflict, Forbidden
from ecl.server.settings.model import PropertyRule

__all__ = ["PropertyProtection"]

Operation = Literal["create", "read", "update", "delete"]

_ANY_ROLE = "@"


class PropertyProtection:
    """
    The rules of the settings. Without rules, everything is allowed.

    Everybody may read the properties that the service sets, and no client may write them.
    """

    def __init__(self, rules: Sequence[PropertyRule]) -> None:
        self._rules = [(re.compile(rule.pattern), rule) for rule in rules]

    def allows(self, caller: Caller, operation: Operation, name: str) -> bool:
        """Return True if *caller* may do *operation* on the property *name*."""
        if not self._rules or is_reserved(name):
            return True
        for pattern, rule in self._rules:
            if pattern.search(name):
                roles: tuple[str, ...] = getattr(rule, operation)
                return _ANY_ROLE in roles or not caller.roles.isdisjoint(roles)
        return False

    def readable(self, caller: Caller, properties: Mapping[str, str]) -> dict[str, str]:
        """Return those of *properties* that *caller* may see."""
        return {name: value for name, value in properties.items() if self.allows(caller, "read", name)}

    def check_create(self, caller: Caller, properties: Mapping[str, str]) -> None:
        """Raise Forbidden if *caller* may not create an image with *properties*."""
        for name in properties:
            self._check(caller, "create", name)

    def check_change(self, caller: Caller, before: Mapping[str, str], verb: str, name: str) -> None:
        """
        Raise unless *caller* may *verb* (add, replace, remove) the property *name* of an image that has *before*.

        Raises:
            Conflict: The property does not exist, or the caller may not read it.
            Forbidden: The caller may not do it.
        """
        seen = name in before and self.allows(caller, "read", name)
        if verb != "add" and not seen:
            # The same words as for a property that does not exist.
            raise Conflict(f"Property '{name}' does not exist.")
        if verb == "remove":
            self._check(caller, "delete", name)
        elif name in before:
            self._check(caller, "update", name)
            if not seen:
                raise _forbidden(name)
        else:
            self._check(caller, "create", name)

    def _check(self, caller: Caller, operation: Operation, name: str) -> None:
        if not self.allows(caller, operation, name):
            raise _forbidden(name)


def _forbidden(name: str) -> Forbidden:
    return Forbidden(f"Property '{name[:255]}' is protected.")
