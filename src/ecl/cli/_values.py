"""Values as text: sizes, lists and mappings, for a table or for a program."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["cell", "csv_cell", "flat", "human_size", "is_size", "plain", "value_text"]

#: Columns whose values are bytes.
_BYTES = frozenset({"size", "virtual_size"})

#: With these, the text of a cell is a formula to a spreadsheet.
_FORMULA = ("=", "+", "-", "@")


def human_size(count: int) -> str:
    """Return a number of bytes as text for people: ``2.4 GiB``."""
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(size) < 1024:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def plain(text: str) -> str:
    """Return *text* with control characters escaped, so that a terminal does not obey them."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def cell(key: str, value: Any) -> str:
    """Return a value as text for a table."""
    if value is None:
        return ""
    if is_size(key, value):
        return human_size(value)
    if isinstance(value, Mapping):
        return "\n".join(plain(f"{name}={cell(name, item)}") for name, item in value.items())
    if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
        return plain(", ".join(value))
    if isinstance(value, (list, tuple)):
        return "\n".join(cell(key, item).replace("\n", ", ") for item in value)
    return plain(str(value))


def is_size(key: str, value: Any) -> bool:
    """Tell whether *value*, of the column *key*, is a number of bytes."""
    return key in _BYTES and isinstance(value, int) and not isinstance(value, bool)


def flat(value: Any) -> Any:
    """Return a list or mapping as JSON, and any other value as it is."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (Mapping, list, tuple)) else value


def csv_cell(value: Any, on_terminal: bool) -> Any:
    """
    Return a value for CSV: control characters escaped, numbers as numbers.

    Args:
        on_terminal: Put a ' before text that a spreadsheet would take for a formula, since people copy from there.
    """
    found = flat(value)
    if not isinstance(found, str):
        return found
    text = plain(found)
    return f"'{text}" if on_terminal and text.startswith(_FORMULA) else text


def value_text(value: Any) -> str:
    """Return a value as text on one line, for a program."""
    return plain(str(flat(value)))
