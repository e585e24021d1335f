"""Waiting for a resource to get where it should."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from ecl import exceptions

if TYPE_CHECKING:
    from ecl._http import SessionLike
    from ecl.resource2 import Resource

__all__ = ["delays", "wait_for_delete", "wait_for_status"]

#: Seconds of the first pause between two polls; each is twice the one before.
_FIRST_PAUSE = 0.1

R = TypeVar("R", bound="Resource")


def delays(interval: float) -> Iterator[float]:
    """Yield the seconds of one pause after the other: short ones first, *interval* from then on."""
    pause = min(_FIRST_PAUSE, interval)
    while True:
        yield pause
        pause = min(pause * 2, interval)


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
    deadline = time.monotonic() + wait
    current: Any = resource
    wanted = status.lower()
    failed = {failure.lower() for failure in failures or ()}
    polled = False
    while True:
        now = str(current.status or "").lower()
        if now == wanted:
            return resource
        if now in failed:
            raise exceptions.ResourceFailure(f"Resource {resource._own_id()} transitioned to failure state {now}")
        if polled:
            left = deadline - time.monotonic()
            if left <= 0:
                raise exceptions.ResourceTimeout(
                    f"Timeout waiting for {resource._own_id()} to transition to {status}:"
                    f" after {wait} seconds it is {now}"
                )
            time.sleep(min(interval, left))
        resource.get(session)
        polled = True


def wait_for_delete(session: SessionLike, resource: R, interval: float = 2, wait: float = 120) -> R:
    """
    Poll *resource* until the service no longer has it.

    Args:
        interval: Seconds between polls; the first poll is immediate.
        wait: Seconds before giving up, on the monotonic clock.

    Raises:
        ResourceTimeout: *wait* seconds passed first.
    """
    deadline = time.monotonic() + wait
    while True:
        try:
            resource.get(session)
        except exceptions.NotFoundException:
            return resource
        if time.monotonic() >= deadline:
            raise exceptions.ResourceTimeout(f"Timeout waiting for {resource._own_id()} delete: it is still there")
        time.sleep(min(interval, max(0.0, deadline - time.monotonic())))
