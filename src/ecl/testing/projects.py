"""A project of a test's own: who has it, and a connection to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keystoneauth1.plugin import BaseAuthPlugin

__all__ = ["TestProject", "known_login"]


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


def known_login(credentials: Mapping[str, str], project: TestProject) -> BaseAuthPlugin:
    """Return the login of *credentials* that begins with the project's token, and logs in when that one is refused."""
    import json

    from ecl import _auth

    options = {name: value for name, value in credentials.items() if name != "region_name"}
    plugin = _auth.make_plugin("password", options)
    plugin.set_auth_state(json.dumps({"auth_token": project.token, "body": project.access}))
    return plugin
