"""
Fills a database with images of a realistic spread, fast: ``python -m benchmarks.fill URL --count 1000000``.

The rows are written straight into the tables, the same ones for the same seed. The database must be new, or at least
hold no image of the region; no service may use it meanwhile.
"""

from __future__ import annotations

import argparse
import sqlite3
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import Connection, Table, insert, text

from ecl.server.clock import MICROSECONDS
from ecl.server.db.engine import Database
from ecl.server.db.schema import (
    image_locations,
    image_members,
    image_properties,
    image_tags,
    images,
    project_usage,
    store_usage,
)
from ecl.server.db.usage import counted
from ecl.server.domain.image import Image
from ecl.server.domain.status import COUNTED

__all__ = [
    "NOBODY",
    "RARE_NAME",
    "RARE_PROPERTY",
    "RARE_TAG",
    "SMALL_TENANT",
    "FilledImage",
    "fill",
    "fill_glance",
    "fill_glance_postgresql",
    "filled_images",
    "project",
]

#: The images with these are spread over the whole time: about `_RARE` of them, whatever the number of images.
RARE_NAME, RARE_TAG, RARE_PROPERTY = "golden", "golden", ("build", "golden")
#: A project with `_FEW` images, which others share a few dozen images with, and one that owns and shares nothing.
SMALL_TENANT, NOBODY = "5" * 32, "0" * 32

_RARE = 20
_FEW = 10
_PROJECTS = 2000
_COMMON_NAMES = 300
_COMMON_TAGS = 60
#: Images of one executemany or COPY.
_CHUNK = 20_000
#: From 2023-11-14 on, for three years.
_BEGIN = 1_700_000_000 * MICROSECONDS
_SPAN = 3 * 365 * 86_400 * MICROSECONDS
_STATUSES = ("active", "deleted", "queued", "deactivated", "saving", "importing", "uploading")
_STATUS_WEIGHTS = (9440, 500, 30, 20, 4, 3, 3)
_VISIBILITIES = ("shared", "private", "public", "community")
_VISIBILITY_WEIGHTS = (80, 15, 3, 2)
_FORMATS = ("qcow2", "raw", "vmdk", "iso")
_DISTROS = ("ubuntu", "debian", "centos", "rhel", "windows", "alpine")
_GIB = 1 << 30


@dataclass(slots=True)
class FilledImage:
    """An image, and what `Image` does not hold: its members with their status."""

    image: Image
    members: dict[str, str] = field(default_factory=dict)


def project(number: int) -> str:
    """Return the ID of one of the ordinary projects; the first ones own the most."""
    return f"f{number:031x}"


def filled_images(count: int, seed: int = 0, *, small: str = SMALL_TENANT) -> Iterator[FilledImage]:
    """Yield *count* images, deleted ones included, the oldest first; *small* is the project in place of the usual."""
    random = Random(seed)
    often = max(1, count // _RARE)
    for number in range(count):
        filled = _image(random, number, count)
        image = filled.image
        if image.status != "deleted":
            if number % often == often // 2:
                image.tags = sorted([*image.tags, RARE_TAG])
            if number % often == often // 3:
                image.properties[RARE_PROPERTY[0]] = RARE_PROPERTY[1]
            if number % often == often // 4:
                image.name = RARE_NAME
        if number % max(1, count // _FEW) == count // _FEW // 2:
            image.owner = small
        elif number % often == often // 5:
            image.visibility = "shared"
            filled.members[small] = random.choice(("accepted", "pending"))
        yield filled


def _image(random: Random, number: int, count: int) -> FilledImage:
    status = random.choices(_STATUSES, _STATUS_WEIGHTS)[0]
    has_data = status in ("active", "deactivated", "deleted")
    created = _BEGIN + _SPAN * number // count
    # Half of the images are never changed after their upload.
    updated = created + random.choice((1, 200_000)) * random.randrange(60 * MICROSECONDS)
    common = f"{random.choice(_DISTROS)}-{random.randrange(_COMMON_NAMES):03}"
    distro = random.choice(_DISTROS)
    size = int(random.lognormvariate(21, 1.2)) >> 16 << 16
    image = Image(
        str(uuid.UUID(int=random.getrandbits(128), version=4)),
        status,
        random.choices(_VISIBILITIES, _VISIBILITY_WEIGHTS)[0],
        created,
        updated,
        name=None if random.random() < 0.01 else common if random.random() < 0.4 else f"{common}-{number}",
        owner=project(int(_PROJECTS * random.random() ** 3)),
        disk_format=random.choice(_FORMATS),
        container_format="bare",
        size=size if has_data else None,
        virtual_size=random.choice((10, 20, 40, 80)) * _GIB if has_data else None,
        checksum=f"{random.getrandbits(128):032x}" if has_data else None,
        os_hash_algo="sha512" if has_data else None,
        os_hash_value=f"{random.getrandbits(512):0128x}" if has_data else None,
        min_disk=random.choice((0, 0, 10, 20)),
        min_ram=random.choice((0, 0, 512, 2048)),
        protected=random.random() < 0.02,
        os_hidden=random.random() < 0.01,
    )
    filled = FilledImage(image)
    if status == "deleted":
        return filled
    if has_data:
        stores = ("main", "second") if random.random() < 0.2 else ("main",)
        image.stores = dict.fromkeys(stores, image.id)
    image.tags = sorted({f"tag-{int(_COMMON_TAGS * random.random() ** 2):02}" for _ in range(random.randrange(4))})
    image.properties = {"os_distro": distro, "os_version": str(random.randrange(30))}
    if random.random() < 0.2:
        image.properties["build"] = f"{number:08}"
    if image.visibility == "shared" and random.random() < 0.05:
        for _ in range(random.randrange(1, 4)):
            member = project(random.randrange(_PROJECTS))
            filled.members[member] = random.choices(("accepted", "pending", "rejected"), (6, 3, 1))[0]
    return filled


# --- rows -----------------------------------------------------------------------------------------------------

_IMAGE_FIELDS = [entry.name for entry in fields(Image) if entry.name in images.c]
_COLUMNS = {
    images: ("region", *_IMAGE_FIELDS, "deleted_at"),
    image_tags: ("region", "image_id", "tag"),
    image_properties: ("region", "image_id", "name", "value", "position"),
    image_members: ("region", "image_id", "member_id", "status", "created_at", "updated_at"),
    image_locations: ("region", "image_id", "store", "created_at", "key"),
}


def fill(database: Database, region: str, count: int, seed: int = 0, *, small: str = SMALL_TENANT) -> None:
    """Add *count* images to *region*, in one transaction, and let PostgreSQL count what it has then."""
    with database.write() as connection:
        indexes = [index for table in _COLUMNS for index in table.indexes]
        # To make an index at the end takes a fraction of the time that keeping it up takes.
        for index in indexes:
            index.drop(connection)
        chunk: list[FilledImage] = []
        usage: dict[str, Counter[str]] = defaultdict(Counter)
        stored: Counter[tuple[str, str]] = Counter()
        for filled in filled_images(count, seed, small=small):
            chunk.append(filled)
            image = filled.image
            owner = image.owner or ""
            usage[owner].update(counted(image.status, image.size))
            stored.update({(owner, store): image.size or 0 for store in image.stores})
            if len(chunk) == _CHUNK:
                _insert(connection, region, chunk)
                chunk = []
        _insert(connection, region, chunk)
        for index in indexes:
            index.create(connection)
        nothing = dict.fromkeys((*COUNTED, "staged_bytes"), 0)
        sums = [{"region": region, "owner": owner, **nothing, **found} for owner, found in usage.items()]
        connection.execute(insert(project_usage), sums)
        sizes = [{"region": region, "owner": key[0], "store": key[1], "bytes": size} for key, size in stored.items()]
        connection.execute(insert(store_usage), sizes)
    if not database.is_sqlite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


def _insert(connection: Connection, region: str, chunk: Sequence[FilledImage]) -> None:
    rows: dict[Table, list[tuple[Any, ...]]] = {table: [] for table in _COLUMNS}
    for filled in chunk:
        image = filled.image
        key = (region, image.id)
        created, updated = image.created_at, image.updated_at
        deleted = updated if image.status == "deleted" else None
        rows[images].append((region, *(getattr(image, name) for name in _IMAGE_FIELDS), deleted))
        rows[image_tags] += [(*key, tag) for tag in image.tags]
        rows[image_properties] += [(*key, *item, place) for place, item in enumerate(image.properties.items())]
        rows[image_members] += [(*key, *item, created, created) for item in filled.members.items()]
        rows[image_locations] += [(*key, store, created, name) for store, name in image.stores.items()]
    for table, lines in rows.items():
        _write(connection, table, lines)


def _write(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    columns = _COLUMNS[table]
    cursor: Any = connection.connection.cursor()  # Any: sqlite3's, or psycopg's
    if connection.dialect.name == "sqlite":
        places = ", ".join("?" * len(columns))
        cursor.executemany(f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({places})", rows)
    else:
        with cursor.copy(f"COPY {table.name} ({', '.join(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    cursor.close()


# --- Glance ---------------------------------------------------------------------------------------------------

_GLANCE_IMAGE = (
    *("id", "name", "size", "status", "created_at", "updated_at", "disk_format", "container_format", "checksum"),
    *("owner", "min_disk", "min_ram", "protected", "virtual_size", "visibility", "os_hidden", "os_hash_algo"),
    "os_hash_value",
)


def fill_glance(path: Path, count: int, seed: int = 0, *, small: str = SMALL_TENANT) -> None:
    """Add the same images to the SQLite file of a Glance that does not run."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for filled in filled_images(count, seed, small=small):
            for table, values in _glance_rows(filled):
                places = ", ".join(f":{name}" for name in values)
                connection.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({places})", values)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ANALYZE")


def fill_glance_postgresql(url: str, count: int, seed: int = 0, *, small: str = SMALL_TENANT) -> None:
    """Add the same images to the PostgreSQL database of a Glance that has made its tables there."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        images_to_come = filled_images(count, seed, small=small)
        while chunk := list(islice(images_to_come, _CHUNK)):
            rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
            for filled in chunk:
                for table, values in _glance_rows(filled):
                    rows[table].append(values)
            # Images first: the others refer to them.
            for table, lines in rows.items():
                statement = f"COPY {table} ({', '.join(lines[0])}) FROM STDIN"
                with connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
                    for line in lines:
                        copy.write_row(list(line.values()))
        connection.execute("VACUUM ANALYZE")


def _glance_rows(filled: FilledImage) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the rows of an image in Glance's tables, that of the image first."""
    image = filled.image
    created, updated = _glance_time(image.created_at), _glance_time(image.updated_at)
    gone = image.status == "deleted"
    values = {name: getattr(image, name) for name in _GLANCE_IMAGE}
    values |= {"created_at": created, "updated_at": updated, "deleted": gone}
    yield "images", {**values, "deleted_at": updated if gone else None}
    common = {"image_id": image.id, "created_at": created, "updated_at": updated, "deleted": gone}
    for tag in image.tags:
        yield "image_tags", {**common, "value": tag}
    for name, value in image.properties.items():
        yield "image_properties", {**common, "name": name, "value": value}
    for member, status in filled.members.items():
        yield "image_members", {**common, "member": member, "status": status, "can_share": False}
    for store in image.stores:
        more = {"value": f"file:///{store}/{image.id}", "meta_data": "{}", "status": "active"}
        yield "image_locations", {**common, **more}


def _glance_time(moment: int) -> str:
    return datetime.fromtimestamp(moment / MICROSECONDS, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def main() -> None:
    """Fill the database that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fill", description=__doc__)
    parser.add_argument("url", help="sqlite:///PATH or postgresql://…")
    parser.add_argument("--region", default="jp1")
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with closing(Database(options.url)) as database:
        database.prepare()
        fill(database, options.region, options.count, options.seed)


if __name__ == "__main__":
    main()
