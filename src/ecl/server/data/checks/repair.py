"""
Repair a damaged copy of an image from a good one.

The good data comes under a new key; then one transaction names it in place of the old one, which becomes garbage. So a
reader meets the old data or the new, and a crash leaves one of the two.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import closing

from ecl.server.data.checks.examine import OnBlock, blocks_of, digest_of, expected_digest
from ecl.server.data.incoming import Incoming
from ecl.server.data.node import Node
from ecl.server.data.region import Region
from ecl.server.data.removal import remove_now
from ecl.server.data.store.base import Reader, StoreError
from ecl.server.db.copies import Copy, is_current, replace_key, same_data
from ecl.server.db.engine import Database
from ecl.server.errors import Unavailable

__all__ = ["repair"]

_log = logging.getLogger(__name__)


class _Unusable(Exception):
    """The source is damaged, too, or the copy is not the image's any more."""


def repair(copy: Copy, regions: Mapping[str, Region], database: Database, node: Node, on_block: OnBlock) -> bool:
    """
    Replace the data of *copy* by that of another copy with the same hash. Return False if that is not possible.

    Args:
        regions: All that this process knows the stores of.
    """
    region = regions[copy.region]
    target = region.store_named(copy.store)
    if target is None or target.read_only or expected_digest(copy) is None:
        return False
    with database.read() as connection:
        sources = same_data(connection, regions, copy)
    for source in sources:
        store = regions[source.region].store_named(source.store)
        if store is None:
            continue
        try:
            with (
                closing(store.reader(source.key)) as reader,
                Incoming(node, database, region, target, copy.image_id) as new,
            ):
                _replace(copy, reader, new, on_block)
        except (_Unusable, StoreError, Unavailable) as exc:
            where = f"{source.region}/{source.store}"
            _log.warning(
                "image %s: its copy in %s cannot be repaired from %s: %s", copy.image_id, target.name, where, exc
            )
            continue
        return True
    return False


def _replace(copy: Copy, reader: Reader, new: Incoming, on_block: OnBlock) -> None:
    with new.database.write() as connection:
        if not is_current(connection, copy):
            raise _Unusable("it was deleted meanwhile")
        new.begin(connection)
    try:
        digest = digest_of(copy)
        writer = new.writer()
        for block in blocks_of(reader, on_block):
            digest.update(block)
            writer.write(block)
        if digest.hexdigest() != expected_digest(copy):
            raise _Unusable("that one is damaged, too")
        writer.commit()
        with new.database.write() as connection:
            new.finish(connection)
            old = replace_key(connection, copy, new.key)
            if old is None:
                raise _Unusable("it was deleted meanwhile")
    except BaseException:
        new.give_up()
        raise
    remove_now(new.region, new.database, [old])
