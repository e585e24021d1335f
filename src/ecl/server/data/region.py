"""One region of the service: its name, its settings, and its stores."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ecl.server.data.image_cache import ImageCache
from ecl.server.data.store.base import Store, StoreError, StoreUnavailable
from ecl.server.data.store.folder import FolderStore
from ecl.server.data.web.store import HttpStore
from ecl.server.db.database_id import database_id
from ecl.server.db.engine import Database
from ecl.server.db.garbage import STAGING
from ecl.server.db.stored_keys import sample_keys
from ecl.server.settings.folders import configured_stores, staging_folder, store_folder
from ecl.server.settings.model import RegionSettings, Settings, StoreSettings

__all__ = ["Region", "claim_stores", "open_existing", "open_region", "open_regions"]

#: Keys that are looked for in a folder without a mark, to tell whether it is the right one.
_SAMPLE = 100


class NoObjectStorage(StoreError):
    """What a store in a bucket needs is not installed."""

    place = "bucket"


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
    cache: ImageCache | None = None

    @property
    def stores(self) -> tuple[Store, ...]:
        """Every store, the default one first."""
        return (self.store, *self.more_stores)

    def store_named(self, name: str) -> Store | None:
        """Return the region's store of that name, or None."""
        return next((store for store in self.stores if store.name == name), None)

    @property
    def store_with_staging(self) -> Store | None:
        """The store that has the staged data under the same keys, so that an import need not move it; or None."""
        return next((store for store in self.stores if store.has_data_of(self.staging)), None)

    @property
    def places(self) -> tuple[Store, ...]:
        """The stores, and the staging area if it is a place of its own."""
        return self.stores if self.store_with_staging is not None else (*self.stores, self.staging)

    def by_weight(self, names: Iterable[str]) -> list[str]:
        """Return *names* of stores, the largest weight first; those of equal weight stay in their order."""
        weights = {store.name: store.weight for store in self.stores}
        return sorted(names, key=lambda name: -weights.get(name, 0))

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
    regions = open_existing(settings, database)
    for region in regions:
        claim_stores(region, database)
    return regions


def open_existing(
    settings: Settings, database: Database | None = None, names: Collection[str] | None = None
) -> list[Region]:
    """
    Open the regions that this service serves, for a command beside it. No folder is created.

    Args:
        database: See `open_region`.
        names: Only these; None: all.
    """
    return [
        open_region(entry, settings, database, create=False)
        for entry in settings.regions
        if not entry.is_remote and (names is None or entry.name in names)
    ]


def open_region(
    entry: RegionSettings, settings: Settings, database: Database | None = None, *, create: bool = True
) -> Region:
    """
    Open the stores of a region that this process serves.

    Args:
        database: Has the addresses of data elsewhere, if the settings allow such locations.
        create: Create the folders that do not exist.

    Raises:
        StoreError: One of them cannot be opened.
    """
    configured = configured_stores(entry)
    stores = {store.name: _open_store(settings, entry, store, create=create) for store in configured}
    default = entry.default_store or next(store.name for store in configured if not store.read_only)
    others: tuple[Store, ...] = tuple(store for name, store in stores.items() if name != default)
    if settings.show_multiple_locations and database is not None:
        others += (HttpStore(entry.name, database, settings.imports),)
    staging = stores[default].staging() or FolderStore(staging_folder(settings, entry), "staging", create=create)
    cache = None
    if settings.image_cache_dir is not None:
        cache = ImageCache(settings.image_cache_dir.absolute() / entry.name, settings.image_cache_max_size)
    return Region(entry.name, entry, stores[default], staging, others, cache)


def _open_store(settings: Settings, entry: RegionSettings, store: StoreSettings, *, create: bool) -> Store:
    if store.url is None:
        folder = store_folder(settings, entry, store)
        return FolderStore(
            folder,
            store.name,
            store.description,
            read_only=store.read_only,
            create=create,
            weight=store.weight,
            cached=store.cache,
        )
    try:
        # Imported here, because most services have no bucket, and need not have obstore.
        from ecl.server.data.store.objects.bucket import open_bucket
        from ecl.server.data.store.objects.store import ObjectStore
    except ModuleNotFoundError as exc:
        raise NoObjectStorage(
            f"the store {store.name} of region {entry.name} is in a bucket: install ecl-image[s3]"
        ) from exc
    return ObjectStore(
        open_bucket(store),
        store.name,
        store.description,
        read_only=store.read_only,
        removal_delay=store.removal_delay,
        weight=store.weight,
        cached=store.cache,
    )


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
            for store in region.places
            if not store.has_mark
        }
    for store in region.places:
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
