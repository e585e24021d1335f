"""One region of the service: its name, its settings, and its stores."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ecl.server.data.store.base import Store, StoreError, StoreUnavailable
from ecl.server.data.store.folder import FolderStore
from ecl.server.db.database_id import database_id
from ecl.server.db.engine import Database
from ecl.server.db.garbage import STAGING
from ecl.server.db.stored_keys import sample_keys
from ecl.server.settings.folders import configured_stores, staging_folder, store_folder
from ecl.server.settings.model import RegionSettings, Settings

__all__ = ["Region", "claim_stores", "open_existing", "open_region", "open_regions"]

#: Keys that are looked for in a folder without a mark, to tell whether it is the right one.
_SAMPLE = 100


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
    # A folder that is refused is left as it is.
    regions = open_existing(settings)
    for region in regions:
        claim_stores(region, database)
    return regions


def open_existing(settings: Settings, names: Collection[str] | None = None) -> list[Region]:
    """
    Open the regions that this service serves, for a command beside it. No folder is created.

    Args:
        names: Only these; None: all.
    """
    return [
        open_region(entry, settings, create=False)
        for entry in settings.regions
        if not entry.is_remote and (names is None or entry.name in names)
    ]


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
    """
    Mark the stores and the staging area as those of *region* in *database*.

    Raises:
        StoreTaken: One of them belongs to another database, region or store.
        StoreUnavailable: One has no mark and none of the data that the database knows there: it is not mounted.
    """
    with database.read() as connection:
        identity = database_id(connection)
        samples = {
            region.place_of(store): sample_keys(connection, region.name, region.place_of(store), _SAMPLE)
            for store in (*region.stores, region.staging)
            if not store.has_mark
        }
    for store in (*region.stores, region.staging):
        keys = samples.get(region.place_of(store), ())
        if keys and not any(_has_data(store, key) for key in keys):
            where = ", ".join(store.properties.values())
            raise StoreUnavailable(
                f"{where} is empty, but the database knows data in it: mount its disk; if the data is lost for good, "
                f"`ecl serve check --region {region.name} --accept-empty {region.place_of(store)}` makes the service "
                "start without it"
            )
        store.claim(identity, region.name)


def _has_data(store: Store, key: str) -> bool:
    try:
        store.reader(key).close()
    except StoreError:
        return False
    return True
