"""
How a value looks on the wire, where JSON's own form is not what the service uses.

::

    class Zone(Resource):
        is_shared = Body[bool]("shared", type=BoolStr)   # the service says "true" and "false"
"""

from __future__ import annotations

from typing import Any

__all__ = ["BoolStr", "Formatter"]


class Formatter:
    """
    A form of values on the wire: give a subclass as *type* of a resource's attribute.

    An attribute is read by :meth:`deserialize` and set by :meth:`serialize`. What the service sent, and what a
    resource is made with, is kept as it is.
    """

    @classmethod
    def serialize(cls, value: Any) -> Any:
        """Return what is sent for *value*. Raises ValueError for what has no such form."""
        raise NotImplementedError

    @classmethod
    def deserialize(cls, value: Any) -> Any:
        """Return the value that was sent as *value*. Raises ValueError for what is not in this form."""
        raise NotImplementedError


class BoolStr(Formatter):
    """True and False as the texts ``true`` and ``false``."""

    @classmethod
    def serialize(cls, value: Any) -> str:
        """Return ``true`` or ``false``. Raises ValueError unless *value* is a bool."""
        if not isinstance(value, bool):
            raise ValueError(f"A boolean is needed, not {value!r}")
        return "true" if value else "false"

    @classmethod
    def deserialize(cls, value: Any) -> bool:
        """Return the bool, of a text in any case. Raises ValueError for any other text."""
        text = str(value).lower()
        if text not in ("true", "false"):
            raise ValueError(f"A boolean is 'true' or 'false', not {value!r}")
        return text == "true"
