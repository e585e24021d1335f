"""One region of the service: its name, its settings, and its stores."""

from __future__ import annotations

from dataclasses import dataclass

from ecl.server.data.store.base import Store
from ecl.server.data.store.folder import FolderStore
from ecl.server.db.database_id import database_id
from ecl.server.db.engine import Database
from ecl.server.db.garbage import STAGING
from ecl.server.settings.folders import configured_stores, staging_folder, store_folder
from ecl.server.settings.model import RegionSettings, Settings

__all__ = ["Region", "claim_stores", "open_region", "open_regions"]


@dataclass(frozen=True, slots=True)
class Region:
    """A region that this process serves."""

    name: str
    settings: RegionSettings
    #: The default store, for new images.
    store: Store
    #: The staging area, where data waits for its import; clients never see it.
    staging: Store
    #: The other stores.
    more_stores: tuple[Store, ...] = ()

    @property
    def stores(self) -> tuple[Store, ...]:
        """Every store, the default one first."""
        return (self.store, *self.more_stores)

    def store_named(self, name: str) -> Store | None:
        """Return the region's store of that name, or None."""
        return next((store for store in self.stores if store.name == name), None)

    def place_of(self, store: Store) -> str:
        """Return what the database calls the place of one of the stores, or of the staging area."""
        return STAGING if store is self.staging else store.name

    def store_at(self, place: str) -> Store | None:
        """Return the store, or the staging area, that the database calls *place*; None if there is none."""
        return self.staging if place == STAGING else self.store_named(place)


def open_regions(settings: Settings, database: Database) -> list[Region]:
    """
    Open the regions that this process serves, and mark their stores as those of *database*, which is prepared.

    Raises:
        StoreError: A store cannot be opened.
        StoreTaken: A store belongs to another database, region or store.
    """
    regions = [open_region(entry, settings) for entry in settings.regions if not entry.is_remote]
    for region in regions:
        claim_stores(region, database)
    return regions


def open_region(entry: RegionSettings, settings: Settings, *, create: bool = True) -> Region:
    """
    Open the stores of a region that this process serves.

    Args:
        create: Create the folders that do not exist.

    Raises:
        StoreError: One of them cannot be opened.
    """
    configured = configured_stores(entry)
    stores = {
        store.name: FolderStore(
            store_folder(settings, entry, store),
            store.name,
            store.description,
            read_only=store.read_only,
            create=create,
        )
        for store in configured
    }
    default = entry.default_store or next(store.name for store in configured if not store.read_only)
    others = tuple(store for name, store in stores.items() if name != default)
    staging = FolderStore(staging_folder(settings, entry), "staging", create=create)
    return Region(entry.name, entry, stores[default], staging, others)


def claim_stores(region: Region, database: Database) -> None:
    """Mark the stores and the staging area as those of *region* in *database*. Raises StoreTaken or StoreError."""
    with database.read() as connection:
        identity = database_id(connection)
    for store in (*region.stores, region.staging):
        store.claim(identity, region.name)
