"""Waiting until a resource has a status, or is gone."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ecl import exceptions
from ecl._http.polling import polls

if TYPE_CHECKING:
    from ecl._http.sessions import SessionLike

__all__ = ["wait_for_delete", "wait_for_status"]


class _Pollable(Protocol):
    """What waiting needs of a resource."""

    def get(self, session: Any) -> Any:
        """Read the resource into this instance."""

    def _own_id(self) -> str | None: ...


R = TypeVar("R", bound=_Pollable)


def wait_for_status(
    session: SessionLike,
    resource: R,
    status: str,
    failures: Collection[str] | None = (),
    interval: float = 2,
    wait: float = 120,
) -> R:
    """
    Poll *resource* until it reaches *status*.

    Args:
        failures: Statuses that end the wait at once.
        interval: Seconds between polls; the first poll is immediate.
        wait: Seconds before giving up, on the monotonic clock.

    Raises:
        ResourceFailure: *resource* reached one of *failures*.
        ResourceTimeout: *wait* seconds passed first.
        AttributeError: *resource* has no status.
    """
    wanted = status.lower()
    failed = {failure.lower() for failure in failures or ()}
    if _has_reached(resource, wanted, failed):
        return resource
    for _ in polls(interval, wait):
        resource.get(session)
        if _has_reached(resource, wanted, failed):
            return resource
    raise exceptions.ResourceTimeout(
        f"Timeout waiting for {resource._own_id()} to transition to {status}:"
        f" after {wait} seconds it is {_status_of(resource)}"
    )


def _has_reached(resource: _Pollable, wanted: str, failures: Collection[str]) -> bool:
    """Return True if *resource* has the wanted status. Raises ResourceFailure."""
    status = _status_of(resource)
    if status in failures and status != wanted:
        raise exceptions.ResourceFailure(f"Resource {resource._own_id()} transitioned to failure state {status}")
    return status == wanted


def _status_of(resource: Any) -> str:
    return str(resource.status or "").lower()


def wait_for_delete(session: SessionLike, resource: R, interval: float = 2, wait: float = 120) -> R:
    """
    Poll *resource* until the service no longer has it.

    Args:
        interval: Seconds between polls; the first poll is immediate.
        wait: Seconds before giving up, on the monotonic clock.

    Raises:
        ResourceTimeout: *wait* seconds passed first.
    """
    for _ in polls(interval, wait):
        try:
            resource.get(session)
        except exceptions.NotFoundException:
            return resource
    raise exceptions.ResourceTimeout(f"Timeout waiting for {resource._own_id()} delete: it is still there")
