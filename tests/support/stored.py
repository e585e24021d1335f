"""Where the bytes of an image are: only the database knows their keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import text

from ecl.server.db.engine import Database
from support import object_stores

__all__ = ["stored_file"]


def stored_file(database: Database, folder: Path, image_id: str, store: str = "folder") -> Any:
    """Return the one file below *folder*, or the object of a service there, with the image's bytes in *store*."""
    # Any: a Path or what can be used as one here.
    query = text("SELECT key FROM image_locations WHERE image_id = :image AND store = :store")
    with database.read() as connection:
        key = connection.execute(query, {"image": image_id, "store": store}).scalar_one()
    found: list[Any] = list(folder.rglob(key))
    if object_stores.chosen is not None:
        found += [each for each in object_stores.chosen.objects("") if each.name == key]
    (path,) = found
    return path
