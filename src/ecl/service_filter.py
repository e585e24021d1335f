"""Which entry of the service catalog a resource belongs to."""

from __future__ import annotations

from typing import Any

__all__ = ["ServiceFilter", "ValidVersion"]


class ValidVersion:
    """A version of a service's API, and the package that implements it."""

    def __init__(self, module: str, path: str | None = None) -> None:
        self.module = module
        self.path = path or module


def _entry(key: str) -> Any:
    """Make a property that reads and writes one key of the filter."""

    def get(self: ServiceFilter) -> Any:
        return self[key]

    def put(self: ServiceFilter, value: Any) -> None:
        self[key] = value

    return property(get, put)


class ServiceFilter(dict[str, Any]):
    """A service type with preferences; a dict, because keystoneauth1 takes it as *endpoint_filter*."""

    UNVERSIONED = ""
    PUBLIC = "public"
    INTERNAL = "internal"
    ADMIN = "admin"

    valid_versions: list[ValidVersion] = []

    def __init__(
        self,
        service_type: str,
        interface: str | None = PUBLIC,
        region: str | None = None,
        service_name: str | None = None,
        version: str | None = None,
        api_version: str | None = None,
        requires_project_id: bool = False,
    ) -> None:
        """
        Describe a service.

        Args:
            service_type: As in the catalog: ``image``.
            interface: ``public``, ``internal`` or ``admin``.
            region: Region name; None takes the first in the catalog.
            service_name: Name in the catalog; None takes any.
            version: Major version of the API that is spoken.
            api_version: Microversion to ask for.
            requires_project_id: True if the endpoint's path ends in the project ID.
        """
        super().__init__(
            service_type=service_type.lower(),
            interface=interface,
            region_name=region,
            service_name=service_name,
            version=version,
            api_version=api_version,
            requires_project_id=requires_project_id,
        )

    service_type = _entry("service_type")
    interface = _entry("interface")
    region = _entry("region_name")
    service_name = _entry("service_name")
    version = _entry("version")
    api_version = _entry("api_version")
    requires_project_id = _entry("requires_project_id")

    def get_filter(self) -> dict[str, Any]:
        """Return what keystoneauth1 needs to find the endpoint in the catalog."""
        keys = ("service_type", "interface", "region_name", "service_name")
        return {key: self[key] for key in keys if self[key] is not None}

    def get_path(self, version: str | None = None) -> str:
        """Return the path of the API version: ``v2``."""
        if not self.version:
            self.version = version
        return self._get_valid_version().path

    def get_module(self) -> str:
        """Return the package that speaks this version: ``ecl.image.v2``."""
        package = type(self).__module__.rpartition(".")[0]
        return f"{package}.{self._get_valid_version().module}"

    def get_service_module(self) -> str:
        """Return the name of the attribute of a Connection: ``image``."""
        return type(self).__module__.split(".")[1]

    def _get_valid_version(self) -> ValidVersion:
        for valid in self.valid_versions:
            if self.version and self.version.startswith(valid.module):
                return valid
        return self.valid_versions[0] if self.valid_versions else ValidVersion("")
