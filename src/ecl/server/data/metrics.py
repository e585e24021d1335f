"""What the metrics show of the disks and of the scrub."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ecl.server.data.region import Region
from ecl.server.data.store.base import StoreError
from ecl.server.db.engine import Database
from ecl.server.http.metrics import Sample, family

__all__ = ["data_text"]


def data_text(database: Database, regions: Sequence[Region], scrubbed: Mapping[str, int]) -> str:
    """
    Return the free bytes of the stores and of the database, and the counters of the scrub, as text. Blocks.

    Args:
        scrubbed: ``bytes_read``, ``damaged`` and ``repaired``.
    """
    free = database.free_bytes
    parts = [
        family("ecl_store_free_bytes", "gauge", "Free bytes of the stores' disks.", _free(regions)),
        family("ecl_database_free_bytes", "gauge", "Free bytes of the disk of SQLite.", _one(free)),
        family("ecl_scrub_read_bytes_total", "counter", "Bytes that the scrub has read.", _one(scrubbed["bytes_read"])),
        family("ecl_scrub_damaged_total", "counter", "Damaged copies that it has found.", _one(scrubbed["damaged"])),
        family("ecl_scrub_repaired_total", "counter", "Copies that it has repaired.", _one(scrubbed["repaired"])),
    ]
    return "".join(parts)


def _one(value: int | None) -> list[Sample]:
    return [] if value is None else [({}, value)]


def _free(regions: Sequence[Region]) -> Iterator[Sample]:
    for region in regions:
        for store in (*region.stores, region.staging):
            try:
                free = store.free_bytes
            except StoreError:
                continue
            if free is not None:
                yield {"region": region.name, "store": region.place_of(store)}, free
