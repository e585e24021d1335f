"""What to say where certificates are the trouble."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ecl import exceptions

__all__ = ["explain", "named_files"]


@contextmanager
def named_files(session: Any) -> Iterator[None]:
    """
    Say which file it is that requests does not find: the CA bundle, the certificate or the key of *session*.

    Raises:
        ConfigException: One of them is not there.
    """
    try:
        yield
    except OSError as exc:
        missing = _missing(getattr(session, "verify", None), getattr(session, "cert", None))
        if missing is None:
            raise
        raise exceptions.ConfigException(missing) from exc


def _missing(verify: object, cert: object) -> str | None:
    if isinstance(verify, str) and not os.path.exists(verify):
        return (
            f"There is no CA file {verify}: correct cacert in clouds.yaml, OS_CACERT or --os-cacert, or leave it out"
            " to trust the certificates of this machine"
        )
    for path, name in zip(cert if isinstance(cert, (tuple, list)) else (cert,), ("cert", "key"), strict=False):
        if isinstance(path, str) and not os.path.exists(path):
            what = {"cert": "client certificate", "key": "key of a client certificate"}[name]
            return f"There is no {what} {path}: correct {name} in clouds.yaml, OS_{name.upper()} or --os-{name}"
    return None


def explain(address: str, reason: str) -> str:
    """Return what is wrong with the TLS connection to *address*, and what helps."""
    return (
        f"The certificate of {address} is not accepted: {reason}. Name the CA that signed it with cacert in"
        " clouds.yaml, OS_CACERT or --os-cacert FILE; verify: false or --insecure accepts any certificate"
    )
