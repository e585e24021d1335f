"""Many small images in several stores, and ways to damage their files."""

from __future__ import annotations

import hashlib
import os
import random
import uuid
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import text

from ecl.server.clock import now
from ecl.server.data.store.base import Store
from ecl.server.db.engine import Database
from ecl.server.db.images import insert_image
from ecl.server.db.locations import add_location
from ecl.server.domain.image import Image

__all__ = ["fill", "flip_bit", "keys_of"]


def fill(database: Database, region: str, stores: Sequence[Store], owner: str, count: int) -> dict[str, bytes]:
    """Put *count* images into each of *stores*, as uploads would leave them. Return the data of each."""
    made = {}
    with database.write() as connection:
        for number in range(count):
            image_id, data = str(uuid.uuid4()), os.urandom(random.Random(number).randint(1, 3000))
            moment = now()
            image = Image(
                id=image_id,
                name=f"image-{number}",
                status="active",
                visibility="private",
                owner=owner,
                disk_format="raw",
                container_format="bare",
                size=len(data),
                checksum=hashlib.md5(data).hexdigest(),
                os_hash_algo="sha512",
                os_hash_value=hashlib.sha512(data).hexdigest(),
                created_at=moment,
                updated_at=moment,
            )
            insert_image(connection, region, image)
            for store in stores:
                key = str(uuid.uuid4())
                writer = store.writer(key)
                writer.write(data)
                writer.commit()
                add_location(connection, region, image_id, store.name, key)
            made[image_id] = data
    return made


def keys_of(database: Database, image_id: str) -> dict[str, str]:
    """Return the stores of the image and its key in each."""
    query = text("SELECT store, key FROM image_locations WHERE image_id = :image")
    with database.read() as connection:
        return {row.store: row.key for row in connection.execute(query, {"image": image_id})}


def flip_bit(path: Path, number: int = 0) -> None:
    """Flip one bit of the file, which one depends on *number*."""
    data = bytearray(path.read_bytes())
    place = random.Random(number).randrange(8 * len(data))
    data[place // 8] ^= 1 << place % 8
    path.write_bytes(data)
