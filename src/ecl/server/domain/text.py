"""Text from other servers and from files, made safe for messages, logs and the database."""

from __future__ import annotations

__all__ = ["MAX_FOREIGN_TEXT", "printable"]

#: Most characters of such a text that are kept.
MAX_FOREIGN_TEXT = 200


def printable(text: object) -> str:
    """Return *text* in one line: its printable characters, at most `MAX_FOREIGN_TEXT` of them."""
    # Cut first, so that a long text costs no more than a short one.
    start = str(text)[: 4 * MAX_FOREIGN_TEXT]
    words = " ".join("".join(char if char.isprintable() else " " for char in start).split())
    return words[:MAX_FOREIGN_TEXT]
