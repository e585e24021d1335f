"""
Settings from everywhere they may come from: a file, ``ECL_SERVE_*`` variables, and flags, the later above the earlier.

Keys of the file are the names in `ecl.server.settings.Settings`; a variable is a key in capitals
(``ECL_SERVE_PORT=9000``, ``ECL_SERVE_LIMITS_IMAGE_SIZE_CAP=1000000``, ``ECL_SERVE_REGIONS=jp1,jp2``).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import msgspec

from ecl.server.settings import ImageLimits, RegionSettings, Settings

__all__ = ["PREFIX", "SettingsError", "default_data_dir", "load_settings"]

#: What the names of the environment variables begin with.
PREFIX = "ECL_SERVE_"

_PATHS = ("data_dir", "tls_cert", "tls_key")
_REGION_PATHS = ("store_dir", "password_file", "cacert")
#: A region's name becomes part of URLs and of a folder's name.
_REGION_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_REMOTE_NEEDS = ("auth_url", "username", "password_file", "project_name")

# Any: what TOML and the environment hold is only known after `msgspec.convert`.
_Layer: TypeAlias = dict[str, Any]


class SettingsError(Exception):
    """A setting is wrong; the message is one sentence that names it and where it came from."""


def default_data_dir() -> Path:
    """Return the data folder of a service that was given none, as the platform has it."""
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
    Return the settings that hold.

    Args:
        config: A TOML file, or JSON if its name ends so; None: the one that ``ECL_SERVE_CONFIG`` names, if it does.
        flags: Settings from the command line; those that are None were not given.
        regions: Names of the regions to serve. One that the file describes is served as described there.

    Raises:
        SettingsError: Something is unknown, of the wrong type, or does not fit together.
    """
    if config is None and environ.get(f"{PREFIX}CONFIG"):
        config = Path(environ[f"{PREFIX}CONFIG"])
    layers = _from_file(config) if config is not None else {}
    for name, value in _from_environment(environ).items():
        if name == "limits":
            layers["limits"] = {**layers.get("limits", {}), **value}
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


def _from_file(path: Path) -> _Layer:
    import tomllib

    kind = "JSON" if path.suffix == ".json" else "TOML"
    try:
        text = path.read_text(encoding="utf-8")
        layer = msgspec.json.decode(text, type=_Layer) if kind == "JSON" else tomllib.loads(text)
    except OSError as exc:
        raise SettingsError(f"The configuration file {path} cannot be read: {exc.strerror}.") from exc
    except ValueError as exc:  # not of this kind, or not UTF-8
        raise SettingsError(f"The configuration file {path} is no {kind}: {exc}.") from exc
    _refuse_unknown(layer, Settings, str(path))
    if isinstance(layer.get("limits"), dict):
        _refuse_unknown(layer["limits"], ImageLimits, f"[limits] of {path}")
    entries = layer.get("regions", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise SettingsError(f"regions in {path} is written as one [[regions]] table for each region.")
    for entry in entries:
        _refuse_unknown(entry, RegionSettings, f"[[regions]] of {path}")
        _resolve(entry, _REGION_PATHS, path.parent)
    _resolve(layer, _PATHS, path.parent)
    return layer


def _from_environment(environ: Mapping[str, str]) -> _Layer:
    layer: _Layer = {}
    plain = [*Settings.__struct_fields__, "config"]
    names = {f"{PREFIX}{field.upper()}": field for field in plain if field != "limits"}
    limits = {f"{PREFIX}LIMITS_{field.upper()}": field for field in ImageLimits.__struct_fields__}
    for variable, value in environ.items():
        if not variable.startswith(PREFIX) or variable == f"{PREFIX}CONFIG":
            continue
        if variable in limits:
            layer.setdefault("limits", {})[limits[variable]] = value
        elif variable == f"{PREFIX}REGIONS":
            layer["regions"] = [name.strip() for name in value.split(",") if name.strip()]
        elif variable in names:
            layer[names[variable]] = value
        else:
            raise SettingsError(
                f"The environment variable {variable} is no setting{_nearest(variable, [*names, *limits])}."
            )
    return layer


def _resolve(layer: _Layer, names: Iterable[str], folder: Path) -> None:
    """Take relative paths of a file as relative to the file's folder."""
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
        # strict=False: a variable's "9000" is a number, too.
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
    """Refuse what no type can: numbers out of range, and settings that do not fit together."""
    for name, low, high in (
        ("port", 0, 65535),
        ("token_lifetime", 1, None),
        ("shutdown_timeout", 0, None),
        ("replicator_workers", 1, None),
    ):
        _in_range(name, getattr(settings, name), low, high)
    for name in ImageLimits.__struct_fields__:
        # A quota below 0 means "no limit" in Glance; a page or a body cannot be without one.
        _in_range(f"limits.{name}", getattr(settings.limits, name), 0 if "quota" in name else 1, None)
    if (settings.tls_cert is None) != (settings.tls_key is None):
        raise SettingsError("TLS needs both tls_cert and tls_key.")
    if settings.public_url is not None:
        _check_url("public_url", settings.public_url)
    _check_regions(settings.regions)


def _in_range(name: str, value: int, low: int, high: int | None) -> None:
    if value < low or (high is not None and value > high):
        bounds = f"at least {low}" if high is None else f"{low} to {high}"
        raise SettingsError(f"The setting {name} is {value}, but must be {bounds}.")


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
        if region.url is not None:
            _check_url(f"url of region {region.name}", region.url)
            missing = [name for name in _REMOTE_NEEDS if getattr(region, name) is None]
            if missing:
                raise SettingsError(f"The region {region.name} has a url, so it needs {missing[0]}, too.")
    if all(region.is_remote for region in regions):
        raise SettingsError("There is no region to serve here: at least one must be without a url.")


def _check_url(name: str, value: str) -> None:
    try:
        parts = urlsplit(value)
        right = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        right = False
    if not right:
        raise SettingsError(f"The setting {name} is {value!r}, but must be a URL such as https://image.example.")
