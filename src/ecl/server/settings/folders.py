"""The places of each region's stores according to the settings, and the check that no two share a place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from urllib.parse import urlsplit

from ecl.server.settings.buckets import bucket_url
from ecl.server.settings.model import RegionSettings, Settings, StoreSettings

__all__ = ["configured_stores", "shared_folder", "staging_folder", "store_folder"]

#: Name of the store of a region without stores in its settings; databases since the first release contain it.
_DEFAULT_STORE = "folder"


def configured_stores(region: RegionSettings) -> tuple[StoreSettings, ...]:
    """Return the stores of a region: those in its settings, or the default one."""
    return region.stores or (StoreSettings(_DEFAULT_STORE, region.store_dir),)


def store_folder(settings: Settings, region: RegionSettings, store: StoreSettings) -> Path:
    """Return the absolute path of a store's folder."""
    root = settings.data_dir / "images" / region.name
    # The default store keeps its folder when other stores are added.
    return (store.dir or (root if store.name == _DEFAULT_STORE else root / store.name)).absolute()


def staging_folder(settings: Settings, region: RegionSettings) -> Path:
    """Return the absolute path of a region's staging area."""
    return (settings.data_dir / "staging" / region.name).absolute()


def shared_folder(settings: Settings) -> str | None:
    """
    Return a sentence that names two places that share a folder, or None.

    Symbolic links are followed. A folder inside another one is shared, too. Two regions may share a folder
    if both only read it.
    """
    for one, other in combinations(_places(settings), 2):
        if one.read_only and other.read_only and one.region != other.region:
            continue
        outer, inner = (one, other) if one.path in (other.path, *other.path.parents) else (other, one)
        if outer.path == inner.path:
            return (
                f"{outer.what} and {inner.what} have the same {inner.kind}, {inner.path}: "
                f"give each a {inner.kind} of its own."
            )
        if outer.path in inner.path.parents and not _is_default_layout(outer, inner):
            return (
                f"The {inner.kind} of {inner.what}, {inner.path}, is inside that of {outer.what}, {outer.path}: "
                f"give each a {inner.kind} of its own."
            )
    return None


@dataclass(frozen=True, slots=True)
class _Place:
    what: str
    region: str
    path: Path
    read_only: bool = False
    #: True if the settings do not name the folder.
    is_default: bool = False
    kind: str = "folder"


def _places(settings: Settings) -> Iterator[_Place]:
    if settings.image_cache_dir is not None:
        yield _Place("image_cache_dir", "", settings.image_cache_dir.absolute().resolve())
    for region in settings.regions:
        if region.is_remote:
            continue
        for store in configured_stores(region):
            what = f"the store {store.name} of region {region.name}"
            if store.url is not None:
                yield _Place(what, region.name, _bucket_path(store, store.url), store.read_only, kind="prefix")
                continue
            path = store_folder(settings, region, store).resolve()
            yield _Place(what, region.name, path, store.read_only, store.dir is None)
        staging = staging_folder(settings, region).resolve()
        yield _Place(f"the staging area of region {region.name}", region.name, staging, is_default=True)


def _bucket_path(store: StoreSettings, url: str) -> Path:
    """Return a path that is equal for equal prefixes of one bucket, and inside that of a shorter prefix."""
    parts = bucket_url(url)
    host = urlsplit(store.endpoint).netloc if store.endpoint is not None else parts.scheme
    return Path(host, parts.bucket, parts.prefix)


def _is_default_layout(outer: _Place, inner: _Place) -> bool:
    """Return True for ``images/<region>/<store>`` in ``images/<region>``: no store is named like an image."""
    return outer.is_default and inner.is_default and outer.region == inner.region
