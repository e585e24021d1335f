"""One region of the service: its name, its settings, and where its image bytes are."""

from __future__ import annotations

from dataclasses import dataclass

from ecl.server.settings import RegionSettings
from ecl.server.store.base import Store

__all__ = ["Region"]


@dataclass(frozen=True, slots=True)
class Region:
    """A region that this process serves."""

    name: str
    settings: RegionSettings
    #: Where new images go.
    store: Store

    def store_named(self, name: str) -> Store | None:
        """Return the region's store of that name, or None."""
        return self.store if name == self.store.name else None
