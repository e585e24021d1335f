"""A token that was got before, with the catalog that came with it."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Self

__all__ = ["KnownToken"]


class _Endpoint(NamedTuple):
    """One address of a service."""

    service_type: str
    service_name: str | None
    interface: str
    region_name: str | None
    url: str

    @classmethod
    def of(cls, service: Mapping[str, Any], endpoint: Mapping[str, Any]) -> Self:
        """Read an entry of the catalog. Raises KeyError, AttributeError or TypeError for anything else."""
        region = endpoint.get("region_id") or endpoint.get("region")
        url = endpoint["url"] or ""
        return cls(service["type"], service.get("name") or None, str(endpoint["interface"]), region, str(url))


class KnownToken:
    """
    A token of Keystone's version 3, without the library that got it.

    Attributes:
        text: The token itself.
        project_id: ID of the project that it is for, if it is for one.
    """

    def __init__(self, text: str, body: Mapping[str, Any]) -> None:
        """
        Read what Keystone said of the token.

        Args:
            body: The body of Keystone's answer to the log-in.

        Raises:
            ValueError: It is not the answer of version 3, or says neither when the token ends nor where services are.
        """
        self.text = text
        try:
            token = body["token"]
            self.project_id: str | None = token["project"]["id"] if token.get("project") else None
            self._expires = datetime.datetime.fromisoformat(token["expires_at"])
            self._endpoints = [
                _Endpoint.of(service, each) for service in token["catalog"] for each in service.get("endpoints", ())
            ]
        except (TypeError, KeyError, AttributeError) as exc:
            raise ValueError("not a token of Keystone's version 3 with a catalog") from exc
        if self._expires.tzinfo is None:
            raise ValueError("the end of the token has no time zone")

    def seconds_left(self) -> float:
        """Return how long the token is good for."""
        return (self._expires - datetime.datetime.now(datetime.UTC)).total_seconds()

    def endpoint(
        self,
        service_type: str,
        interface: str | Iterable[str] | None = None,
        region_name: str | None = None,
        service_name: str | None = None,
    ) -> str | None:
        """
        Return the address that keystoneauth1 would take from the catalog.

        Args:
            interface: ``public`` (the default), ``internal`` or ``admin``, or several in the order of preference.

        Returns:
            None if the catalog has no service of exactly that type; keystoneauth1 knows other names of some types.
        """
        found: dict[str, str] = {}
        for each in self._endpoints:
            # A service without a name may be the one.
            is_named = not service_name or each.service_name in (None, service_name)
            if each.service_type == service_type and is_named and region_name in (None, each.region_name) and each.url:
                found.setdefault(each.interface, each.url)
        wanted = [interface or "public"] if isinstance(interface, str | None) else interface
        return next((found[name] for each in wanted if (name := each.removesuffix("URL")) in found), None)
