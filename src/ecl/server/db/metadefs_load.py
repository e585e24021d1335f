"""Load metadata definitions into a region from a folder of JSON files, in Glance's format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from ecl.server.clock import now
from ecl.server.db.engine import Database
from ecl.server.db.metadefs import delete_namespace, fetch_namespace, insert_items, insert_namespace
from ecl.server.domain.caller import Caller
from ecl.server.domain.metadef import Item, Namespace, items_of_body, namespace_of_body
from ecl.server.errors import ServiceError

__all__ = ["Loaded", "MetadefsError", "load_metadefs"]

#: Most bytes of one file.
_MAX_FILE = 4 << 20
#: The caller for whom files are loaded: namespaces without an owner in their file belong to no project.
_LOADER = Caller("", None, None, frozenset({"admin"}))


class MetadefsError(ServiceError):
    """A folder or a file in it cannot be loaded; the message names it and says why."""


@dataclass
class Loaded:
    """The result of loading: names of namespaces."""

    added: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


def load_metadefs(database: Database, region: str, folder: Path, *, replace: bool = False) -> Loaded:
    """
    Add every namespace that a ``*.json`` file in *folder* describes: all of them, or none.

    Args:
        replace: Replace existing namespaces with all their items; otherwise they stay unchanged.

    Raises:
        MetadefsError: The folder or a file cannot be read, or a file does not describe a namespace.
    """
    loaded = Loaded()
    definitions = list(_read(folder))
    with database.write(alone=True) as connection:
        for namespace, items in definitions:
            _store(connection, region, namespace, items, loaded, replace)
    return loaded


def _store(
    connection: Connection, region: str, namespace: Namespace, items: list[Item], loaded: Loaded, replace: bool
) -> None:
    before = fetch_namespace(connection, region, namespace.namespace)
    if before is not None and not replace:
        loaded.kept.append(namespace.namespace)
        return
    if before is not None:
        delete_namespace(connection, before)
    insert_namespace(connection, region, namespace)
    insert_items(connection, region, namespace, items)
    (loaded.added if before is None else loaded.replaced).append(namespace.namespace)


def _read(folder: Path) -> Iterator[tuple[Namespace, list[Item]]]:
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".json")
    except OSError as exc:
        raise MetadefsError(f"The folder {folder} cannot be read: {exc.strerror}.") from exc
    seen: dict[str, Path] = {}
    for path in paths:
        namespace, items = _read_file(path)
        if namespace.namespace in seen:
            raise MetadefsError(f"{path} and {seen[namespace.namespace]} describe the same namespace.")
        seen[namespace.namespace] = path
        yield namespace, items


def _read_file(path: Path) -> tuple[Namespace, list[Item]]:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_FILE + 1)
        if len(content) > _MAX_FILE:
            raise MetadefsError(f"{path} is larger than {_MAX_FILE} bytes.")
        moment = now()
        namespace, body = namespace_of_body(msgspec.json.decode(content), _LOADER, moment)
        return namespace, items_of_body(body, moment)
    except OSError as exc:
        raise MetadefsError(f"{path} cannot be read: {exc.strerror}.") from exc
    except (ValueError, RecursionError) as exc:
        raise MetadefsError(f"{path} is not JSON: {exc}.") from exc
    except MetadefsError:
        raise
    except ServiceError as exc:
        raise MetadefsError(f"{path} does not describe a namespace: {exc.message}") from exc
