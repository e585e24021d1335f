"""What the commands for metadata definitions share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ecl.cli._json import JsonObject
from ecl.cli._output import Column

__all__ = [
    "DESCRIPTION",
    "NAME",
    "all_option",
    "attributes_of",
    "name_argument",
    "namespace_argument",
    "one_of",
    "schema_option",
]

C = TypeVar("C", bound=Callable[..., Any])

NAME = Column("name", "Name")
DESCRIPTION = Column("description", "Description")

# What the service sets itself; a document that it has shown contains them.
_SERVER_SET = frozenset({"self", "schema", "created_at", "updated_at"})
# Given as an argument.
_ARGUMENTS = frozenset({"namespace", "name", "namespace_name", "metadef_namespace"})


def namespace_argument(command: C) -> C:
    """Add the argument NAMESPACE."""
    return click.argument("namespace", metavar="NAMESPACE")(command)


def name_argument(command: C) -> C:
    """Add the argument NAME."""
    return click.argument("name", metavar="NAME")(command)


def schema_option(text: str) -> Callable[[C], C]:
    """Add ``--schema``."""
    return click.option("--schema", type=JsonObject(), help=text)


def all_option(text: str) -> Callable[[C], C]:
    """Add ``--all``, for a command that deletes NAME... otherwise."""
    return click.option("--all", "everything", is_flag=True, help=text)


def attributes_of(schema: dict[str, Any] | None, **options: Any) -> dict[str, Any]:
    """Return the attributes of a definition: those of *schema*, and over them the *options* that are not None."""
    found = {key: value for key, value in (schema or {}).items() if key not in _SERVER_SET | _ARGUMENTS}
    return found | {name: value for name, value in options.items() if value is not None}


def one_of(names: tuple[str, ...], everything: bool) -> None:
    """Refuse names together with ``--all``, and neither of them. Raises UsageError."""
    if bool(names) == everything:
        raise click.UsageError("Give one or more names, or --all.")
