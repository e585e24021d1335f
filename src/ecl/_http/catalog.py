"""What the service catalog has, where an endpoint is ambiguous or missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ecl import exceptions

__all__ = ["check_region", "missing"]


def check_region(session: Any, wanted: Mapping[str, Any]) -> None:
    """
    Refuse to guess a region: a plain keystoneauth1 Session prefers none, and the first of the catalog may be wrong.

    Raises:
        InvalidRequest: The catalog has the service in several regions.
    """
    if hasattr(session, "profile") or hasattr(session, "region_name") or "region_name" in wanted:
        # A Session of ours, or an Adapter: its region was chosen, or left open, where it was made.
        return
    regions = _regions(session, wanted)
    if len(regions) > 1:
        raise exceptions.InvalidRequest(
            f"The {wanted['service_type']} service is in {len(regions)} regions ({', '.join(regions)}), and a"
            " keystoneauth1 Session does not say which is meant: use ecl.connect(session=…, region_name=…), or"
            " Proxy(Adapter(session, region_name=…))"
        )


def missing(session: Any, wanted: Mapping[str, Any]) -> str:
    """Return what to say where the catalog has no endpoint as it is *wanted*."""
    profile = getattr(session, "profile", None)
    asked = {**wanted, **(profile.preferences(wanted["service_type"]) if profile is not None else {})}
    for name in ("interface", "region_name"):
        if getattr(session, name, None):
            asked[name] = getattr(session, name)
    described = ", ".join(f"{key} {value!r}" for key, value in asked.items())
    regions = _regions(session, {"service_type": asked["service_type"]})
    there = f"it has that service in the regions {', '.join(regions)}" if regions else "it has no such service at all"
    return (
        f"The catalog has no endpoint with {described}; {there}. Correct region_name (--os-region-name) or interface,"
        " or give image_endpoint_override"
    )


def _regions(session: Any, wanted: Mapping[str, Any]) -> list[str]:
    """Return the regions of a service, in the catalog's order; none where there is no catalog."""
    inner = getattr(session, "session", None)
    base = inner if hasattr(inner, "get_endpoint") else session
    auth = getattr(session, "auth", None) or getattr(base, "auth", None)
    access = getattr(auth, "get_access", None)
    if access is None:
        return []
    catalog = access(base).service_catalog
    found = catalog.get_endpoints_data(
        service_type=wanted["service_type"],
        interface=wanted.get("interface"),
        service_name=wanted.get("service_name"),
    )
    return list(
        dict.fromkeys(endpoint.region_name for group in found.values() for endpoint in group if endpoint.region_name)
    )
