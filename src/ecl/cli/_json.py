"""JSON objects on the command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

__all__ = ["JsonObject"]


class JsonObject(click.ParamType[dict[str, Any]]):
    """A JSON object: the text itself, ``@FILE``, or ``@-`` for standard input."""

    name = "JSON"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dict[str, Any]:
        """Return the object. Raises BadParameter."""
        text = str(value)
        if text == "@-":
            text = sys.stdin.read()
        elif text.startswith("@"):
            try:
                text = Path(text[1:]).read_text(encoding="utf-8")
            except (OSError, ValueError) as exc:
                reason = exc.strerror if isinstance(exc, OSError) else "it is not UTF-8"
                self.fail(f"{value[1:]} cannot be read: {reason}.", param, ctx)
        try:
            found = json.loads(text)
        except ValueError as exc:
            self.fail(f"not valid JSON: {exc}. Give a JSON object, or @FILE with one.", param, ctx)
        if not isinstance(found, dict):
            self.fail('must be a JSON object, such as {"type": "string"}.', param, ctx)
        return found

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:  # noqa: ARG002 - click's signature
        """Return the placeholder in the help."""
        return "JSON|@FILE"
