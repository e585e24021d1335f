"""Attributes of a resource: their declaration, and the containers of their values."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, ClassVar, Generic, Protocol, TypeVar, overload

from ecl.format import Formatter

__all__ = ["URI", "Body", "Component", "Header", "Manager", "QueryParameters", "components", "mapping"]

V = TypeVar("V")


class _Holder(Protocol):
    """What has components: a resource, and the values of each kind."""

    _body: Manager
    _header: Manager
    _uri: Manager


class Component(Generic[V]):
    """An attribute of a resource, and where in a request it is sent."""

    #: The manager on the instance that holds the values.
    key: ClassVar[str]

    def __init__(
        self,
        name: str,
        type: Callable[[Any], V] | type[Formatter] | None = None,
        default: V | None = None,
        alternate_id: bool = False,
    ) -> None:
        """
        Declare an attribute.

        Args:
            name: What the service calls it.
            type: Converts a received value, unless that is None or has this type already; or a
                :class:`~ecl.format.Formatter`, which also converts a value that is set.
            default: Value if the service sent none.
            alternate_id: True if it stands for the ID of resources that have no ``id``.
        """
        self.name = name
        self.type = type
        self.default = default
        self.alternate_id = alternate_id

    @overload
    def __get__(self, instance: None, owner: Any) -> None: ...
    @overload
    def __get__(self, instance: _Holder, owner: Any) -> V | None: ...
    def __get__(self, instance: _Holder | None, owner: Any) -> V | None:
        if instance is None:
            return None
        value = getattr(instance, self.key).get(self.name, self.default)
        if value is None or self.type is None or (isinstance(self.type, type) and isinstance(value, self.type)):
            return value  # type: ignore[no-any-return]  # the wire decides
        formatter = _formatter(self.type)
        convert: Callable[[Any], Any] = self.type if formatter is None else formatter.deserialize
        return convert(value)  # type: ignore[no-any-return]  # the type decides

    def __set__(self, instance: _Holder, value: V | None) -> None:
        formatter = _formatter(self.type)
        wire = value if formatter is None or value == self.default else formatter.serialize(value)
        getattr(instance, self.key)[self.name] = wire

    def __delete__(self, instance: _Holder) -> None:
        getattr(instance, self.key).pop(self.name, None)


def _formatter(kind: object) -> type[Formatter] | None:
    return kind if isinstance(kind, type) and issubclass(kind, Formatter) else None


class Body(Component[V]):
    """An attribute in the JSON body."""

    key = "_body"


class Header(Component[V]):
    """An attribute in a header of the answer."""

    key = "_header"


class URI(Component[V]):
    """An attribute in the path, such as the ID of a parent."""

    key = "_uri"


class Manager(MutableMapping[str, Any]):
    """Values of one kind of component, by the service's names, and which of them have changed."""

    def __init__(self, attributes: Mapping[str, Any], synchronized: bool) -> None:
        self.attributes = dict(attributes)
        self._dirty = set() if synchronized else set(self.attributes)

    def __getitem__(self, key: str) -> Any:
        return self.attributes[key]

    def __setitem__(self, key: str, value: Any) -> None:
        if key not in self.attributes or self.attributes[key] != value:
            self.attributes[key] = value
            self._dirty.add(key)

    def __delitem__(self, key: str) -> None:
        del self.attributes[key]
        self._dirty.add(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self.attributes)

    def __len__(self) -> int:
        return len(self.attributes)

    @property
    def dirty(self) -> dict[str, Any]:
        """What changed since the last answer; None stands for what was removed."""
        known = [key for key in self.attributes if key in self._dirty]
        removed = sorted(self._dirty.difference(self.attributes))
        return {key: self.attributes.get(key) for key in [*known, *removed]}

    def clean(self) -> None:
        """Count nothing as changed."""
        self._dirty.clear()

    def received(self, attributes: Mapping[str, Any], replace: bool = False) -> None:
        """Take over what the service sent, in place of what is there or added to it; nothing counts as changed then."""
        if replace:
            self.attributes.clear()
        self.attributes.update(attributes)
        self._dirty.clear()


class QueryParameters:
    """The query parameters that a list operation documents."""

    def __init__(self, *names: str, **mappings: str) -> None:
        """
        Declare parameters.

        Args:
            names: Those that the service calls the same.
            mappings: Python name to the service's: ``changes_since="changes-since"``.
        """
        self._mapping = {**{name: name for name in names}, **mappings}

    def _transpose(self, query: Mapping[str, Any]) -> dict[str, Any]:
        """Return the documented parameters among *query*, by the service's names."""
        return {wire: query[name] for name, wire in self._mapping.items() if name in query}


def components(cls: Any) -> dict[str, Component[Any]]:
    """Return the declared attributes of a resource class and its bases; a subclass's counts over its base's."""
    return _components(cls)


def mapping(cls: Any, kind: Any) -> dict[str, str]:
    """Return attribute name to the service's name, and the latter to itself, for one kind of component."""
    return _mapping(cls, kind)


@functools.cache
def _components(cls: type) -> dict[str, Component[Any]]:
    found: dict[str, Component[Any]] = {}
    for klass in reversed(cls.__mro__):
        found.update({name: part for name, part in vars(klass).items() if isinstance(part, Component)})
    return found


@functools.cache
def _mapping(cls: type, kind: type[Component[Any]]) -> dict[str, str]:
    parts = {name: part.name for name, part in _components(cls).items() if isinstance(part, kind)}
    return {**{wire: wire for wire in parts.values()}, **parts}
