"""Compare the database with the stores: every copy has its data, and every file its row."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ecl.server.data.checks.examine import OnBlock, examine
from ecl.server.data.checks.repair import repair
from ecl.server.data.node import Node
from ecl.server.data.region import Region
from ecl.server.data.store.base import Store, StoreError
from ecl.server.db.copies import Copy, is_current, mark_copy, page_of_copies
from ecl.server.db.database_id import database_id
from ecl.server.db.engine import Database

__all__ = ["DAMAGED", "MARKED", "REPAIRED", "SOUND", "Check", "Outcome"]

_log = logging.getLogger(__name__)

#: Copies per query.
_PAGE = 200

#: What became of a copy: nothing was changed; it is not served any more; it has good data under a new key; it was
#: marked earlier, and its data is good again.
DAMAGED, MARKED, REPAIRED, SOUND = "damaged", "marked", "repaired", "sound again"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A copy that was not as it should be."""

    copy: Copy
    #: One of those of `examine`; None if it was marked and is sound.
    problem: str | None
    state: str


class Check:
    """
    One pass over the copies of *regions*.

    Args:
        hashes: Read all data; otherwise compare sizes only.
        node: Who repairs, with a lease; None: nothing is changed.
        on_block: As for `examine`.
    """

    def __init__(
        self,
        database: Database,
        regions: Sequence[Region],
        *,
        hashes: bool,
        node: Node | None,
        on_block: OnBlock = lambda _size: None,
    ) -> None:
        self._database = database
        self._regions = {region.name: region for region in regions}
        self._hashes = hashes
        self._node = node
        self._on_block = on_block
        self.copies = 0
        self.bytes = 0
        #: Region and store to the reason why it was not compared, and how many copies that were.
        self.unchecked: dict[tuple[str, str], str] = {}
        self.unchecked_copies: Counter[tuple[str, str]] = Counter()

    def run(
        self,
        after: tuple[str, str, str] | None = None,
        on_copy: Callable[[tuple[str, str, str]], None] = lambda _position: None,
    ) -> Iterator[Outcome]:
        """
        Compare the copies behind the position *after*; yield those that are not as they should be.

        Args:
            on_copy: Called with the position of each copy that is done.

        Raises:
            DatabaseError: The database does not answer.
        """
        with self._database.read() as connection:
            identity = database_id(connection)
        while True:
            with self._database.read() as connection:
                page = page_of_copies(connection, list(self._regions), after, _PAGE)
            for copy in page:
                outcome = self._check(copy, identity)
                if outcome is not None:
                    yield outcome
                after = copy.position
                on_copy(after)
            if len(page) < _PAGE:
                return

    def _check(self, copy: Copy, identity: str) -> Outcome | None:
        store = self._store(copy, identity)
        if store is None:
            self.unchecked_copies[copy.region, copy.store] += 1
            return None
        self.copies += 1
        # Whether a marked copy is good again, only its hash tells.
        problem = examine(store, copy, hashes=self._hashes or copy.is_damaged, on_block=self._count)
        if problem is None:
            return self._sound(copy) if copy.is_damaged else None
        try:
            # A disk that has gone away meanwhile is no damage.
            store.check(identity, copy.region)
        except StoreError as exc:
            self._leave_out(copy, exc)
            return None
        return self._damaged(copy, problem)

    def _store(self, copy: Copy, identity: str) -> Store | None:
        """Return the store of *copy*, None if it cannot be compared."""
        place = copy.region, copy.store
        if place in self.unchecked:
            return None
        store = self._regions[copy.region].store_named(copy.store)
        if store is None:
            self.unchecked[place] = "it is not in the settings"
            return None
        if place not in self.unchecked_copies:
            self.unchecked_copies[place] = 0
            try:
                store.check(identity, copy.region)
            except StoreError as exc:
                self._leave_out(copy, exc)
                return None
        return store

    def _leave_out(self, copy: Copy, exc: StoreError) -> None:
        _log.error("region %s, store %s cannot be checked: %s", copy.region, copy.store, exc)
        self.unchecked[copy.region, copy.store] = str(exc)

    def _sound(self, copy: Copy) -> Outcome:
        if self._node is not None:
            with self._database.write() as connection:
                mark_copy(connection, copy, damaged=False)
        return Outcome(copy, None, SOUND)

    def _damaged(self, copy: Copy, problem: str) -> Outcome | None:
        if self._node is None:
            with self._database.read() as connection:
                return Outcome(copy, problem, DAMAGED) if is_current(connection, copy) else None
        with self._database.write() as connection:
            # At once, so that it is not served while another copy is read.
            if not mark_copy(connection, copy, damaged=True):
                # The image was deleted, or moved to another key, since its row was read.
                return None
        what = f"image {copy.image_id} of region {copy.region}: its copy in {copy.store} is damaged ({problem})"
        if repair(copy, self._regions, self._database, self._node, self._count):
            _log.warning("%s and was repaired", what)
            return Outcome(copy, problem, REPAIRED)
        _log.error("%s, and is not served until it is restored", what)
        return Outcome(copy, problem, MARKED)

    def _count(self, size: int) -> None:
        self.bytes += size
        self._on_block(size)
