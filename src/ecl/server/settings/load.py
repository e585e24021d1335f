"""
Load settings from a file, ``ECL_SERVE_*`` variables and flags; the later ones override the earlier.

Keys of the file are the names in `ecl.server.settings.model.Settings`; a variable is a key in capitals
(``ECL_SERVE_PORT=9000``, ``ECL_SERVE_LIMITS_IMAGE_SIZE_CAP=1000000``, ``ECL_SERVE_REGIONS=jp1,jp2``,
``ECL_SERVE_IMPORTS_ALLOWED_PORTS=80,443``). Tables of tables, such as property rules, can be set in the file only.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import msgspec

from ecl.server.settings.buckets import wrong_bucket
from ecl.server.settings.folders import shared_folder
from ecl.server.settings.keystone import wrong_keystone
from ecl.server.settings.model import (
    HttpSettings,
    ImageLimits,
    ImportSettings,
    KeystoneSettings,
    PropertyRule,
    RegionSettings,
    ReplicatorTrust,
    Settings,
    StoreSettings,
    UpkeepSettings,
)

__all__ = ["PREFIX", "SettingsError", "default_data_dir", "load_settings", "metrics_token"]

#: Prefix of the environment variables.
PREFIX = "ECL_SERVE_"

_PATHS = ("data_dir", "image_cache_dir", "metadefs_dir", "metrics_token_file", "tls_cert", "tls_key")
_REGION_PATHS = ("store_dir", "password_file", "cacert")
_KEYSTONE_PATHS = ("password_file", "cacert")
_STORE_PATHS = ("dir", "cacert", "secret_access_key_file", "credentials_file")
#: A region's name becomes part of URLs and of a folder's name.
_REGION_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
#: A store's name is part of URLs and lists, and may name a folder beside images, which have UUIDs as names.
_STORE_NAME = re.compile(r"(?!os_glance)(?![0-9a-f]{8}-)[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
#: Settings that are tables.
_SECTIONS: Mapping[str, type[msgspec.Struct]] = {
    "http": HttpSettings,
    "limits": ImageLimits,
    "imports": ImportSettings,
    "keystone": KeystoneSettings,
    "upkeep": UpkeepSettings,
}
#: Settings that are lists of tables. "regions" is one, too, but can also be a list of names.
_TABLES: Mapping[str, type[msgspec.Struct]] = {
    "property_rules": PropertyRule,
    "replicator_trust": ReplicatorTrust,
}
_QUOTAS = frozenset({"image_count_total", "image_count_uploading", "image_size_total", "image_stage_total"})
#: Settings of ``upkeep`` that may not be 0.
_LEAST_UPKEEP = {"scrub_interval": 1, "keep_tasks": 1}
#: Settings of ``http`` that may be less than 1.
_LEAST_HTTP = {"min_rate": 0, "head_timeout": 0.1, "rate_window": 0.1}
_LISTS = frozenset(
    {"regions", "metrics_networks", "trusted_proxies", "methods", "allowed_ports", "allowed_networks"}
    | {"admin_roles", "member_roles", "reader_roles", "service_roles"}
)
_REMOTE_NEEDS = ("auth_url", "username", "password_file", "project_name")

# Any: `msgspec.convert` checks the types of what TOML and the environment contain.
_Layer: TypeAlias = dict[str, Any]


class SettingsError(Exception):
    """A setting is wrong; the message is one sentence that names it and its source."""


def default_data_dir() -> Path:
    """Return the default data folder, which depends on the platform."""
    from platformdirs import user_data_path

    return user_data_path("ecl", appauthor=False)


def load_settings(
    config: Path | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    flags: Mapping[str, Any] | None = None,
    regions: Sequence[str] = (),
) -> Settings:
    """
    Return the settings.

    Args:
        config: A TOML file, or JSON if its name ends in ``.json``; None: the file in ``ECL_SERVE_CONFIG``, if set.
        flags: Settings from the command line; None means that a flag is absent.
        regions: Names of the regions to serve. The file may have settings for them.

    Raises:
        SettingsError: A setting is unknown, has the wrong type or value, or does not fit the others.
    """
    if config is None and environ.get(f"{PREFIX}CONFIG"):
        config = Path(environ[f"{PREFIX}CONFIG"])
    layers = _from_file(config) if config is not None else {}
    for name, value in _from_environment(environ).items():
        if name in _SECTIONS:
            layers[name] = {**layers.get(name, {}), **value}
        elif name == "regions":
            regions = regions or value
        else:
            layers[name] = value
    layers.update({name: value for name, value in (flags or {}).items() if value is not None})
    if regions:
        known = {entry["name"]: entry for entry in layers.get("regions", []) if "name" in entry}
        layers["regions"] = [known.get(name, {"name": name}) for name in regions]
    if "data_dir" not in layers:
        layers["data_dir"] = default_data_dir()
    settings = _convert(layers)
    _check(settings)
    return settings


def metrics_token(settings: Settings) -> str | None:
    """
    Return the token in ``metrics_token_file``; None without that setting.

    Raises:
        SettingsError: The file cannot be read, or holds no token.
    """
    path = settings.metrics_token_file
    if path is None:
        return None
    try:
        token = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as exc:
        raise SettingsError(f"The metrics_token_file {path} cannot be read: {exc}.") from exc
    if not token:
        raise SettingsError(f"The metrics_token_file {path} is empty.")
    return token


def _from_file(path: Path) -> _Layer:
    import tomllib

    kind = "JSON" if path.suffix == ".json" else "TOML"
    try:
        text = path.read_text(encoding="utf-8")
        layer = msgspec.json.decode(text, type=_Layer) if kind == "JSON" else tomllib.loads(text)
    except OSError as exc:
        raise SettingsError(f"The configuration file {path} cannot be read: {exc.strerror}.") from exc
    except ValueError as exc:  # wrong syntax, or not UTF-8
        raise SettingsError(f"The configuration file {path} is no {kind}: {exc}.") from exc
    _refuse_unknown(layer, Settings, str(path))
    for name, struct in _SECTIONS.items():
        if isinstance(layer.get(name), dict):
            _refuse_unknown(layer[name], struct, f"[{name}] of {path}")
    for name, struct in _TABLES.items():
        _tables(layer, name, struct, path)
    for region in _tables(layer, "regions", RegionSettings, path):
        _resolve(region, _REGION_PATHS, path.parent)
        for store in _tables(region, "stores", StoreSettings, path):
            _resolve(store, _STORE_PATHS, path.parent)
    if isinstance(layer.get("keystone"), dict):
        _resolve(layer["keystone"], _KEYSTONE_PATHS, path.parent)
    _resolve(layer, _PATHS, path.parent)
    return layer


def _tables(layer: _Layer, name: str, struct: type[msgspec.Struct], path: Path) -> list[_Layer]:
    """Return the tables of the list *name*, after checking their keys."""
    entries = layer.get(name, [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise SettingsError(f"{name} in {path} is written as one [[{name}]] table for each of them.")
    for entry in entries:
        _refuse_unknown(entry, struct, f"[[{name}]] of {path}")
    return entries


def _from_environment(environ: Mapping[str, str]) -> _Layer:
    layer: _Layer = {}
    elsewhere = {*_SECTIONS, *_TABLES}
    plain = [field for field in (*Settings.__struct_fields__, "config") if field not in elsewhere]
    names = {f"{PREFIX}{field.upper()}": field for field in plain}
    inner = {
        f"{PREFIX}{section.upper()}_{field.upper()}": (section, field)
        for section, struct in _SECTIONS.items()
        for field in struct.__struct_fields__
    }
    for variable, value in environ.items():
        if not variable.startswith(PREFIX) or variable == f"{PREFIX}CONFIG":
            continue
        if variable in inner:
            section, field = inner[variable]
            layer.setdefault(section, {})[field] = _listed(field, value)
        elif variable in names:
            layer[names[variable]] = _listed(names[variable], value)
        else:
            raise SettingsError(
                f"The environment variable {variable} is no setting{_nearest(variable, [*names, *inner])}."
            )
    return layer


def _listed(name: str, value: str) -> str | list[str]:
    """Split the value of a variable at commas if the setting is a list."""
    return [part.strip() for part in value.split(",") if part.strip()] if name in _LISTS else value


def _resolve(layer: _Layer, names: Iterable[str], folder: Path) -> None:
    """Make relative paths of a file relative to the file's folder."""
    for name in names:
        if isinstance(layer.get(name), str):
            layer[name] = folder / Path(layer[name]).expanduser()


def _refuse_unknown(layer: _Layer, struct: type[msgspec.Struct], where: str) -> None:
    for name in layer:
        if name not in struct.__struct_fields__:
            near = _nearest(name, struct.__struct_fields__)
            raise SettingsError(f"{name!r} in {where} is no setting{near}.")


def _nearest(word: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    matches = get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean {matches[0]}" if matches else ""


def _convert(layer: _Layer) -> Settings:
    try:
        # strict=False: the text "9000" of a variable is accepted as a number.
        return msgspec.convert(layer, Settings, strict=False, dec_hook=_path)
    except msgspec.ValidationError as exc:
        problem, _, key = str(exc).partition(" - at `$.")
        name = key.rstrip("`") or "the settings"
        raise SettingsError(f"The setting {name} is wrong: {problem[:1].lower()}{problem[1:]}.") from exc


def _path(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str | Path):
        return Path(value).expanduser()
    raise TypeError(f"Expected a path, got {type(value).__name__}")


def _check(settings: Settings) -> None:
    """Check what types cannot: ranges of numbers, and settings that must fit each other."""
    for name, low, high in (
        ("port", 0, 65535),
        ("token_lifetime", 1, None),
        ("password_cost", 14, 20),
        ("shutdown_timeout", 0, None),
        ("replicator_workers", 1, None),
        ("node_lease", 0.1, 3600),
        ("job_attempts", 1, None),
        ("job_retry_delay", 0.1, 3600),
        ("project_jobs", 1, None),
        ("database_connections", 2, None),
        ("image_cache_max_size", 1, None),
    ):
        _in_range(name, getattr(settings, name), low, high)
    for name in ImageLimits.__struct_fields__:
        # -1 means no quota; the size of a page or a body always has a limit.
        least = -1 if name in _QUOTAS else 0 if "quota" in name else 1
        _in_range(f"limits.{name}", getattr(settings.limits, name), least, None)
    for name in HttpSettings.__struct_fields__:
        _in_range(f"http.{name}", getattr(settings.http, name), _LEAST_HTTP.get(name, 1), None)
    for name in UpkeepSettings.__struct_fields__:
        _in_range(f"upkeep.{name}", getattr(settings.upkeep, name), _LEAST_UPKEEP.get(name, 0), None)
    _check_imports(settings.imports)
    _check_networks("metrics_networks", settings.metrics_networks)
    metrics_token(settings)
    _check_networks("trusted_proxies", settings.trusted_proxies)
    for rule in settings.property_rules:
        _check_pattern(rule.pattern)
    if (settings.tls_cert is None) != (settings.tls_key is None):
        raise SettingsError("TLS needs both tls_cert and tls_key.")
    if settings.public_url is not None:
        _check_url("public_url", settings.public_url)
    _check_regions(settings.regions)
    if settings.testing and settings.keystone is not None:
        raise SettingsError(
            "With testing, tests make projects of the embedded identity, and with [keystone] there is none: "
            "use one of them."
        )
    if settings.testing and not _is_loopback(settings.host):
        raise SettingsError(
            f"With testing, everybody who reaches the service may do everything, so the host must be a loopback "
            f"address such as 127.0.0.1, not {settings.host}."
        )
    names = {store.name for region in settings.regions for store in region.stores}
    if settings.show_multiple_locations and "http" in names:
        raise SettingsError("No store can have the name 'http' with show_multiple_locations: rename it.")
    if settings.image_cache_dir is None and any(store.cache for region in settings.regions for store in region.stores):
        raise SettingsError("A store with cache = true needs image_cache_dir, the folder of the image cache.")
    if wrong := wrong_keystone(settings):
        raise SettingsError(wrong)
    shared = shared_folder(settings)
    if shared is not None:
        raise SettingsError(shared[0].upper() + shared[1:])


def _in_range(name: str, value: float, low: float, high: float | None) -> None:
    # In this form it also refuses what is not a number at all.
    if not (low <= value and (high is None or value <= high)):
        bounds = f"at least {low}" if high is None else f"{low} to {high}"
        raise SettingsError(f"The setting {name} is {value}, but must be {bounds}.")


def _check_imports(imports: ImportSettings) -> None:
    for name, low in (("workers", 1), ("max_redirects", 0), ("timeout", 1), ("idle_timeout", 1), ("min_rate", 0)):
        _in_range(f"imports.{name}", getattr(imports, name), low, None)
    for port in imports.allowed_ports:
        _in_range("imports.allowed_ports", port, 1, 65535)
    _check_networks("imports.allowed_networks", imports.allowed_networks)


def _is_loopback(host: str) -> bool:
    from ipaddress import ip_address

    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _check_networks(name: str, networks: Sequence[str]) -> None:
    from ipaddress import ip_network

    for network in networks:
        try:
            ip_network(network)
        except ValueError as exc:
            raise SettingsError(f"{network!r} in {name} is no network such as 10.1.0.0/16: {exc}.") from exc


def _check_pattern(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as exc:
        raise SettingsError(f"The pattern {pattern!r} in property_rules is no regular expression: {exc}.") from exc


def _check_regions(regions: Sequence[RegionSettings]) -> None:
    names = [region.name for region in regions]
    for region in regions:
        if not _REGION_NAME.fullmatch(region.name):
            raise SettingsError(
                f"The region name {region.name!r} is wrong: it has 1 to 64 letters, digits, dots, "
                "dashes and underscores, and begins with a letter or digit."
            )
        if names.count(region.name) > 1:
            raise SettingsError(f"The region {region.name!r} is there twice.")
        _check_stores(region)
        if region.url is not None:
            _check_url(f"url of region {region.name}", region.url)
            missing = [name for name in _REMOTE_NEEDS if getattr(region, name) is None]
            if missing:
                raise SettingsError(f"The region {region.name} has a url, so it needs {missing[0]}, too.")
    if all(region.is_remote for region in regions):
        raise SettingsError("There is no region to serve here: at least one must be without a url.")


def _check_stores(region: RegionSettings) -> None:
    names = [store.name for store in region.stores]
    for name in names:
        if not _STORE_NAME.fullmatch(name):
            raise SettingsError(
                f"The store name {name!r} of region {region.name} is wrong: it has 1 to 64 letters, digits, dots, "
                "dashes and underscores, begins with a letter or digit, and is no UUID."
            )
        if names.count(name) > 1:
            raise SettingsError(f"The store {name!r} of region {region.name} is there twice.")
    for store in region.stores:
        if wrong := wrong_bucket(region.name, store):
            raise SettingsError(wrong)
    if region.stores and region.store_dir is not None:
        raise SettingsError(f"The region {region.name} has stores, so store_dir is said in one of them, as its dir.")
    writable = [store.name for store in region.stores if not store.read_only]
    if region.stores and not writable:
        raise SettingsError(f"All stores of region {region.name} are read-only: one must take new images.")
    if region.default_store is not None and region.default_store not in writable:
        raise SettingsError(f"The default_store of region {region.name} is no store of it that takes new images.")


def _check_url(name: str, value: str) -> None:
    try:
        parts = urlsplit(value)
        right = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        right = False
    if not right:
        raise SettingsError(f"The setting {name} is {value!r}, but must be a URL such as https://image.example.")
