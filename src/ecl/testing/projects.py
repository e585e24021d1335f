"""A project of a test, and the user who has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["TestProject"]


@dataclass(frozen=True, slots=True)
class TestProject:
    """A project, and a user who has a role on it."""

    # Not a test, whatever its name says to pytest.
    __test__ = False

    id: str
    name: str
    region: str
    username: str
    password: str = field(repr=False)
    role: str = "member"
    #: A token of the user for the project, and Keystone's document about it; "" and None if there is none.
    token: str = field(default="", repr=False, compare=False)
    access: Mapping[str, Any] | None = field(default=None, repr=False, compare=False)
