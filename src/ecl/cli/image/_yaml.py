"""Read a YAML file; what is wrong in it is said with file, line, column and remedy."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

__all__ = ["read_yaml"]

#: What the YAML library says, and what that means to the author of the file.
_MEANINGS = (
    (r"found character '\\t'", "a tab; indent with blanks"),
    (r"cannot start any token", "a value begins with a special character; put it into quotes"),
    (r"mapping values are not allowed", "a second ': ' in one value, or a wrong indent; put the value into quotes"),
    (r"expected ',' or '[\]}]'", "a bracket is still open here, or a comma is missing"),
    (r"expected <block end>", "the indent does not fit the lines above"),
    (r"could not find expected ':'", "a key has no ': ' behind it"),
    (r"undefined alias", "a value begins with *, which names an anchor; put it into quotes"),
    (r"could not determine a constructor", "a value begins with !, which names a type; put it into quotes"),
    (r"unexpected end of stream", "a quote or a bracket is not closed"),
    (r"unhashable key", "a key is a list or a mapping; a key must be text"),
    (r"another document", "a second document begins; a manifest is one: remove the line ---"),
    (r"special characters are not allowed", "a control character; remove it"),
    (r"codec can't decode|invalid|unexpected end of data", "bytes that are not UTF-8; save the file as UTF-8"),
)
_UNKNOWN = "it is not valid YAML; put values that begin with a special character into quotes"


def read_yaml(path: Path) -> Any:
    """Return the document in *path*. Raises UsageError."""
    import yaml

    try:
        data = path.read_bytes()
        return yaml.safe_load(data)
    except OSError as exc:
        raise click.UsageError(f"{path} cannot be read: {exc.strerror}.") from exc
    except yaml.YAMLError as exc:
        raise click.UsageError(f"{path}{_place(exc, data)}: {_meaning(exc)}.") from exc
    except ValueError as exc:
        # Such as a date with a 13th month.
        raise click.UsageError(f"{path}: a value is not valid ({exc}); put text into quotes.") from exc


def _place(exc: Exception, data: bytes) -> str:
    mark = getattr(exc, "problem_mark", None)
    if mark is not None:
        return f", line {mark.line + 1}, column {mark.column + 1}"
    position = getattr(exc, "position", None)
    if position is None:
        return ""
    before = data[:position]
    line, column = before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
    return f", line {line}, column {column}"


def _meaning(exc: Exception) -> str:
    text = f"{getattr(exc, 'problem', '')} {getattr(exc, 'reason', '')}"
    return next((meaning for pattern, meaning in _MEANINGS if re.search(pattern, text)), _UNKNOWN)
