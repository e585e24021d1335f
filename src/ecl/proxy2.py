"""The verbs that every service's proxy shares."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterator
from typing import Any, TypeVar

from ecl import exceptions, resource2
from ecl._http.sessions import as_session
from ecl._resource.missing import naming

__all__ = ["BaseProxy"]

R = TypeVar("R", bound=resource2.Resource)
T = TypeVar("T")


def _check_resource(strict: bool = False) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """
    Make a proxy's method, called with a resource class and a value, refuse a resource of another class.

    Args:
        strict: Refuse an ID, too.
    """

    def wrap(method: Callable[..., T]) -> Callable[..., T]:
        @functools.wraps(method)
        def check(self: Any, expected: type[resource2.Resource], actual: Any = None, *args: Any, **kwargs: Any) -> T:
            if strict and actual is not None and not isinstance(actual, resource2.Resource):
                raise exceptions.InvalidRequest(f"A {expected.__name__} must be passed, not {actual!r}")
            _check_class(expected, actual)
            return method(self, expected, actual, *args, **kwargs)

        return check

    return wrap


def _check_class(expected: type[resource2.Resource], actual: Any) -> None:
    if isinstance(actual, resource2.Resource) and not isinstance(actual, expected):
        raise exceptions.InvalidRequest(
            f"Expected {expected.__name__} but received {type(actual).__name__}: {actual!r}"
        )


class BaseProxy:
    """A service's operations, as plain methods on top of its resources."""

    def __init__(self, session: Any) -> None:
        """
        Speak through *session*: an ecl Session, any keystoneauth1 Session or Adapter, or a connection.

        Raises:
            InvalidRequest: *session* is something else.
        """
        self.session = as_session(session)

    def _get_resource(self, resource_type: type[R], value: Any, **attrs: Any) -> R:
        """
        Return *value* as an instance of *resource_type*: it may be one, an ID, or None for a bare one.

        Raises:
            InvalidRequest: *value* is a resource of another type.
        """
        if isinstance(value, resource_type):
            value._update(**attrs)
            return value
        identifier = self._id_of(resource_type, value)
        return resource_type.new(**attrs) if identifier is None else resource_type.new(id=identifier, **attrs)

    def _id_of(self, resource_type: type[R], value: Any) -> Any:
        """
        Return the ID of *value*, which is an instance of *resource_type* or an ID.

        Raises:
            InvalidRequest: *value* is a resource of another type.
        """
        _check_class(resource_type, value)
        return resource_type._get_id(value)

    def _get_uri_attribute(self, child: Any, parent: Any, name: str) -> Any:
        """Return the ID of *parent*; without one, what the resource *child* has under *name*."""
        return getattr(child, name) if parent is None else resource2.Resource._get_id(parent)

    def _find(self, resource_type: type[R], name_or_id: str, ignore_missing: bool = False, **attrs: Any) -> R | None:
        return resource_type.find(self.session, name_or_id, ignore_missing=ignore_missing, **attrs)

    def _create(self, resource_type: type[R], /, **attrs: Any) -> R:
        return resource_type.new(**attrs).create(self.session)

    def _get(self, resource_type: type[R], value: Any = None, requires_id: bool = True, **attrs: Any) -> R:
        resource = self._get_resource(resource_type, value, **attrs)
        with naming(resource_type, resource._own_id()):
            return resource.get(self.session, requires_id=requires_id)

    def _update(self, resource_type: type[R], value: Any, **attrs: Any) -> R:
        return self._get_resource(resource_type, value, **attrs).update(self.session)

    def _delete(self, resource_type: type[R], value: Any, ignore_missing: bool = False, **attrs: Any) -> R | None:
        resource = self._get_resource(resource_type, value, **attrs)
        try:
            with naming(resource_type, resource._own_id()):
                return resource.delete(self.session)
        except exceptions.ResourceNotFound:
            if ignore_missing:
                return None
            raise

    def _list(self, resource_type: type[R], value: Any = None, paginated: bool = False, **attrs: Any) -> Iterator[R]:
        self._id_of(resource_type, value)
        return resource_type.list(self.session, paginated=paginated, **attrs)

    def _head(self, resource_type: type[R], value: Any = None, **attrs: Any) -> R:
        return self._get_resource(resource_type, value, **attrs).head(self.session)

    def wait_for_status(
        self,
        value: R,
        status: str,
        failures: Collection[str] | None = (),
        interval: float = 2,
        wait: float = 120,
    ) -> R:
        """
        Poll *value* until it reaches *status*.

        Args:
            failures: Statuses that end the wait at once.
            interval: Seconds between polls; the first poll is immediate.
            wait: Seconds before giving up.

        Raises:
            ResourceFailure: It reached one of *failures*.
            ResourceTimeout: *wait* seconds passed first.
        """
        return resource2.wait_for_status(self.session, value, status, failures, interval, wait)

    def wait_for_delete(self, value: R, interval: float = 2, wait: float = 120) -> R:
        """
        Poll *value* until the service no longer has it.

        Args:
            interval: Seconds between polls; the first poll is immediate.
            wait: Seconds before giving up.

        Raises:
            ResourceTimeout: *wait* seconds passed first.
        """
        return resource2.wait_for_delete(self.session, value, interval, wait)
