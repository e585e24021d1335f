"""One region of the service: its name, its settings, and where its image bytes are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ecl.server.data.store.base import Store
from ecl.server.data.store.folder import FolderStore
from ecl.server.settings.model import RegionSettings, Settings, StoreSettings

__all__ = ["Region", "open_region"]

#: The name of a region's store when the settings name none; it is in every database since the first release.
_ONLY_STORE = "folder"


@dataclass(frozen=True, slots=True)
class Region:
    """A region that this process serves."""

    name: str
    settings: RegionSettings
    #: Where new images go.
    store: Store
    #: Where bytes wait for their import; never shown to clients.
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


def open_region(entry: RegionSettings, settings: Settings) -> Region:
    """
    Open the stores of a region that this process serves.

    Raises:
        StoreError: One of them cannot be opened.
    """
    root = settings.data_dir / "images" / entry.name
    configured = entry.stores or (StoreSettings(_ONLY_STORE, entry.store_dir),)
    stores = {store.name: _open(store, root) for store in configured}
    default = entry.default_store or next(store.name for store in configured if not store.read_only)
    others = tuple(store for name, store in stores.items() if name != default)
    staging = FolderStore((settings.data_dir / "staging" / entry.name).absolute(), "staging")
    return Region(entry.name, entry, stores[default], staging, others)


def _open(store: StoreSettings, root: Path) -> Store:
    # Images that were there before a second store was set up stay where they are.
    folder = store.dir or (root if store.name == _ONLY_STORE else root / store.name)
    return FolderStore(folder.absolute(), store.name, store.description, read_only=store.read_only)
