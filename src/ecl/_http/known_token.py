"""A token that was got before, with the catalog that came with it."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["KnownToken"]


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
            ValueError: It says too little to use the token: when it ends, or where the services are.
        """
        token = body.get("token")
        if not isinstance(token, dict) or not isinstance(token.get("catalog"), list):
            raise ValueError("not a token of Keystone's version 3 with a catalog")
        self.text = text
        self.project_id: str | None = token.get("project", {}).get("id")
        self._catalog: list[dict[str, Any]] = token["catalog"]
        self._expires = datetime.datetime.fromisoformat(str(token.get("expires_at")))
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
            None if there is none of exactly that type; keystoneauth1 knows other names of some types.
        """
        found: dict[str, str] = {}
        for service in self._catalog:
            if service.get("type") != service_type or service_name not in (None, service.get("name") or service_name):
                continue
            for endpoint in service.get("endpoints", ()):
                region = endpoint.get("region_id") or endpoint.get("region")
                if region_name in (None, region) and endpoint.get("url"):
                    found.setdefault(endpoint.get("interface"), endpoint["url"])
        wanted = [interface or "public"] if isinstance(interface, str | None) else interface
        return next((found[name] for each in wanted if (name := each.removesuffix("URL")) in found), None)
