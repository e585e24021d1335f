"""What a resource holds: values of declared attributes and of everything else in its body, as a mapping."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Self

from ecl import exceptions
from ecl._resource.component import URI, Body, Header, Manager, components, mapping

__all__ = ["Contents", "Identity"]


class Identity(Body[str]):
    """The ID, even if the service has it under another name."""

    def __get__(self, instance: Any, owner: Any) -> Any:
        return None if instance is None else instance._own_id()


class Contents:
    """The values of a resource, and how instances are made from them. What is sent and received is elsewhere."""

    def __init__(self, /, synchronized: bool = False, **attrs: Any) -> None:
        """
        Make an instance without a request.

        Args:
            synchronized: True if the service has *attrs*, False if they are changes that are not sent yet.
            attrs: Values by attribute name or by the service's name. A name that is not declared belongs to the
                body.
        """
        self._load(attrs, synchronized)

    def _load(self, attrs: Mapping[str, Any], synchronized: bool) -> None:
        self._body, self._header, self._uri = (Manager(part, synchronized) for part in self._sorted(attrs))

    # --- a mapping of the body ----------------------------------------------------------------------------

    def __getitem__(self, key: str) -> Any:
        """Return a value of the body by the service's name, or by attribute name."""
        if key not in self._body:
            wire = self._body_mapping().get(key)
            if wire is None or wire not in self._body:
                raise KeyError(key)
            key = wire
        return self._body[key]

    def __contains__(self, key: object) -> bool:
        return key in self._body

    def __iter__(self) -> Iterator[str]:
        return iter(self._body)

    def __len__(self) -> int:
        return len(self._body)

    def __bool__(self) -> bool:
        return True

    def keys(self) -> Collection[str]:
        """Return the names in the body, as the service has them."""
        return self._body.keys()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Contents):
            return NotImplemented
        return type(self) is type(other) and self._everything() == other._everything()

    def __repr__(self) -> str:
        pairs = {**self._uri.attributes, **self._header.attributes, **self._body.attributes}
        arguments = ", ".join(f"{key}={value}" for key, value in pairs.items())
        return f"{type(self).__module__}.{type(self).__name__}({arguments})"

    def _everything(self) -> tuple[dict[str, Any], ...]:
        return self._body.attributes, self._header.attributes, self._uri.attributes

    # --- making instances ---------------------------------------------------------------------------------

    @classmethod
    def new(cls, /, **kwargs: Any) -> Self:
        """Return an instance that the service does not have yet: :meth:`create` sends all of it."""
        resource = cls()
        resource._load(kwargs, synchronized=False)
        return resource

    @classmethod
    def existing(cls, /, **kwargs: Any) -> Self:
        """Return an instance of what the service has: nothing in it counts as changed."""
        resource = cls()
        resource._load(kwargs, synchronized=True)
        return resource

    @classmethod
    def _received(
        cls, body: dict[str, Any], header: Mapping[str, Any] | None = None, uri: Mapping[str, Any] | None = None
    ) -> Self:
        """Return an instance of what the service sent, by the service's names."""
        resource = cls.__new__(cls)
        parts = (Manager(part or {}, synchronized=True) for part in (body, header, uri))
        resource._body, resource._header, resource._uri = parts
        return resource

    def to_dict(self, body: bool = True, headers: bool = True, ignore_none: bool = False) -> dict[str, Any]:
        """
        Return the attributes by their Python names, and the rest of the body by the service's.

        Args:
            body: Include what travels in the body.
            headers: Include what travels in headers.
            ignore_none: Leave out what is None.

        Raises:
            InvalidRequest: Neither *body* nor *headers* is true.
        """
        kinds = tuple(kind for kind, wanted in ((Body, body), (Header, headers)) if wanted)
        if not kinds:
            raise exceptions.InvalidRequest("At least one of body and headers must be true")
        result = {name: getattr(self, name) for name, part in components(type(self)).items() if isinstance(part, kinds)}
        if body:
            declared = set(self._body_mapping().values())
            result.update({key: value for key, value in self._body.items() if key not in declared})
        return {key: value for key, value in result.items() if not (ignore_none and value is None)}

    def _update(self, /, **attrs: Any) -> None:
        """Set attributes; the next update sends them."""
        for manager, values in zip((self._body, self._header, self._uri), self._sorted(attrs), strict=True):
            manager.update(values)

    @classmethod
    def _sorted(cls, attrs: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """Sort values by where they travel, under the service's names; what is not declared is body."""
        body: dict[str, Any] = {}
        header: dict[str, Any] = {}
        uri: dict[str, Any] = {}
        for key, value in attrs.items():
            for target, names in (
                (body, cls._body_mapping()),
                (header, cls._header_mapping()),
                (uri, cls._uri_mapping()),
            ):
                if key in names:
                    target[names[key]] = value
                    break
            else:
                body[key] = value
        return body, header, uri

    @classmethod
    def _body_mapping(cls) -> dict[str, str]:
        return mapping(cls, Body)

    @classmethod
    def _header_mapping(cls) -> dict[str, str]:
        return mapping(cls, Header)

    @classmethod
    def _uri_mapping(cls) -> dict[str, str]:
        return mapping(cls, URI)

    @classmethod
    def _alternate_id(cls) -> str:
        """Return the service's name of the attribute that stands for the ID, or an empty text."""
        parts = components(cls).values()
        return next((part.name for part in parts if isinstance(part, Body) and part.alternate_id), "")

    @staticmethod
    def _get_id(value: Any) -> Any:
        """Return the ID of a resource; anything else is taken for an ID as it is."""
        return value._own_id() if isinstance(value, Contents) else value

    def _own_id(self) -> str | None:
        """Return the ID, under whichever name this resource has it."""
        return self._body.get("id") or self._body.get(self._alternate_id())
