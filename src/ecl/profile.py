"""A user's preferences for each service: region, interface, name, version."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from ecl import exceptions
from ecl.image import image_service
from ecl.service_filter import ServiceFilter

if TYPE_CHECKING:
    from ecl.config import CloudConfig

__all__ = ["Profile", "for_cloud"]

# Other services of the cloud. This library has no methods for them, but accepts preferences for them, so that a
# profile written for eclsdk works unchanged.
_OTHER_SERVICES = {
    "baremetal-server": "v2",
    "compute": "v2",
    "dedicated-hypervisor": "v1",
    "dns": "v2",
    "identity": "v3",
    "interconnectivity": "v1",
    "managed-load-balancer": "v1",
    "metering": "v2",
    "network": "v2",
    "provider-connectivity": "v2",
    "rca": "v1",
    "security-operation-th": "v3",
    "security-order-th": "v3",
    "sssv2": "v2",
    "storage": "v1",
    "virtual-network-appliance": "v1",
    "volumev2": "v2",
}


class Profile:
    """
    Preferences for each service type.

    ::

        prof = Profile()
        prof.set_region(prof.ALL, "jp2")
        conn = Connection(profile=prof, auth_url=…)
    """

    #: Stands for every service.
    ALL = "*"

    def __init__(self, plugins: list[str] | None = None) -> None:
        """
        Know the services, prefer nothing.

        Raises:
            InvalidRequest: *plugins* was given; services from plug-ins are not supported.
        """
        if plugins:
            raise exceptions.InvalidRequest(
                "plugins: this library supports the image service only; leave the argument out"
            )
        self._services: dict[str, ServiceFilter] = {
            name: ServiceFilter(name, version=version) for name, version in _OTHER_SERVICES.items()
        }
        self._services["image"] = image_service.ImageService()
        #: What is preferred for every service, those that are not known here among them.
        self._for_all: dict[str, Any] = {}
        for service in self._services.values():
            service.interface = None
        self.service_keys = sorted(self._services)

    def __repr__(self) -> str:
        return repr(self._services)

    def get_filter(self, service: str) -> ServiceFilter:
        """
        Return a copy of the preferences for a service type.

        Raises:
            SDKException: There is no such service.
        """
        return copy.copy(self._get_filter(service))

    def preferences(self, service: str) -> dict[str, Any]:
        """
        Return what is preferred for any service type, in keystoneauth1's words; without what is left open.

        For a service that is not known here it is what was set for ALL.
        """
        known = self._services.get(service)
        if known is not None:
            return known.get_filter()
        wanted = ServiceFilter(service, interface=None)
        for attribute, value in self._for_all.items():
            setattr(wanted, attribute, value)
        return wanted.get_filter()

    def overlaid(self, other: Profile) -> Profile:
        """Return a copy in which the preferences of *other* count, where it has any."""
        result = copy.deepcopy(self)
        result._for_all.update(other._for_all)
        for name, service in other._services.items():
            result._services[name].update({key: value for key, value in service.items() if value is not None})
        return result

    def get_services(self) -> list[ServiceFilter]:
        """Return the preferences for all services."""
        return list(self._services.values())

    def set_name(self, service: str, name: str) -> None:
        """Prefer the catalog entry of this name. *service*: a service type, or ALL."""
        self._set(service, "service_name", name)

    def set_region(self, service: str, region: str) -> None:
        """Prefer this region. *service*: a service type, or ALL."""
        self._set(service, "region", region)

    def set_version(self, service: str, version: str) -> None:
        """Speak this major version (``v2``). *service*: a service type."""
        self._get_filter(service).version = version

    def set_api_version(self, service: str, api_version: str) -> None:
        """Ask for this microversion. *service*: a service type, or ALL."""
        self._set(service, "api_version", api_version)

    def set_interface(self, service: str, interface: str | list[str]) -> None:
        """
        Prefer the ``public``, ``internal`` or ``admin`` endpoint, or the first of several that there is.

        *service*: a service type, or ALL.
        """
        self._set(service, "interface", interface)

    def _get_filter(self, service: str) -> ServiceFilter:
        try:
            return self._services[service]
        except KeyError:
            known = ", ".join(self.service_keys)
            raise exceptions.SDKException(f"There is no service {service!r}; known are: {known}") from None

    def _set(self, service: str, attribute: str, value: str | list[str]) -> None:
        if service == self.ALL:
            self._for_all[attribute] = value
        for name in self.service_keys if service == self.ALL else [service]:
            setattr(self._get_filter(name), attribute, value)


def for_cloud(config: CloudConfig, profile: Profile | None = None, region_name: str | None = None) -> Profile:
    """
    Return the preferences that the configuration of a cloud has.

    Args:
        profile: Preferences for what the configuration leaves open.
        region_name: Instead of the configuration's.
    """
    result = copy.deepcopy(profile) if profile else Profile()
    if config.interface:
        result.set_interface(result.ALL, config.interface)
    if config.image_interface:
        result.set_interface("image", config.image_interface)
    if config.image_service_name:
        result.set_name("image", config.image_service_name)
    if config.image_service_type:
        result._get_filter("image").service_type = config.image_service_type
    if region_name or config.region_name:
        result.set_region(result.ALL, region_name or config.region_name or "")
    if config.image_region_name:
        result.set_region("image", config.image_region_name)
    return result
