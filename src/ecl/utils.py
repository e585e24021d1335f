"""Small helpers for users of the library."""

from __future__ import annotations

import logging
from typing import TextIO

from ecl import exceptions

__all__ = ["enable_logging", "urljoin"]


def enable_logging(debug: bool = False, path: str | None = None, stream: TextIO | None = None) -> None:
    """
    Send the log of this library and of keystoneauth1 to a file, a stream, or both.

    Tokens and passwords are masked in it. Nothing is logged anywhere until this, or the application's own set-up
    of :mod:`logging`, is called.

    Args:
        debug: True logs each request and answer, False warnings only.
        path: File to append to.
        stream: ``sys.stdout``, ``sys.stderr`` or another text stream.

    Raises:
        InvalidRequest: Neither *path* nor *stream* was given.
    """
    if path is None and stream is None:
        raise exceptions.InvalidRequest("enable_logging needs a path, a stream, or both")
    handlers: list[logging.Handler] = []
    if stream is not None:
        handlers.append(logging.StreamHandler(stream))
    if path is not None:
        handlers.append(logging.FileHandler(path))
    formatter = logging.Formatter("%(asctime)s %(levelname)s: %(name)s %(message)s")
    for name in ("ecl", "keystoneauth"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.DEBUG if debug else logging.WARNING)
        for handler in handlers:
            handler.setFormatter(formatter)
            logger.addHandler(handler)


def urljoin(*args: object) -> str:
    """Join parts of a path with one slash each: ``urljoin("/v2/zones/", 5)`` is ``v2/zones/5``. None is empty."""
    return "/".join(str(arg or "").strip("/") for arg in args)
