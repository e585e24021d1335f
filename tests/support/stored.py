"""Where the bytes of an image are on the disk: only the database knows their keys."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text

from ecl.server.db.engine import Database

__all__ = ["stored_file"]


def stored_file(database: Database, folder: Path, image_id: str, store: str = "folder") -> Path:
    """Return the one file below *folder* with the image's bytes in *store*."""
    query = text("SELECT key FROM image_locations WHERE image_id = :image AND store = :store")
    with database.read() as connection:
        key = connection.execute(query, {"image": image_id, "store": store}).scalar_one()
    (path,) = folder.rglob(key)
    return path
