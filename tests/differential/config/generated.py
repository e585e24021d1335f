"""Configurations that no one wrote: random mixtures of settings, always the same ones."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["generated"]

_AUTH: dict[str, tuple[Any, ...]] = {
    "username": ("demo", 1001),
    "password": ("hunter2", 12345),
    "project_name": ("demo", 2024),
    "tenant_name": ("old",),
    "project_id": ("p1",),
    "domain_name": ("Corp",),
    "domain_id": ("corp",),
    "trust_id": ("t1",),
}
_SETTINGS: dict[str, tuple[Any, ...]] = {
    "region_name": ("RegionOne", "RegionTwo", "RegionTwo,RegionOne"),
    "regions": (
        ["RegionThree", "RegionOne"],
        [{"name": "RegionTwo", "values": {"interface": "admin", "auth": {"password": "other"}}}, "RegionOne"],
        [{"name": "RegionOne", "values": {"image_region_name": "RegionTwo", "cacert": "~/region.pem"}}],
    ),
    "interface": ("public", "internal", "admin", "internalURL", ["admin", "public"]),
    "endpoint_type": ("internal",),
    "image_interface": ("admin",),
    "image_region_name": ("RegionThree",),
    "image_endpoint_override": ("KEYSTONE/elsewhere/v2",),
    "image_api_version": ("2", 2),
    "identity_api_version": (3,),
    "cacert": ("~/ca.pem", "FOLDER/ca.pem"),
    "verify": (True, False),
    "insecure": (True, False, "true"),
    "cert": ("~/c.pem",),
    "key": ("~/k.pem",),
    "api_timeout": (30, "12.5"),
    "profile": ("vendor",),
}
_VENDOR = {"auth": {"auth_url": "KEYSTONE/v3"}, "regions": ["RegionTwo", "RegionThree"], "interface": "internal"}
# The password and the domains of user and project are always given: what is done without is known to differ.
_ALWAYS = {"auth_url": "KEYSTONE/v3", "username": "demo", "password": "hunter2", "user_domain_name": "Users",
           "project_domain_name": "Labs"}  # fmt: skip


def generated(count: int) -> Iterator[Mapping[str, Any]]:
    """Yield *count* cases, as they are written in the corpus."""
    for number in range(count):
        # Not the hash of a tuple or text, which differs from process to process.
        chance = random.Random(number)
        yield {"name": f"generated {number}", **(_file(chance) if number % 3 else _variables(chance))}


def _file(chance: random.Random) -> dict[str, Any]:
    auth = {**_ALWAYS, **_some(chance, _AUTH, 3)}
    beside = {key: auth.pop(key) for key in sorted(auth) if chance.random() < 0.2}
    written: dict[str, Any] = {
        "cloud": "mixed",
        "clouds": {"mixed": {"auth": auth, **beside, **_some(chance, _SETTINGS, 6)}, "rest": {"auth": {}}},
        "public": {"vendor": _VENDOR},
    }
    if chance.random() < 0.3:
        written["secure"] = {"mixed": {"auth": _some(chance, _AUTH, 1), **_some(chance, _SETTINGS, 1)}}
    if chance.random() < 0.3:
        written["env"] = _as_variables({"username": "variable", "region_name": "RegionThree", "interface": "admin"})
    return written


def _variables(chance: random.Random) -> dict[str, Any]:
    # Known to differ: a profile by a variable, and words for what is true.
    settings = {key: values for key, values in _SETTINGS.items() if key not in ("profile", "regions", "verify")}
    given = {**_ALWAYS, **_some(chance, _AUTH, 3), **_some(chance, settings, 5)}
    return {
        "env": _as_variables({key: value for key, value in given.items() if not isinstance(value, list)}),
        "clouds": {"other": {"auth": {"auth_url": "KEYSTONE/v3"}}},
        "public": {"vendor": _VENDOR},
    }


def _some(chance: random.Random, of: Mapping[str, tuple[Any, ...]], most: int) -> dict[str, Any]:
    keys = chance.sample(sorted(of), chance.randint(0, most))
    return {key: chance.choice(of[key]) for key in keys}


def _as_variables(given: Mapping[str, Any]) -> dict[str, str]:
    return {f"OS_{key.upper()}": str(value) for key, value in given.items()}
