"""Paths: values quoted as segments."""

from __future__ import annotations

import re
import urllib.parse
import uuid
from collections.abc import Mapping
from typing import Any

from ecl import exceptions

__all__ = ["fill", "segment", "text"]


def fill(base_path: str, values: Mapping[str, Any]) -> str:
    """Put quoted values into the ``%(name)s`` of a path."""

    def value_of(match: re.Match[str]) -> str:
        name = match.group(1)
        return segment(values.get(name, ""), name.replace("_id", " ID"))

    return re.sub(r"%\((\w+)\)s", value_of, base_path)


def segment(value: object, what: str) -> str:
    """
    Quote *value* as one segment of a path.

    Args:
        what: What it is, for the error: ``image ID``.

    Raises:
        InvalidRequest: It is empty, or no text, or cannot be a segment.
    """
    value = text(value, what)
    # HTTP clients and servers take these two as steps in the path even when they are quoted.
    if value in (".", ".."):
        raise exceptions.InvalidRequest(f"{what} {value!r} cannot be part of a URL")
    return urllib.parse.quote(value, safe="")


def text(value: object, what: str) -> str:
    """
    Return *value*, which is text or a UUID, as text.

    Raises:
        InvalidRequest: It is empty, or neither.
    """
    if isinstance(value, uuid.UUID):
        return str(value)
    if not isinstance(value, str):
        raise exceptions.InvalidRequest(f"{what} must be text, not {type(value).__name__}")
    if not value:
        raise exceptions.InvalidRequest(f"{what} is empty")
    return value
