"""Settings of one cloud, laid over each other: vendor profile, clouds.yaml, region, arguments."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping
from typing import Any

from ecl import exceptions
from ecl._config import files

__all__ = [
    "OLD_SETTINGS",
    "SETTINGS",
    "TRUE",
    "normal",
    "region_of",
    "replaced_by",
    "with_new_names",
    "with_profile",
    "without",
]

TRUE = {"1", "true", "yes", "on"}

#: Settings of a connection; all other keys are options of the login.
SETTINGS = frozenset(
    {
        "api_timeout", "auth_methods", "auth_plugin", "auth_type", "cacert", "cert", "endpoint_type",
        "image_endpoint", "image_endpoint_override", "image_endpoint_type", "image_interface", "image_region_name",
        "image_service_name", "image_service_type", "insecure", "interface", "key", "profile", "region_name",
        "regions", "verify",
    }
)  # fmt: skip
OLD_SETTINGS = {
    "endpoint_type": "interface",
    "image_endpoint_type": "image_interface",
    "image_endpoint": "image_endpoint_override",
    "image_url": "image_endpoint_override",
}


def normal(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return *entry* with underscores in its keys, and numbers as the text that was written."""
    return {str(key).replace("-", "_"): _text(value) for key, value in entry.items()}


def _text(value: Any) -> Any:
    if isinstance(value, Mapping):
        return normal(value)
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def with_profile(name: str, entry: dict[str, Any], env: Mapping[str, str]) -> dict[str, Any]:
    """Lay *entry* over its vendor profile."""
    wanted = entry.get("profile") or entry.get("cloud")
    entry = without(entry, ("profile", "cloud"))
    auth = entry.setdefault("auth", {})
    if auth is None:
        entry["auth"] = auth = {}
    if not isinstance(auth, Mapping):
        raise exceptions.ConfigException(f"Cloud {name!r}: 'auth' must be a mapping, not {type(auth).__name__}")
    if not wanted:
        return entry
    profile = files.profile(str(wanted), env)
    if profile is None:
        what = f"Cloud {name!r}: there is no vendor profile {wanted!r} in clouds-public.yaml or openstacksdk's folder"
        if not auth.get("auth_url") and not entry.get("auth_url"):
            raise exceptions.ConfigException(f"{what}; write auth_url and the rest of it into clouds.yaml")
        warnings.warn(f"{what}; only the settings in clouds.yaml are used", stacklevel=4)
        return entry
    profile = normal(profile)
    if "region_name" in entry:
        # The cloud's own region replaces the profile's list.
        profile.pop("regions", None)
    return files.merged(profile, entry)


def region_of(name: str, entry: Mapping[str, Any], wanted: str | None) -> dict[str, Any]:
    """
    Return the region *wanted*, else the first, with its values.

    Raises:
        ConfigException: The cloud lists its regions, and *wanted* is not among them.
    """
    known = entry.get("regions")
    if not known:
        known = entry.get("region_name")
        known = known.split(",") if isinstance(known, str) else known
    regions = [_one_region(name, one) for one in (known if isinstance(known, list) else [known] if known else [])]
    if not regions:
        return {"name": wanted, "values": {}}
    if not wanted:
        return regions[0]
    for region in regions:
        if region["name"] == wanted:
            return region
    if len(regions) == 1 and not entry.get("regions"):
        # A single region_name is a preference, not the list of all regions.
        return {"name": wanted, "values": {}}
    names = ", ".join(region["name"] for region in regions)
    raise exceptions.ConfigException(f"Cloud {name!r} has no region {wanted!r}; its regions are: {names}")


def _one_region(name: str, region: object) -> dict[str, Any]:
    region = region if isinstance(region, Mapping) else {"name": region}
    named, values = _text(region.get("name")), region.get("values") or {}
    if not isinstance(named, str) or not isinstance(values, Mapping) or region.keys() - {"name", "values"}:
        raise exceptions.ConfigException(
            f"Cloud {name!r}: a region must be text, or a mapping of 'name' (text) and 'values' (a mapping)"
        )
    return {"name": named.strip(), "values": values}


def replaced_by(above: Mapping[str, Any], settings: Mapping[str, Any]) -> set[str]:
    """Return which of *settings* the settings *above* replace."""
    replaced: set[str] = set()
    if "api_timeout" in above:
        # Tools name it after their service, too.
        replaced |= {key for key in settings if key.endswith("_timeout")}
    for group in ({"verify", "insecure"}, {"cert", "key"}, {"auth_type", "auth_plugin"}):
        if above.keys() & group:
            replaced |= group
    if str(above.get("verify", True)).lower() not in TRUE:
        # The path of a CA file replaces the certificates that the file names.
        replaced.add("cacert")
    return replaced


def with_new_names(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Give settings their current names; a value under an older name wins, as in openstacksdk."""
    old = {OLD_SETTINGS[key]: value for key, value in settings.items() if key in OLD_SETTINGS and value}
    if settings.get("image_endpoint_override"):
        old.pop("image_endpoint_override", None)
    return {**without(settings, OLD_SETTINGS), **old}


def without(mapping: Mapping[str, Any], keys: Collection[str]) -> dict[str, Any]:
    """Return *mapping* without *keys*."""
    return {key: value for key, value in mapping.items() if key not in keys}
